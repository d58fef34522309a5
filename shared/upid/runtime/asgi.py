"""The embedded gateway as an ASGI application: reads a request whole, answers it in a thread, writes the answer whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from upid.domain.errors import UnavailableError
from upid.http.problems import TooLargeError, problem
from upid.ports.clock import Clock, Ids
from upid.runtime.gateway import Gateway
from upid.runtime.proxy_event import HttpAnswer, HttpRequest

BODY_LIMIT_BYTES: Final = 1024 * 1024
DRAINED: Final = 32  # times that limit is read and thrown away before the answer
THREADS: Final = 32
WAITING: Final = 512  # requests beyond these are told to come back, so that none waits without end

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class ClientGoneError(Exception):
    """The client went away before its request was whole."""


@dataclass
class GatewayApp:
    """The application that uvicorn runs."""

    gateway: Gateway
    clock: Clock
    ids: Ids
    body_limit_bytes: int = BODY_LIMIT_BYTES
    threads: int = THREADS
    _pool: ThreadPoolExecutor = field(init=False)
    _waiting: int = 0

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="http")

    def close(self) -> None:
        """Let the threads go; requests that still wait are dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; anything else is refused by closing it."""
        if scope["type"] != "http":
            return
        request = self._request(scope)
        try:
            body = await self._body(receive)
        except ClientGoneError:
            return
        await _send(send, await self._answer(request, body))

    async def _answer(self, request: HttpRequest, body: bytes | None) -> HttpAnswer:
        if body is None:
            return _refusal(
                TooLargeError(f"A body may have {self.body_limit_bytes} bytes at most.", limit_bytes=self.body_limit_bytes), request
            )
        if self._waiting >= WAITING:
            return _refusal(UnavailableError("Too many requests wait already.", retry_after_seconds=1), request)
        self._waiting += 1
        try:
            whole = HttpRequest(
                request.method, request.path, request.query, request.headers, body, request.client, request.protocol, request.id, request.time
            )  # fmt: skip
            return await asyncio.get_running_loop().run_in_executor(self._pool, self.gateway.answer, whole)
        finally:
            self._waiting -= 1

    async def _body(self, receive: Receive) -> bytes | None:
        """Return the body, None where it is too long; ClientGoneError where it never came whole."""
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            part = message.get("body", b"")
            size += len(part)
            too_long = size > self.body_limit_bytes
            if not too_long:
                parts.append(part)
            # Many clients read no answer before their body is sent: they would see a broken connection instead of why.
            if size > self.body_limit_bytes * DRAINED or not message.get("more_body", False):
                return None if too_long else b"".join(parts)

    def _request(self, scope: Message) -> HttpRequest:
        return HttpRequest(
            method=scope["method"],
            path=(scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]),
            client=(scope.get("client") or ("127.0.0.1", 0))[0],
            protocol=f"HTTP/{scope.get('http_version', '1.1')}",
            id=self.ids.secret(),
            time=self.clock.now(),
        )


def _refusal(error: TooLargeError | UnavailableError, request: HttpRequest) -> HttpAnswer:
    status, headers, body = problem(error, request_id=request.id)
    return HttpAnswer(status, (*headers.items(), ("Connection", "close"), ("Content-Length", str(len(body)))), body.encode())


async def _send(send: Send, answer: HttpAnswer) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
