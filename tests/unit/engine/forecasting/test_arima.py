"""ARIMA: its likelihood, fit and forecasts against statsmodels, and by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.stattools import kpss

from upid.engine.forecasting.arima import arima
from upid.engine.forecasting.arma import coefficients, negative_log_likelihood, partials, whitened
from upid.engine.forecasting.likelihood import Fit, Problem, fit_arma, fitted
from upid.engine.forecasting.orders import ORDERS, hannan_rissanen, wanders

STEPS = 120
partial = st.lists(st.floats(-0.99, 0.99), min_size=3, max_size=3)


def series(rows: int = 12, steps: int = STEPS, seed: int = 3) -> np.ndarray:
    """Noise, walks, walks below noise and bursts, by turns."""
    random = np.random.default_rng(seed)
    noise, walk = random.normal(size=(rows, steps)), random.normal(size=(rows, steps)).cumsum(axis=1)
    bursts = (random.uniform(size=(rows, steps)) < 0.1) * random.gamma(2, 2, (rows, steps))
    kinds = np.stack([noise, walk, 0.2 * walk + noise, bursts + 0.1 * noise])
    return np.asarray(5 + kinds[np.arange(rows) % 4, np.arange(rows)])


def problem(values: np.ndarray, p: int, q: int, *, constant: bool) -> Problem:
    rows = len(values)
    order = np.tile([[p], [q]], (1, rows))
    return Problem(np.ascontiguousarray(values.T), np.full(rows, values.shape[1]), np.full(rows, constant), order)


def fit_of(values: np.ndarray, p: int, q: int, *, constant: bool) -> Fit:
    place = int(np.flatnonzero(([p, q] == ORDERS).all(axis=1))[0])
    starts = hannan_rissanen(values, np.full(len(values), constant))[1][place]
    return fit_arma(problem(values, p, q, constant=constant), starts[None])


def theirs(values: np.ndarray, p: int, q: int, *, constant: bool) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(-ARIMA(values, order=(p, 0, q), trend="c" if constant else "n").fit().llf)


@pytest.mark.parametrize("constant", [True, False])
def test_the_likelihood_is_that_of_a_kalman_filter(constant: bool) -> None:
    random, values = np.random.default_rng(1), series(4)
    ar, ma = coefficients(random.uniform(-0.9, 0.9, (3, 4))), -coefficients(random.uniform(-0.9, 0.9, (3, 4)))
    ar[:, 0], ma[:, 1] = 0.0, 0.0
    white = whitened(values.T, np.full(4, STEPS), np.full(4, constant), ar, ma)
    found = negative_log_likelihood(white, np.full(4, float(STEPS)))
    for row in range(4):
        mean = [white.mean[row]] if constant else []
        model = ARIMA(values[row], order=(3, 0, 3), trend="c" if constant else "n")
        asked = [*mean, *ar[:, row], *ma[:, row], white.squares()[row] / STEPS]
        assert found[row] == pytest.approx(-model.loglike(asked), rel=1e-9)


def test_a_first_order_likelihood_by_hand() -> None:
    # (1 - 0.25) 2^2 + (1 - 1)^2 + (3 - 0.5)^2 = 9.25; determinant 1 / (1 - 0.25)
    half = np.array([[0.5], [0.0], [0.0]])
    white = whitened(np.array([[2.0], [1.0], [3.0]]), np.array([3]), np.array([False]), half, 0 * half)
    assert (white.squares()[0], white.log_determinant[0]) == (pytest.approx(9.25), pytest.approx(np.log(4 / 3)))
    assert negative_log_likelihood(white, np.array([3.0]))[0] == pytest.approx(1.5 * (np.log(2 * np.pi * 9.25 / 3) + 1) + np.log(4 / 3) / 2)


@pytest.mark.parametrize(("p", "q", "differences"), [(1, 1, 0), (2, 1, 0), (0, 1, 1), (1, 2, 1)])
def test_the_fit_is_no_worse_than_statsmodels(p: int, q: int, differences: int) -> None:
    values = np.diff(series(), n=differences)
    found = fit_of(values, p, q, constant=differences == 0).negative_log_likelihood
    lost = np.array([theirs(row, p, q, constant=differences == 0) for row in values])
    assert ((found - lost) / np.abs(lost)).max() <= 1e-4


@given(partial)
@settings(max_examples=100, deadline=None)
def test_what_is_fitted_is_stationary(values: list[float]) -> None:
    found = coefficients(np.array(values)[:, None])
    assert np.abs(np.roots([1.0, *-found[:, 0]])).max() < 1
    np.testing.assert_allclose(partials(found, most=1.0)[:, 0], values, atol=1e-6)


def test_forecasts_are_statsmodels() -> None:
    values = series(8, seed=7)
    for row, outlook in enumerate(arima([values[[row]]], 10, 1)[0] for row in range(8)):
        told = {name: float(each[0]) for name, each in outlook.parameters.items()}
        p, d, q = (int(told[name]) for name in "pdq")
        model = ARIMA(values[row], order=(p, d, q), trend="n" if d else "c")
        own = [*([] if d else [told["level"]]), *(told[f"ar{i + 1}"] for i in range(p)), *(told[f"ma{i + 1}"] for i in range(q))]
        expected = model.smooth([*own, outlook.deviation[0, 0] ** 2]).get_forecast(10)
        np.testing.assert_allclose(outlook.mean[0], expected.predicted_mean, rtol=1e-6)
        # Ours are those of an endless past: near the edge of invertibility a finite one tells a little less.
        np.testing.assert_allclose(outlook.deviation[0], expected.se_mean, rtol=0.02)


def test_a_season_comes_back() -> None:
    t = np.arange(STEPS + 12)
    values = (3 * np.sin(2 * np.pi * t / 12) + np.random.default_rng(2).normal(size=len(t)) * 0.1)[None]
    (found,) = arima([values[:, :STEPS]], 12, 12)
    assert np.abs(found.mean - values[:, STEPS:]).max() < 0.5


def test_rows_and_lengths_do_not_see_each_other() -> None:
    values = series(5)
    several = fit_arma(problem(values, 2, 1, constant=True), np.zeros((1, 6, 5)))
    cut = problem(np.where(np.arange(STEPS) < 80, values, 9e9), 2, 1, constant=True)
    short = fitted(Problem(cut.values, np.full(5, 80), cut.constant, cut.order), several.partial)
    alone = fitted(problem(values[:, :80], 2, 1, constant=True), several.partial)
    np.testing.assert_allclose(short.negative_log_likelihood, alone.negative_log_likelihood, rtol=1e-12)
    one = fit_arma(problem(values[:1], 2, 1, constant=True), np.zeros((1, 6, 1)))
    assert one.negative_log_likelihood[0] == pytest.approx(several.negative_log_likelihood[0], rel=1e-9)


def test_walks_are_differenced_and_noise_is_not() -> None:
    values = series(40, 200)
    lags = int(3 * np.sqrt(200) / 13)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert wanders(values).tolist() == [kpss(row, nlags=lags)[0] > 0.463 for row in values]
    assert wanders(values)[1::4].all()
    assert not wanders(np.ones((1, 50)))[0]


def test_the_order_is_found_where_the_series_tells_it() -> None:
    random = np.random.default_rng(5)
    values = random.normal(size=(20, 450))
    for step in range(2, 450):
        values[:, step] += 1.1 * values[:, step - 1] - 0.6 * values[:, step - 2]
    told = arima([values[:, 50:]], 3, 1)[0].parameters
    assert np.mean((told["p"] == 2) & (told["q"] == 0) & (told["d"] == 0)) >= 0.5
    assert told["ar1"][told["p"] == 2].mean() == pytest.approx(1.1, abs=0.15)


def test_a_constant_goes_on() -> None:
    (found,) = arima([np.full((1, 30), 0.3)], 4, 1)
    assert found.mean[0].tolist() == pytest.approx([0.3] * 4)
    assert found.deviation[0].max() < 1e-9
