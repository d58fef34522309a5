"""The engine: resuming, stopping, taking turns, and what it does when the store or a definition fails it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from machines.running import ended, engine_of, inline_tasks, machine, run, services_in, task, template_of, wait_until, workers

from upid.adapters.embedded.workflows import RUNNING, execution_key
from upid.bootstrap import Services
from upid.domain.errors import UnavailableError
from upid.ports.records import Key, Record, RecordPage, Records
from upid.runtime.template import Template, machine_arn
from upid.runtime.workflows.engine import WorkflowEngine, worker_pool
from upid.runtime.workflows.tasks import InlineTasks

WAIT = {"Type": "Wait", "Seconds": 60, "End": True}


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    services = services_in(tmp_path)
    yield services
    services.database.close()


def notes(file: Path, name: str, **fields: Any) -> dict[str, Any]:
    parameters = {"FunctionName": "note", "Payload": {"task": name, "file": str(file), "result": name}}
    return task("note", Parameters=parameters, ResultPath=f"$.{name}", OutputPath="$", **fields)


def journal(services: Services) -> tuple[Record, ...]:
    return services.records.query("wf#journal#m#x").items


def test_an_execution_goes_on_where_an_engine_left_it(services: Services, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    states = {"A": notes(file, "a", Next="W"), "W": {"Type": "Wait", "Seconds": 2, "Next": "B"}, "B": notes(file, "b")}
    first = engine_of(services, {"m": machine("A", states)})
    first.start()
    begun = time.time()
    services.workflows.start("m", "x", {})
    wait_until(lambda: any(record.body.get("state") == "W" for record in journal(services)))

    first.stop()
    second = engine_of(services, {"m": machine("A", states)})
    second.start()
    end = ended(services, "m")
    second.stop()

    assert (end.status, end.output["a"]["Payload"], end.output["b"]["Payload"]) == ("SUCCEEDED", "a", "b")
    assert [line.split()[0] for line in file.read_text().splitlines()] == ["a", "b"]
    assert 1.9 < time.time() - begun < 3.5  # the wait counts from when it was entered


def test_items_that_ended_do_not_run_again(services: Services, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    payload = {"task.$": "States.Format('item{}', $.v)", "file": str(file), "result.$": "$.v"}
    states = {
        "D": task("refuse_odd", Next="N", Catch=[{"ErrorEquals": ["Other"], "Next": "N"}]),
        "N": task("note", Parameters={"FunctionName": "note", "Payload": payload}, Next="W"),
        "W": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 4, "Next": "Long"}], "Default": "S"},
        "Long": {"Type": "Wait", "Seconds": 1, "Next": "S"},
        "S": {"Type": "Succeed"},
    }
    processor = machine("D", states, ProcessorConfig={"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"})
    over = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "ToleratedFailureCount": 2, "ItemProcessor": processor, "End": True}
    first = engine_of(services, {"m": machine("M", {"M": over})})
    first.start()
    services.workflows.start("m", "x", {"items": [{"v": v} for v in (1, 2, 3, 4, 6)]})
    wait_until(lambda: any(record.body.get("state") == "Long" for record in journal(services)))
    first.stop()

    second = engine_of(services, {"m": machine("M", {"M": over})})
    second.start()
    end = ended(services, "m")
    second.stop()

    assert (end.status, end.output) == ("SUCCEEDED", [2, 4, 6])
    assert [line.split()[0] for line in file.read_text().splitlines()] == ["item2", "item4", "item6"]


def test_an_execution_keeps_the_definition_that_it_began_with(services: Services) -> None:
    before = machine("A", {"A": {"Type": "Pass", "Next": "W"}, "W": {**WAIT, "Seconds": 1, "End": True}})
    first = engine_of(services, {"m": before})
    first.start()
    services.workflows.start("m", "x", {"begun": 1})
    wait_until(lambda: any(record.body.get("state") == "W" for record in journal(services)))
    first.stop()

    second = engine_of(services, {"m": machine("Other", {"Other": {"Type": "Pass", "Result": "other", "End": True}})})
    second.start()
    services.workflows.start("m", "y", {})

    assert ended(services, "m", "y").output == "other"
    assert ended(services, "m").output == {"begun": 1}
    second.stop()


def test_what_was_started_without_an_engine_runs_when_one_comes(services: Services) -> None:
    services.workflows.start("m", "x", {"v": 2})
    engine = engine_of(services, {"m": machine("A", {"A": task("double")})})
    engine.start()

    assert ended(services, "m").output == {"v": 4}
    wait_until(lambda: not services.records.query(RUNNING).items and not journal(services))
    engine.stop()


def test_an_execution_that_is_stopped_ends_without_its_next_state(services: Services, tmp_path: Path) -> None:
    states = {"W": {**{k: v for k, v in WAIT.items() if k != "End"}, "Next": "B"}, "B": notes(tmp_path / "notes", "b")}
    engine = engine_of(services, {"m": machine("W", states)})
    engine.start()
    services.workflows.start("m", "x", {})
    time.sleep(0.1)

    services.workflows.stop("m", "x", cause="enough")
    wait_until(lambda: not services.records.query(RUNNING).items)
    engine.stop()

    end = services.workflows.describe("m", "x")
    assert (end.status, end.cause) == ("ABORTED", "enough")
    assert not (tmp_path / "notes").exists()


def told_engine(services: Services, machines: dict[str, Any], hear: Callable[[Any, Any], Any]) -> WorkflowEngine:
    """An engine whose template has a rule for executions of `m` that do not succeed: they are told to `hear`."""
    template = template_of(services.settings.home, machines)
    detail = {"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": [machine_arn("m")]}
    rule = {"Type": "EventBridgeRule", "Properties": {"Pattern": {"source": ["aws.states"], "detail": detail}}}
    template.document["Resources"]["echo"]["Properties"]["Events"] = {"Over": rule}
    return WorkflowEngine(services, template, tasks=InlineTasks({**inline_tasks().functions, "echo": hear}))


@pytest.mark.parametrize(
    ("definition", "status", "error"),
    [
        (machine("A", {"A": task("double")}), "SUCCEEDED", None),
        (machine("A", {"A": task("fail")}), "FAILED", "ValidationError"),
        (machine("W", {"W": WAIT}, TimeoutSeconds=1), "TIMED_OUT", "States.Timeout"),
    ],
)
def test_an_execution_that_does_not_succeed_is_told_of(
    services: Services, definition: dict[str, Any], status: str, error: str | None
) -> None:
    heard: list[Any] = []
    engine = told_engine(services, {"m": definition}, lambda event, _: heard.append(event["detail"]))
    engine.start()
    services.workflows.start("m", "x", {"v": 1})
    wait_until(lambda: not services.records.query(RUNNING).items)
    engine.stop()

    assert services.workflows.describe("m", "x").status == status
    assert [(each["name"], each["status"], each["error"], json.loads(each["input"])) for each in heard] == (
        [("x", status, error, {"v": 1})] if error else []
    )


def test_what_could_not_be_told_is_told_by_the_next_engine(services: Services) -> None:
    def deaf(event: Any, context: Any) -> Any:
        raise UnavailableError("It cannot be recorded now.")

    heard: list[Any] = []
    definition = machine("W", {"W": WAIT})
    first = told_engine(services, {"m": definition}, deaf)
    services.workflows.start("m", "x", {})
    services.workflows.stop("m", "x", cause="enough")
    first.start()
    time.sleep(0.2)
    first.stop()
    assert services.records.query(RUNNING).items

    second = told_engine(services, {"m": definition}, lambda event, _: heard.append(event["detail"]))
    second.start()
    wait_until(lambda: not services.records.query(RUNNING).items)
    second.stop()

    assert [(each["status"], each["cause"]) for each in heard] == [("ABORTED", "enough")]


def test_an_execution_that_was_stopped_before_any_engine_is_settled(services: Services) -> None:
    services.workflows.start("m", "x", {})
    services.workflows.stop("m", "x", cause="never mind")
    engine = engine_of(services, {"m": machine("A", {"A": task("double")})})
    engine.start()

    wait_until(lambda: not services.records.query(RUNNING).items)
    engine.stop()

    assert services.workflows.describe("m", "x").status == "ABORTED"


@pytest.mark.parametrize(("definition", "cause"), [({"StartAt": "A"}, "needs one of States"), (None, "no such machine")])
def test_a_machine_that_cannot_be_loaded_fails_its_executions(services: Services, definition: Any, cause: str) -> None:
    engine = engine_of(services, {"m": definition} if definition else {})
    engine.start()
    services.workflows.start("m", "x", {})
    end = ended(services, "m")
    engine.stop()

    assert (end.status, end.error) == ("FAILED", "States.Runtime")
    assert cause in str(end.cause)


def test_a_second_engine_waits_until_the_first_has_gone(services: Services) -> None:
    machines = {"m": machine("A", {"A": task("double")})}
    first, second = engine_of(services, machines), engine_of(services, machines)
    first.start()
    services.workflows.start("m", "x", {"v": 1})
    assert ended(services, "m").output == {"v": 2}
    second.start()
    first.stop()

    services.workflows.start("m", "y", {"v": 2})

    assert ended(services, "m", "y").output == {"v": 4}
    second.stop()


class FailingRecords:
    """Records that fail a number of writes of the journal."""

    def __init__(self, inner: Records, failures: int) -> None:
        self._inner = inner
        self._left = failures

    def put(self, key: Key, body: Any, **options: Any) -> Record:
        if key.partition.startswith("wf#journal") and self._left:
            self._left -= 1
            raise UnavailableError("The disk is full.")
        return self._inner.put(key, body, **options)

    def query(self, partition: str, **options: Any) -> RecordPage:
        return self._inner.query(partition, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_a_store_that_fails_for_a_while_does_not_fail_the_execution(services: Services, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    services.workflows.start("m", "x", {})
    services.records = FailingRecords(services.records, 2)  # type: ignore[assignment]  # a fake of what the test needs
    engine = engine_of(services, {"m": machine("A", {"A": notes(file, "a", Next="B"), "B": notes(file, "b")})})
    engine.start()
    end = ended(services, "m")
    engine.stop()

    assert end.status == "SUCCEEDED"
    assert [line.split()[0] for line in file.read_text().splitlines()] == ["a", "a", "a", "b"]


def test_stopping_lets_a_task_end_and_be_recorded(services: Services, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    slow = {"FunctionName": "note", "Payload": {"task": "slow", "file": str(file), "seconds": 0.7, "result": 1}}
    definition = machine("A", {"A": task("note", Parameters=slow, Next="B"), "B": {"Type": "Pass", "End": True}})
    services.workflows.start("m", "x", {})
    first = engine_of(services, {"m": definition}, workers(1))
    first.start()
    wait_until(file.exists)

    first.stop()
    second = engine_of(services, {"m": definition}, workers(1))
    second.start()
    end = ended(services, "m")
    second.stop()

    assert (end.output, len(file.read_text().splitlines())) == (1, 1)


def test_stopping_does_not_wait_for_ever(services: Services, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    slow = {"FunctionName": "note", "Payload": {"task": "slow", "file": str(file), "seconds": 60}}
    services.workflows.start("m", "x", {})
    engine = engine_of(services, {"m": machine("A", {"A": task("note", Parameters=slow)})}, workers(1))
    engine.start()
    wait_until(file.exists)
    begun = time.monotonic()

    engine.stop(grace_seconds=0.2)

    assert time.monotonic() - begun < 30
    assert services.workflows.describe("m", "x").status == "RUNNING"


def test_a_task_whose_worker_died_is_tried_again_by_its_retry(tmp_path: Path) -> None:
    retry = [{"ErrorEquals": ["Lambda.Unknown"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1.0}]
    definition = machine("A", {"A": task("die_at_first", Retry=retry)})

    end = run(tmp_path, definition, {"file": str(tmp_path / "tries"), "fails": 1}, workers(1))

    assert (end.status, end.output) == ("SUCCEEDED", {"tries": 2})


def test_attempts_are_counted_over_a_restart(services: Services, tmp_path: Path) -> None:
    file = tmp_path / "tries"
    retry = [{"ErrorEquals": ["ValidationError"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    definition = machine("A", {"A": task("fail_at_first", Retry=retry)})
    services.workflows.start("m", "x", {"file": str(file), "fails": 5})
    first = engine_of(services, {"m": definition})
    first.start()
    wait_until(lambda: any("tries" in record.body for record in journal(services)))
    first.stop()

    second = engine_of(services, {"m": definition})
    second.start()
    end = ended(services, "m")
    second.stop()

    assert (end.error, len(file.read_text().splitlines())) == ("ValidationError", 2)


def test_workers_of_the_platform_share_its_data_and_know_its_tasks(services: Services, tmp_path: Path) -> None:
    functions = {"F": {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "functions.events.a.handler"}}}

    pool = worker_pool(services, Template(tmp_path, {"Resources": functions}))

    assert pool._modules == ("functions.events.a",)
    assert pool._environment["UPID_HOME"] == str(tmp_path)


def test_the_end_of_an_execution_is_kept_for_ninety_days(services: Services) -> None:
    engine = engine_of(services, {"m": machine("A", {"A": task("double")})})
    engine.start()
    services.workflows.start("m", "x", {"v": 1})
    ended(services, "m")
    engine.stop()
    record = services.records.get(execution_key("m", "x"))

    assert record is not None
    assert record.expires_at == record.body["ended_at"] + 90 * 86400
    assert json.loads(json.dumps(record.body["input"])) == {"v": 1}


def test_an_engine_can_be_asked_to_stop_before_it_was_told_anything(services: Services) -> None:
    engine: WorkflowEngine = engine_of(services, {})
    engine.start()
    engine.stop()

    assert services.workflows.listeners == []


def test_an_engine_that_was_never_started_can_be_stopped(services: Services) -> None:
    engine = engine_of(services, {}, workers(1))

    engine.stop()

    assert services.workflows.listeners == []


def test_a_list_that_cannot_be_read_is_read_again(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    class Deaf(FailingRecords):
        def query(self, partition: str, **options: Any) -> RecordPage:
            self._left -= 1
            if self._left >= 0:
                raise UnavailableError("The file is locked.")
            return self._inner.query(partition, **options)

    engine = engine_of(services, {"m": machine("A", {"A": task("double")})})
    services.workflows.start("m", "x", {"v": 1})
    services.records = Deaf(services.records, 2)  # type: ignore[assignment]  # a fake of what the test needs
    engine.start()
    end = ended(services, "m")
    engine.stop()

    assert end.output == {"v": 2}
    assert "The file is locked." in caplog.text
