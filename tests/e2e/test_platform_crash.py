"""The project's own machines, on the demo cluster, in processes that are killed at every write of the engine: each ends exactly once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from machines.lives import killed_until_done, process_of
from machines.running import services_in

from upid.adapters.embedded.workflows import RUNNING
from upid.bootstrap import Services
from upid.demo.server import DemoCluster, DemoServer, Identity
from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.identity import Caller
from upid.services.analyses import AnalysisRequest
from upid.services.clusters import Registration
from upid.services.collections import CollectionRequest
from upid.services.recommendation_queries import Listed, RecommendationQuery
from upid.services.usage_requests import UsageQuery

pytestmark = pytest.mark.slow

CALLER = Caller("usr_1", "admin", "default", ("*",))
DAY = 86400


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    anchor = int(time.time()) // DAY * DAY - 30 * DAY
    with DemoServer(DemoCluster(Identity("demo-token", anchor, pods=40))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    services = services_in(tmp_path)
    yield services
    services.database.close()


def register(services: Services, demo: DemoServer) -> str:
    access = ClusterAccess(kubeconfig=demo.kubeconfig())
    registration = Registration("demo", access, MetricsAccess(f"{demo.url}/prometheus"))
    return str(services.clusters.register(CALLER, registration)["id"])


def collect(services: Services, cluster_id: str) -> str:
    return str(services.collections.start(CALLER, CollectionRequest(cluster_id, history_seconds=DAY))["id"])


def analyze(services: Services, cluster_id: str) -> str:
    return str(services.analyses.start(CALLER, AnalysisRequest(cluster_id))["id"])


def assert_settled(services: Services, ended: str, view: dict[str, Any]) -> None:
    kinds = [stored.event.type for stored in services.events.read("default", limit=10_000)]
    assert (view["status"], view["errors"], view["progress"]) == ("succeeded", [], 1.0)
    assert [kinds.count(ended), kinds.count(ended.replace("completed", "failed"))] == [1, 0]
    assert not services.records.query(RUNNING).items


def entries(services: Services, cluster_id: str) -> list[dict[str, Any]]:
    """Return what an analysis recommends, without what names the analysis."""
    listed = services.recommendations.look_up("default", cluster_id, RecommendationQuery(limit=1000))
    assert isinstance(listed, Listed)
    own = ("id", "analysis_id", "created_at", "generated_at")
    return [{name: value for name, value in entry.items() if name not in own} for entry in listed.entries]


@pytest.mark.parametrize(("writes", "moment"), [(1, "after"), (2, "before")])
def test_a_collection_and_an_analysis_end_once(services: Services, demo: DemoServer, tmp_path: Path, writes: int, moment: str) -> None:
    cluster_id = register(services, demo)
    collection_id = collect(services, cluster_id)
    kills = [killed_until_done(tmp_path, writes, moment)]
    analysis_id = analyze(services, cluster_id)
    kills.append(killed_until_done(tmp_path, writes, moment))
    killed_entries = entries(services, cluster_id)

    assert_settled(services, "collection.completed", services.collections.view("default", collection_id))
    assert_settled(services, "analysis.completed", services.analyses.view("default", analysis_id))
    assert min(kills) >= 4
    analyze(services, cluster_id)
    assert killed_until_done(tmp_path, 0, "never") == 0
    assert entries(services, cluster_id) == killed_entries != []


@pytest.mark.parametrize(("writes", "moment"), [(1, "after"), (1, "before"), (2, "before")])
def test_an_aggregation_ends_once_with_its_answer(services: Services, demo: DemoServer, tmp_path: Path, writes: int, moment: str) -> None:
    cluster_id = register(services, demo)
    collect(services, cluster_id)
    assert killed_until_done(tmp_path, 0, "never") == 0
    query = UsageQuery(cluster_id, group_by=("namespace",))
    aggregation_id = str(services.aggregations.start(CALLER, query)["id"])

    if moment == "before" and writes == 1:
        kill_once_before_anything_is_recorded(tmp_path)
        kills = 1 + killed_until_done(tmp_path, 0, "never")
    else:
        kills = killed_until_done(tmp_path, writes, moment)

    view = services.aggregations.view("default", aggregation_id)
    assert (view["status"], view["errors"], view["progress"]) == ("succeeded", [], 1.0)
    assert view["result"]["series"]
    assert view["result"] == services.usage.query("default", query)
    assert not services.records.query(RUNNING).items
    assert kills >= 1
    assert services.workflows.describe("aggregate-usage", aggregation_id).status == "SUCCEEDED"


def kill_once_before_anything_is_recorded(folder: Path) -> None:
    """Let a process come to its first write and die there: what it did is not known to have been done."""
    assert process_of(folder, 1, "before").wait(60) == -signal.SIGKILL
