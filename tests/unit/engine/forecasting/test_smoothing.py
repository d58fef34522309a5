"""Exponential smoothing against statsmodels and by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from statsmodels.tsa.exponential_smoothing.initialization import _initialization_heuristic
from statsmodels.tsa.forecasting.theta import ThetaModel
from statsmodels.tsa.holtwinters import ExponentialSmoothing

from upid.engine.forecasting import fitting
from upid.engine.forecasting.fitting import fit_parameters
from upid.engine.forecasting.methods import outlooks
from upid.engine.forecasting.recursion import State, smooth
from upid.engine.forecasting.sensitivity import normal_equations
from upid.engine.forecasting.starting import initial_state

STEPS, PERIOD, ROWS = 168, 24, 20


def series() -> np.ndarray:
    """Rows with level, slope, season, wandering and noise of different sizes, in units of their scale."""
    random, t = np.random.default_rng(5), np.arange(STEPS)
    season = random.gamma(1, 1, (ROWS, 1)) * np.sin(2 * np.pi * t / PERIOD + random.uniform(0, 6, (ROWS, 1)))
    wander = np.cumsum(random.normal(size=(ROWS, STEPS)) * random.uniform(0, 0.2, (ROWS, 1)), axis=1)
    values = np.abs(8 + random.normal(size=(ROWS, 1)) * 0.01 * t + season + wander + random.normal(size=(ROWS, STEPS)) * 0.4)
    return np.asarray(values / values.max(axis=1, keepdims=True))


def fitted(values: np.ndarray, *, damped: bool, multiplicative: bool) -> tuple[np.ndarray, State, np.ndarray]:
    start = initial_state(values, PERIOD, trend=True, multiplicative=multiplicative)
    free = np.ones((4, len(values)), bool)
    free[3] = damped
    table = np.ascontiguousarray(values.T)
    found = fit_parameters(table, start, free, np.ones((4, len(values))), multiplicative=multiplicative)
    return found, start, (smooth(table, found, start, multiplicative=multiplicative).errors ** 2).sum(axis=0)


def theirs(values: np.ndarray, start: State, row: int, *, damped: bool, multiplicative: bool) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ExponentialSmoothing(
            values[row], trend="add", damped_trend=damped, seasonal="mul" if multiplicative else "add", seasonal_periods=PERIOD,
            initialization_method="known", initial_level=start.level[row], initial_trend=start.slope[row], initial_seasonal=start.season[:, row],
            bounds={"damping_trend": (0.8, 0.995)} if damped else None,
        )  # fmt: skip
        return float(model.fit().sse)


@pytest.mark.parametrize("damped", [False, True])
@pytest.mark.parametrize("multiplicative", [False, True])
def test_the_fit_is_no_worse_than_statsmodels(damped: bool, multiplicative: bool) -> None:
    values = series()
    _, start, squares = fitted(values, damped=damped, multiplicative=multiplicative)
    excess = [squares[row] / theirs(values, start, row, damped=damped, multiplicative=multiplicative) - 1 for row in range(8)]
    assert max(excess) <= 1e-4


@pytest.mark.parametrize("multiplicative", [False, True])
def test_initial_states_are_statsmodels_heuristic(multiplicative: bool) -> None:
    values = series()
    start = initial_state(values, PERIOD, trend=True, multiplicative=multiplicative)
    level, slope, season = _initialization_heuristic(values[0], "add", "mul" if multiplicative else "add", PERIOD)
    assert (start.level[0], start.slope[0]) == (pytest.approx(level), pytest.approx(slope))
    assert start.season[:, 0] == pytest.approx(season)


@pytest.mark.parametrize("multiplicative", [False, True])
def test_derivatives_are_those_of_differences(multiplicative: bool) -> None:
    values = series()[:3].T.copy()
    values[[7, 40], 1] = np.nan
    start = initial_state(series()[:3], PERIOD, trend=True, multiplicative=multiplicative)
    at = np.tile(np.array([[0.3], [0.2], [0.4], [0.9]]), (1, 3))
    found = normal_equations(values, at, start, damped=True, multiplicative=multiplicative)

    def errors(which: int, by: float) -> np.ndarray:
        return smooth(values, at + by * np.eye(4)[:, [which]], start, multiplicative=multiplicative).errors

    jacobian = np.stack([(errors(which, 1e-6) - errors(which, -1e-6)) / 2e-6 for which in range(4)])
    np.testing.assert_allclose(found.squares, (errors(0, 0.0) ** 2).sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.gradient, np.einsum("ptr,tr->pr", jacobian, errors(0, 0.0)), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.matrix, np.einsum("ptr,qtr->pqr", jacobian, jacobian), rtol=1e-5, atol=1e-7)


def test_more_searches_than_the_pool_holds_end_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    values = series()
    whole = fitted(values, damped=True, multiplicative=False)[0]
    monkeypatch.setattr(fitting, "POOL", 7)
    np.testing.assert_allclose(fitted(values, damped=True, multiplicative=False)[0], whole, atol=0.02)


def test_theta_is_that_of_statsmodels() -> None:
    random = np.random.default_rng(3)
    values = 10 + 0.05 * np.arange(120) + random.normal(size=(4, 120)).cumsum(axis=1) * 0.3 + random.normal(size=(4, 120)) * 0.5
    found = outlooks(["theta"], values, [120], 12, 1)["theta", 120]
    for row in range(4):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            true = ThetaModel(values[row], deseasonalize=False).fit()
        assert found.parameters["slope"][row] == pytest.approx(true.params["b0"])
        # The level starts elsewhere, so alpha differs in its second digit.
        np.testing.assert_allclose(found.mean[row], true.forecast(12, theta=2), atol=0.05)  # a tenth of the noise


def test_simple_smoothing_by_hand() -> None:
    start = State(np.array([3.0]), np.zeros(1), np.zeros((1, 1)))
    run = smooth(np.array([[3.0], [5.0], [np.nan], [9.0]]), np.array([[0.5], [0.0], [0.0], [0.0]]), start, multiplicative=False)
    # the level: 3, 4, 4 (nothing seen), 6.5
    assert run.expected[:, 0].tolist() == [3.0, 3.0, 4.0, 4.0]
    assert (run.errors[2, 0], run.state.level[0]) == (0.0, 6.5)


def test_rows_do_not_see_each_other() -> None:
    values = series()
    alone, together = fitted(values[:1], damped=True, multiplicative=False)[0], fitted(values, damped=True, multiplicative=False)[0]
    np.testing.assert_allclose(alone[:, 0], together[:, 0], rtol=1e-9)


def test_a_season_needs_two_cycles() -> None:
    with pytest.raises(ValueError, match="needs at least 48"):
        initial_state(np.ones((1, 47)), 24, trend=True, multiplicative=False)
