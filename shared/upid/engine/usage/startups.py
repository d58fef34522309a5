"""Start-up apart from steady state: a histogram of CPU within ten minutes of a start, beside the pooled one that holds these samples too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.blocks import Block, Slots, add_samples, blocks_of
from upid.engine.usage.counting import Grid, valid_samples
from upid.engine.usage.histogram import (
    BUCKETS,
    EMPTY,
    Histogram,
    add_histogram,
    day_weight,
    empty_histogram,
    lifted,
    lowered,
    take,
)
from upid.engine.usage.samples import Samples
from upid.engine.usage.starts import Starts

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Startups:
    """Start-ups of the rows in `index`, rising, that were seen to start.

    `cpu`: samples of all pods within their start-ups [cores]. `throttled_total`, `throttled_count`: sum of the shares of throttled periods in these
    steps, and how many there were, shape (rows,), weighted as the older part of a histogram. [1]
    """

    index: Integers
    cpu: Histogram
    throttled_total: NDArray[np.float64]
    throttled_count: NDArray[np.float64]


def no_startups() -> Startups:
    """Return the start-ups of nothing."""
    return Startups(np.zeros(0, dtype=np.int64), empty_histogram(0), np.zeros(0), np.zeros(0))


def _with_rows(startups: Startups, index: Integers) -> Startups:
    """Return the start-ups of the rows in `index` (rising), empty where a row had none; always a copy."""
    source = np.full(len(index), -1, dtype=np.int64)
    source[np.searchsorted(index, startups.index)] = np.arange(len(startups.index))
    total, count = (np.where(source >= 0, np.append(part, 0)[source], 0.0) for part in (startups.throttled_total, startups.throttled_count))
    return Startups(index, take(startups.cpu, source), total, count)


def moved_startups(startups: Startups, target: Integers) -> Startups:
    """Return the start-ups under their rows' new numbers, `target[old]`, -1 = gone."""
    index = target[startups.index]
    order = np.flatnonzero(index >= 0)
    order = order[np.argsort(index[order], kind="stable")]
    return Startups(index[order], take(startups.cpu, order), startups.throttled_total[order], startups.throttled_count[order])


def merge_startups(a: Startups, b: Startups) -> Startups:
    """Return what both saw, both of the same days and reference."""
    index = np.union1d(a.index, b.index)
    one, two = _with_rows(a, index), _with_rows(b, index)
    add_histogram(one.cpu, np.arange(len(index)), two.cpu)
    return replace(
        one, throttled_total=one.throttled_total + two.throttled_total, throttled_count=one.throttled_count + two.throttled_count
    )


def fold_startups(before: Startups, samples: Samples, starts: Starts, grid: Grid, slots: Slots, *, reference_day: int) -> Startups:
    """Return the start-ups with those of the samples; `before` is already shifted to the new days."""
    if not len(starts.series):
        return before
    row, steps = samples.row[starts.series], starts.steps(grid.steps)
    after = _with_rows(before, np.union1d(before.index, row))
    values = valid_samples(starts.values(samples.cpu_cores))
    for block in blocks_of(row, grid.steps):
        ordered = Block(slice(0, len(values[block.series])), block.groups, block.starts)
        within = replace(grid, day_of_step=grid.day_of_step[steps[block.series]])
        add_samples(after.cpu, ordered, values[block.series], within, slots, rows=np.searchsorted(after.index, block.groups))
    place, share = np.searchsorted(after.index, row), np.clip(starts.values(samples.throttled), 0, 1)
    weight = np.where(np.isnan(share), 0.0, day_weight(grid.days, reference_day)[grid.day_of_step[steps]])
    np.add.at(after.throttled_total, place, (np.nan_to_num(share, nan=0.0) * weight).sum(axis=1))
    np.add.at(after.throttled_count, place, weight.sum(axis=1))
    return after


def steady(pooled: Histogram, rows: Integers, startups: Startups) -> Histogram:
    """Return some rows of a pooled histogram without what is of a start; always a copy."""
    result = take(pooled, rows)
    place = np.minimum(np.searchsorted(startups.index, rows), max(len(startups.index) - 1, 0))
    some = np.flatnonzero(startups.index[place] == rows) if len(startups.index) else np.zeros(0, dtype=np.int64)
    if len(some):
        part = take(startups.cpu, place[some])
        days, older = (at_top(part.top, counts, result.top[some]) for counts in (part.days, part.older))
        result.days[some] -= days
        result.older[some] = without(result.older[some], older)
        lowered(result, some)
    return result


def at_top(own: NDArray[np.int32], counts: NDArray[Any], top: NDArray[np.int32]) -> NDArray[Any]:
    """Return counts below the `own` highest buckets, shape (rows, ..., BUCKETS), as they stand below a `top` that is that or higher."""
    by = np.where(own == EMPTY, 0, top.astype(np.int64) - own)
    higher = np.flatnonzero(by)  # often start-ups are the highest of all, and there is nothing to move
    if not len(higher):
        return counts
    result = counts.copy()
    result[higher] = lifted(counts[higher], by[higher])
    return result


def without(weights: NDArray[np.float64], part: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights without a part of them: what only rounding leaves is nothing."""
    rest: NDArray[np.float64] = weights - part
    return np.where(rest > weights * BUCKETS * np.finfo(np.float64).eps, rest, 0.0)
