"""Intrinsic functions, with the examples of the Step Functions developer guide where it has one."""

from __future__ import annotations

import hashlib
import random
import uuid
from typing import Any

import pytest

from upid.runtime.workflows.expressions import View, parse_expression
from upid.runtime.workflows.faults import StatesError
from upid.runtime.workflows.paths import Scope

DATA = {"n": "Bob", "k": 7, "l": [1, 2, 3], "o1": {"a": 1, "b": 1}, "o2": {"b": 2}, "t": "a {} \\{}", "f": 2.5, "nul": None}
VALUES: list[tuple[str, Any]] = [
    ("States.Format('Hi {} {}', $.n, $.k)", "Hi Bob 7"),
    ("States.Format('{} {} {}', true, null, 2.5)", "true null 2.5"),
    (r"States.Format('\{{}\} it\'s \\', $.k)", "{7} it's \\"),
    ("States.Format('plain')", "plain"),
    ("States.Array(1,'b',$.k, States.Array())", [1, "b", 7, []]),
    ("States.ArrayPartition($.l,2)", [[1, 2], [3]]),
    ("States.ArrayContains($.l,3)", True),
    ("States.ArrayContains(States.Array(true), 1)", False),
    ("States.ArrayRange(1,9,4)", [1, 5, 9]),
    ("States.ArrayRange(3,1,-1)", [3, 2, 1]),
    ("States.ArrayGetItem($.l,1)", 2),
    ("States.ArrayLength($.l)", 3),
    ("States.ArrayUnique(States.Array(2,1,1,'1',2))", [2, 1, "1"]),
    ("States.Base64Encode('abc')", "YWJj"),
    ("States.Base64Decode('YWJj')", "abc"),
    ("States.Hash('abc','SHA-256')", hashlib.sha256(b"abc").hexdigest()),
    ("States.Hash($.l,'MD5')", hashlib.md5(b"[1,2,3]", usedforsecurity=False).hexdigest()),
    ("States.JsonMerge($.o1,$.o2,false)", {"a": 1, "b": 2}),
    ("States.JsonToString($.o1)", '{"a":1,"b":1}'),
    ("States.StringToJson('{\"q\":[1,null]}')", {"q": [1, None]}),
    ("States.MathAdd(3,-1)", 2),
    ("States.MathAdd($.f, 0)", 3),
    ("States.StringSplit('a,b;;c',',;')", ["a", "b", "c"]),
    ("States.StringSplit('1.2','.')", ["1", "2"]),
    ("States.MathRandom(5,6)", 5),
]
FAILING = [
    "States.Format('{}')", "States.Format('x', 1)", "States.Format('{}', $.l)", "States.ArrayGetItem($.l, 3)", "States.ArrayGetItem($.l, -1)",
    "States.ArrayPartition($.l, 0)", "States.ArrayLength($.n)", "States.ArrayRange(1,5000,1)", "States.ArrayRange(1,5,0)", "States.MathAdd('a', 1)",
    "States.MathAdd(true, 1)", "States.Base64Decode('!')", "States.Base64Encode($.k)", "States.Hash('a','CRC')", "States.JsonMerge($.o1,$.o2,true)",
    "States.JsonMerge($.o1,$.k,false)", "States.StringToJson('{')", "States.StringSplit($.k,',')", "States.MathRandom(2,2)",
]  # fmt: skip
REFUSED = [
    "States.Nope()", "States.UUID(1)", "States.Format()", "States.MathAdd(1)", "States.Array(1", "States.Array(1 2)", "Array(1)", "States.Array('a)",
    "States.UUID() x", "States.Array(" * 11 + ")" * 11,
]  # fmt: skip


def view(seed: str = "s") -> View:
    return View(Scope(DATA, {}, {}), random.Random(seed))


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_a_function_gives_what_the_guide_says(text: str, value: Any) -> None:
    assert view().evaluate(text) == value


def test_a_template_from_the_input_has_no_escapes() -> None:
    assert view().evaluate("States.Format($.t, 1, 2)") == "a 1 \\2"


@pytest.mark.parametrize("text", FAILING)
def test_a_function_that_cannot_work_is_an_intrinsic_failure(text: str) -> None:
    with pytest.raises(StatesError) as raised:
        view().evaluate(text)

    assert raised.value.error == "States.IntrinsicFailure"


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|neither|nested|does not take|not known"):
        parse_expression(text)


def test_chance_is_the_same_when_a_state_runs_again() -> None:
    first, again, other = (view(seed).evaluate("States.UUID()") for seed in ("a", "a", "b"))

    assert first == again != other
    assert uuid.UUID(first).version == 4


def test_a_seeded_random_number_depends_on_the_seed_alone() -> None:
    assert view("a").evaluate("States.MathRandom(0, 1000000, 5)") == view("b").evaluate("States.MathRandom(0, 1000000, 5)")


def test_a_template_is_filled_at_any_depth() -> None:
    template = {"a": [{"k.$": "$.k"}, "$.k"], "b": {"c.$": "States.ArrayLength($.l)"}}

    assert view().fill(template) == {"a": [{"k": 7}, "$.k"], "b": {"c": 3}}
