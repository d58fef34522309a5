"""What every adapter of Workflows holds: started once, described as it stands, stopped for good."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from contract.cloud import cloud
from machines.handlers import FUNCTIONS
from machines.running import engine_of, machine, services_in, task, wait_until

from upid.adapters.stepfunctions.workflows import StepFunctionsWorkflows
from upid.domain.errors import InvalidError, NotFoundError
from upid.ports.workflows import Execution, Workflows

MACHINES = {
    "double-number": machine("Double", {"Double": task("double")}),
    "fail-always": machine("Fail", {"Fail": {"Type": "Fail", "Error": "Known", "Cause": "It fails."}}),
    "wait-long": machine("WaitForIt", {"WaitForIt": {"Type": "Wait", "Seconds": 60, "End": True}}),
    "time-out": machine("WaitForIt", {"WaitForIt": {"Type": "Wait", "Seconds": 60, "End": True}}, TimeoutSeconds=1),
}


@dataclass(frozen=True)
class Running:
    """An adapter whose executions are run, and how to end that."""

    workflows: Workflows
    close: Callable[[], None]


def embedded(folder: Path) -> Running:
    services = services_in(folder)
    engine = engine_of(services, MACHINES)
    engine.start()

    def close() -> None:
        engine.stop()
        services.database.close()

    return Running(services.workflows, close)


def step_functions(folder: Path) -> Running:
    prefix = cloud().machines(folder, MACHINES, {f.__name__: f for f in FUNCTIONS})
    return Running(StepFunctionsWorkflows(cloud().clients, prefix), lambda: None)


ADAPTERS: dict[str, Callable[[Path], Running]] = {"embedded": embedded, "step-functions": step_functions}


@pytest.fixture(params=sorted(ADAPTERS))
def workflows(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workflows]:
    running = ADAPTERS[request.param](tmp_path)
    yield running.workflows
    running.close()


def end_of(workflows: Workflows, machine_name: str, name: str = "one") -> Execution:
    wait_until(lambda: workflows.describe(machine_name, name).status != "RUNNING")
    return workflows.describe(machine_name, name)


def test_an_execution_ends_with_its_output(workflows: Workflows) -> None:
    workflows.start("double-number", "one", {"v": 21})

    assert end_of(workflows, "double-number") == Execution("double-number", "one", "SUCCEEDED", output={"v": 42})


def test_an_execution_that_fails_tells_error_and_cause(workflows: Workflows) -> None:
    workflows.start("fail-always", "one", {})

    assert end_of(workflows, "fail-always") == Execution("fail-always", "one", "FAILED", error="Known", cause="It fails.")


def test_an_execution_that_takes_too_long_is_timed_out(workflows: Workflows) -> None:
    workflows.start("time-out", "one", {})

    assert end_of(workflows, "time-out").status == "TIMED_OUT"


def test_starting_a_name_again_changes_nothing(workflows: Workflows) -> None:
    workflows.start("double-number", "one", {"v": 1})
    workflows.start("double-number", "one", {"v": 2})
    end_of(workflows, "double-number")
    workflows.start("double-number", "one", {"v": 3})

    assert end_of(workflows, "double-number").output == {"v": 2}


def test_names_belong_to_their_machine(workflows: Workflows) -> None:
    workflows.start("double-number", "one", {"v": 1})
    workflows.start("fail-always", "one", {})

    assert [end_of(workflows, name).status for name in ("double-number", "fail-always")] == ["SUCCEEDED", "FAILED"]


def test_an_execution_runs_until_it_ends(workflows: Workflows) -> None:
    workflows.start("wait-long", "one", {})
    time.sleep(0.1)

    assert workflows.describe("wait-long", "one") == Execution("wait-long", "one", "RUNNING")


def test_an_execution_is_stopped_with_a_cause_and_stays_so(workflows: Workflows) -> None:
    workflows.start("wait-long", "one", {})
    workflows.stop("wait-long", "one", cause="not needed")
    workflows.stop("wait-long", "one", cause="again")
    workflows.start("wait-long", "one", {})

    # moto forgets why an execution was stopped, which Step Functions tells.
    cause = None if isinstance(workflows, StepFunctionsWorkflows) else "not needed"
    assert end_of(workflows, "wait-long") == Execution("wait-long", "one", "ABORTED", cause=cause)


def test_stopping_what_has_ended_changes_nothing(workflows: Workflows) -> None:
    workflows.start("double-number", "one", {"v": 1})
    before = end_of(workflows, "double-number")

    workflows.stop("double-number", "one", cause="too late")

    assert workflows.describe("double-number", "one") == before


@pytest.mark.parametrize("ask", [lambda w: w.describe("double-number", "none"), lambda w: w.stop("double-number", "none", cause="c")])
def test_an_execution_that_was_never_started_is_not_found(workflows: Workflows, ask: Callable[[Workflows], Any]) -> None:
    with pytest.raises(NotFoundError):
        ask(workflows)


@pytest.mark.parametrize(("name", "payload"), [("", {}), ("a b", {}), ("x" * 81, {}), ("one", {"x": "y" * 262_144})])
def test_a_name_or_an_input_that_cannot_be_is_refused(workflows: Workflows, name: str, payload: dict[str, Any]) -> None:
    with pytest.raises(InvalidError):
        workflows.start("double-number", name, payload)


def test_many_executions_each_come_to_their_own_end(workflows: Workflows) -> None:
    for number in range(50):
        workflows.start("double-number", f"n{number}", {"v": number})

    assert [end_of(workflows, "double-number", f"n{number}").output for number in range(50)] == [{"v": 2 * n} for n in range(50)]
