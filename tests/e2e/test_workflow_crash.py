"""A real process that is killed at every write it makes, and started again, brings its execution to the same end, exactly once."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from machines.lives import killed_until_done, process_of
from machines.running import ended, machine, services_in, task, wait_until

from upid.adapters.embedded.workflows import RUNNING, execution_key
from upid.bootstrap import Services


def noting(name: str, file: Path, result: Any, **fields: Any) -> dict[str, Any]:
    return task("note", Parameters={"FunctionName": "note", "Payload": {"task": name, "file": str(file), "result": result}}, **fields)


def of_every_kind(file: Path, concurrency: int) -> dict[str, Any]:
    """Every kind of state, with a note for every task that runs."""
    payload = {"task.$": "States.Format('item{}', $)", "file": str(file), "result.$": "$"}
    item = task("note", Parameters={"FunctionName": "note", "Payload": payload})
    over = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": concurrency, "ItemProcessor": machine("Item", {"Item": item})}
    branches = [
        machine("Left", {"Left": noting("left", file, "l")}),
        machine("Right", {"Right": {"Type": "Wait", "Seconds": 0, "End": True}}),
    ]
    states = {
        "First": noting("first", file, 1, ResultSelector={"n.$": "$.Payload"}, ResultPath="$.first", OutputPath="$", Assign={"seen.$": "$.n"}, Next="Each"),
        "Each": {**over, "ResultPath": "$.each", "Next": "Ask"},
        "Ask": {"Type": "Choice", "Choices": [{"Variable": "$.first.n", "NumericEquals": 1, "Next": "Both"}], "Default": "Stop"},
        "Both": {"Type": "Parallel", "Branches": branches, "ResultSelector": {"left.$": "$[0]"}, "ResultPath": "$.both", "Next": "Flaky"},
        "Flaky": task(
            "fail_at_first", Parameters={"FunctionName": "fail_at_first", "Payload": {"file": f"{file}.tries", "fails": 1}}, OutputPath="$",
            Retry=[{"ErrorEquals": ["ValidationError"], "MaxAttempts": 1, "JitterStrategy": "FULL"}], ResultPath="$.flaky", Next="Last",
        ),
        "Last": {"Type": "Pass", "Parameters": {"each.$": "$.each", "left.$": "$.both.left", "seen.$": "$seen"}, "End": True},
        "Stop": {"Type": "Fail", "Error": "Wrong"},
    }  # fmt: skip
    return machine("First", states, TimeoutSeconds=600)


def with_items_apart(file: Path) -> dict[str, Any]:
    """A distributed Map of which items fail: each item is noted, and the odd ones are refused."""
    payload = {"task.$": "States.Format('item{}', $)", "file": str(file), "result": {"v.$": "$"}}
    item = {"Note": task("note", Parameters={"FunctionName": "note", "Payload": payload}, Next="Refuse"), "Refuse": task("refuse_odd")}
    apart = {
        "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "ToleratedFailurePercentage": 100, "ResultPath": "$.each", "Next": "Last",
        "ItemProcessor": machine("Note", item, ProcessorConfig={"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}),
    }  # fmt: skip
    return machine("Apart", {"Apart": apart, "Last": {"Type": "Pass", "Parameters": {"each.$": "$.each"}, "End": True}})


def lives(folder: Path, definition: dict[str, Any], writes: int, moment: str) -> tuple[Services, int]:
    """Run a machine in process after process until one comes to the end; return the services of the folder and how many were killed."""
    (folder / "machine.json").write_text(json.dumps(definition))
    (folder / "input.json").write_text(json.dumps({"items": [1, 2, 3]}))
    return services_in(folder), killed_until_done(folder, writes, moment)


OF_EVERY_KIND = {"each": [1, 2, 3], "left": "l", "seen": 1}


def assert_ended_once(services: Services, output: dict[str, Any]) -> None:
    end = ended(services, "m")
    record = services.records.get(execution_key("m", "x"))
    assert (end.status, end.output) == ("SUCCEEDED", output)
    assert record is not None
    assert record.version == 2  # written at its start and at its end
    assert not services.records.query(RUNNING).items
    assert not services.records.query("wf#journal#m#x").items


@pytest.mark.slow
def test_what_was_recorded_never_runs_again(tmp_path: Path) -> None:
    file = tmp_path / "notes"

    services, killed = lives(tmp_path, of_every_kind(file, concurrency=1), 1, "after")

    assert killed >= 12
    assert_ended_once(services, OF_EVERY_KIND)
    counts = Counter(line.split()[0] for line in file.read_text().splitlines())
    assert counts.pop("left") <= 2  # the write of the branch beside it may have ended the process under it
    assert counts == Counter(["first", "item1", "item2", "item3"])


@pytest.mark.slow
@pytest.mark.parametrize("concurrency", [1, 0])
def test_a_task_that_was_not_recorded_may_run_once_more(tmp_path: Path, concurrency: int) -> None:
    file = tmp_path / "notes"

    services, killed = lives(tmp_path, of_every_kind(file, concurrency), 2, "before")

    assert killed >= 12
    assert_ended_once(services, OF_EVERY_KIND)
    assert max(Counter(line.split()[0] for line in file.read_text().splitlines()).values()) <= (2 if concurrency else 4)


@pytest.mark.slow
@pytest.mark.parametrize(("writes", "moment", "most"), [(1, "after", 1), (3, "before", 2)])
def test_items_apart_and_their_failures_are_kept_too(tmp_path: Path, writes: int, moment: str, most: int) -> None:
    file = tmp_path / "notes"

    services, killed = lives(tmp_path, with_items_apart(file), writes, moment)

    assert killed >= 4
    assert_ended_once(services, {"each": [{"v": 2}]})
    counts = Counter(line.split()[0] for line in file.read_text().splitlines())
    assert set(counts) == {"item1", "item2", "item3"}
    assert max(counts.values()) <= most


def test_workers_end_with_a_process_that_is_killed_from_outside(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    payload = {"task": "long", "file": str(file), "seconds": 30, "result": 1}
    definition = machine("A", {"A": task("note", Parameters={"FunctionName": "note", "Payload": payload})})
    (tmp_path / "machine.json").write_text(json.dumps(definition))
    (tmp_path / "input.json").write_text("{}")
    process = process_of(tmp_path, 0, "never")
    wait_until(lambda: file.exists() and "\n" in file.read_text())

    process.kill()
    process.wait()

    worker = int(file.read_text().split()[1])
    wait_until(lambda: is_dead(worker), seconds=5)
    assert is_resumable(tmp_path)


def is_resumable(folder: Path) -> bool:
    """Tell whether the execution waits to be resumed."""
    return services_in(folder).workflows.describe("m", "x").status == "RUNNING"


def is_dead(pid: int) -> bool:
    """Tell whether a process is gone, or only waits for its parent to take notice."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    time.sleep(0.01)
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z"
