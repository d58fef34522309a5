"""Durable executions of the state machines in `state_machines/` (Step Functions, or the embedded interpreter)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

ExecutionStatus = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of a machine. `output` where it succeeded; `error` and `cause` where it did not."""

    machine: str
    name: str
    status: ExecutionStatus
    output: Any = None
    error: str | None = None
    cause: str | None = None


class Workflows(Protocol):
    """Runs state machines by their file's name (`analyze-cluster`)."""

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> None:
        """Start an execution; a name that was started before is left as it is, so starting twice is starting once."""
        ...

    def describe(self, machine: str, name: str) -> Execution:
        """Return an execution; NotFoundError where there is none of this name."""
        ...

    def stop(self, machine: str, name: str, *, cause: str) -> None:
        """Abort an execution that still runs; one that ended stays as it is."""
        ...
