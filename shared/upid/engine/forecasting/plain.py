"""Forecasts that need no search: the last value, the last cycle, the mean, a straight line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from upid.engine.forecasting.outlook import Outlook, residual_deviation
from upid.engine.statistics.linear import least_squares_line

Floats = NDArray[np.float64]


def naive(values: Floats, horizon: int) -> Outlook:
    """Return the last value for ever, of rows without gaps, shape (rows, steps): a random walk, so the deviation grows with the root of the distance."""
    return _repeated("naive", values, horizon, 1)


def seasonal_naive(values: Floats, horizon: int, period: int) -> Outlook:
    """Return the last cycle for ever; the deviation grows with the root of the cycles ahead. As `naive` where there are not two cycles."""
    return _repeated("seasonal_naive", values, horizon, period if values.shape[1] > period else 1)


def _repeated(method: str, values: Floats, horizon: int, period: int) -> Outlook:
    rows, steps = values.shape
    fitted = np.full((rows, steps), np.nan)
    fitted[:, period:] = values[:, : max(steps - period, 0)]
    ahead = np.arange(horizon)
    spread = residual_deviation(values, fitted, 0)[:, None] * np.sqrt(ahead // period + 1)
    return Outlook(method, values[:, steps - period + ahead % period], spread, fitted)


def mean(values: Floats, horizon: int) -> Outlook:
    """Return the mean for ever."""
    steps = values.shape[1]
    middle = values.mean(axis=1)
    fitted = np.repeat(middle[:, None], steps, axis=1)
    spread = residual_deviation(values, fitted, 1) * np.sqrt(1 + 1 / steps)
    return Outlook(
        "mean", np.repeat(middle[:, None], horizon, axis=1), np.repeat(spread[:, None], horizon, axis=1), fitted, {"level": middle}
    )


def linear(values: Floats, horizon: int) -> Outlook:
    """Return the least-squares line, with the deviation of a new value about it."""
    steps = values.shape[1]
    if steps < 3:
        return naive(values, horizon)
    places = np.arange(float(steps))
    line = least_squares_line(places, values)
    ahead = np.arange(float(steps), steps + horizon)
    away = ahead - places.mean()
    wide = np.sqrt(1 + 1 / steps + away**2 / ((places - places.mean()) ** 2).sum())
    found = line.at_mean[:, None] + line.slope[:, None] * away
    fitted = line.at_mean[:, None] + line.slope[:, None] * (places - places.mean())
    return Outlook("linear", found, line.residual_deviation[:, None] * wide, fitted, {"level": line.at_mean, "slope": line.slope})
