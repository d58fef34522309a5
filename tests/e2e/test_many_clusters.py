"""One platform and many clusters: each is collected by itself, and those that are dead hold up no other."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from outside.platform import ENDED, Platform, platform, register

from upid.bootstrap import Services
from upid.demo.server import DemoCluster, DemoServer, Identity
from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.identity import Caller
from upid.services.clusters import Registration
from upid.services.collectors import CollectorSettings, id_of
from upid.settings import Settings

pytestmark = pytest.mark.slow

HANGING = 4  # more than the platform has workers
FLEET = 60  # thirty times as many as the platform has workers
INTERVAL_SECONDS = 86400  # none that was collected is due again while the test runs, whatever the clock shows
CALLER = Caller("usr_1", "admin", "default", ("*",))


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    anchor = int(time.time()) // 86400 * 86400 - 30 * 86400
    with DemoServer(DemoCluster(Identity("demo-token", anchor, pods=10))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def hanging() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def register_hanging(running: Platform, url: str, name: str) -> str:
    body = {"name": name, "server": url, "token": "t", "metrics": {"kind": "prometheus", "url": url}}
    return str(running.call("POST", "/clusters", body)["id"])


def collect(running: Platform, cluster_id: str) -> str:
    return str(running.call("POST", "/metrics/collect", {"cluster_id": cluster_id, "history": "1h"})["id"])


def test_clusters_that_hang_slow_neither_the_collection_of_another_nor_its_live_lists(
    demo: DemoServer, hanging: str, tmp_path: Path
) -> None:
    with platform(tmp_path) as running:
        dead = [register_hanging(running, hanging, f"dead-{number}") for number in range(HANGING)]
        well = register(running, demo)
        stuck = [collect(running, cluster_id) for cluster_id in dead]
        asking = [threading.Thread(target=ask_live, args=(running, cluster_id)) for cluster_id in dead for _ in range(4)]
        for thread in asking:
            thread.start()

        begun = time.monotonic()
        assert running.call("GET", f"/clusters/{well}/pods?live=true")["items"]
        answered_after = time.monotonic() - begun
        ended = running.ended([collect(running, well)], seconds=60)

        assert [view["status"] for view in ended] == ["succeeded"]
        assert not {running.collection(collection_id)["status"] for collection_id in stuck} & ENDED
        assert answered_after < 15.0  # one that hangs is given up after twenty
        for thread in asking:
            thread.join()
        health = running.call("GET", f"/clusters/{dead[0]}/health")
        assert [(found["system"], found["state"]) for found in health["circuits"]] == [("kubernetes", "open")]
        assert running.call("GET", f"/clusters/{well}/health")["circuits"] == []


def ask_live(running: Platform, cluster_id: str) -> None:
    headers = {"authorization": f"Bearer {running.token}"}
    answer = running.http.request("GET", f"{running.url}/api/v1/clusters/{cluster_id}/pods?live=true", headers=headers, timeout=60)
    assert answer.status == 503, answer.data


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    services = Services(Settings(home=tmp_path))
    yield services
    services.database.close()


def test_one_run_of_the_schedule_collects_a_fleet_and_names_what_failed(demo: DemoServer, services: Services, tmp_path: Path) -> None:
    metrics = MetricsAccess(f"{demo.url}/prometheus")
    for number in range(FLEET):
        access, tags = ClusterAccess(kubeconfig=demo.kubeconfig()), {"stage": "test" if number % 4 else "production"}
        add(services, Registration(f"fleet-{number:03d}", access, metrics, f"region-{number % 5}", tags))
    gone = add(services, Registration("gone", ClusterAccess(server="http://127.0.0.1:9", token="t"), metrics))

    with platform(tmp_path) as running:
        found = running.call("GET", "/clusters?limit=100&region=region-0&tag=stage%3Dproduction")["items"]
        assert len(found) == FLEET / 20
        assert len(services.schedule.start_collections()["started"]) == FLEET + 1
        states = every_status(running, seconds=240)
        assert services.schedule.start_collections()["started"] == [gone]  # tried again by itself

    failed = states.pop(gone)
    assert (failed["status"], [error["code"] for error in failed["errors"]]) == ("failed", ["NoAnswerError"])
    assert len(states) == FLEET
    assert {state["status"] for state in states.values()} == {"succeeded"}
    assert min(state["samples"] for state in states.values()) > 0


def add(services: Services, registration: Registration) -> str:
    """Register a cluster whose first collection goes back an hour, and whose next is a day later; return its id."""
    cluster_id = str(services.clusters.register(CALLER, registration)["id"])
    collector = id_of({"id": cluster_id})
    services.collectors.replace(CALLER, collector, CollectorSettings(INTERVAL_SECONDS, history_seconds=3600))
    return cluster_id


def every_status(running: Platform, seconds: float) -> dict[str, dict[str, Any]]:
    """Return how the collection of each cluster stands, once none is still to come."""
    deadline = time.monotonic() + seconds
    while True:
        found: dict[str, dict[str, Any]] = {}
        path = "/metrics/status?limit=40"
        while path:
            page = running.call("GET", path)
            found |= {item["cluster_id"]: item for item in page["items"]}
            path = page["next_cursor"] and f"/metrics/status?limit=40&cursor={page['next_cursor']}"
        left = [item for item in found.values() if item["status"] in {None, "queued", "running"}]
        if not left:
            return found
        assert time.monotonic() < deadline, f"{len(left)} of {len(found)} clusters are still to be collected"
        time.sleep(1.0)
