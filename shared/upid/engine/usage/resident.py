"""Resident memory by UTC day, apart from the page cache that the working set counts too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.daily import Daily, placed

COVERED: Final = 0.9  # of a day's samples of the working set: with fewer, a peak may lie where none was taken


@dataclass(frozen=True, slots=True)
class Resident:
    """Resident sets by UTC day, all pods of a row: `peak` [bytes], NaN = none; `count` of samples [1]. Shape (rows, days).

    `until`: end of what is folded, 0 = nothing yet [s since the epoch].
    """

    until: int
    peak: NDArray[np.float32]
    count: NDArray[np.int32]


def no_resident(rows: int, days: int) -> Resident:
    """Return days of which nobody knows what was resident."""
    return Resident(0, np.full((rows, days), np.nan, dtype=np.float32), np.zeros((rows, days), dtype=np.int32))


def placed_resident(resident: Resident, source: NDArray[np.int64], offset: int, days: int) -> Resident:
    """Return a copy of both arrays as `placed` does it."""
    peak = placed(resident.peak, source, offset, days, is_missing_nan=True)
    return Resident(resident.until, peak, placed(resident.count, source, offset, days))


def days_of(resident: Resident, days: slice) -> Resident:
    """Return some of the days, as views."""
    return Resident(resident.until, resident.peak[:, days], resident.count[:, days])


def merge_resident(a: Resident, b: Resident) -> Resident:
    """Return what both saw, over the same days."""
    return Resident(max(a.until, b.until), np.fmax(a.peak, b.peak), a.count + b.count)


def until_day(resident: Resident, day: int, first_day: int) -> Resident:
    """Return what was told of the days before `day` [days since the epoch], of which the first column is `first_day`: the rest can be told anew."""
    if resident.until <= day * 86400:
        return resident
    kept = np.arange(resident.peak.shape[1]) < day - first_day
    return Resident(day * 86400, np.where(kept, resident.peak, np.float32(np.nan)), np.where(kept, resident.count, np.int32(0)))


def add_resident(resident: Resident, row: NDArray[np.int64], values: NDArray[np.float32], column: NDArray[np.int64]) -> Resident:
    """Return the days with samples of some series, shape (series, steps) [bytes]; `row`: of each series; `column`: day of each step, others left out."""
    peak, count = resident.peak.copy(), resident.count.copy()
    for day in np.unique(column[(column >= 0) & (column < peak.shape[1])]):
        chosen = values[:, column == day]
        np.fmax.at(peak[:, day], row, np.fmax.reduce(chosen, axis=1))
        np.add.at(count[:, day], row, (~np.isnan(chosen)).sum(axis=1))
    return Resident(resident.until, peak, count)


def resident_peak(resident: Resident, working_set: Daily) -> NDArray[np.float64]:
    """Return the most that was resident in any pod of each row, shape (rows,) [bytes]; NaN where no day tells.

    A day with fewer than COVERED as many samples as of the working set counts by the peak of that: an upper bound.
    """
    told = told_days(resident, working_set)
    peak = np.fmax.reduce(np.where(told, resident.peak, working_set.peak), axis=1, initial=np.nan).astype(np.float64)
    return np.where(told.any(axis=1), peak, np.nan)


def told_days(resident: Resident, working_set: Daily) -> NDArray[np.bool_]:
    """Tell which days are known well enough, shape (rows, days)."""
    result: NDArray[np.bool_] = (resident.count > 0) & (resident.count >= COVERED * working_set.count)
    return result
