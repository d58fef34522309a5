"""Three-valued evaluation over columns."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from upid.engine.rules.catalogue import FEATURES
from upid.engine.rules.columns import Column, FeatureTable, feature_table, known, measured
from upid.engine.rules.expressions import Both, Comparison, Constant, Either, FeatureOf, Not, fires
from upid.engine.rules.integers import INTEGERS

TRUTHS = (True, False, None)
LIMITS = (0, 1, -1, 2, -7, 2**31, -(2**32), 2**62, 2**63 - 1, -(2**63))


def truth_table() -> FeatureTable:
    """Every pair of true, false and missing."""
    pairs = list(itertools.product(TRUTHS, TRUTHS))
    columns = {
        name: Column(np.array([bool(pair[side]) for pair in pairs]), np.array([pair[side] is None for pair in pairs]))
        for side, name in enumerate(("probes.liveness", "probes.readiness"))
    }
    return feature_table(len(pairs), columns)


def outcome(node: object) -> list[bool | None]:
    firing, unknown = fires(node, truth_table())  # type: ignore[arg-type] # any node
    return [None if gone else bool(fired) for fired, gone in zip(firing, unknown, strict=True)]


def test_and_or_and_not_are_kleenes() -> None:
    a, b = FeatureOf("probes.liveness"), FeatureOf("probes.readiness")
    pairs = list(itertools.product(TRUTHS, TRUTHS))
    assert outcome(Both(a, b)) == [False if False in pair else None if None in pair else True for pair in pairs]
    assert outcome(Either(a, b)) == [True if True in pair else None if None in pair else False for pair in pairs]
    assert outcome(Not(a)) == [None if pair[0] is None else not pair[0] for pair in pairs]


@pytest.mark.parametrize("operator", sorted(INTEGERS))
def test_integers_are_those_of_python_or_an_error(operator: str) -> None:
    pairs = list(itertools.product(LIMITS, LIMITS))
    a, b = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    values, wrong = INTEGERS[operator](a, b)
    for (x, y), value, error in zip(pairs, values.tolist(), wrong.tolist(), strict=True):
        quotient = 0 if y == 0 else abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
        expected = {"+": x + y, "-": x - y, "*": x * y, "/": quotient, "%": x - quotient * y}[operator]
        fits = -(2**63) <= expected < 2**63 and not (operator in "/%" and y == 0)
        assert error == (not fits), (x, operator, y)
        assert error or value == expected, (x, operator, y)


def test_a_missing_feature_is_an_error_and_never_fires() -> None:
    table = feature_table(2, {"cpu.p95": measured([0.1, np.nan])})
    firing, unknown = fires(Comparison("<", FeatureOf("cpu.p95"), Constant(1.0)), table)
    assert (firing.tolist(), unknown.tolist()) == ([True, False], [False, True])


def test_a_table_refuses_what_is_no_feature_of_its_rows() -> None:
    for columns in ({"cpu.nope": known([1.0])}, {"cpu.p95": known([1.0, 2.0])}):
        with pytest.raises(ValueError, match="no features of 1 rows"):
            feature_table(1, columns)
    assert set(feature_table(1, {}).columns) == {feature.name for feature in FEATURES}
