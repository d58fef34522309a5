"""A running platform, whatever it is made of: where it answers, and how a process works on its data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import urllib3

ADMIN_PASSWORD = "correct horse battery staple"
ADD_USER = "import json, sys; from upid.bootstrap import build_services; build_services().identity.create_user(*json.loads(sys.argv[1]))"


@dataclass(frozen=True)
class Answer:
    """What the platform answered."""

    status: int
    headers: Mapping[str, str]
    body: Any

    def expect(self, status: int) -> Any:
        """Return the body, and hold the status."""
        assert self.status == status, (self.status, self.body)
        return self.body

    def problem(self, status: int, kind: str) -> Any:
        """Return the problem, and hold its status, type and form."""
        body = self.expect(status)
        assert self.headers["content-type"] == "application/problem+json"
        assert (body["type"], body["status"], bool(body["title"])) == (f"/problems/{kind}", status, True)
        return body


@dataclass(frozen=True)
class Home:
    """`url`: what stands before a path of the API; `host`: the name that an emulator knows the API by, where the URL has another.

    `environment`: what a process of this home has in its environment.
    """

    name: str
    url: str
    environment: Mapping[str, str]
    host: str = ""
    _http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=60), repr=False)

    def request(self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str) -> Answer:
        """Send a request; `body` bytes go as they are, anything else but None as JSON. A path from `Location` is taken as it is."""
        given = (
            {"Accept": "application/json"}
            | ({"Host": self.host} if self.host else {})
            | ({"Authorization": f"Bearer {token}"} if token else {})
            | headers
        )
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        given |= {} if data is None else {"Content-Type": "application/json"}
        reply = self._http.request(method, self.url + path, body=data, headers=given, redirect=False)
        return Answer(reply.status, reply.headers, json.loads(reply.data) if reply.data else None)

    def follow(self, location: str, *, token: str = "") -> Answer:
        """Read what a `Location` names, as a client does: relative to what it asked."""
        target = urljoin(self.url + "/", location)
        assert target.startswith(self.url), (target, self.url)
        return self.request("GET", target.removeprefix(self.url), token=token)

    def login(self, username: str, password: str = ADMIN_PASSWORD) -> str:
        """Return a token."""
        return str(self.request("POST", "/auth/login", {"username": username, "password": password}).expect(200)["access_token"])

    def add_user(self, username: str, *permissions: str) -> None:
        """Create a user with these permissions, as somebody who works on the platform's data does."""
        arguments = json.dumps([username, ADMIN_PASSWORD, permissions])
        subprocess.run([sys.executable, "-c", ADD_USER, arguments], env={**os.environ, **self.environment}, check=True, timeout=60)
