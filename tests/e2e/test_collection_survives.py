"""A collection of the demo cluster by the real platform, which is killed again and again: it goes on to its end exactly once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import urllib3

from upid.bootstrap import Services
from upid.demo.server import DemoCluster, DemoServer, Identity
from upid.engine.usage.storage import to_arrays
from upid.ports.usage_history import HistoryScope, UsageChunk
from upid.services.profiles import Profiles, rebuild
from upid.settings import Settings

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery staple"
DAY = 86400
LONGEST_SECONDS = 120


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    anchor = int(time.time()) // DAY * DAY - 30 * DAY
    with DemoServer(DemoCluster(Identity("demo-token", anchor, pods=40))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@dataclass
class Platform:
    """`upid serve` on a data folder, started as often as a test wants."""

    home: Path
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=20))
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


def moved(running: Platform, collection_id: str, before: float) -> dict[str, Any]:
    """Return the collection once it ended or its progress is no longer what it was."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        view = running.collection(collection_id)
        if view["progress"] != before or view["status"] not in {"queued", "running"}:
            return view
        time.sleep(0.005)
    raise AssertionError(f"Nothing moves: {view}")


def chunks_of(services: Services, cluster_id: str) -> list[UsageChunk]:
    return list(services.history.read(HistoryScope("default", cluster_id, 0), start=0, end=2.0**40))


def test_killed_after_every_part_it_ends_once_with_everything(demo: DemoServer, tmp_path: Path) -> None:
    kills = 0
    with platform(tmp_path) as running:
        cluster_id = register(running, demo)
        view = running.call("POST", "/metrics/collect", {"cluster_id": cluster_id, "history": "4d"})
        while view["status"] in {"queued", "running"}:
            view = moved(running, view["id"], view["progress"])
            running.kill()
            kills += 1
            running.start()
            view = running.collection(view["id"])

    services = Services(Settings(home=tmp_path))
    chunks, profile = chunks_of(services, cluster_id), Profiles(services.blobs).load("default", cluster_id, 0)
    assert kills >= 3
    assert (view["status"], view["errors"]) == ("succeeded", [])
    assert [a.end for a in chunks[:-1]] == [b.start for b in chunks[1:]]
    assert chunks[-1].end - chunks[0].start == 4 * DAY
    samples = sum(int(np.isfinite(values).sum()) for chunk in chunks for values in (chunk.cpu_cores, chunk.memory_bytes))
    assert samples == view["result"]["samples"] > 0
    again, _ = to_arrays(rebuild(chunks, profile.rows))
    for name, values in to_arrays(profile.profile)[0].items():
        np.testing.assert_array_equal(values, again[name], err_msg=name)
    kinds = [stored.event.type for stored in services.events.read("default")]
    assert [kinds.count(f"collection.{kind}") for kind in ("started", "completed", "failed")] == [1, 1, 0]
    assert list(services.blobs.names("t/default/collections/")) == []


def test_a_cluster_deleted_while_it_is_collected_leaves_nothing(demo: DemoServer, tmp_path: Path) -> None:
    with platform(tmp_path) as running:
        cluster_id = register(running, demo)
        view = running.call("POST", "/metrics/collect", {"cluster_id": cluster_id, "history": "3d"})
        moved(running, view["id"], 0.0)
        answer = running.http.request(
            "DELETE", f"{running.url}/api/v1/clusters/{cluster_id}", headers={"authorization": f"Bearer {running.token}"}
        )
        view = running.collection(view["id"])
        time.sleep(3)  # a task that ran at that moment comes to its end

    assert (answer.status, view["status"]) == (204, "cancelled")
    assert list(Services(Settings(home=tmp_path)).blobs.names("t/")) == []
