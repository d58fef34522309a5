"""Log histograms of many rows: 256 buckets, each 3 % wide, below the highest value of the row, by UTC day and decayed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

BUCKETS: Final = 256
GROWTH: Final = 1.03  # a bucket's upper edge over its lower edge
LOG_GROWTH: Final = math.log(GROWTH)
DAY_SLOTS: Final = 3  # UTC days that stand apart: the newest, and two before, so that two days can be held out at any hour
HALF_LIFE_DAYS: Final = 1.0
EMPTY: Final = -(2**31)
LOWEST: Final = -701  # exponent of 1e-9 cores or bytes: what is less, zero included, counts there
BLOCK_ROWS: Final = 1024  # rows worked on at a time: what lies between stays in the processor's cache
REBASE_DAYS: Final = 128  # a whole number of half-lives, so that rebasing multiplies by a power of two: exact


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of samples by value. Bucket `b` of a row covers [GROWTH**e, GROWTH**(e + 1)) with e = top - (BUCKETS - 1) + b; the lowest takes all below.

    Attributes
    ----------
    top : ndarray, shape (rows,), int32
        Exponent of the highest bucket; EMPTY where a row has no sample.
    days : ndarray, shape (rows, DAY_SLOTS, BUCKETS), int32
        Samples of the newest UTC days, newest first. [1]
    older : ndarray, shape (rows, BUCKETS), float64
        Samples of the days before, each weighing 2 ** ((day - reference_day) / HALF_LIFE_DAYS) with the profile's reference day. [1]
    """

    top: NDArray[np.int32]
    days: NDArray[np.int32]
    older: NDArray[np.float64]

    @property
    def rows(self) -> int:
        """How many rows the histogram has."""
        return int(self.top.shape[0])


def empty_histogram(rows: int) -> Histogram:
    """Return a histogram of `rows` rows without samples."""
    return Histogram(
        top=np.full(rows, EMPTY, dtype=np.int32),
        days=np.zeros((rows, DAY_SLOTS, BUCKETS), dtype=np.int32),
        older=np.zeros((rows, BUCKETS)),
    )


def take(histogram: Histogram, source: NDArray[np.int64]) -> Histogram:
    """Return the histogram whose row i is row `source[i]`, an empty row where that is -1; always a copy."""
    result = empty_histogram(len(source))
    kept = source >= 0
    result.top[kept] = histogram.top[source[kept]]
    result.days[kept] = histogram.days[source[kept]]
    result.older[kept] = histogram.older[source[kept]]
    return result


def copied(histogram: Histogram) -> Histogram:
    """Return a copy that the caller owns."""
    return Histogram(histogram.top.copy(), histogram.days.copy(), histogram.older.copy())


def exponent_of(peak: NDArray[np.floating[Any]]) -> NDArray[np.int32]:
    """Return the exponent of the bucket that each value falls in, EMPTY for NaN, LOWEST for 0 and less."""
    known = np.where(np.isnan(peak), 1.0, peak).astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.floor(np.log(known) * np.float32(1 / LOG_GROWTH))
    exponent = np.fmax(exponent, LOWEST).astype(np.int32)
    return np.where(np.isnan(peak), np.int32(EMPTY), exponent)


def lifted(counts: NDArray[Any], by: NDArray[np.int64]) -> NDArray[Any]:
    """Return counts of shape (rows, ..., BUCKETS) as they stand when the highest bucket is `by` (>= 0, shape (rows,)) higher: none is lost."""
    shape = (len(by),) + (1,) * (counts.ndim - 2) + (BUCKETS,)
    source = (np.arange(BUCKETS) + np.minimum(by, BUCKETS)[:, None]).reshape(shape)
    moved = np.take_along_axis(counts, np.minimum(source, BUCKETS - 1), axis=-1) * (source < BUCKETS)
    last = np.minimum(by, BUCKETS - 1).reshape((*shape[:-1], 1))
    moved[..., :1] = np.take_along_axis(np.cumsum(counts, axis=-1), last, axis=-1)
    return moved.astype(counts.dtype, copy=False)


def raise_top(histogram: Histogram, rows: NDArray[np.int64], top: NDArray[np.int32]) -> None:
    """Raise the highest buckets of some distinct rows of a histogram that the caller owns to at least `top` (EMPTY = leave), in place."""
    before = histogram.top[rows]
    rising = (top > before) & (before != EMPTY)
    if rising.any():
        chosen = rows[rising]
        by = top[rising].astype(np.int64) - before[rising]
        histogram.days[chosen] = lifted(histogram.days[chosen], by)
        histogram.older[chosen] = lifted(histogram.older[chosen], by)
    histogram.top[rows] = np.maximum(before, top)


def lowered(histogram: Histogram, rows: NDArray[np.int64]) -> None:
    """Let the highest bucket of some rows of a histogram that the caller owns be the highest one with a sample, EMPTY without any, in place."""
    held = (histogram.days[rows] > 0).any(axis=1) | (histogram.older[rows] > 0)
    by = np.argmax(held[:, ::-1], axis=1)
    source = np.arange(BUCKETS)[None, :] - by[:, None]
    inside, source = source >= 0, np.maximum(source, 0)
    histogram.days[rows] = np.take_along_axis(histogram.days[rows], source[:, None], axis=2) * inside[:, None]
    histogram.older[rows] = np.take_along_axis(histogram.older[rows], source, axis=1) * inside
    histogram.top[rows] = np.where(held.any(axis=1), histogram.top[rows] - by, EMPTY).astype(np.int32)


def rebase(histogram: Histogram, days: int) -> None:
    """Let the older part of a histogram that the caller owns weigh relative to a day `days` later, in place: exact for whole half-lives."""
    if days:
        histogram.older[:] *= np.exp2(-days / HALF_LIFE_DAYS)


def shift_days(histogram: Histogram, days: int, newest_day: int, reference_day: int) -> None:
    """Make room for `days` newer days in a histogram that the caller owns, in place: days that lose their slot join the older part."""
    for slot in range(max(DAY_SLOTS - days, 0), DAY_SLOTS):
        histogram.older[:] += histogram.days[:, slot] * day_weight(newest_day - slot, reference_day)
    kept = max(DAY_SLOTS - days, 0)
    histogram.days[:, days:] = histogram.days[:, :kept].copy()
    histogram.days[:, : min(days, DAY_SLOTS)] = 0


def row_blocks(rows: int) -> Iterator[slice]:
    """Yield the rows in blocks."""
    return (slice(begin, min(begin + BLOCK_ROWS, rows)) for begin in range(0, rows, BLOCK_ROWS))


def day_weight(day: int | NDArray[np.int64], reference_day: int) -> Any:
    """Return the weight of a sample of a day relative to the reference day, 2 ** ((day - reference) / half-life). [1]."""
    return np.exp2((np.asarray(day) - reference_day) / HALF_LIFE_DAYS)


def add_counts(
    histogram: Histogram, rows: NDArray[np.int64], counts: NDArray[np.int64], slots: NDArray[np.int64], weights: NDArray[np.float64]
) -> None:
    """Add counts of shape (len(rows), days, BUCKETS) to a histogram that the caller owns, in place.

    `slots` tells where each day goes: a slot, or DAY_SLOTS or more for the older part, with its weight in `weights`. Rows are distinct.
    """
    for day, slot in enumerate(slots):
        if slot < DAY_SLOTS:
            histogram.days[rows, slot] += counts[:, day].astype(np.int32)
    older = slots >= DAY_SLOTS
    if older.any():
        histogram.older[rows] += np.einsum("rdb,d->rb", counts[:, older], weights[older], optimize=False)


def add_histogram(target: Histogram, rows: NDArray[np.int64], source: Histogram) -> None:
    """Add the rows of `source` to `rows` (distinct) of a histogram that the caller owns, in place; both of the same days and reference."""
    raise_top(target, rows, source.top)
    lift = np.where(source.top == EMPTY, 0, target.top[rows].astype(np.int64) - source.top)
    target.days[rows] += lifted(source.days, lift)
    target.older[rows] += lifted(source.older, lift)


def decayed(histogram: Histogram, *, newest_day: int, reference_day: int, slots: range = range(DAY_SLOTS)) -> NDArray[np.float64]:
    """Return the weights of samples by bucket as seen from the newest day, shape (rows, BUCKETS): a sample weighs half per HALF_LIFE_DAYS of age.

    `slots` are the days to take beside the older part; leaving the newest out holds them out.
    """
    weights = np.empty(histogram.older.shape)
    for rows in row_blocks(histogram.rows):
        part = histogram.older[rows] * np.exp2((reference_day - newest_day) / HALF_LIFE_DAYS)
        for slot in slots:
            part += histogram.days[rows, slot] * np.exp2(-slot / HALF_LIFE_DAYS)
        weights[rows] = part
    return weights
