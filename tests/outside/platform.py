"""`upid serve` as a process, on a data folder of a test."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from upid.demo.server import DemoServer

PASSWORD = "correct horse battery staple"
ENDED = {"succeeded", "partial", "failed", "cancelled"}


@dataclass
class Platform:
    """`upid serve` on a data folder, started as often as a test wants."""

    home: Path
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=20, maxsize=32))
    process: subprocess.Popen[str] | None = None
    url: str = ""
    token: str = ""

    def start(self) -> None:
        """Start it on a free port, wait until it answers, and log in."""
        settings = {"UPID_HOME": str(self.home), "PORT": "0", "UPID_SCHEDULES": "off", "UPID_ADMIN_PASSWORD": PASSWORD, "UPID_WORKERS": "2"}
        command = [str(Path(sys.executable).with_name("upid")), "serve"]
        self.process = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert self.process.stdout
        line = self.process.stdout.readline()
        self.url = next(word for word in line.split() if word.startswith("http")).rstrip(".")
        self.token = self.call("POST", "/auth/login", {"username": "admin", "password": PASSWORD})["access_token"]

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self.process
        assert self.process.stdout
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer's body; anything but 2xx fails the test."""
        headers = {"authorization": f"Bearer {self.token}"} if self.token and path != "/auth/login" else {}
        answer = self.http.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers)
        assert 200 <= answer.status < 300, (answer.status, answer.data[:1000])
        return answer.json()

    def collection(self, collection_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/metrics/collect/{collection_id}")
        return found

    def ended(self, collection_ids: list[str], seconds: float) -> list[dict[str, Any]]:
        """Return collections once they have all ended; AssertionError where one has not in time."""
        deadline = time.monotonic() + seconds
        views = [self.collection(collection_id) for collection_id in collection_ids]
        while left := [view for view in views if view["status"] not in ENDED]:
            assert time.monotonic() < deadline, [(view["status"], view["progress"]) for view in left]
            time.sleep(0.05)
            views = [view if view["status"] in ENDED else self.collection(view["id"]) for view in views]
        return views


@contextmanager
def platform(home: Path) -> Iterator[Platform]:
    running = Platform(home)
    running.start()
    try:
        yield running
    finally:
        running.kill()


def register(running: Platform, demo: DemoServer, name: str = "demo") -> str:
    source = {"kind": "prometheus", "url": f"{demo.url}/prometheus"}
    body = {"name": name, "kubeconfig": demo.kubeconfig(), "metrics": source}
    return str(running.call("POST", "/clusters", body)["id"])
