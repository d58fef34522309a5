"""Our evaluation over columns says what cel-python's own interpreter says row by row."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from celpy import celtypes
from unit.services.rules.making import ENOUGH, VALUES, Oracle, Writer, activation, given, ieee_quotient, rows

from upid.engine.rules.catalogue import FEATURES
from upid.engine.rules.expressions import fires
from upid.services.rules.catalogue import BuiltIn, built_ins
from upid.services.rules.checking import check
from upid.services.rules.trying import from_rows

ROWS = rows()
TABLE = from_rows(given(ROWS)).table
ACTIVATIONS = [activation(row) for row in ROWS]
PER_EXPRESSION = 25


@pytest.fixture(autouse=True)
def ieee(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one place where cel-python is not what the language definition says."""
    monkeypatch.setattr(celtypes.DoubleType, "__truediv__", ieee_quotient)
    monkeypatch.setattr(celtypes.DoubleType, "__rtruediv__", lambda self, other: ieee_quotient(other, self))


def ours(text: str) -> list[bool | None]:
    firing, unknown = fires(check(text).node, TABLE)
    return [None if gone else bool(fired) for fired, gone in zip(firing, unknown, strict=True)]


def test_rows_hold_every_value_of_every_feature() -> None:
    assert len(ROWS) == ENOUGH >= 500
    for feature in FEATURES:
        held = [row.get(feature.name, ...) for row in ROWS]
        assert all(repr(value) in map(repr, held) for value in [*VALUES[feature.kind], None, ...]), feature


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_every_feature_is_read_alike(feature: Any) -> None:
    name = feature.name
    text = {"double": f"{name} < 1.0", "int": f"{name} < 1", "bool": f"({name} == true)", "string": f"{name} == 'shop'"}[feature.kind]
    oracle, found = Oracle(text), ours(text)
    for index in range(ENOUGH):
        assert found[index] == oracle(ACTIVATIONS[index]), ROWS[index].get(name, ...)


@pytest.mark.parametrize("rule", built_ins().values(), ids=lambda rule: rule.id)
def test_built_in_rules_fire_alike(rule: BuiltIn) -> None:
    oracle, found = Oracle(rule.draft.when), ours(rule.draft.when)
    for index in range(0, ENOUGH, 7):
        assert found[index] == oracle(ACTIVATIONS[index]), ROWS[index]


@pytest.mark.parametrize("seed", range(150))
def test_random_rules_say_the_same(seed: int) -> None:
    text, theirs = Writer(seed).condition(4)
    oracle, found = Oracle(theirs), ours(text)
    for index in random.Random(seed).sample(range(ENOUGH), PER_EXPRESSION):
        assert found[index] == oracle(ACTIVATIONS[index]), (text, index)


@pytest.mark.parametrize("seed", range(40))
def test_a_null_number_is_an_error_there_too(seed: int) -> None:
    text, theirs = Writer(seed, with_has=False).condition(2)
    if any(feature.name in text for feature in FEATURES if feature.kind in {"bool", "string"}) or " in [" in text or "double(" in text:
        return
    oracle, found = Oracle(theirs), ours(text)
    for index in random.Random(seed).sample(range(ENOUGH), PER_EXPRESSION):
        assert found[index] == oracle(activation(ROWS[index], keeps_null=True)), (text, index)


def test_the_interpreter_divides_by_zero_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert Oracle("0.0 / 0.0 > 1.0")({}) is True  # ours, and the language definition: NaN, above nothing
    assert math.isnan(ieee_quotient(0.0, 0.0))
