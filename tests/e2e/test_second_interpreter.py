"""Every state machine by two interpreters, ours and moto's: the same calls of the same tasks, and the same end.

The second is told to call our tasks, and first shown to do so: by itself it hands on what goes in.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from contract.cloud import cloud, stop_cloud
from machines.running import machine, task, wait_until
from worlds.analysis import TENANT, collected
from worlds.analysis import start as start_analysis
from worlds.collection import ALICE, World, workload

from functions.events.record_lost_execution import execution_of
from upid.adapters.embedded.workflows import EmbeddedWorkflows
from upid.adapters.stepfunctions.workflows import StepFunctionsWorkflows
from upid.adapters.system.clock import SystemClock
from upid.domain.errors import ForbiddenError
from upid.ports.workflows import Execution
from upid.runtime.template import Template
from upid.runtime.workflows.engine import WorkflowEngine
from upid.runtime.workflows.tasks import InlineTasks
from upid.services.failures import message_of
from upid.services.usage_requests import UsageQuery

Task = Callable[[Any, Any], Any]
Tasks = dict[str, Task]
TEMPLATE = Template.load()
WORKLOADS = tuple(workload(f"ns-{n % 3}", f"app-{n}") for n in range(6))


class RefusedError(ForbiddenError):
    """What no retry is for."""

    title = "Refused"


@dataclass
class Told:
    """What an interpreter did: how the execution ended, and what each task was called with."""

    execution: Execution
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def comparable(self, *ids: str) -> Any:
        """Return it without what differs between two runs, calls in an order of their own: maps run side by side."""
        calls = sorted(in_words(self.calls), key=json.dumps)
        text = json.dumps([self.execution.status, self.execution.output, self.execution.error, calls])
        for number, known in enumerate(ids):
            text = text.replace(known, f"id-{number}")
        return json.loads(text)


def in_words(value: Any) -> Any:
    """Return a value with the causes of errors as the product tells them: Lambda wraps a message into JSON, the embedded interpreter does not."""
    if isinstance(value, dict):
        return {key: message_of(value) if key == "Cause" else in_words(each) for key, each in value.items()}
    return [in_words(each) for each in value] if isinstance(value, (list, tuple)) else value


def tasks_of(world: World) -> Tasks:
    """The tasks of both machines on a world's services, by the names of their functions."""
    plan, work, ending = world.services.analyzing, world.services.collecting, world.services.completing
    return {
        "PlanAnalysisFunction": lambda e, _: plan.plan(e["tenant"], e["analysis_id"], e["request"], e["actor"]),
        "AnalyzeShardFunction": lambda e, _: plan.analyze(e["tenant"], e["analysis_id"], e["shard"]),
        "SummarizeAnalysisFunction": lambda e, _: plan.summarize(e["tenant"], e["analysis_id"], e["shards"]),
        "PlanCollectionFunction": lambda e, _: work.plan(e["tenant"], e["collection_id"]),
        "CollectNamespacesFunction": lambda e, _: work.collect(e["tenant"], e["collection_id"], e["item"]),
        "FoldShardFunction": lambda e, _: work.fold(e["tenant"], e["collection_id"], e["shard"]),
        "CompleteCollectionFunction": lambda e, _: ending.complete(e["tenant"], e["collection_id"], e["collected"], e["folded"]),
        "ComputeAggregationFunction": lambda e, _: world.services.aggregations.compute(e["tenant"], e["aggregation_id"]),
        "RecordFailureFunction": lambda e, _: ending.fail(e["tenant"], e["kind"], e["work_id"], e["error"]),
        "RecordLostExecutionFunction": lambda e, _: ending.lose(TENANT, execution_of(e["detail"])),
    }


def recorded(tasks: Tasks, calls: list[tuple[str, Any]], failing: str, only: dict[str, Any]) -> Tasks:
    """The tasks, writing down what they are called with; `failing` refuses the events that hold `only`. One call at a time."""
    lock = threading.Lock()

    def one(name: str, work: Task) -> Task:
        def call(event: Any, context: Any) -> Any:
            with lock:
                calls.append((name, event))
                if name == failing and only.items() <= event.items():
                    raise RefusedError("It is refused.")
                return work(event, context)

        return call

    # What a rule invokes is no call of the machine's.
    return {name: work if name == "RecordLostExecutionFunction" else one(name, work) for name, work in tasks.items()}


def by_ours(_: Path, world: World, name: str, tasks: Tasks, execution: str) -> Execution:
    workflows = EmbeddedWorkflows(world.services.records, SystemClock())
    world.services.workflows = workflows
    engine = WorkflowEngine(world.services, TEMPLATE, tasks=InlineTasks(tasks), poll_seconds=0.005)
    engine.start()
    try:
        workflows.start(name, execution, world.workflows.payloads[execution])
        wait_until(lambda: workflows.describe(name, execution).status != "RUNNING", 60)
        return workflows.describe(name, execution)
    finally:
        engine.stop()


def by_moto(folder: Path, world: World, name: str, tasks: Tasks, execution: str) -> Execution:
    functions = {TEMPLATE.function(function).arn: work for function, work in tasks.items()}
    prefix = cloud().machines(folder, {name: json.loads(TEMPLATE.machines[name].text())}, functions)
    workflows = StepFunctionsWorkflows(cloud().clients, prefix)
    workflows.start(name, execution, world.workflows.payloads[execution])
    wait_until(lambda: workflows.describe(name, execution).status != "RUNNING", 60)
    return workflows.describe(name, execution)


INTERPRETERS = {"ours": by_ours, "moto": by_moto}


@pytest.fixture(autouse=True)
def pretended() -> Iterator[None]:
    yield
    stop_cloud()


def both(folder: Path, run: Callable[[Path, Any], Any]) -> tuple[Any, Any]:
    """Return what a run by each interpreter gives, each in a folder of its own."""
    return tuple(run(folder / name, interpreter) for name, interpreter in INTERPRETERS.items())  # type: ignore[return-value] # two interpreters


def test_the_second_interpreter_calls_our_tasks(tmp_path: Path) -> None:
    prefix = cloud().machines(
        tmp_path, {"double": machine("Double", {"Double": task("double")})}, {"double": lambda event, _: {"v": 2 * event["v"]}}
    )
    workflows = StepFunctionsWorkflows(cloud().clients, prefix)

    workflows.start("double", "x", {"v": 21})
    wait_until(lambda: workflows.describe("double", "x").status != "RUNNING")

    assert workflows.describe("double", "x").output == {"v": 42}


ANALYSES = [("", {}), ("AnalyzeShardFunction", {"shard": 1}), ("PlanAnalysisFunction", {}), ("SummarizeAnalysisFunction", {})]
COLLECTIONS = [("", {}), ("CollectNamespacesFunction", {"item": 1}), ("FoldShardFunction", {"shard": 0}), ("PlanCollectionFunction", {})]


@pytest.mark.parametrize(("failing", "only"), ANALYSES, ids=[name or "nothing fails" for name, _ in ANALYSES])
def test_analyses_go_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, only: dict[str, Any]) -> None:
    monkeypatch.setattr("upid.services.shards.CONTAINERS_PER_SHARD", 2)

    def run(folder: Path, interpreter: Any) -> Any:
        world, cluster_id = collected(folder, *WORKLOADS, history_seconds=7200)
        analysis_id, calls = start_analysis(world, cluster_id), []
        tasks = recorded(tasks_of(world), calls, failing, only)
        execution = interpreter(folder, world, "analyze-cluster", tasks, analysis_id)
        view = world.services.analyses.view(TENANT, analysis_id)
        world.services.database.close()
        told = Told(execution, calls).comparable(analysis_id, cluster_id)
        return told, view["status"], [(error["code"], error["subject"]) for error in view["errors"]]

    ours, second = both(tmp_path, run)

    assert ours == second
    assert len(ours[0][3]) >= 1
    assert ours[1] == {"": "succeeded", "AnalyzeShardFunction": "partial"}.get(failing, "failed")


def test_analyses_of_many_shards_go_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upid.services.shards.CONTAINERS_PER_SHARD", 1)
    many = tuple(workload("shop", f"app-{n}") for n in range(33))

    def run(folder: Path, interpreter: Any) -> Any:
        world, cluster_id = collected(folder, *many, history_seconds=7200)
        analysis_id, calls = start_analysis(world, cluster_id), []
        tasks = recorded(tasks_of(world), calls, "AnalyzeShardFunction", {"shard": 63})
        execution = interpreter(folder, world, "analyze-cluster", tasks, analysis_id)
        view = world.services.analyses.view(TENANT, analysis_id)
        world.services.database.close()
        return Told(execution, calls).comparable(analysis_id, cluster_id), view["status"], view["errors"]

    ours, second = both(tmp_path, run)

    assert ours == second
    assert sum(name == "AnalyzeShardFunction" for name, _ in ours[0][3]) == 64
    assert [error["subject"] for error in ours[2]] == ["shard 63"]


@pytest.mark.parametrize(("failing", "only"), COLLECTIONS, ids=[name or "nothing fails" for name, _ in COLLECTIONS])
def test_collections_go_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, only: dict[str, Any]) -> None:
    monkeypatch.setattr("upid.services.shards.CONTAINERS_PER_SHARD", 2)
    monkeypatch.setattr("upid.services.collection_plans.NAMESPACES_PER_GROUP", 1)

    def run(folder: Path, interpreter: Any) -> Any:
        world = World.at(folder, *WORKLOADS)
        cluster_id = world.register()
        collection_id, calls = world.start(cluster_id, history_seconds=7200), []
        tasks = recorded(tasks_of(world), calls, failing, only)
        execution = interpreter(folder, world, "collect-usage", tasks, collection_id)
        view = world.services.collections.view("default", collection_id)
        world.services.database.close()
        return Told(execution, calls).comparable(collection_id, cluster_id), view["status"], view["result"]

    ours, second = both(tmp_path, run)

    assert ours == second
    assert ours[1] == {"": "succeeded", "PlanCollectionFunction": "failed"}.get(failing, "partial")


@pytest.mark.parametrize("failing", ["", "ComputeAggregationFunction"])
def test_aggregations_go_the_same_way(tmp_path: Path, failing: str) -> None:
    def run(folder: Path, interpreter: Any) -> Any:
        world, cluster_id = collected(folder, *WORKLOADS, history_seconds=7200)
        calls: list[tuple[str, Any]] = []
        made = world.services.aggregations.start(ALICE, UsageQuery(cluster_id))["id"]
        execution = interpreter(folder, world, "aggregate-usage", recorded(tasks_of(world), calls, failing, {}), made)
        view = world.services.aggregations.view(TENANT, made)
        world.services.database.close()
        return Told(execution, calls).comparable(made, cluster_id), view["status"], (view["result"] or {}).get("groups")

    ours, second = both(tmp_path, run)

    assert ours == second
    assert ours[1:] == (("failed", None) if failing else ("succeeded", len({workload.namespace for workload in WORKLOADS})))


def test_every_machine_is_compared() -> None:
    assert set(TEMPLATE.machines) == {"aggregate-usage", "analyze-cluster", "collect-usage"}
