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
def test_an_origin_does_not_see_what_comes_after(method: str) -> None:
    values = np.abs(seasonal(2, 60, seed=4))
    other = values.copy()
    other[:, 50:] = 1.0
    one, two = (outlooks([method], each, [50, 60], 5, PERIOD)[method, 50] for each in (values, other))
    np.testing.assert_allclose(one.mean, two.mean, rtol=1e-9)


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
