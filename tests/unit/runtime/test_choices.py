"""The comparisons of a Choice."""

from __future__ import annotations

import random
from typing import Any

import pytest

from upid.runtime.workflows.choices import OPERATORS, holds, pattern
from upid.runtime.workflows.expressions import View
from upid.runtime.workflows.faults import StatesError
from upid.runtime.workflows.paths import Scope

DATA = {"n": 5, "m": 7, "s": "b", "z": "c", "t": "2024-01-01T00:00:00Z", "u": "2024-01-01T01:00:00+01:00", "b": True, "nul": None}
TRUE: list[tuple[str, str, Any]] = [
    ("$.n", "NumericEquals", 5.0), ("$.n", "NumericLessThan", 6), ("$.n", "NumericGreaterThan", 4), ("$.n", "NumericLessThanEquals", 5),
    ("$.n", "NumericGreaterThanEquals", 5), ("$.n", "NumericLessThanPath", "$.m"), ("$.m", "NumericGreaterThanEqualsPath", "$.n"),
    ("$.s", "StringEquals", "b"), ("$.s", "StringLessThan", "c"), ("$.s", "StringGreaterThan", "a"), ("$.s", "StringLessThanPath", "$.z"),
    ("$.b", "BooleanEquals", True), ("$.b", "BooleanEqualsPath", "$.b"), ("$.t", "TimestampEquals", "2024-01-01T00:00:00Z"),
    ("$.t", "TimestampEqualsPath", "$.u"), ("$.t", "TimestampLessThan", "2024-01-01T00:00:00.5Z"), ("$.s", "StringMatches", "*"),
    ("$.nul", "IsNull", True), ("$.n", "IsNull", False), ("$.s", "IsString", True), ("$.n", "IsNumeric", True), ("$.b", "IsNumeric", False),
    ("$.b", "IsBoolean", True), ("$.t", "IsTimestamp", True), ("$.s", "IsTimestamp", False), ("$.x", "IsPresent", False), ("$.nul", "IsPresent", True),
]  # fmt: skip
FALSE: list[tuple[str, str, Any]] = [
    ("$.s", "NumericEquals", 5), ("$.b", "NumericEquals", 1), ("$.n", "StringEquals", "5"), ("$.n", "NumericEqualsPath", "$.s"),
    ("$.t", "TimestampLessThan", "2024-01-01T00:00:00Z"), ("$.s", "TimestampLessThan", "2030-01-01T00:00:00Z"), ("$.n", "StringMatches", "*"),
    ("$.n", "IsPresent", False),
]  # fmt: skip


def judge(rule: dict[str, Any]) -> bool:
    return holds(rule, View(Scope(DATA, {}, {}), random.Random(0)))


@pytest.mark.parametrize(("variable", "operator", "operand"), TRUE)
def test_a_comparison_holds(variable: str, operator: str, operand: Any) -> None:
    assert judge({"Variable": variable, operator: operand}) is True


@pytest.mark.parametrize(("variable", "operator", "operand"), FALSE)
def test_a_comparison_does_not_hold(variable: str, operator: str, operand: Any) -> None:
    assert judge({"Variable": variable, operator: operand}) is False


def test_every_operator_of_the_guide_is_known() -> None:
    # 4 x 5 relations, of booleans only equality, each with a path: (15 + 1) x 2; five tests, IsPresent, StringMatches.
    assert len(OPERATORS) == 39


@pytest.mark.parametrize("operator", ["NumericEquals", "StringMatches", "IsNull"])
def test_comparing_what_is_not_there_is_an_error(operator: str) -> None:
    with pytest.raises(StatesError) as raised:
        judge({"Variable": "$.gone", operator: True})

    assert raised.value.error == "States.Runtime"


def test_and_or_not_stop_where_the_answer_is_known() -> None:
    gone = {"Variable": "$.gone", "NumericEquals": 1}
    yes = {"Variable": "$.n", "NumericEquals": 5}

    assert judge({"Or": [yes, gone]})
    assert not judge({"And": [{"Not": yes}, gone]})


@pytest.mark.parametrize(
    ("text", "value", "matches"),
    [
        ("log-*.txt", "log-1.txt", True),
        ("log-*.txt", "log-1_txt", False),
        ("a*b*c", "aXbYc", True),
        ("*", "", True),
        (r"foo\*.txt", "foo*.txt", True),
        (r"foo\*.txt", "foox.txt", False),
        (r"a\\*", "a\\tail", True),
        ("a.c", "abc", False),
        ("a*", "a\nb", True),
    ],
)
def test_a_star_matches_any_characters_unless_it_is_escaped(text: str, value: str, matches: bool) -> None:
    assert bool(pattern(text).fullmatch(value)) is matches
