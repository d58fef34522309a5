"""Samples by hour of week: the latest week as it was, the weeks before decayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

HOURS: Final = 168
_MONDAY: Final = 96  # the epoch was a Thursday: hour 96 is the first Monday 00:00 UTC


@dataclass(frozen=True, slots=True)
class Hourly:
    """Samples of one metric by hour of week (0 = Monday 00:00 UTC), shape (rows, 168), NaN = none.

    `count`, `mean` and `peak` are of the latest time that the hour came, whether or not the row was seen then. `past_peak` and `past_mean` are of the
    weeks before in which the row was seen, decayed by half a week.
    """

    count: NDArray[np.int32]
    mean: NDArray[np.float32]
    peak: NDArray[np.float32]
    past_mean: NDArray[np.float32]
    past_peak: NDArray[np.float32]


def hour_of_week(hours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the hour of week (0 = Monday 00:00 UTC) of hours since the epoch."""
    return (hours - _MONDAY) % HOURS


def empty_hourly(rows: int) -> Hourly:
    """Return hourly figures of `rows` rows without samples."""
    return Hourly(np.zeros((rows, HOURS), dtype=np.int32), *(np.full((rows, HOURS), np.nan, dtype=np.float32) for _ in range(4)))


def copy_hourly(hourly: Hourly, source: NDArray[np.int64] | None = None) -> Hourly:
    """Return a copy, or one whose row i is row `source[i]`, an empty row where that is -1."""
    if source is None:
        return Hourly(hourly.count.copy(), hourly.mean.copy(), hourly.peak.copy(), hourly.past_mean.copy(), hourly.past_peak.copy())
    result = empty_hourly(len(source))
    kept = source >= 0
    for name in ("count", "mean", "peak", "past_mean", "past_peak"):
        getattr(result, name)[kept] = getattr(hourly, name)[source[kept]]
    return result


def _pass(hourly: Hourly, columns: NDArray[np.int64]) -> None:
    """Make the latest week of these hours of week past, in place."""
    mean, peak = hourly.mean[:, columns], hourly.peak[:, columns]
    for past, latest in ((hourly.past_mean, mean), (hourly.past_peak, peak)):
        before = past[:, columns]
        blended = np.where(np.isnan(before), latest, (before + latest) / 2)
        if past is hourly.past_peak:
            blended = np.fmax(blended, latest)
        past[:, columns] = np.where(np.isnan(latest), before, blended)
    hourly.count[:, columns] = 0
    hourly.mean[:, columns] = np.nan
    hourly.peak[:, columns] = np.nan


def advance(hourly: Hourly, seen: int, until: int) -> None:
    """Move figures that the caller owns from the hour that was last begun (-1 = none yet) to hour `until` [hours since the epoch], in place."""
    if seen < 0 or until <= seen:
        return
    for begin in range(seen + 1, until + 1, HOURS):
        _pass(hourly, hour_of_week(np.arange(begin, min(begin + HOURS, until + 1), dtype=np.int64)))


def add_hours(
    hourly: Hourly, hours: NDArray[np.int64], count: NDArray[np.int32], total: NDArray[np.float64], peak: NDArray[np.float32], *, seen: int
) -> None:
    """Add samples by hour, in order of time, to figures that the caller owns, in place.

    Parameters
    ----------
    hours : ndarray, shape (hours,)
        Hours since the epoch, rising.
    count, total, peak : ndarray, shape (rows, hours)
        Samples, their sum and largest (NaN = none) in each hour.
    seen : int
        The hour that was last begun before; -1 = none yet.
    """
    for begin in range(0, len(hours), HOURS):
        part = slice(begin, min(begin + HOURS, len(hours)))
        advance(hourly, seen, int(hours[part][-1]))
        seen = max(seen, int(hours[part][-1]))
        columns = hour_of_week(hours[part])
        before = hourly.count[:, columns]
        after = before + count[:, part]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (np.where(before > 0, hourly.mean[:, columns], 0).astype(np.float64) * before + total[:, part]) / after
        hourly.mean[:, columns] = mean
        hourly.count[:, columns] = after
        hourly.peak[:, columns] = np.fmax(hourly.peak[:, columns], peak[:, part])


def merge_hourly(a: Hourly, b: Hourly) -> Hourly:
    """Return what both saw, both advanced to the same hour: exact where no more than one of them has a past."""
    count = a.count + b.count
    with np.errstate(invalid="ignore", divide="ignore"):
        total = (
            np.where(a.count > 0, a.mean, 0).astype(np.float64) * a.count + np.where(b.count > 0, b.mean, 0).astype(np.float64) * b.count
        )
        mean = (total / count).astype(np.float32)
    both = ~np.isnan(a.past_mean) & ~np.isnan(b.past_mean)
    past_mean = np.where(both, (a.past_mean + b.past_mean) / 2, np.fmax(a.past_mean, b.past_mean)).astype(np.float32)
    return Hourly(count, mean, np.fmax(a.peak, b.peak), past_mean, np.fmax(a.past_peak, b.past_peak))
