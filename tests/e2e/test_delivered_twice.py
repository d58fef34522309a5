"""Every event delivered twice, as AWS may: the second time gives the same answer and changes nothing that is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from e2e.test_second_interpreter import WORKLOADS, Tasks, by_ours, tasks_of
from worlds.analysis import TENANT, collected
from worlds.analysis import start as start_analysis
from worlds.collection import ALICE, World

from upid.runtime.template import Template
from upid.services.usage_requests import UsageQuery

Stored = dict[str, Any]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several shards and several groups of few workloads."""
    monkeypatch.setattr("upid.services.shards.CONTAINERS_PER_SHARD", 2)
    monkeypatch.setattr("upid.services.collection_plans.NAMESPACES_PER_GROUP", 1)


def stored(world: World) -> Stored:
    """Return all that a world keeps but for what its interpreter notes: records without their versions, events, blobs."""
    home = world.services.settings.home
    with closing(sqlite3.connect(home / "upid.db")) as database:
        records = database.execute("select partition, sort, expires_at, body from records where partition not like 'wf#%'").fetchall()
        events = database.execute("select id, tenant, type, subject, time, actor, data from events").fetchall()
    blobs = {str(file.relative_to(home)): file.read_bytes() for file in sorted((home / "blobs").rglob("*")) if file.is_file()}
    return {"records": sorted(records), "events": sorted(events)} | blobs


def twice(world: World, tasks: Tasks, seen: list[str]) -> Tasks:
    """The tasks, each delivered twice. Maps run side by side, so only their own writes are compared where they are alone."""

    def one(name: str, task: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def deliver(event: Any, context: Any) -> Any:
            first = task(event, context)
            before = stored(world)
            assert task(event, context) == first, name
            assert stored(world) == before, name
            seen.append(name)
            return first

        return deliver

    return {name: one(name, task) for name, task in tasks.items()}


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Maps take their items one after the other, so that what is stored is only changed by the task that is watched."""
    monkeypatch.setattr("upid.runtime.workflows.fan_out._Inline._concurrency", lambda _: 1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World.at(tmp_path, *WORKLOADS)
    yield made
    made.services.database.close()


@pytest.mark.usefixtures("one_at_a_time")
def test_each_task_of_a_collection(world: World, tmp_path: Path) -> None:
    seen: list[str] = []
    cluster_id = world.register()
    collection_id = world.start(cluster_id, history_seconds=7200)

    execution = by_ours(tmp_path, world, "collect-usage", twice(world, tasks_of(world), seen), collection_id)

    assert (execution.status, execution.output) == ("SUCCEEDED", {"status": "succeeded"})
    assert set(seen) == {f"{name}Function" for name in ("PlanCollection", "CollectNamespaces", "FoldShard", "CompleteCollection")}
    assert len(world.services.events.read("default", limit=1000)) == len(
        {e.event.id for e in world.services.events.read("default", limit=1000)}
    )


@pytest.mark.usefixtures("one_at_a_time")
def test_each_task_of_an_analysis(tmp_path: Path) -> None:
    world, cluster_id = collected(tmp_path, *WORKLOADS, history_seconds=7200)
    seen: list[str] = []
    analysis_id = start_analysis(world, cluster_id)

    execution = by_ours(tmp_path, world, "analyze-cluster", twice(world, tasks_of(world), seen), analysis_id)

    assert (execution.status, execution.output) == ("SUCCEEDED", {"status": "succeeded"})
    assert set(seen) == {f"{name}Function" for name in ("PlanAnalysis", "AnalyzeShard", "SummarizeAnalysis")}
    assert world.services.analyses.view(TENANT, analysis_id)["status"] == "succeeded"
    world.services.database.close()


@pytest.mark.usefixtures("one_at_a_time")
def test_the_task_of_an_aggregation(tmp_path: Path) -> None:
    world, cluster_id = collected(tmp_path, *WORKLOADS, history_seconds=7200)
    seen: list[str] = []
    aggregation_id = world.services.aggregations.start(ALICE, UsageQuery(cluster_id))["id"]

    execution = by_ours(tmp_path, world, "aggregate-usage", twice(world, tasks_of(world), seen), aggregation_id)

    assert execution.status == "SUCCEEDED"
    assert seen == ["ComputeAggregationFunction"]
    world.services.database.close()


@pytest.mark.parametrize("kind", ["collections", "analyses"])
def test_a_failure_is_recorded_once(tmp_path: Path, kind: str) -> None:
    world, cluster_id = collected(tmp_path, *WORKLOADS, history_seconds=7200)
    work_id = start_analysis(world, cluster_id) if kind == "analyses" else world.start(cluster_id)
    if kind == "analyses":
        world.services.analyzing.plan(TENANT, work_id, world.workflows.payloads[work_id]["request"], "alice")
    event = {"tenant": TENANT, "kind": kind, "work_id": work_id, "cluster_id": cluster_id, "error": {"Error": "X", "Cause": "It broke."}}
    task = tasks_of(world)["RecordFailureFunction"]

    first, before = task(event, None), stored(world)

    assert task(event, None) == first == {"status": "failed"}
    assert stored(world) == before
    world.services.database.close()


@pytest.mark.parametrize("machine", ["collect-usage", "analyze-cluster"])
def test_the_end_of_an_execution_is_recorded_once(tmp_path: Path, machine: str) -> None:
    world, cluster_id = collected(tmp_path, *WORKLOADS, history_seconds=7200)
    work_id = start_analysis(world, cluster_id) if machine == "analyze-cluster" else world.start(cluster_id)
    arn = f"arn:aws:states:eu-west-1:123456789012:stateMachine:upid-{machine}"
    detail = {"stateMachineArn": arn, "name": work_id, "status": "TIMED_OUT", "input": f'{{"tenant": "{TENANT}"}}'}
    task = tasks_of(world)["RecordLostExecutionFunction"]

    first, before = task({"detail": detail}, None), stored(world)

    assert task({"detail": detail}, None) == first == {"status": "failed"}
    assert stored(world) == before
    world.services.database.close()


def test_a_schedule_that_fires_twice_starts_one_collection(world: World) -> None:
    world.register()

    first = world.services.schedule.start_collections()
    before = stored(world)

    assert [len(ids) for ids in first.values() if ids] == [1]
    assert not any(world.services.schedule.start_collections().values())
    assert stored(world) == before


def test_usage_is_brought_onto_longer_steps_once(tmp_path: Path) -> None:
    world, _ = collected(tmp_path, *WORKLOADS)
    world.clock.moment += 20 * 86400

    first = world.services.downsampling.run(within_seconds=600)
    before = stored(world)

    assert first["days"] > 0
    assert world.services.downsampling.run(within_seconds=600) == {**first, "days": 0}
    assert stored(world) == before
    world.services.database.close()


def test_an_admin_is_made_once(world: World) -> None:
    assert world.services.identity.ensure_admin()
    before = stored(world)

    assert world.services.identity.ensure_admin() is None
    assert stored(world) == before


def test_no_task_is_left_out() -> None:
    shown = {
        "PlanCollection",
        "CollectNamespaces",
        "FoldShard",
        "CompleteCollection",
        "PlanAnalysis",
        "AnalyzeShard",
        "SummarizeAnalysis",
        "ComputeAggregation",
        "RecordFailure",
        "RecordLostExecution",
        "DownsampleUsage",
    }
    elsewhere = {"StartCollections", "EnsureAdmin", "PublishEvents"}  # the last by the contract of the bus and on both homes

    tasks = {name for name, function in Template.load().functions.items() if ".events." in function.module}
    assert tasks == {f"{name}Function" for name in shown | elsewhere}
