"""What went wrong in a workflow, as the errors of its work tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from upid.domain.work import WorkError, WorkStatus
from upid.ports.workflows import Execution

LONGEST: Final = 1000  # characters of a message


def message_of(error: Mapping[str, str]) -> str:
    """Return what a caught error, {"Error", "Cause"}, says to people: the message alone where the cause is a Lambda's JSON with type and stack."""
    cause = error.get("Cause", "")
    try:
        told = orjson.loads(cause)
    except ValueError:
        return cause[:LONGEST]
    return str(told.get("errorMessage", "") if isinstance(told, dict) else cause)[:LONGEST]


def lost(execution: Execution) -> tuple[WorkStatus, WorkError]:
    """Return how work ends whose execution is over and did not record it: cancelled where somebody aborted it, else failed."""
    aborted = execution.status == "ABORTED"
    told = {"Cause": execution.cause or f"The execution ended as {execution.status} before its end was recorded."}
    error = WorkError("cancelled" if aborted else execution.error or execution.status, message_of(told))
    return "cancelled" if aborted else "failed", error
