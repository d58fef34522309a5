"""Confidence by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from upid.engine.confidence.scoring import calibration_table, of_age, of_backtest, of_series, outcome, score


def test_a_score_is_the_weighted_geometric_mean() -> None:
    # weights 1 and 1.5
    assert score({"volume": 0.5, "accuracy": 0.25}) == pytest.approx((0.5 * 0.25**1.5) ** (1 / 2.5))
    assert score({"volume": 0.5, "accuracy": math.nan}) == pytest.approx(0.5)
    assert score({}) == 0.0
    assert score({"volume": 0.0}) == pytest.approx(0.01)


@pytest.mark.parametrize("parts", [{"luck": 0.5}, {"volume": 1.5}, {"volume": -0.1}])
def test_what_is_no_metric_is_refused(parts: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="known by name"):
        score(parts)


def test_a_series_is_judged_by_what_it_has() -> None:
    found = of_series(np.array([1.0, 2, 1, 2, np.nan, 2, 1, 2, 1, 2]))
    assert found["coverage"] == 0.9
    assert found["regularity"] == 1.0
    assert found["volume"] == pytest.approx(9 / 19)  # neighbours alternate: no less than nine samples
    assert of_series(np.full(9, 5.0))["stability"] == 1.0
    assert math.isnan(of_series(np.array([1.0]))["stability"])


def test_a_shift_of_level_is_unstable() -> None:
    assert of_series(np.repeat([0.0, 5.0, 9.0], 10))["stability"] == pytest.approx(0.0)


def test_age_and_backtest() -> None:
    assert of_age(7 * 86400.0)["recency"] == pytest.approx(math.exp(-1))
    assert of_age(-5.0)["recency"] == 1.0
    assert of_backtest(1.0, 0.95) == {"accuracy": 0.5, "calibration": 1.0}


def test_an_outcome_by_hand() -> None:
    found = outcome(np.array([1.0, 2, np.nan, 0]), np.array([2.0, 2, 5, 1]), np.full(4, 0.6), 0.5)
    assert found[:5] == (3, pytest.approx(2 / 3), pytest.approx(math.sqrt(2 / 3)), pytest.approx(2 / 3), pytest.approx(4 / 3))
    assert found.mape == pytest.approx(0.5)
    # 1.28 * 0.6 is below 1, 1.96 * 0.6 above
    assert (found.covered80, found.covered95) == (pytest.approx(1 / 3), 1.0)
    assert outcome(np.full(2, np.nan), np.ones(2), np.ones(2), 1.0).points == 0
    with pytest.raises(ValueError, match="one shape"):
        outcome(np.ones(2), np.ones(3), np.ones(3), 1.0)


def test_normal_errors_are_calibrated() -> None:
    table = calibration_table(np.random.default_rng(0).normal(size=20_000), (0.5, 0.8, 0.95))
    assert [line.observed for line in table] == pytest.approx([0.5, 0.8, 0.95], abs=0.01)
    assert math.isnan(calibration_table(np.array([np.nan]), (0.5,))[0].observed)
