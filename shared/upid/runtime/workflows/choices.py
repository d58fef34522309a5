"""The comparisons of a Choice state."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from upid.runtime.workflows.expressions import View
from upid.runtime.workflows.faults import RUNTIME, StatesError
from upid.runtime.workflows.paths import PathError

_ABSENT: Final = object()
_TIMESTAMP: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")
_RELATIONS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "Equals": operator.eq, "LessThan": operator.lt, "GreaterThan": operator.gt,
    "LessThanEquals": operator.le, "GreaterThanEquals": operator.ge,
}  # fmt: skip


def moment(text: Any) -> datetime | None:
    """Return the moment of an RFC 3339 text as the States Language wants it (capital T and Z), None for anything else."""
    if not isinstance(text, str) or not _TIMESTAMP.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_KINDS: Final[Mapping[str, Callable[[Any], Any]]] = {"String": _text, "Numeric": _number, "Boolean": _boolean, "Timestamp": moment}
_TESTS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: _text(value) is not None,
    "IsNumeric": lambda value: _number(value) is not None,
    "IsBoolean": lambda value: _boolean(value) is not None,
    "IsTimestamp": lambda value: moment(value) is not None,
}


def _comparisons() -> dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]]:
    pairs = {kind + relation: (_KINDS[kind], _RELATIONS[relation]) for kind in _KINDS for relation in _RELATIONS}
    return {name: pair for name, pair in pairs.items() if not name.startswith("Boolean") or name == "BooleanEquals"}


COMPARISONS: Final = _comparisons()
TESTS: Final = frozenset({*_TESTS, "IsPresent"})
# Every operator that may stand beside Variable.
OPERATORS: Final = frozenset({*COMPARISONS, *(f"{name}Path" for name in COMPARISONS), *TESTS, "StringMatches"})


def operand_fits(name: str, operand: Any) -> bool:
    """Tell whether an operator of a definition has an operand of its kind."""
    if name in TESTS:
        return isinstance(operand, bool)
    if name.endswith("Path") or name == "StringMatches":
        return isinstance(operand, str)
    return COMPARISONS[name][0](operand) is not None


def holds(rule: Mapping[str, Any], view: View) -> bool:
    """Tell whether a rule of a Choice holds for the data; States.Runtime where a path that it compares names nothing."""
    if "And" in rule:
        return all(holds(part, view) for part in rule["And"])
    if "Or" in rule:
        return any(holds(part, view) for part in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], view)
    name = next(key for key in rule if key in OPERATORS)
    return _compare(name, rule["Variable"], rule[name], view)


def _compare(name: str, variable: str, operand: Any, view: View) -> bool:
    value = _read(variable, view)
    if name == "IsPresent":
        return (value is not _ABSENT) is operand
    if value is _ABSENT:
        raise StatesError(RUNTIME, f"Invalid path '{variable}': the choice compares a value that is not there.")
    if name in _TESTS:
        return _TESTS[name](value) is operand
    if name == "StringMatches":
        return isinstance(value, str) and pattern(operand).fullmatch(value) is not None
    if name.endswith("Path"):
        name, operand = name.removesuffix("Path"), view.read(operand)
    kind, relation = COMPARISONS[name]
    left, right = kind(value), kind(operand)
    return left is not None and right is not None and bool(relation(left, right))


def pattern(text: str) -> re.Pattern[str]:
    """Return the pattern of StringMatches: `*` stands for any characters, a backslash takes the meaning off `*` and itself."""
    pieces = re.findall(r"\\.|\*|[^\\*]+", text, flags=re.DOTALL)
    return re.compile("".join(".*" if p == "*" else re.escape(p[1:] if p[0] == "\\" else p) for p in pieces), re.DOTALL)


def _read(path: str, view: View) -> Any:
    try:
        return view.scope.read(path)
    except PathError:
        return _ABSENT
