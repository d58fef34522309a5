"""A server that answers as it is told and keeps what it was asked."""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from upid.adapters.influxdb.client import InfluxClient
from upid.settings import InfluxSettings


@dataclass(frozen=True)
class Asked:
    """A request as the server got it."""

    method: str
    path: str
    query: dict[str, str]
    body: str
    headers: dict[str, str]


@dataclass
class Server:
    """`answer` gives status and body for a request, and whether the version is told."""

    answer: Callable[[Asked], tuple[int, Any]]
    version: str = "1.8.10"
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def client(self, **settings: Any) -> InfluxClient:
        return InfluxClient(InfluxSettings(self.url, **settings))

    def told(self) -> list[tuple[str, str]]:
        return [(asked.method, asked.path) for asked in self.asked if asked.path != "/ping"]


@contextlib.contextmanager
def serving(server: Server) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_ALL(self) -> None:
            parts = urlsplit(self.path)
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            text = (gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data).decode()
            asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), text, dict(self.headers))
            server.asked.append(asked)
            status, body = (204, "") if asked.path == "/ping" else server.answer(asked)
            sent = b"" if status == 204 else (body if isinstance(body, bytes) else json.dumps(body).encode())
            self.send_response(status)
            self.send_header("X-Influxdb-Version", server.version)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_ALL  # noqa: N815 the names are the library's

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.url = f"http://127.0.0.1:{listening.server_port}"
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
