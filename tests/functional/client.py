"""A client of the API in process: requests go through the real gateway path, event, authorizer, handler and service."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import orjson

from upid.bootstrap import Services
from upid.runtime.gateway import Gateway
from upid.runtime.proxy_event import HttpAnswer, HttpRequest

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Answer:
    """An answer of the API."""

    raw: HttpAnswer

    @property
    def status(self) -> int:
        return self.raw.status

    @property
    def json(self) -> Any:
        return orjson.loads(self.raw.body)

    def header(self, name: str) -> str:
        return self.raw.header(name)

    def expect(self, status: int) -> Any:
        """Return the body as JSON (None where it is empty), and hold that the status is this one."""
        assert self.status == status, (self.status, self.raw.body[:2000])
        return self.json if self.raw.body else None

    def problem(self, status: int, kind: str) -> Any:
        """Return the problem, and hold its status and type (`not-found`)."""
        body = self.expect(status)
        assert self.header("content-type") == "application/problem+json"
        assert (body["type"], body["status"]) == (f"/problems/{kind}", status)
        assert body["title"]
        assert body["instance"].startswith("urn:request:")
        return body


@dataclass(frozen=True)
class Client:
    """Who calls: `token` "" = nobody. Paths are below /api/v1 unless they begin with /api."""

    gateway: Gateway
    services: Services
    token: str = ""

    def as_user(self, *permissions: str) -> Client:
        """Return a client for a new user with these permissions."""
        username = self.services.ids.secret()
        self.services.identity.create_user(username, "a password", permissions)
        return self.named(username)

    def named(self, username: str) -> Client:
        return replace(self, token=self.services.identity.token_for(username).access_token)

    def anonymous(self) -> Client:
        return replace(self, token="")

    def get(self, path: str, query: Any = None, **options: Any) -> Answer:
        return self.send("GET", path, query=query, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.send("POST", path, body=body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.send("PUT", path, body=body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.send("DELETE", path, **options)

    def send(self, method: str, path: str, *, body: Any = None, query: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Send a request; `body` bytes go as they are, anything else but None as JSON."""
        given = {"host": "upid.test"} | ({"authorization": f"Bearer {self.token}"} if self.token else {})
        data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        all_headers = given | ({"content-type": "application/json"} if data else {}) | {k.lower(): v for k, v in (headers or {}).items()}
        return Answer(
            self.gateway.answer(
                HttpRequest(
                    method=method,
                    path=path if path.startswith("/api") else f"/api/v1{path}",
                    query=urlencode(query or {}, doseq=True),
                    headers=tuple(all_headers.items()),
                    body=data,
                    id="test-request",
                    time=self.services.clock.now(),
                )
            )
        )
