"""Resident memory beside samples, in bins of time that may be longer than their steps: what a source is asked for once an hour tells enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.profile import UsageProfile
from upid.engine.usage.resident import COVERED, Resident
from upid.engine.usage.samples import Samples

BIN_SECONDS: Final = 3600  # about as long as a bin is: what peaks within an hour counts for all of it
DAY: Final = 86400


@dataclass(frozen=True, slots=True)
class ResidentSeries:
    """Resident sets of series, shape (series, steps) [bytes]; NaN = no sample. `row`: of each series. Step i covers [start + i * step, + step)."""

    start: int
    step_seconds: int
    values: NDArray[np.float32]
    row: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ResidentBins:
    """The largest resident set of any pod of each row by bin, `peak`, shape (rows, bins) [bytes]; NaN = it is not told of nearly all that `ran` then.

    Bin i covers [start + i * bin_seconds, + bin_seconds), in seconds since the epoch.
    """

    start: int
    bin_seconds: int
    peak: NDArray[np.float32]
    ran: NDArray[np.bool_]


def bins_of(samples: Samples, told: Sequence[ResidentSeries]) -> ResidentBins | None:
    """Return what was resident beside samples, None where nothing tells. Series whose steps do not line up with those of the samples tell nothing."""
    parts = [part for part in told if len(part.row) and part.values.shape[1] and _fits(part, samples)]
    if not parts or not samples.cpu_cores.shape[1]:
        return None
    step = max(part.step_seconds for part in parts)
    seconds = step * max(BIN_SECONDS // step, 1)
    shape = (samples.rows, -(-(samples.end - samples.start) // seconds))
    peak, known, ran = np.full(shape, np.nan, dtype=np.float32), np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.int32)
    for part in parts:
        largest, at = _largest(part.values, part.start - samples.start, part.step_seconds, seconds)
        inside = (at >= 0) & (at < shape[1])
        place = np.ix_(part.row, at[inside])
        np.fmax.at(peak, place, largest[:, inside])
        np.add.at(known, place, ~np.isnan(largest[:, inside]))
    of_working_set, at = _largest(samples.memory_bytes, 0, samples.step_seconds, seconds)
    np.add.at(ran, np.ix_(samples.row, at), ~np.isnan(of_working_set))
    # Pods of a Job that share a series count less often here than by their own: what is told of one of them may stand for another, of the same template.
    return ResidentBins(samples.start, seconds, np.where((known > 0) & (known >= COVERED * ran), peak, np.float32(np.nan)), ran > 0)


def _fits(part: ResidentSeries, samples: Samples) -> bool:
    return part.step_seconds % samples.step_seconds == 0 and (part.start - samples.start) % samples.step_seconds == 0


def _largest(values: NDArray[np.float32], offset: int, step: int, seconds: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the largest value of each series by bin, and which bins these are; `offset` of the first step from the first bin [s]."""
    bins = (offset + step * np.arange(values.shape[1], dtype=np.int64)) // seconds
    starts = np.flatnonzero(np.diff(bins, prepend=bins[0] - 1))
    return np.fmax.reduceat(values, starts, axis=1), bins[starts]


def with_days(profile: UsageProfile, bins: ResidentBins | None, until: int) -> UsageProfile:
    """Return the profile with the days of bins that end at `until` or before [s since the epoch].

    A bin that two days share counts on both. Where bins tell of a part of a day, so much of the day's samples counts as told.
    """
    if bins is None:
        return profile
    shape = profile.memory_daily.count.shape
    peak, count = np.full(shape, np.nan, dtype=np.float32), np.zeros(shape, dtype=np.int32)
    begin = bins.start + bins.bin_seconds * np.arange(bins.peak.shape[1], dtype=np.int64)
    whole = begin + bins.bin_seconds <= until
    first, last = begin // DAY, (begin + bins.bin_seconds - 1) // DAY
    for column in range(shape[1]):
        day = profile.first_day + column
        chosen = np.flatnonzero(whole & (first <= day) & (day <= last))
        ran, told = bins.ran[:, chosen], ~np.isnan(bins.peak[:, chosen])
        share = (ran & told).sum(axis=1) / np.maximum(ran.sum(axis=1), 1)
        peak[:, column] = np.fmax.reduce(bins.peak[:, chosen], axis=1, initial=np.nan)
        count[:, column] = np.floor(share * profile.memory_daily.count[:, column])
    return replace(profile, resident=Resident(until, peak, count))


def use_within(bins: ResidentBins, samples: Samples, is_judged: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the working set of each series, and no more than was resident at most in its bin in the rows that are judged by that, shape (series, steps).

    It is never less than what was resident, since a working set has all of that and page cache. [bytes].
    """
    time = samples.start - bins.start + samples.step_seconds * np.arange(samples.memory_bytes.shape[1], dtype=np.int64)
    at = np.clip(time // bins.bin_seconds, 0, bins.peak.shape[1] - 1)
    most = np.where(is_judged[:, None], bins.peak, np.float32(np.nan))[:, at]
    result: NDArray[np.float32] = np.where(
        np.isnan(samples.memory_bytes), np.float32(np.nan), np.fmin(samples.memory_bytes, most[samples.row])
    )
    return result
