"""Usage as it is asked for: series joined into groups, samples brought onto longer steps, holes filled. NaN = no sample, everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.statistics.quantiles import sorted_quantiles

Floats = NDArray[np.float64]
Samples = NDArray[np.floating[Any]]
Integers = NDArray[np.int64]
ACROSS: Final = ("sum", "mean", "max", "min", "count")
FILLS: Final = ("none", "zero", "previous", "linear")
HOURS_PER_WEEK: Final = 168
EPOCH_HOUR: Final = 72  # the epoch was a Thursday


def across(values: Samples, group: Integers, groups: int, how: str) -> Samples:
    """Return one series for each group, step by step, of the samples that are there: shape (series, steps) -> (groups, steps).

    The type is that of `values` where no two series share a group, else float64.

    Parameters
    ----------
    values : ndarray, shape (series, steps)
    group : ndarray, shape (series,)
        Which group each series belongs to, from 0 up to `groups`.
    how : str
        One of ACROSS. A step without any sample of a group is NaN, its count 0.
    """
    filled = 0.0 if how == "count" else np.nan
    alone = how != "count" and len(np.unique(group)) == len(group)
    found = np.full((groups, values.shape[1]), filled, values.dtype if alone else np.float64)
    if not len(group):
        return found
    order = np.argsort(group, kind="stable")
    ordered, sorted_group = values[order], group[order]
    first = np.flatnonzero(np.diff(sorted_group, prepend=-1))
    found[sorted_group[first]] = _reduced(ordered, first, how)
    return found


def _reduced(ordered: Samples, first: Integers, how: str) -> Samples:
    if len(first) == len(ordered) and how != "count":
        return ordered
    if how == "max":
        return np.fmax.reduceat(ordered, first, axis=0).astype(np.float64)
    if how == "min":
        return np.fmin.reduceat(ordered, first, axis=0).astype(np.float64)
    missing = np.isnan(ordered)
    count = np.add.reduceat(~missing, first, axis=0, dtype=np.float64)
    if how == "count":
        return count
    total = np.add.reduceat(np.where(missing, 0.0, ordered), first, axis=0, dtype=np.float64)
    return np.divide(total, count if how == "mean" else 1.0, out=np.full_like(total, np.nan), where=count > 0)


def merged(one: Samples, other: Samples, how: str) -> Samples:
    """Return two parts of the same groups joined step by step; ValueError for `mean`, which needs sums and counts."""
    if how == "max":
        return np.fmax(one, other)
    if how == "min":
        return np.fmin(one, other)
    if how not in {"sum", "count"}:
        raise ValueError(f"Parts cannot be joined by {how}.")
    return np.where(np.isnan(one), other, np.where(np.isnan(other), one, one + other))


def over_time(values: Samples, width: int, how: str, step_seconds: float = 1.0) -> Floats:
    """Return samples on steps that are `width` times as long: shape (rows, n * width) -> (rows, n).

    Parameters
    ----------
    how : str
        mean, max, min, sum, count, rate, or p0 to p100 (`p95`, `p99.9`): exact quantiles of the samples, Hyndman-Fan 7. `rate` is the change from a
        step's first to its last sample. [per second]
    step_seconds : float
        Length of the steps of `values`, for `rate`. [s]

    Raises
    ------
    ValueError
        For an unknown `how`, or a number of samples that is no multiple of `width`.
    """
    if width < 1 or values.shape[1] % width:
        raise ValueError(f"{values.shape[1]} samples are no whole number of steps of {width}.")
    blocks = values.reshape(values.shape[0], -1, width)
    if how in {"max", "min"}:
        whole = np.fmax if how == "max" else np.fmin
        extreme: Floats = whole.reduce(blocks, axis=2).astype(np.float64)
        return extreme
    if how == "rate":
        return _rates(blocks, step_seconds)
    if how in {"mean", "sum", "count"}:
        return _sums(blocks, how)
    probability = quantile_of(how)
    ordered = np.sort(blocks, axis=2).reshape(-1, width)
    count = np.count_nonzero(~np.isnan(ordered), axis=1)
    return sorted_quantiles(ordered, count, (probability,)).reshape(blocks.shape[:2])


def quantile_of(how: str) -> float:
    """Return the probability that `p95` names, 0.95; ValueError for a text that names none from p0 to p100."""
    try:
        percent = float(how[1:]) if how.startswith("p") else np.nan
    except ValueError:
        percent = np.nan
    if not 0 <= percent <= 100:
        raise ValueError(f"{how!r} is none of mean, max, min, sum, count, rate and p0 to p100.")
    return percent / 100


def _sums(blocks: Samples, how: str) -> Floats:
    missing = np.isnan(blocks)
    count: Floats = np.count_nonzero(~missing, axis=2).astype(np.float64)
    if how == "count":
        return count
    total: Floats = np.where(missing, 0.0, blocks).sum(axis=2, dtype=np.float64)
    total[count == 0] = np.nan
    if how == "mean":
        total /= np.maximum(count, 1)
    return total


def _rates(blocks: Samples, step_seconds: float) -> Floats:
    there = ~np.isnan(blocks)
    first, last = there.argmax(axis=2), blocks.shape[2] - 1 - there[:, :, ::-1].argmax(axis=2)
    begin = np.take_along_axis(blocks, first[:, :, None], axis=2)[:, :, 0]
    end = np.take_along_axis(blocks, last[:, :, None], axis=2)[:, :, 0]
    seconds = (last - first) * step_seconds
    found: Floats = np.full(seconds.shape, np.nan)
    np.divide(end.astype(np.float64) - begin, seconds, out=found, where=(seconds > 0) & there.any(axis=2))
    return found


def fill(values: Floats, policy: str) -> Floats:
    """Return a copy whose holes are filled: not (`none`), by 0, by the last value before, or on the line between the values around; ends stay holes."""
    if policy == "zero":
        return np.where(np.isnan(values), 0.0, values)
    if policy == "previous":
        place = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(values.shape[1])), axis=1)
        return np.where(place >= 0, np.take_along_axis(values, np.maximum(place, 0), axis=1), np.nan)
    if policy == "linear":
        return np.array([_between(row) for row in values]).reshape(values.shape)
    if policy != "none":
        raise ValueError(f"{policy!r} is none of {', '.join(FILLS)}.")
    return values.copy()


def _between(row: Floats) -> Floats:
    there = np.flatnonzero(~np.isnan(row))
    return np.interp(np.arange(len(row)), there, row[there], left=np.nan, right=np.nan) if len(there) else row


def quantiles(values: Samples, probabilities: Sequence[float]) -> Floats:
    """Return quantiles of each row's samples, shape (rows, probabilities), NaN for a row without any; Hyndman-Fan 7."""
    count = np.count_nonzero(~np.isnan(values), axis=1)
    return sorted_quantiles(np.sort(values, axis=1), count, tuple(probabilities))


def hours_of_week(start: int, step_seconds: int, steps: int) -> Integers:
    """Return the hour of the week that each step begins in, 0 = Monday 00:00 UTC, shape (steps,)."""
    return ((start + step_seconds * np.arange(steps, dtype=np.int64)) // 3600 + EPOCH_HOUR) % HOURS_PER_WEEK


def by_hour_of_week(values: Samples, hours: Integers, how: str) -> Floats:
    """Return each row's samples by hour of the week, shape (rows, steps) -> (rows, 168); `how` as for `over_time`, but no rate. NaN = never seen."""
    found = np.full((values.shape[0], HOURS_PER_WEEK), np.nan)
    for hour in np.unique(hours):
        chosen = values[:, hours == hour]
        found[:, hour] = over_time(chosen, chosen.shape[1], how)[:, 0]
    return found
