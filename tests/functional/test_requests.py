"""Requests that are wrong, hostile or unusual, over the whole gateway path."""

from __future__ import annotations

import gzip
import json

import pytest
from functional.client import Client

LOGIN = "/auth/login"


@pytest.mark.parametrize(
    ("body", "status", "kind", "pointer"),
    [
        (b"", 422, "invalid-request", "#/username"),
        (b"{", 400, "malformed", "#"),
        (b'{"username": NaN}', 400, "malformed", "#"),
        (b"\xff\xfe", 400, "malformed", "#"),
        (b'{"username": "a", "password": "\xff"}', 400, "malformed", "#"),
        (b"[" * 100_000, 400, "malformed", "#"),
        (b"[]", 422, "invalid-request", "#"),
        (b'[{"username": "a", "password": "b"}]', 422, "invalid-request", "#"),
        (b'"text"', 422, "invalid-request", "#"),
        (b"17", 422, "invalid-request", "#"),
        (b"null", 422, "invalid-request", "#"),
        (b'{"username": "a"}', 422, "invalid-request", "#/password"),
        (b'{"username": 7, "password": "b"}', 422, "invalid-request", "#/username"),
        (b'{"username": "", "password": "b"}', 422, "invalid-request", "#/username"),
        (b'{"username": "a", "password": "b", "a/b~c": 1}', 422, "invalid-request", "#/a~1b~0c"),
    ],
)
def test_a_wrong_body_is_a_problem_that_says_where(client: Client, body: bytes, status: int, kind: str, pointer: str) -> None:
    problem = client.anonymous().post(LOGIN, body, headers={"Content-Type": "application/json"}).problem(status, kind)
    assert problem["errors"][0]["pointer"] == pointer
    assert problem["errors"][0]["detail"]


def test_bad_json_is_told_with_line_and_column(client: Client) -> None:
    problem = client.anonymous().post(LOGIN, b'{"username": "a",\n "password" 1}').problem(400, "malformed")
    assert problem["errors"][0]["detail"].startswith("Line 2, column 13")


def test_every_fault_is_told_at_once(client: Client) -> None:
    problem = client.anonymous().post(LOGIN, {"username": "", "extra": 1}).problem(422, "invalid-request")
    assert {fault["pointer"] for fault in problem["errors"]} == {"#/username", "#/password", "#/extra"}


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx"]
)
def test_a_body_that_is_said_not_to_be_json_is_refused(client: Client, media_type: str) -> None:
    assert client.anonymous().post(LOGIN, b"username=a", headers={"Content-Type": media_type}).problem(415, "unsupported-media-type")


@pytest.mark.parametrize(
    "media_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"]
)
def test_json_by_another_name_is_taken(client: Client, media_type: str) -> None:
    assert client.anonymous().post(LOGIN, b"{}", headers={"Content-Type": media_type}).status == 422


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"limit": "0"}, "?limit"),
        ({"limit": "501"}, "?limit"),
        ({"limit": "x"}, "?limit"),
        ({"limit": ["1", "2"]}, "?limit"),
        ({"limt": "1"}, "?limt"),
    ],
)
def test_a_wrong_or_unknown_query_parameter_is_refused_with_its_name(client: Client, query: dict[str, object], pointer: str) -> None:
    assert client.get("/gateway/routes", query).problem(422, "invalid-request")["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("cursor", ["%", "ä", "!!", "/w", "A" * 501])
def test_a_cursor_that_is_none_is_refused(client: Client, cursor: str) -> None:
    assert client.get("/gateway/routes", {"cursor": cursor}).problem(422, "invalid-request")["errors"][0]["pointer"] == "?cursor"


@pytest.mark.parametrize(
    "path", ["/nope", "/gateway", "/gateway/nope", "/auth/login/x", "/gateway/health%2F", "//gateway/health", "/../etc/passwd"]
)
def test_an_unknown_path_is_a_404_problem(client: Client, path: str) -> None:
    assert client.get(path).problem(404, "not-found")


def test_a_trailing_slash_does_not_matter(client: Client) -> None:
    assert client.anonymous().get("/gateway/health/").status == 200


def test_a_wrong_method_is_405_with_the_right_ones(client: Client) -> None:
    answer = client.anonymous().get(LOGIN)
    assert answer.problem(405, "method-not-allowed")
    assert answer.header("allow") == "POST"
    assert client.anonymous().send("BREW", LOGIN).header("allow") == "POST"


def test_head_is_get_without_the_body(client: Client) -> None:
    whole, head = client.get("/auth/profile"), client.send("HEAD", "/auth/profile")
    assert (head.status, head.raw.body) == (200, b"")
    assert head.header("content-length") == whole.header("content-length") == str(len(whole.raw.body))


def test_options_tells_the_methods(client: Client) -> None:
    answer = client.anonymous().send("OPTIONS", "/gateway/health")
    assert (answer.status, answer.raw.body) == (204, b"")
    assert answer.header("allow") == "GET, HEAD, POST, OPTIONS"


def test_a_long_answer_is_compressed_when_asked_for(client: Client) -> None:
    plain = client.get("/openapi.json")
    assert plain.header("content-encoding") == ""
    for accepted in ("gzip", "br, gzip;q=0.5", "*"):
        packed = client.get("/openapi.json", headers={"Accept-Encoding": accepted})
        assert (packed.header("content-encoding"), packed.header("vary")) == ("gzip", "Accept-Encoding")
        assert gzip.decompress(packed.raw.body) == plain.raw.body
    for refused in ("gzip;q=0", "identity", "br"):
        assert client.get("/openapi.json", headers={"Accept-Encoding": refused}).header("content-encoding") == ""
    assert client.get("/gateway/health", headers={"Accept-Encoding": "gzip"}).header("content-encoding") == ""


def test_every_answer_names_its_request_and_is_not_cached(client: Client) -> None:
    for answer in (client.get("/auth/profile"), client.get("/nope"), client.anonymous().get("/auth/profile")):
        assert answer.header("x-request-id") == "test-request"
        assert answer.header("cache-control") == "no-store"
        assert answer.header("x-content-type-options") == "nosniff"


def test_an_unexpected_error_is_500_without_any_detail(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def get(self, key: object) -> None:
            raise RuntimeError("secret path /etc/shadow")

    client.services.__dict__["records"] = Broken()
    answer = client.anonymous().get("/gateway/health")
    assert answer.expect(500) == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "instance": "urn:request:test-request",
    }
    assert "secret path /etc/shadow" in caplog.text
    assert "Traceback" in caplog.text


def test_an_authorizer_that_breaks_lets_nobody_in(client: Client) -> None:
    class Broken:
        def authenticate(self, token: str) -> None:
            raise RuntimeError("no key")

    client.services.__dict__["identity"] = Broken()
    assert client.get("/auth/profile").expect(500)["type"] == "about:blank"


def test_the_root_leads_to_the_documentation(client: Client) -> None:
    from upid.runtime.proxy_event import HttpRequest

    answer = client.gateway.answer(HttpRequest("GET", "/", id="x"))
    assert (answer.status, answer.header("location")) == (302, "/api/v1/docs")


def test_the_documentation_page_loads_nothing_from_elsewhere(client: Client) -> None:
    answer = client.anonymous().get("/docs")
    text = answer.raw.body.decode()
    assert answer.header("content-type").startswith("text/html")
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in answer.header("content-security-policy")


def test_the_openapi_document_is_open_and_whole(client: Client) -> None:
    document = json.loads(client.anonymous().get("/openapi.json").raw.body)
    assert document["openapi"].startswith("3.1")
    assert {"/api/v1/auth/login", "/api/v1/gateway/routes"} <= set(document["paths"])


def test_the_routes_are_listed_by_pages_with_their_permissions(client: Client) -> None:
    found, cursor = [], None
    while True:
        page = client.get("/gateway/routes", {"limit": 3} | ({"cursor": cursor} if cursor else {})).expect(200)
        assert 1 <= len(page["items"]) <= 3
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == client.get("/gateway/routes", {"limit": 500}).expect(200)["items"]
    permissions = {(route["method"], route["path"]): route["permission"] for route in found}
    assert permissions["POST", "/api/v1/auth/login"] is None
    assert permissions["GET", "/api/v1/gateway/routes"] == "gateway:read"
