"""The state machine of collections with its real tasks, by the embedded interpreter in this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from functional.client import Client
from functional.test_clusters import told
from machines.running import wait_until
from worlds.collection import FakeCluster, inventory, workload

from functions.events import (
    collect_namespaces,
    complete_collection,
    fold_shard,
    plan_collection,
    record_failure,
    record_lost_execution,
    start_collections,
)
from upid.bootstrap import Services
from upid.domain.errors import ForbiddenError
from upid.runtime.scheduler import event_of
from upid.runtime.template import Template
from upid.runtime.workflows.engine import WorkflowEngine
from upid.runtime.workflows.tasks import InlineTasks
from upid.services.profiles import Profiles

TASKS = {
    "PlanCollectionFunction": plan_collection.handler, "CollectNamespacesFunction": collect_namespaces.handler, "FoldShardFunction": fold_shard.handler,
    "CompleteCollectionFunction": complete_collection.handler, "RecordFailureFunction": record_failure.handler,
    "RecordLostExecutionFunction": record_lost_execution.handler,
}  # fmt: skip


class RefusedError(ForbiddenError):
    """An error that no retry is worth."""

    title = "Refused"


@pytest.fixture
def cluster(services: Services, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    monkeypatch.setattr("upid.services.collection_plans.NAMESPACES_PER_GROUP", 1)
    monkeypatch.setattr("upid.services.shards.CONTAINERS_PER_SHARD", 1)
    fake = FakeCluster(inventory(workload("shop", "web", replicas=2), workload("bank", "ledger")), fault=RefusedError)
    for name, port in {"kubernetes": fake, "metrics_sources": fake}.items():
        setattr(services, name, port)
    return fake


@pytest.fixture
def cluster_id(cluster: FakeCluster, client: Client) -> str:
    return str(client.post("/clusters", told()).expect(201)["id"])


@pytest.fixture
def engine(services: Services, cluster_id: str) -> Iterator[WorkflowEngine]:
    running = WorkflowEngine(services, Template.load(), tasks=InlineTasks(TASKS))
    running.start()
    yield running
    running.stop()


def collected(client: Client, cluster_id: str, *, history: str = "2h") -> dict[str, Any]:
    """Start a collection and return it once it ended."""
    path = client.post("/metrics/collect", {"cluster_id": cluster_id, "history": history}).expect(202)["id"]
    views: list[dict[str, Any]] = []

    def over() -> bool:
        views.append(client.get(f"/metrics/collect/{path}").expect(200))
        return views[-1]["status"] not in {"queued", "running"}

    wait_until(over)
    return views[-1]


def execution(services: Services, collection_id: str) -> str:
    """How the workflow itself ends."""
    wait_until(lambda: services.workflows.describe("collect-usage", collection_id).status != "RUNNING")
    return services.workflows.describe("collect-usage", collection_id).status


@pytest.mark.usefixtures("engine")
def test_it_runs_every_item_and_shard_to_the_end(client: Client, services: Services, cluster_id: str) -> None:
    view = collected(client, cluster_id)

    assert (view["status"], view["progress"], view["errors"]) == ("succeeded", 1.0, [])
    assert view["result"]["samples"] == 3 * 24 * 2
    assert execution(services, view["id"]) == "SUCCEEDED"


@pytest.mark.usefixtures("engine")
def test_a_group_that_fails_is_caught_and_named(client: Client, services: Services, cluster: FakeCluster, cluster_id: str) -> None:
    cluster.down = {"shop"}

    view = collected(client, cluster_id)

    assert (view["status"], [(error["code"], error["subject"]) for error in view["errors"]]) == (
        "partial",
        [("RefusedError", "namespaces shop")],
    )
    assert "Prometheus does not answer for shop." in view["errors"][0]["detail"]
    assert execution(services, view["id"]) == "SUCCEEDED"


class LongRefusedError(RefusedError):
    """An error that says more than a state could carry of every item."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail + " It is so." * 400)


@pytest.mark.usefixtures("engine")
def test_every_item_of_a_long_collection_may_fail_and_say_much(
    client: Client, services: Services, cluster: FakeCluster, cluster_id: str
) -> None:
    cluster.down, cluster.fault = {"shop", "bank"}, LongRefusedError

    view = collected(client, cluster_id, history="40d")  # 80 items of 4 KB are over 256 KB

    assert [(error["code"], error["subject"]) for error in view["errors"]] == [
        ("LongRefusedError", "namespaces bank"), ("LongRefusedError", "namespaces shop"),
    ]  # fmt: skip
    assert "Prometheus does not answer for shop. It is so." in view["errors"][1]["detail"]
    assert (view["status"], execution(services, view["id"])) == ("failed", "SUCCEEDED")


@pytest.mark.usefixtures("engine")
def test_a_shard_that_fails_is_caught_and_named(client: Client, cluster_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Profiles, "save", full)
    view = collected(client, cluster_id)

    assert (view["status"], view["result"]["windows"]) == ("failed", 0)
    assert [(error["code"], error["detail"], error["subject"]) for error in view["errors"]] == [
        ("OSError", "disk full", "shard 0"), ("OSError", "disk full", "shard 1"),
    ]  # fmt: skip


@pytest.mark.usefixtures("engine")
def test_an_api_server_that_refuses_fails_the_collection_and_its_execution(
    client: Client, services: Services, cluster: FakeCluster, cluster_id: str
) -> None:
    cluster.unreachable = True

    view = collected(client, cluster_id)

    assert (view["status"], view["result"]) == ("failed", None)
    assert (view["errors"][0]["code"], view["errors"][0]["detail"]) == ("RefusedError", "The API server does not answer.")
    assert execution(services, view["id"]) == "FAILED"
    assert [stored.event.type for stored in services.events.read("default")][-1] == "collection.failed"


@pytest.mark.usefixtures("engine")
def test_the_schedules_function_starts_a_collection(client: Client, services: Services, cluster_id: str) -> None:
    assert start_collections.handler(event_of(Template.load().schedules[0], 0.0), None)["started"] == [cluster_id]

    wait_until(lambda: client.get("/metrics/status").expect(200)["items"][0]["status"] == "succeeded")
