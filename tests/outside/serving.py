"""A small HTTP server in a thread, on a port that the system chooses."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """What a client asked: `params` from the query and from a form body."""

    path: str
    params: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def param(self, name: str, default: str = "") -> str:
        return self.params.get(name, [default])[0]


@dataclass(frozen=True)
class Reply:
    """What the server answers: a document, or bytes as they are."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()


Answer = Callable[[Request], Reply]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    answer: Answer

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._connections: list[socket.socket] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.append(request)
        super().process_request(request, client_address)

    def cut(self) -> None:
        """Cut the connections that clients keep: a server that is gone answers on none of them."""
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        sent = self.rfile.read(length)
        params = parse_qs(parts.query, keep_blank_values=True) | parse_qs(sent.decode(), keep_blank_values=True)
        reply = self.server.answer(Request(parts.path, params, {name.lower(): value for name, value in self.headers.items()}, sent))
        body = reply.encoded()
        self.send_response(reply.status)
        for name, value in ({"Content-Type": "application/json"} | reply.headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_GET  # noqa: N815 the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name that http.server gives
        """Say nothing."""


@contextlib.contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Serve until the block ends and give the URL, without a slash at its end."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.answer = answer
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.cut()
        server.server_close()
        thread.join()
