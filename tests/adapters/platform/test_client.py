from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from outside.serving import Reply, Request, serving

from upid.adapters.platform.client import PlatformClient
from upid.domain.errors import AppError, ConflictError, ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError, UnavailableError


class Served:
    """A client, what was asked of the server behind it, and how long the client waited."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.slept: list[float] = []
        self.client = PlatformClient.at("http://nowhere", "")


@contextmanager
def served(*replies: Reply | Callable[[Request], Reply]) -> Iterator[Served]:
    """Answer one after the other, the last for ever."""
    found = Served()

    def answer(request: Request) -> Reply:
        found.asked.append(request)
        reply = replies[min(len(found.asked), len(replies)) - 1]
        return reply if isinstance(reply, Reply) else reply(request)

    with serving(answer) as url:
        found.client = PlatformClient(PlatformClient.at(f"{url}/api/v1/", "t0ken").base, "t0ken", found.slept.append)
        yield found


def problem(status: int, detail: str, **more: object) -> Reply:
    return Reply({"title": "x", "status": status, "detail": detail, **more}, status, {"Content-Type": "application/problem+json"})


def test_a_request_goes_below_the_prefix_with_the_token() -> None:
    with served(Reply({"items": []})) as found:
        assert found.client.get("/clusters", {"limit": "5"}) == {"items": []}

    assert (found.asked[0].path, found.asked[0].params) == ("/api/v1/clusters", {"limit": ["5"]})
    assert found.asked[0].headers["authorization"] == "Bearer t0ken"


def test_a_post_is_json_and_names_its_key() -> None:
    with served(Reply({"id": "an_1"}, 202)) as found:
        assert found.client.post("/optimization/deep-analysis", {"a": 1}, repeatable_as="k") == {"id": "an_1"}

    assert (found.asked[0].json, found.asked[0].headers["idempotency-key"]) == ({"a": 1}, "k")


def test_what_passes_is_tried_again_after_as_long_as_it_says() -> None:
    with served(problem(503, "busy"), Reply({}, 429, {"Retry-After": "7"}), Reply({"ok": True})) as found:
        assert found.client.get("/clusters") == {"ok": True}

    assert found.slept == [0.5, 7.0]


def test_a_post_that_may_have_taken_effect_is_not_sent_again() -> None:
    with served(problem(503, "busy")) as found, pytest.raises(UnavailableError, match="busy"):
        found.client.post("/metrics/history/query", {})

    assert len(found.asked) == 1


def test_a_long_answer_is_fetched_from_its_link_without_the_token() -> None:
    with served(Reply(b"", 303, {"Location": "/blobs/long?signature=s"}), Reply({"items": [1]})) as found:
        assert found.client.get("/clusters") == {"items": [1]}

    assert found.asked[1].path == "/blobs/long"
    assert "authorization" not in found.asked[1].headers


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, UnauthenticatedError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (409, ConflictError),
        (412, ConflictError),
        (422, InvalidError),
    ],
)
def test_a_problem_is_the_error_that_it_was(status: int, kind: type[AppError]) -> None:
    with served(problem(status, "No.", errors=[{"pointer": "#/a", "detail": "b"}])) as found, pytest.raises(kind, match="No") as caught:
        found.client.get("/clusters")

    assert caught.value.members["errors"] == [{"pointer": "#/a", "detail": "b"}]


@pytest.mark.parametrize("reply", [Reply(b"<html>", 200), Reply(b"<html>", 404), Reply([1], 200), Reply({}, 418)])
def test_what_is_no_platform_is_said_to_be_none(reply: Reply) -> None:
    with served(reply) as found, pytest.raises(UnavailableError, match="no UPID platform"):
        found.client.get("/clusters")


def test_one_that_is_not_there_is_told_after_retries() -> None:
    slept: list[float] = []

    with pytest.raises(UnavailableError, match="Connection refused"):
        PlatformClient("http://127.0.0.1:9", "t", slept.append).get("/clusters")
    assert slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    ("url", "token"), [("ftp://x", "t"), ("http://", "t"), ("http://u:p@x", "t"), ("http://x?a=b", "t"), ("http://x", "a\nb")]
)
def test_what_cannot_be_asked_with_is_refused(url: str, token: str) -> None:
    with pytest.raises(InvalidError):
        PlatformClient.at(url, token)


def test_the_token_is_not_shown() -> None:
    assert "t0ken" not in repr(PlatformClient.at("http://x", "t0ken"))
