"""An execution that is interrupted goes on."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from upid.domain.errors import UnavailableError
from upid.runtime.workflows.executions import Executions, persistently


class Interrupted:
    """Runs that fail one after the other, and then one that does not."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.runs = 0

    async def run(self, machine: str, name: str) -> None:
        assert (machine, name) == ("m", "x")
        self.runs += 1
        if self.errors:
            raise self.errors.pop(0)


def go_on(executions: Interrupted) -> None:
    asyncio.run(persistently(cast("Executions", executions), "m", "x", pauses=(0.0, 0.0), longest_seconds=0.0))


def test_a_store_that_is_away_is_waited_for_however_long_it_takes() -> None:
    executions = Interrupted(*[UnavailableError("The disk is full.")] * 9)

    go_on(executions)

    assert executions.runs == 10


def test_after_a_fault_of_the_runtime_it_is_left_once_the_pauses_are_used_up(caplog: pytest.LogCaptureFixture) -> None:
    fault: Any = RuntimeError("a bug")
    executions = Interrupted(*[fault] * 9)

    go_on(executions)

    assert executions.runs == 3
    assert caplog.messages[-1] == "Execution x of m is left as it is until the next start."


def test_what_ends_is_run_once() -> None:
    executions = Interrupted()

    go_on(executions)

    assert executions.runs == 1
