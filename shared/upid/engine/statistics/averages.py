"""Moving averages of many series: simple, exponential, weighted."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def simple_average(values: Floats, window: int) -> Floats:
    """Return the mean of the last `window` values at each column, shape of `values` (rows, columns).

    NaN until the window is full, and wherever a value in it is missing. Cost: O(columns * window) per row, without cancellation.

    Raises
    ------
    ValueError
        If the window is below 1.
    """
    return _windowed(values, np.full(_hold(window), 1.0 / window))


def weighted_average(values: Floats, window: int) -> Floats:
    """Return the mean of the last `window` values weighing 1, 2, ..., `window` (the newest most); NaN and errors as `simple_average`."""
    weights = np.arange(1, _hold(window) + 1, dtype=np.float64)
    return _windowed(values, weights / weights.sum())


def exponential_average(values: Floats, alpha: float) -> Floats:
    """Return s = alpha * value + (1 - alpha) * s before, begun with the first value, shape (rows, columns).

    A missing value (NaN) leaves s as it is; before the first value s is NaN. As pandas' `ewm(alpha, adjust=False, ignore_na=True).mean()`.

    Raises
    ------
    ValueError
        If alpha is outside (0, 1].
    """
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha must be in (0, 1], got {alpha}.")
    result = np.empty_like(values)
    level = np.full(len(values), np.nan)
    for column in range(values.shape[1]):
        value = values[:, column]
        moved = np.where(np.isnan(level), value, level + alpha * (value - level))
        level = np.where(np.isnan(value), level, moved)
        result[:, column] = level
    return result


def _hold(window: int) -> int:
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}.")
    return window


def _windowed(values: Floats, weights: Floats) -> Floats:
    result = np.full(values.shape, np.nan)
    if values.shape[1] >= len(weights):
        result[:, len(weights) - 1 :] = sliding_window_view(values, len(weights), axis=1) @ weights
    return result
