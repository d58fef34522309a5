"""The ASGI side of the embedded gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from threading import Event
from typing import Any

import orjson
import pytest

from upid.adapters.system.clock import SystemClock
from upid.adapters.system.ids import UlidIds
from upid.runtime import asgi
from upid.runtime.asgi import GatewayApp
from upid.runtime.proxy_event import HttpAnswer, HttpRequest


class Echo:
    """A gateway that answers what it was asked; it waits for `gate` first."""

    def __init__(self) -> None:
        self.gate = Event()
        self.gate.set()

    def answer(self, request: HttpRequest) -> HttpAnswer:
        self.gate.wait(10)
        return HttpAnswer(
            200, (("Content-Type", "text/plain"),), f"{request.method} {request.path}?{request.query} ".encode() + request.body
        )


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def app(echo: Echo) -> Iterator[GatewayApp]:
    made = GatewayApp(echo, SystemClock(), UlidIds(SystemClock()), body_limit_bytes=10)  # type: ignore[arg-type] # a smaller gateway
    yield made
    echo.gate.set()
    made.close()


def scope(**more: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "POST",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"x=1",
        "headers": [(b"X", b"y")],
    } | more


async def call(app: GatewayApp, messages: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    waiting = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(waiting)

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope(**more), receive, send)
    return sent


def body(data: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


def test_a_request_in_parts_is_answered_whole(app: GatewayApp) -> None:
    start, answer = asyncio.run(call(app, [body(b"12345", more=True), body(b"67890")]))
    assert (start["status"], start["headers"]) == (200, [(b"content-type", b"text/plain")])
    assert answer["body"] == b"POST /a%20b?x=1 1234567890"


def test_a_path_without_its_raw_form_is_taken_as_it_is(app: GatewayApp) -> None:
    assert asyncio.run(call(app, [body(b"")], raw_path=None, path="/x"))[1]["body"] == b"POST /x?x=1 "


def test_one_byte_too_many_is_413_once_the_client_has_sent_it_all(app: GatewayApp) -> None:
    start, answer = asyncio.run(call(app, [body(b"12345678901", more=True), body(b"2"), body(b"never read")]))
    assert start["status"] == 413
    assert (b"connection", b"close") in start["headers"]
    assert orjson.loads(answer["body"])["type"] == "/problems/too-large"


def test_what_never_ends_is_not_read_for_ever(app: GatewayApp) -> None:
    parts = [body(b"1234567890", more=True) for _ in range(asgi.DRAINED + 1)]
    assert asyncio.run(call(app, parts))[0]["status"] == 413


def test_a_client_that_goes_away_gets_nothing(app: GatewayApp) -> None:
    assert asyncio.run(call(app, [body(b"1", more=True), {"type": "http.disconnect"}])) == []


def test_what_is_not_http_is_left_alone(app: GatewayApp) -> None:
    assert asyncio.run(call(app, [], type="websocket")) == []


def test_a_queue_that_is_full_says_come_back(app: GatewayApp, echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "WAITING", 2)
    echo.gate.clear()

    async def three() -> list[list[dict[str, Any]]]:
        first = [asyncio.create_task(call(app, [body(b"")])) for _ in range(2)]
        await asyncio.sleep(0.05)
        third = await call(app, [body(b"")])
        echo.gate.set()
        return [third, *await asyncio.gather(*first)]

    third, *others = asyncio.run(three())
    assert (third[0]["status"], dict(third[0]["headers"])[b"retry-after"]) == (503, b"1")
    assert [other[0]["status"] for other in others] == [200, 200]
