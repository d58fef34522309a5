"""Where to warn: thresholds from history, and what they would have done on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from upid.engine.statistics.describing import describe
from upid.engine.statistics.quantiles import sorted_quantiles

Floats = NDArray[np.float64]
Method = Literal["percentile", "deviation", "robust", "iqr"]
CONSISTENT: Final = 1.482602218505602  # 1 / ndtri(0.75): the MAD of a normal distribution times this is its standard deviation


def threshold(values: Floats, *, method: Method, sensitivity: float) -> Floats:
    """Return a threshold above each row of `values`, shape (rows, columns) -> (rows,), in the unit of the values; NaN without a value.

    percentile: the quantile that a share `sensitivity` in (0, 1) lies below (Hyndman-Fan 7). deviation: mean + sensitivity * standard deviation.
    robust: median + sensitivity * 1.4826 * median absolute deviation. iqr: third quartile + sensitivity * interquartile range (Tukey's fence at 1.5).
    A row without spread has its own value as threshold.

    Raises
    ------
    ValueError
        If sensitivity is not above 0, or for `percentile` not below 1.
    """
    if not sensitivity > 0 or (method == "percentile" and not sensitivity < 1):
        raise ValueError(f"sensitivity must be above 0, and below 1 for a percentile, got {sensitivity}.")
    count = (~np.isnan(values)).sum(axis=1)
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    if method == "percentile":
        return sorted_quantiles(np.sort(values, axis=1), count, (sensitivity,))[:, 0]
    if method == "deviation":
        told = describe(values)
        return np.where(count > 0, told.mean + sensitivity * np.where(count > 1, told.deviation, 0.0), np.nan)
    quartiles = sorted_quantiles(np.sort(values, axis=1), count, (0.25, 0.5, 0.75))
    if method == "iqr":
        return quartiles[:, 2] + sensitivity * (quartiles[:, 2] - quartiles[:, 0])
    away = np.sort(np.abs(values - quartiles[:, 1:2]), axis=1)
    return quartiles[:, 1] + sensitivity * CONSISTENT * sorted_quantiles(away, count, (0.5,))[:, 0]


@dataclass(frozen=True, slots=True)
class Alarms:
    """What a threshold would have done, shape (rows,): steps above it, runs of at least the wanted length, and the longest run. [steps]."""

    steps_above: NDArray[np.int64]
    alarms: NDArray[np.int64]
    longest: NDArray[np.int64]


def alarms(values: Floats, limit: Floats, *, for_steps: int = 1) -> Alarms:
    """Return how often each row of `values`, shape (rows, columns), lay above its limit, shape (rows,), for `for_steps` or more steps in a row.

    A missing value (NaN) ends a run; so does a limit that is NaN.

    Raises
    ------
    ValueError
        If shapes do not match, or for_steps is below 1.
    """
    if values.ndim != 2 or limit.shape != values.shape[:1] or for_steps < 1:
        raise ValueError("values must be 2-D with a limit for each row, and for_steps 1 or more.")
    with np.errstate(invalid="ignore"):
        above = values > limit[:, None]
    run, longest, found = (np.zeros(len(values), dtype=np.int64) for _ in range(3))
    for column in range(values.shape[1]):
        run = np.where(above[:, column], run + 1, 0)
        found += run == for_steps
        longest = np.maximum(longest, run)
    return Alarms(above.sum(axis=1), found, longest)
