"""Counting samples into buckets: the hot loop of folding, in blocks that stay in the processor's cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.histogram import BUCKETS, LOG_GROWTH

BLOCK_SAMPLES: Final = 2**18
_BINS: Final = BUCKETS + 1  # the last one takes what is no sample


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the steps of a block of samples lie: boundaries of UTC days and of hours, as indices of steps.

    `day_starts` and `hour_starts` are the first step of each day and hour; `days` and `hours` their numbers since the epoch; `day_of_step` the index
    of each step's day; `hour_day_starts` the index of the first hour of each day.
    """

    steps: int
    days: NDArray[np.int64]
    day_starts: NDArray[np.int64]
    day_of_step: NDArray[np.int64]
    hours: NDArray[np.int64]
    hour_starts: NDArray[np.int64]
    hour_day_starts: NDArray[np.int64]


def grid_of(start: int, step_seconds: int, steps: int) -> Grid:
    """Return the days and hours of a regular grid that begins at `start` [s since the epoch]."""
    moments = start + step_seconds * np.arange(steps, dtype=np.int64)
    days, day_starts, day_of_step = np.unique(moments // 86400, return_index=True, return_inverse=True)
    hours, hour_starts = np.unique(moments // 3600, return_index=True)
    hour_day_starts = np.searchsorted(hour_starts, day_starts)
    return Grid(steps, days, day_starts, day_of_step.astype(np.int64), hours, hour_starts, hour_day_starts)


def valid_samples(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the values with what cannot be a sample (infinite, negative) as NaN; the very same array where there is nothing of it."""
    if values.size == 0:
        return values
    with np.errstate(invalid="ignore"):
        low, high = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
        if not (low < 0 or high == np.inf):
            return values
        return np.where((values >= 0) & (values < np.inf), values, np.float32(np.nan))


def bucket_counts(
    values: NDArray[np.float32], local: NDArray[np.int64], base: NDArray[np.int32], grid: Grid, groups: int
) -> NDArray[np.int64]:
    """Return how many samples of each group fall on each day and in each bucket, shape (groups, days, BUCKETS).

    Parameters
    ----------
    values : ndarray, shape (series, steps), float32
        Samples >= 0; NaN = none.
    local : ndarray, shape (series,)
        The group of each series.
    base : ndarray, shape (series,), int32
        Exponent of the lowest bucket of the series' group.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.log(values)
    place *= np.float32(1 / LOG_GROWTH)
    np.floor(place, out=place)
    place -= base[:, None].astype(np.float32)
    np.clip(place, 0, BUCKETS - 1, out=place)
    np.copyto(place, np.float32(BUCKETS), where=np.isnan(place))
    days = len(grid.days)
    bins = place.astype(np.intp)
    bins += grid.day_of_step * _BINS
    bins += (local * (days * _BINS))[:, None]
    counted = np.bincount(bins.reshape(-1), minlength=groups * days * _BINS)
    return counted.reshape(groups, days, _BINS)[:, :, :BUCKETS]
