"""Seasons: decomposition against statsmodels, periods against what was put in."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from statsmodels.tsa.seasonal import STL, seasonal_decompose
from statsmodels.tsa.stattools import acf

from upid.engine.seasonality.decomposition import classical, stl
from upid.engine.seasonality.periods import autocorrelation, seasons

RANDOM = np.random.default_rng(11)


def made(steps: int, period: int) -> np.ndarray:
    t = np.arange(steps)
    return np.asarray(RANDOM.normal(size=(2, steps)) + 20 + 3 * np.sin(2 * np.pi * t / period) + 0.02 * t)


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize(("steps", "period"), [(336, 24), (100, 7), (61, 12)])
def test_stl_is_that_of_statsmodels(steps: int, period: int, robust: bool) -> None:
    values = made(steps, period)
    found, true = stl(values, period, robust=robust), STL(values[0], period=period, robust=robust).fit()
    assert_allclose(found.trend[0], true.trend, rtol=1e-9)
    assert_allclose(found.season[0], true.seasonal, atol=1e-9)
    assert_allclose(found.trend + found.season + found.rest, values, rtol=1e-12)


@pytest.mark.parametrize("model", ["additive", "multiplicative"])
@pytest.mark.parametrize(("steps", "period"), [(96, 24), (100, 7)])
def test_the_classical_one_is_that_of_statsmodels(steps: int, period: int, model: str) -> None:
    values = made(steps, period)
    found, true = classical(values, period, multiplicative=model == "multiplicative"), seasonal_decompose(values[0], model, period=period)
    assert_allclose(found.trend[0], true.trend, rtol=1e-9)
    assert_allclose(found.season[0], true.seasonal, atol=1e-9)


def test_autocorrelation_is_that_of_statsmodels() -> None:
    values = made(100, 7)[0]
    assert_allclose(autocorrelation(values, 30), acf(values, nlags=30), atol=1e-12)
    assert not autocorrelation(np.full(9, 3.0), 4).any()


@pytest.mark.parametrize("period", [7, 24, 48])
def test_a_period_that_is_there_is_found(period: int) -> None:
    found = seasons(made(7 * period, period)[0] - 20)
    assert found[0].period == pytest.approx(period, abs=1)
    assert found[0].p_value < 0.01


def test_a_rare_spike_is_a_season_too() -> None:
    values = RANDOM.normal(size=336) * 0.5 + 5 * (np.arange(336) % 24 == 3)
    (found,) = seasons(values, (24, 168))
    assert (found.period, found.peak_step) == (24, 3)


@pytest.mark.parametrize("wandering", [False, True])
def test_noise_has_no_season(wandering: bool) -> None:
    table = np.random.default_rng(3).normal(size=(100, 336))
    found = [seasons(row, (24, 168)) for row in (table.cumsum(axis=1) if wandering else table)]
    assert sum(map(bool, found)) <= 2


def test_what_has_none_has_none() -> None:
    assert seasons(np.full(100, 3.0)) == seasons(np.arange(100.0)) == seasons(np.full(100, np.nan)) == seasons(np.ones(3)) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda: stl(np.ones((1, 9)), 5), lambda: stl(np.ones((1, 9)), 1), lambda: stl(np.ones((1, 9)), 3, seasonal=4), lambda: classical(np.ones((1, 9)), 5),
        lambda: classical(np.zeros((1, 9)), 3, multiplicative=True), lambda: seasons(np.ones(9), significance=1),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(call: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        call()  # type: ignore[operator] # a lambda
