"""Forecasts: chosen by back-test, with intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from upid.engine.forecasting.methods import METHODS, outlooks
from upid.engine.forecasting.outlook import Outlook
from upid.engine.forecasting.selection import fold_origins, forecast, mase_scale

PERIOD, AHEAD = 12, 12


def seasonal(rows: int, steps: int, seed: int) -> np.ndarray:
    """Seasonal series of many kinds: trends, wandering levels, seasons that change, noise."""
    random, t = np.random.default_rng(seed), np.arange(steps)
    size = random.uniform(0.5, 3, (rows, 1))
    season = size * np.sin(2 * np.pi * t / PERIOD + random.uniform(0, 6, (rows, 1))) + size / 3 * np.sin(4 * np.pi * t / PERIOD)
    wander = np.cumsum(random.normal(size=(rows, steps)), axis=1) * random.choice([0.0, 0.05, 0.2], (rows, 1))
    return np.asarray(
        20
        + random.normal(size=(rows, 1)) * 0.05 * t
        + season
        + wander
        + random.normal(size=(rows, steps)) * random.uniform(0.2, 1, (rows, 1))
    )


def test_auto_is_at_least_as_good_as_the_last_cycle() -> None:
    values = seasonal(60, 96 + AHEAD, seed=1)
    history, future = values[:, :96], values[:, 96:]
    found = forecast(history, AHEAD, PERIOD)
    scale = mase_scale(history, PERIOD)

    def mase(outlook: Outlook, row: int) -> float:
        return float(np.abs(outlook.mean[row] - future[row]).mean() / scale[row])

    ours = np.mean([mase(found.outlooks[name], row) for row, name in enumerate(found.chosen)])
    last_cycle = np.mean([mase(found.outlooks["seasonal_naive"], row) for row in range(60)])
    assert ours <= last_cycle
    assert ours < 0.95


def test_intervals_cover_what_they_promise() -> None:
    values = seasonal(100, 96 + AHEAD, seed=2)
    found = forecast(values[:, :96], AHEAD, PERIOD)
    future = values[:, 96:]
    for coverage in (0.8, 0.95):
        bounds = [found.outlooks[name].interval(coverage) for name in found.chosen]
        inside = [(low[row] <= future[row]) & (future[row] <= high[row]) for row, (low, high) in enumerate(bounds)]
        assert np.mean(inside) == pytest.approx(coverage, abs=0.05)  # of 1,200 forecasts


def test_a_tie_goes_to_the_simplest() -> None:
    assert forecast(np.full((1, 60), 5.0), 6, 1).chosen == ("naive",)


def test_a_line_is_followed_by_the_simplest_that_follows_it() -> None:
    found = forecast(np.arange(60.0)[None], 6, 1)
    assert found.outlooks[found.chosen[0]].mean[0] == pytest.approx(np.arange(60.0, 66.0), rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_size_does_not_matter(method: str) -> None:
    values = np.abs(seasonal(2, 60, seed=3))
    one, huge = (outlooks([method], values * scale, [60], 5, PERIOD)[method, 60] for scale in (1.0, 2.0**300))
    np.testing.assert_allclose(huge.mean, one.mean * 2.0**300, rtol=1e-12)
    np.testing.assert_allclose(huge.deviation, one.deviation * 2.0**300, rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("roughly", [False, True])
def test_an_origin_does_not_see_what_comes_after(method: str, *, roughly: bool) -> None:
    values = np.abs(seasonal(2, 60, seed=4))
    other = values.copy()
    other[:, 50:] = 1.0
    one, two = (outlooks([method], each, [40, 50, 60], 5, PERIOD, roughly=roughly) for each in (values, other))
    for origin in (40, 50):
        np.testing.assert_allclose(one[method, origin].mean, two[method, origin].mean, rtol=1e-9)


@pytest.mark.parametrize("method", ["theta", "holt_damped", "holt_winters", "holt_winters_multiplicative", "arima"])
def test_rough_fits_forecast_no_worse_than_thorough_ones(method: str) -> None:
    values = np.abs(seasonal(30, 96, seed=6))
    near, best = (outlooks([method], values, [60, 72, 84], PERIOD, PERIOD, roughly=roughly) for roughly in (True, False))

    def errors(found: dict[tuple[str, int], Outlook]) -> float:
        return float(np.mean([np.abs(found[method, origin].mean - values[:, origin : origin + PERIOD]) for origin in (60, 72, 84)]))

    assert errors(near) < 1.03 * errors(best)


def test_a_series_is_forecast_alike_alone_and_among_others() -> None:
    values = np.abs(seasonal(4, 72, seed=7)) + 1
    values[1, 20] = 0.0  # no multiplicative season for this one
    values[2, :] = 5.0
    together = forecast(values, 6, PERIOD)
    for row in range(len(values)):
        alone = forecast(values[[row]], 6, PERIOD)
        assert alone.chosen[0] == together.chosen[row]
        np.testing.assert_allclose(alone.outlooks[alone.chosen[0]].mean[0], together.outlooks[together.chosen[row]].mean[row], rtol=1e-9)
        assert together.backtest is not None
        multiplicative = together.backtest.mase["holt_winters_multiplicative"][row]
        assert np.isfinite(multiplicative).all() == (row in {0, 3})


def test_rows_of_the_wrong_sign_for_the_only_method_are_refused() -> None:
    values = np.abs(seasonal(2, 60, seed=8)) + 1
    values[1, 3] = -1.0
    with pytest.raises(ValueError, match="of the wrong sign"):
        forecast(values, 3, PERIOD, methods=("holt_winters_multiplicative",))


def test_what_is_not_wanted_is_not_forecast() -> None:
    values, only = seasonal(3, 60, seed=9), {"holt": np.array([True, False, True])}
    found = outlooks(["holt", "naive", "arima"], values, [60], 4, PERIOD, only=only)
    assert np.isnan(found["holt", 60].mean).all(axis=1).tolist() == [False, True, False]
    assert ("arima", 60) not in found
    assert np.isfinite(found["naive", 60].mean).all()  # cheap ones are forecast all the same


def test_a_fold_that_nothing_came_in_judges_nobody() -> None:
    t = np.arange(96)
    values = (10 + 3 * np.sin(2 * np.pi * t / PERIOD) + 0.01 * np.cos(t * t))[None]
    values[0, 60:72] = np.nan  # all of the third of five folds, whose origins are 36, 48, 60, 72 and 84
    found = forecast(values, PERIOD, PERIOD)
    assert found.backtest is not None
    assert np.isnan(found.backtest.mase["naive"][0]).tolist() == [False, False, True, False, False]
    assert found.chosen[0] not in {"naive", "linear", "ses"}
    whole = np.arange(96.0, 108.0)
    np.testing.assert_allclose(found.outlooks[found.chosen[0]].mean[0], 10 + 3 * np.sin(2 * np.pi * whole / PERIOD), atol=0.2)


def test_plain_methods_by_hand() -> None:
    values = np.array([[1.0, 5.0, 2.0, 6.0]])
    found = outlooks(["naive", "mean", "seasonal_naive", "linear"], values, [4], 3, 2)
    assert found["naive", 4].mean.tolist() == [[6.0, 6.0, 6.0]]
    assert found["mean", 4].mean.tolist() == [[3.5, 3.5, 3.5]]
    assert found["seasonal_naive", 4].mean.tolist() == [[2.0, 6.0, 2.0]]
    assert found["linear", 4].mean[0] == pytest.approx([6.5, 7.7, 8.9])
    # differences of a cycle are 1 and 1; a cycle further on the deviation is sqrt(2) times as large
    assert found["seasonal_naive", 4].deviation[0] == pytest.approx([1.0, 1.0, 2**0.5])


def test_folds_end_at_the_end() -> None:
    assert fold_origins(100, 10, 12, 5) == ([50, 60, 70, 80, 90], 10)
    assert fold_origins(9, 5, 1, 5) == ([8], 1)
    assert fold_origins(5, 5, 1, 5) == ([], 1)


@pytest.mark.parametrize(
    ("names", "values", "horizon", "period"),
    [(["oracle"], np.ones((1, 9)), 1, 1), (["naive"], np.ones((1, 9)), 0, 1), (["naive"], np.ones((1, 9)), 1, 0),
     (["naive"], np.full((1, 9), np.nan), 1, 1), (["naive"], np.full((1, 9), np.inf), 1, 1)],
)  # fmt: skip
def test_what_cannot_be_is_refused(names: list[str], values: np.ndarray, horizon: int, period: int) -> None:
    with pytest.raises(ValueError, match=r"Unknown methods|Every row"):
        outlooks(names, values, [9], horizon, period)


def test_too_few_values_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        forecast(np.ones((1, 1)), 3, 1)
