"""A collection of the demo cluster by the real platform, which is killed again and again: it goes on to its end exactly once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from outside.platform import Platform, platform, register

from upid.bootstrap import Services
from upid.demo.server import DemoCluster, DemoServer, Identity
from upid.engine.usage.storage import to_arrays
from upid.ports.usage_history import HistoryScope, UsageChunk
from upid.services.asking import WHOLE
from upid.services.profiles import Profiles, rebuild
from upid.services.resident import with_resident
from upid.settings import Settings

pytestmark = pytest.mark.slow

DAY = 86400
LONGEST_SECONDS = 120


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    anchor = int(time.time()) // DAY * DAY - 30 * DAY
    with DemoServer(DemoCluster(Identity("demo-token", anchor, pods=40))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def moved(running: Platform, collection_id: str, before: float) -> dict[str, Any]:
    """Return the collection once it ended or its progress is no longer what it was."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        view = running.collection(collection_id)
        if view["progress"] != before or view["status"] not in {"queued", "running"}:
            return view
        time.sleep(0.005)
    raise AssertionError(f"Nothing moves: {view}")


def cleared(services: Services) -> None:
    """Wait until the files of collections are gone: a platform that was killed while it cleared them goes on with it when it starts."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while list(services.blobs.names("t/default/collections/")):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def chunks_of(services: Services, cluster_id: str) -> list[UsageChunk]:
    return list(services.history.read(HistoryScope("default", cluster_id, 0), start=0, end=2.0**40))


def assert_each_family_is_there_once(services: Services, cluster_id: str, told: dict[str, Any]) -> None:
    """Hold that no step of a family is there twice, that none is missing, and that all of its samples are there."""
    assert {name for name, found in told.items() if found["state"] == "collected"} >= {"memory_detail", "network", "filesystem", "storage"}
    for family, found in told.items():
        chunks = list(services.history.read_family(HistoryScope("default", cluster_id, 0), family, start=0, end=2.0**40))
        assert [a.end for a in chunks[:-1]] == [b.start for b in chunks[1:]]
        assert sum(int(np.isfinite(values).sum()) for chunk in chunks for values in chunk.samples.values()) == found["samples"]
        assert not chunks or chunks[-1].end - chunks[0].start == (4 * DAY if family in WHOLE else DAY)


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
        cleared(services)

    chunks, profile = chunks_of(services, cluster_id), Profiles(services.blobs).load("default", cluster_id, 0)
    assert kills >= 3
    assert (view["status"], view["errors"]) == ("succeeded", [])
    assert [a.end for a in chunks[:-1]] == [b.start for b in chunks[1:]]
    assert chunks[-1].end - chunks[0].start == 4 * DAY
    samples = sum(int(np.isfinite(values).sum()) for chunk in chunks for values in (chunk.cpu_cores, chunk.memory_bytes))
    assert samples == view["result"]["samples"] > 0
    assert_each_family_is_there_once(services, cluster_id, view["result"]["families"])
    detail = services.history.read_family(HistoryScope("default", cluster_id, 0), "memory_detail", start=0, end=2.0**40)
    again, _ = to_arrays(with_resident(rebuild(chunks, profile.rows), profile.rows, detail))
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
