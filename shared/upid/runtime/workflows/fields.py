"""Which fields each kind of state knows, and what they may hold. A field that is not here is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from upid.runtime.workflows import checks
from upid.runtime.workflows.checks import Check
from upid.runtime.workflows.choices import OPERATORS, operand_fits
from upid.runtime.workflows.faults import ALL, DefinitionError

YEAR_SECONDS: Final = 31_536_000
MOST_SECONDS: Final = 99_999_999

_ANY: Final[Mapping[str, Check]] = {"Type": checks.text, "Comment": checks.text, "QueryLanguage": checks.json_path_only}
_PATHS: Final[Mapping[str, Check]] = {**_ANY, "InputPath": checks.path_or_null, "OutputPath": checks.path_or_null}
_FLOW: Final[Mapping[str, Check]] = {**_PATHS, "Next": checks.text, "End": checks.true, "Assign": checks.assignment}
_RESULT: Final[Mapping[str, Check]] = {**_FLOW, "Parameters": checks.template, "ResultPath": checks.reference_or_null}


def known(value: Mapping[str, Any], fields: Mapping[str, Check], place: str, what: str) -> None:
    """Check every field of an object by its table; DefinitionError for one that the table does not have."""
    checks.table(value, place)
    for name, item in value.items():
        if name in _REFUSED:
            raise DefinitionError(f"{place}/{name}", f"{_REFUSED[name]} is not known here.")
        if name not in fields:
            raise DefinitionError(f"{place}/{name}", f"the field is not known in {what}.")
        fields[name](item, f"{place}/{name}")


def one_field(value: Mapping[str, Any], names: tuple[str, ...], place: str, *, needed: bool = True) -> None:
    """Check that one of some fields is there, and not two."""
    found = [name for name in names if name in value]
    if len(found) > 1 or (needed and not found):
        raise DefinitionError(place, f"needs {'one' if needed else 'at most one'} of {', '.join(names)}.")


def retriers(value: Any, place: str) -> None:
    """Check the rules of a Retry."""
    _handlers(value, place, _RETRIER, "Retry")
    for at, rule in enumerate(value):
        if rule.get("MaxDelaySeconds", MOST_SECONDS) <= rule.get("IntervalSeconds", 1):
            raise DefinitionError(f"{place}/{at}/MaxDelaySeconds", "must be more than IntervalSeconds.")


def catchers(value: Any, place: str) -> None:
    """Check the rules of a Catch."""
    _handlers(value, place, _CATCHER, "Catch")
    for at, rule in enumerate(value):
        one_field(rule, ("Next",), f"{place}/{at}")


def _handlers(value: Any, place: str, fields: Mapping[str, Check], what: str) -> None:
    if not isinstance(value, list):
        raise DefinitionError(place, "must be a list.")
    for at, rule in enumerate(value):
        known(rule, fields, f"{place}/{at}", what)
        one_field(rule, ("ErrorEquals",), f"{place}/{at}")
        if ALL in rule["ErrorEquals"] and at < len(value) - 1:
            raise DefinitionError(f"{place}/{at}/ErrorEquals", f"{ALL} must come last.")


def choices(value: Any, place: str) -> None:
    """Check the rules of a Choice."""
    checks.listing(value, place)
    for at, rule in enumerate(value):
        checks.table(rule, f"{place}/{at}")
        one_field(rule, ("Next",), f"{place}/{at}")
        _rule({name: item for name, item in rule.items() if name not in _OF_TOP_RULE}, f"{place}/{at}")
        known({name: item for name, item in rule.items() if name in _OF_TOP_RULE}, _OF_TOP_RULE, f"{place}/{at}", "a rule")


def _rule(rule: Any, place: str) -> None:
    checks.table(rule, place)
    names = set(rule)
    if len(names) == 1 and names <= {"And", "Or"}:
        name = names.pop()
        checks.listing(rule[name], f"{place}/{name}")
        for at, part in enumerate(rule[name]):
            _rule(part, f"{place}/{name}/{at}")
    elif names == {"Not"}:
        _rule(rule["Not"], f"{place}/Not")
    else:
        _comparison(rule, place)


def _comparison(rule: Mapping[str, Any], place: str) -> None:
    operators = sorted(set(rule) & OPERATORS)
    if len(operators) != 1 or set(rule) != {"Variable", *operators}:
        raise DefinitionError(
            place, f"must be And, Or, Not, or Variable with one comparison; it has {', '.join(sorted(rule)) or 'nothing'}."
        )
    checks.path(rule["Variable"], f"{place}/Variable")
    name = operators[0]
    if not operand_fits(name, rule[name]):
        raise DefinitionError(f"{place}/{name}", "compares with a value of another kind.")
    if name.endswith("Path"):
        checks.path(rule[name], f"{place}/{name}")


_REFUSED: Final[Mapping[str, str]] = {
    "ItemReader": "reading items from a bucket", "ResultWriter": "writing results to a bucket", "HeartbeatSeconds": "a heartbeat",
    "HeartbeatSecondsPath": "a heartbeat", "Credentials": "another role", "Arguments": "JSONata", "Output": "JSONata", "Condition": "JSONata",
    "Items": "JSONata",
}  # fmt: skip
_OF_TOP_RULE: Final[Mapping[str, Check]] = {"Next": checks.text, "Assign": checks.assignment, "Comment": checks.text}
_RETRIER: Final[Mapping[str, Check]] = {
    "ErrorEquals": checks.error_names, "IntervalSeconds": checks.number(1, MOST_SECONDS), "MaxAttempts": checks.number(0, MOST_SECONDS),
    "BackoffRate": checks.number(1, 1e9, whole=False), "MaxDelaySeconds": checks.number(1, YEAR_SECONDS),
    "JitterStrategy": checks.one_of("FULL", "NONE"), "Comment": checks.text,
}  # fmt: skip
_CATCHER: Final[Mapping[str, Check]] = {
    "ErrorEquals": checks.error_names, "Next": checks.text, "ResultPath": checks.reference_or_null, "Assign": checks.assignment,
    "Comment": checks.text,
}  # fmt: skip
_HANDLED: Final[Mapping[str, Check]] = {**_RESULT, "ResultSelector": checks.object_template, "Retry": retriers, "Catch": catchers}
_BATCHER: Final[Mapping[str, Check]] = {
    "MaxItemsPerBatch": checks.number(1, MOST_SECONDS), "MaxItemsPerBatchPath": checks.path, "MaxInputBytesPerBatch": checks.number(1, 262_144),
    "MaxInputBytesPerBatchPath": checks.path, "BatchInput": checks.object_template,
}  # fmt: skip


def batcher(value: Any, place: str) -> None:
    """Check how a distributed Map makes batches of its items."""
    known(value, _BATCHER, place, "ItemBatcher")
    limits = ("MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath")
    if not set(limits) & set(value):
        raise DefinitionError(place, f"needs one of {', '.join(limits)}.")


# Fields of a Map that only a distributed one may have.
DISTRIBUTED: Final[Mapping[str, Check]] = {
    "Label": checks.text, "ItemBatcher": batcher, "ToleratedFailureCount": checks.number(0, MOST_SECONDS), "ToleratedFailureCountPath": checks.path,
    "ToleratedFailurePercentage": checks.number(0, 100, whole=False), "ToleratedFailurePercentagePath": checks.path,
}  # fmt: skip
STATES: Final[Mapping[str, Mapping[str, Check]]] = {
    "Pass": {**_RESULT, "Result": checks.within_limit},
    "Task": {
        **_HANDLED, "Resource": checks.text, "Parameters": checks.object_template, "TimeoutSeconds": checks.number(1, MOST_SECONDS),
        "TimeoutSecondsPath": checks.path,
    },
    "Choice": {**_PATHS, "Choices": choices, "Default": checks.text, "Assign": checks.assignment},
    "Wait": {
        **_FLOW, "Seconds": checks.number(0, MOST_SECONDS), "SecondsPath": checks.path, "Timestamp": checks.timestamp, "TimestampPath": checks.path,
    },
    "Succeed": _PATHS,
    "Fail": {**_ANY, "Error": checks.text, "ErrorPath": checks.expression, "Cause": checks.text, "CausePath": checks.expression},
    "Parallel": {**_HANDLED, "Branches": checks.listing},
    "Map": {
        **_HANDLED, **DISTRIBUTED, "ItemsPath": checks.path, "ItemSelector": checks.object_template, "ItemProcessor": checks.table,
        "Iterator": checks.table, "MaxConcurrency": checks.number(0, MOST_SECONDS), "MaxConcurrencyPath": checks.path,
    },
}  # fmt: skip
