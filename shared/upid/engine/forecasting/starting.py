"""Where smoothing starts: heuristic initial states."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from upid.engine.forecasting.recursion import LEAST_FACTOR, State

Floats = NDArray[np.float64]
FIRST = 10  # values that the first level and slope are fitted on
MOST_CYCLES = 5  # whose average the first season is


def initial_state(values: Floats, period: int, *, trend: bool, multiplicative: bool) -> State:
    """Return heuristic initial states of rows of `values`, shape (rows, steps), without gaps [1]_, section 2.6.1.

    Season: the average by phase of at most five cycles about a centred moving average. Level and slope: a line through the first ten values of that
    average (of the values themselves where period is 1), or their mean without a trend.

    Raises
    ------
    ValueError
        With a period above 1 and fewer than two cycles, or without any value.

    References
    ----------
    .. [1] R. J. Hyndman et al., Forecasting with Exponential Smoothing. Berlin: Springer, 2008. doi:10.1007/978-3-540-71918-2
    """
    rows, steps = values.shape
    if steps < max(2 * period if period > 1 else 1, 1):
        raise ValueError(f"A period of {period} steps needs at least {2 * period if period > 1 else 1}, got {steps}.")
    level, season = values, np.full((period, rows), 1.0 if multiplicative else 0.0)
    if period > 1:
        used = values[:, : period * min(steps // period, MOST_CYCLES)]
        level, season = _first_season(used, period, multiplicative=multiplicative)
    first = level[:, : min(FIRST, level.shape[1])]
    places = np.arange(1.0, first.shape[1] + 1)
    away = places - places.mean()
    slope = (first - first.mean(axis=1, keepdims=True)) @ away / max(float(away @ away), 1.0) if trend else np.zeros(rows)
    return State(first.mean(axis=1) - (slope * places.mean() if trend else 0.0), slope, season)


def _first_season(used: Floats, period: int, *, multiplicative: bool) -> tuple[Floats, Floats]:
    """Return a centred moving average, shape (rows, steps - period or so), and normalised seasonal terms about it, shape (period, rows)."""
    smooth = centred_average(used, period)
    inside = ~np.isnan(smooth[0])
    with np.errstate(invalid="ignore", divide="ignore"):
        away = used / np.where(np.abs(smooth) < LEAST_FACTOR, LEAST_FACTOR, smooth) if multiplicative else used - smooth
    by_cycle = away.reshape(len(used), -1, period)
    season = np.nanmean(by_cycle, axis=1)
    mean = season.mean(axis=1, keepdims=True)
    season = season / np.where(np.abs(mean) < LEAST_FACTOR, 1.0, mean) if multiplicative else season - mean
    return smooth[:, inside], np.ascontiguousarray(season.T)


def centred_average(values: Floats, period: int) -> Floats:
    """Return the centred moving average over one period, shape of `values` (rows, steps); NaN within half a period of the ends.

    An even period is averaged over period + 1 values, the outer two at half weight.
    """
    weights = np.ones(period) if period % 2 else np.concatenate([[0.5], np.ones(period - 1), [0.5]])
    half = len(weights) // 2
    result = np.full(values.shape, np.nan)
    if values.shape[1] >= len(weights):
        result[:, half : values.shape[1] - half] = sliding_window_view(values, len(weights), axis=1) @ (weights / period)
    return result
