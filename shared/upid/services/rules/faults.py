"""What is wrong with an expression, and where."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

FaultCode = Literal[
    "syntax", "too_long", "too_deep", "too_large", "unknown_feature", "unknown_function", "not_supported", "wrong_type", "unit_mismatch",
    "number_out_of_range", "unknown_placeholder",
]  # fmt: skip


class Position(NamedTuple):
    """Where in a text: line and column, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of an expression; `suggestion` is what to write instead, where that can be told."""

    code: FaultCode
    detail: str
    position: Position
    suggestion: str | None = None

    def body(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self) | {"position": self.position._asdict()}


class ExpressionError(Exception):
    """An expression that can not be evaluated, and why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


def refuse(code: FaultCode, detail: str, position: Position, suggestion: str | None = None) -> ExpressionError:
    """Return the error of a fault."""
    return ExpressionError(Fault(code, detail, position, suggestion))
