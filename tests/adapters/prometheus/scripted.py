"""A small HTTP server that answers as it is told, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from upid.adapters.prometheus.access import endpoint_of
from upid.adapters.prometheus.client import PrometheusClient
from upid.domain.clusters import MetricsAccess


class Asked(NamedTuple):
    path: str
    params: dict[str, list[str]]
    headers: dict[str, str]

    @property
    def query(self) -> str:
        return self.params["query"][0]


class Answer(NamedTuple):
    body: bytes = b'{"status":"success","data":{"resultType":"vector","result":[]}}'
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    cut: bool = False


def vector(*series: tuple[dict[str, str], str]) -> Answer:
    result = [{"metric": labels, "value": [0, value]} for labels, value in series]
    return Answer(json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode())


def matrix(*series: tuple[dict[str, str], list[tuple[int, str]]], **more: Any) -> Answer:
    result = [{"metric": labels, "values": [list(point) for point in points]} for labels, points in series]
    document = {"status": "success", "data": {"resultType": "matrix", "result": result}, **more}
    return Answer(json.dumps(document, separators=(",", ":")).encode())


def refused(status: int, error: str) -> Answer:
    return Answer(json.dumps({"status": "error", "errorType": "x", "error": error}).encode(), status)


@dataclass
class Server:
    """`answer` is asked for every request."""

    answer: Callable[[Asked], Answer] = lambda _asked: Answer()
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    slept: list[float] = field(default_factory=list)

    def client(self, **access: Any) -> PrometheusClient:
        return PrometheusClient(endpoint_of(MetricsAccess(self.url, **access)), timeout_seconds=2.0, sleep=self.slept.append)

    def script(self, *answers: Answer) -> None:
        """Answer one after the other, the last for ever."""
        self.answer = lambda _asked: answers[min(len(self.asked), len(answers)) - 1]


class Handler(BaseHTTPRequestHandler):
    server_of: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.reply(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def do_GET(self) -> None:
        self.reply(urlsplit(self.path).query)

    def reply(self, params: str) -> None:
        asked = Asked(urlsplit(self.path).path, parse_qs(params), dict(self.headers))
        self.server_of.asked.append(asked)
        answer = self.server_of.answer(asked)
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut else answer.body)
        self.close_connection = answer.cut

    def log_message(self, *args: object) -> None:
        pass
