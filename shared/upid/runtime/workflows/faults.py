"""What goes wrong: a definition that is refused when it is loaded, and an error of the States Language while it runs."""

from __future__ import annotations

from typing import Final

TIMEOUT: Final = "States.Timeout"
RUNTIME: Final = "States.Runtime"
DATA_LIMIT: Final = "States.DataLimitExceeded"
TASK_FAILED: Final = "States.TaskFailed"
ALL: Final = "States.ALL"
# The names of the States Language itself: only these may begin with "States." in a Retry or a Catch.
PREDEFINED: Final = frozenset({
    ALL, TIMEOUT, RUNTIME, DATA_LIMIT, TASK_FAILED, "States.HeartbeatTimeout", "States.Permissions", "States.ResultPathMatchFailure",
    "States.ParameterPathFailure", "States.BranchFailed", "States.NoChoiceMatched", "States.IntrinsicFailure",
    "States.ExceedToleratedFailureThreshold", "States.ItemReaderFailed", "States.ResultWriterFailed",
})  # fmt: skip


class DefinitionError(ValueError):
    """A machine that cannot be run as it stands; `place` says where in it, from the top."""

    def __init__(self, place: str, detail: str) -> None:
        super().__init__(f"{place}: {detail}")
        self.place = place
        self.detail = detail


class StatesError(Exception):
    """An error of the States Language: `error` is its name, that Retry and Catch know it by, `cause` says what happened."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause

    @property
    def output(self) -> dict[str, str]:
        """The error as a Catch hands it on."""
        return {"Error": self.error, "Cause": self.cause}

    def matches(self, names: list[str]) -> bool:
        """Tell whether a Retry or Catch of these names is for this error; the two fatal ones need their own name."""
        if self.error in names:
            return True
        if self.error in {RUNTIME, DATA_LIMIT}:
            return False
        return ALL in names or (TASK_FAILED in names and self.error != TIMEOUT)
