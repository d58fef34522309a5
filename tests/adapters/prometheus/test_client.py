from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator

import pytest
from adapters.prometheus.scripted import Answer, Server, refused

from upid.adapters.prometheus.access import endpoint_of
from upid.adapters.prometheus.client import PassingError, PrometheusClient, SlowError, TimedOutError, UnreadableAnswerError
from upid.domain.clusters import MetricsAccess
from upid.domain.errors import ForbiddenError, RefusedError, UnauthenticatedError, UnavailableError

PATH = "/api/v1/query"


def test_a_query_is_posted_with_its_credentials(server: Server) -> None:
    server.client(bearer_token="t", headers=(("X-Scope-OrgID", "a"),)).document(PATH, {"query": "up", "match[]": ["a", "b"]})

    asked = server.asked[0]
    assert (asked.path, asked.params) == (PATH, {"query": ["up"], "match[]": ["a", "b"]})
    assert (asked.headers["Authorization"], asked.headers["X-Scope-OrgID"]) == ("Bearer t", "a")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again_with_growing_pauses(server: Server, status: int) -> None:
    server.script(refused(status, "busy"), refused(status, "busy"), Answer())

    assert server.client().document(PATH, {})["status"] == "success"
    assert server.slept == [0.5, 1.0]


def test_retry_after_is_held(server: Server) -> None:
    server.script(Answer(b"{}", 429, (("Retry-After", "7"),)), Answer(b"{}", 429, (("Retry-After", "900"),)), Answer())

    server.client().document(PATH, {})

    assert server.slept == [7.0, 30.0]


def test_it_gives_up_after_four_tries(server: Server) -> None:
    server.script(refused(503, "overloaded"))

    with pytest.raises(SlowError, match="503: overloaded"):
        server.client().document(PATH, {})
    assert len(server.asked) == 4


def test_an_answer_that_breaks_off_is_asked_again(server: Server) -> None:
    server.script(Answer(cut=True), Answer())

    assert server.client().document(PATH, {})["status"] == "success"


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refusal_tells_the_sources_reason_at_once(server: Server, status: int) -> None:
    server.script(refused(status, "query processing would load too many samples into memory"))

    with pytest.raises(RefusedError, match="too many samples"):
        server.client().document(PATH, {})
    assert len(server.asked) == 1


def test_an_error_with_status_200_is_a_refusal_too(server: Server) -> None:
    server.script(refused(200, "no such function"))

    with pytest.raises(RefusedError, match="no such function"):
        server.client().document(PATH, {})


@pytest.mark.parametrize(("status", "error"), [(401, UnauthenticatedError), (403, ForbiddenError)])
def test_refused_credentials_are_no_matter_of_patience(server: Server, status: int, error: type[Exception]) -> None:
    server.script(Answer(b"no", status))

    with pytest.raises(error):
        server.client().document(PATH, {})
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(b"<!doctype html><title>Log in</title>"), "HTML page"),
        (Answer(b"\xff\xfe"), "no JSON"),
        (Answer(b"[1]"), "no JSON object"),
        (Answer(b"<html>", 404), "answered 404"),
        (Answer(b"", 302, (("Location", "https://sso/login"),)), "https://sso/login"),
    ],
)
def test_what_is_no_prometheus_is_told_so(server: Server, answer: Answer, told: str) -> None:
    server.script(answer)

    with pytest.raises(UnavailableError, match=told):
        server.client().document(PATH, {})


def test_an_html_page_with_a_passing_status_is_named(server: Server) -> None:
    server.script(Answer(b"<html>Bad gateway</html>", 502))

    with pytest.raises(PassingError, match="502: it is an HTML page"):
        server.client().document(PATH, {})


def test_a_closed_port_is_told_with_the_systems_word() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = PrometheusClient(endpoint_of(MetricsAccess(url)), sleep=lambda _: None)

        with pytest.raises(UnavailableError, match=r"does not answer: .*Connection refused"):
            client.document(PATH, {})


def test_a_server_that_never_answers_is_slow() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        client = PrometheusClient(endpoint_of(MetricsAccess(url)), timeout_seconds=0.05, sleep=lambda _: None)

        with pytest.raises(TimedOutError, match="not answer in time"):
            client.document(PATH, {})


def test_a_query_that_timed_out_is_not_asked_again_as_it_is(server: Server) -> None:
    server.script(refused(503, "query timed out in expression evaluation"))

    with pytest.raises(TimedOutError, match="timed out"):
        server.client().document(PATH, {})
    assert len(server.asked) == 1


def test_after_an_answer_that_could_not_be_read_the_next_is(server: Server) -> None:
    server.script(Answer(b"<html>" + b" " * (1 << 23)), Answer())
    client = server.client()

    def refuse(pieces: Iterator[bytes]) -> dict[str, object]:
        raise UnreadableAnswerError(next(pieces)[:6].decode())

    with pytest.raises(UnavailableError, match="<html>"):
        client.ask(PATH, {}, refuse)
    assert client.document(PATH, {})["status"] == "success"


def test_queries_keep_their_distance(server: Server) -> None:
    client = server.client(max_qps=2.0)
    for _ in range(3):
        client.document(PATH, {})

    # Two a second: the second waits about half a second, the third about a whole one (no one sleeps here).
    assert server.slept == [pytest.approx(0.5, abs=0.2), pytest.approx(1.0, abs=0.4)]


def test_a_compressed_answer_is_read(server: Server) -> None:
    server.script(Answer(gzip.compress(Answer().body), headers=(("Content-Encoding", "gzip"),)))

    assert server.client().document(PATH, {})["status"] == "success"
    assert "gzip" not in server.asked[0].headers.get("Accept-Encoding", "")
