"""`analyze-cluster` as the state machine runs it, its tasks in this process: what fails is named, what can be tried again is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from worlds.analysis import TENANT, collected, listed, start
from worlds.collection import SetClock, World, workload

from functions.events.record_lost_execution import execution_of
from upid.adapters.embedded.workflows import RUNNING, EmbeddedWorkflows
from upid.adapters.system.clock import SystemClock
from upid.domain.errors import NotFoundError, UnavailableError
from upid.domain.work import ENDED
from upid.runtime.template import Template
from upid.runtime.workflows.engine import WorkflowEngine
from upid.runtime.workflows.tasks import InlineTasks

MANY = tuple(workload(f"ns-{i % 5}", f"app-{i}") for i in range(1300))  # two shards
MACHINE = "analyze-cluster"
Task = Callable[[Any, Any], Any]


@contextmanager
def running(home: Path, *workloads: Any, **asked: Any) -> Iterator[tuple[World, str]]:
    """A collected cluster whose executions are the engine's."""
    world, cluster_id = collected(home, *workloads, **asked)
    vars(world.services).pop("analyses")  # it has the workflows that other tests run by hand
    world.services.workflows = EmbeddedWorkflows(world.services.records, SystemClock())
    yield world, cluster_id
    world.services.database.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    with running(tmp_path_factory.mktemp("world"), *MANY, history_seconds=86400) as made:
        yield made


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    """A cluster of more shards than an inline Map takes at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("upid.services.shards.CONTAINERS_PER_SHARD", 1)
        with running(tmp_path_factory.mktemp("wide"), *MANY[:41], history_seconds=7200) as made:
            yield made


def tasks_of(world: World, **replaced: Task) -> dict[str, Task]:
    """The machine's functions on the world's services, some of them replaced."""
    work, ending = world.services.analyzing, world.services.completing
    own: dict[str, Task] = {
        "PlanAnalysisFunction": lambda e, _: work.plan(e["tenant"], e["analysis_id"], e["request"], e["actor"]),
        "AnalyzeShardFunction": lambda e, _: work.analyze(e["tenant"], e["analysis_id"], e["shard"]),
        "SummarizeAnalysisFunction": lambda e, _: work.summarize(e["tenant"], e["analysis_id"], e["shards"]),
        "RecordFailureFunction": lambda e, _: ending.fail(e["tenant"], e["kind"], e["work_id"], e["error"]),
        "RecordLostExecutionFunction": lambda e, _: ending.lose(TENANT, execution_of(e["detail"])),
    }
    return own | {f"{name}Function": task for name, task in replaced.items()}


def executed(world: World, cluster_id: str, **replaced: Task) -> dict[str, Any]:
    """Run an analysis to the end of its execution and return its view."""
    world.clock.moment += 1
    engine = WorkflowEngine(world.services, Template.load(), tasks=InlineTasks(tasks_of(world, **replaced)), poll_seconds=0.005)
    engine.start()
    try:
        analysis_id = start(world, cluster_id)
        deadline = time.monotonic() + 60
        while world.services.records.query(RUNNING).items:
            assert time.monotonic() < deadline, "the execution does not end"
            time.sleep(0.005)
    finally:
        engine.stop()
    view = world.services.analyses.view(TENANT, analysis_id)
    assert view["status"] in ENDED
    return view


def failing(world: World, name: str, error: Exception, *, times: int = 10**6, only: Mapping[str, Any] | None = None) -> Task:
    """A task that fails so many times, for the events that hold `only`, and then does its work."""
    left = [times]

    def task(event: Any, context: Any) -> Any:
        if left[0] and (only or {}).items() <= event.items():
            left[0] -= 1
            raise error
        return tasks_of(world)[f"{name}Function"](event, context)

    return task


def test_succeeds_with_every_container(world: tuple[World, str]) -> None:
    view = executed(*world)

    assert (view["status"], view["errors"], view["summary"]["containers"]) == ("succeeded", [], len(MANY))
    assert world[0].services.workflows.describe(MACHINE, view["id"]).output == {"status": "succeeded"}


def test_a_shard_that_keeps_failing_is_named_and_not_the_whole(world: tuple[World, str]) -> None:
    broken = failing(world[0], "AnalyzeShard", ValueError("The profile is damaged."), only={"shard": 1})

    view = executed(*world, AnalyzeShard=broken)

    assert (view["status"], view["errors"]) == (
        "partial",
        [{"code": "ValueError", "detail": "The profile is damaged.", "subject": "shard 1"}],
    )
    assert len(listed(*world, limit=1000).entries) == view["summary"]["containers"] < len(MANY)


def test_a_store_that_is_away_for_a_moment_is_asked_again(world: tuple[World, str]) -> None:
    away = failing(world[0], "AnalyzeShard", UnavailableError("The store does not answer."), times=1)

    view = executed(*world, AnalyzeShard=away)

    assert (view["status"], view["summary"]["containers"]) == ("succeeded", len(MANY))


def test_many_shards_are_executions_of_their_own(wide: tuple[World, str]) -> None:
    view = executed(*wide)

    assert wide[0].services.cluster_records.get(TENANT, wide[1]).body["shards"] == 64
    assert (view["status"], view["errors"], view["summary"]["containers"]) == ("succeeded", [], 41)


def test_of_many_shards_those_that_fail_are_named(wide: tuple[World, str]) -> None:
    broken = failing(wide[0], "AnalyzeShard", ValueError("The profile is damaged."), only={"shard": 63})

    view = executed(*wide, AnalyzeShard=broken)

    assert (view["status"], view["errors"]) == (
        "partial",
        [{"code": "ValueError", "detail": "The profile is damaged.", "subject": "shard 63"}],
    )


def test_of_many_shards_one_that_ends_without_a_word_is_named_too(wide: tuple[World, str]) -> None:
    def too_much(event: Any, context: Any) -> Any:
        # More than a state can carry, which no Catch is for: the execution of the shard fails.
        return {"text": "x" * 300_000} if event["shard"] == 5 else tasks_of(wide[0])["AnalyzeShardFunction"](event, context)

    view = executed(*wide, AnalyzeShard=too_much)

    assert (view["status"], view["errors"]) == (
        "partial",
        [{"code": "ShardLost", "detail": "The shard ended without a result.", "subject": "shard 5"}],
    )


@pytest.mark.parametrize("name", ["PlanAnalysis", "SummarizeAnalysis"])
def test_what_no_shard_can_be_blamed_for_fails_the_analysis_with_its_cause(world: tuple[World, str], name: str) -> None:
    error = NotFoundError("There is no cluster any more.")
    latest = world[0].services.cluster_records.get(TENANT, world[1]).body["latest_analysis_id"]

    view = executed(*world, **{name: failing(world[0], name, error)})

    assert (view["status"], view["errors"][0]["code"], view["errors"][0]["detail"]) == ("failed", "NotFoundError", str(error))
    execution = world[0].services.workflows.describe(MACHINE, view["id"])
    assert (execution.status, execution.error) == ("FAILED", "AnalysisFailed")
    assert world[0].services.cluster_records.get(TENANT, world[1]).body["latest_analysis_id"] == latest


def test_an_analysis_that_takes_too_long_ends_with_its_execution(world: tuple[World, str]) -> None:
    services = world[0].services
    # Its executions begin longer ago than they may take, as this world's clock has it.
    late = EmbeddedWorkflows(services.records, SetClock(world[0].clock.moment - 2 * 3600))
    services.analyses = replace(services.analyses, workflows=late)

    view = executed(*world)

    services.analyses = replace(services.analyses, workflows=services.workflows)
    assert services.workflows.describe(MACHINE, view["id"]).status == "TIMED_OUT"
    assert (view["status"], [error["code"] for error in view["errors"]]) == ("failed", ["States.Timeout"])


def test_the_machine_names_only_functions_and_files_that_there_are() -> None:
    text = (Path(__file__).parents[2] / "state_machines" / f"{MACHINE}.asl.json").read_text()
    template = Template.load()
    for name in ("PlanAnalysis", "AnalyzeShard", "SummarizeAnalysis", "RecordFailure"):
        assert f'"{name}"' in text
        assert template.function(f"{name}Function").handler == "handler"
