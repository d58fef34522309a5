"""The histograms beside the pooled ones: the busiest pod of a row, and the sum over a workload, at each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.blocks import Block, Slots, add_samples, blocks_of
from upid.engine.usage.counting import Grid, valid_samples
from upid.engine.usage.histogram import Histogram, add_histogram, empty_histogram
from upid.engine.usage.profile import Beside
from upid.engine.usage.samples import Samples
from upid.engine.usage.starts import Starts
from upid.engine.usage.startups import Startups, no_startups, steady

How = Literal["max", "sum"]
Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pooled:
    """The pooled histograms before the fold, what of them is of a start, and the group that each of their rows belongs to."""

    cpu: Histogram
    memory: Histogram
    startups: Startups
    group: NDArray[np.int64]


def crowded(samples: Samples, group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the groups, rising, of which two series had a sample at the same step."""
    count = np.bincount(group, minlength=1)
    several = np.flatnonzero(count[group] > 1)
    found: list[NDArray[np.int64]] = []
    for block in blocks_of(group[several], samples.cpu_cores.shape[1]):
        series = several[block.series]
        at_once = np.zeros(len(block.groups), dtype=bool)
        for values in (samples.cpu_cores[series], samples.memory_bytes[series]):
            at_once |= (np.add.reduceat(~np.isnan(values), block.starts, axis=0, dtype=np.int32) > 1).any(axis=1)
        found.append(block.groups[at_once])
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def at_each_step(values: NDArray[np.float32], starts: NDArray[np.int64], how: How) -> NDArray[np.float32]:
    """Return the largest value, or the sum, over each group's series at each step; NaN where none has a sample."""
    if how == "max":
        return np.fmax.reduceat(values, starts, axis=0)
    missing = np.isnan(values)
    total = np.add.reduceat(np.where(missing, 0, values), starts, axis=0, dtype=np.float64).astype(np.float32)
    return np.where(np.logical_and.reduceat(missing, starts, axis=0), np.float32(np.nan), total)


def _prior(pooled: Histogram, startups: Startups, group: NDArray[np.int64], chosen: NDArray[np.int64]) -> Histogram:
    """Return what new groups saw until now: with one series at a time, what all their rows saw, pooled, but for start-ups."""
    result = empty_histogram(len(chosen))
    rows = np.flatnonzero(np.isin(group, chosen))
    rows = rows[np.argsort(group[rows], kind="stable")]
    place = np.searchsorted(chosen, group[rows])
    rank = np.arange(len(rows)) - np.searchsorted(place, place)
    for turn in range(int(rank.max(initial=-1)) + 1):
        now = rank == turn
        add_histogram(result, place[now], steady(pooled, rows[now], startups))
    return result


def _joined(before: Histogram, prior: Histogram, order: NDArray[np.int64]) -> Histogram:
    return Histogram(
        np.concatenate([before.top, prior.top])[order],
        np.concatenate([before.days, prior.days])[order],
        np.concatenate([before.older, prior.older])[order],
    )


def _at_work(cpu: Values, settled: Values, row: NDArray[np.int64], block: Block) -> Values:
    """Return what each pod asks for at work: one that starts as much as the mean of those of its row that do not, but no more than it used.

    Where none of its row tells, it counts as it is; a step in which all of a workload's pods start is none of work. `cpu`: a block's samples, `settled`:
    the same with NaN where they are of a start, `row`: of each series.
    """
    series, step = np.nonzero(np.isnan(settled) & ~np.isnan(cpu))
    starting, mine = np.unique(row[series], return_inverse=True)
    beside = np.flatnonzero(np.isin(row, starting))
    beside = beside[np.argsort(row[beside], kind="stable")]
    first = np.searchsorted(row[beside], starting)
    there = ~np.isnan(settled)
    total = np.add.reduceat(np.where(there[beside], settled[beside], 0), first, axis=0, dtype=np.float64)[mine, step]
    count = np.add.reduceat(there[beside], first, axis=0, dtype=np.int32)[mine, step]
    used = cpu[series, step]
    asked = np.where(count > 0, np.fmin(used, total / np.maximum(count, 1)), used)
    at_work = np.logical_or.reduceat(there, block.starts, axis=0)[block.local[series], step]
    result = settled.copy()
    result[series, step] = np.where(at_work, asked, np.nan)
    return result


def fold_beside(
    before: Beside, pooled: Pooled, samples: Samples, group: NDArray[np.int64], *, how: How, starts: Starts, grid: Grid, slots: Slots
) -> Beside:  # fmt: skip
    """Return the histograms beside with the samples folded in; `before` and `pooled` are already shifted to the new days. `group`: of each series."""
    new = np.setdiff1d(crowded(samples, group), before.index)
    if not len(before.index) and not len(new):
        return before
    index = np.concatenate([before.index, new])
    order = np.argsort(index, kind="stable")
    after = Beside(
        index[order],
        _joined(before.cpu, _prior(pooled.cpu, pooled.startups, pooled.group, new), order),
        _joined(before.memory, _prior(pooled.memory, no_startups(), pooled.group, new), order),
    )
    chosen = np.flatnonzero(np.isin(group, after.index))
    for block in blocks_of(group[chosen], grid.steps):
        series, rows = chosen[block.series], np.searchsorted(after.index, block.groups)
        single = Block(slice(0, len(rows)), block.groups, np.arange(len(rows)))
        cpu, memory = valid_samples(samples.cpu_cores[series]), valid_samples(samples.memory_bytes[series])
        settled = starts.without(cpu, series, len(group))
        if how == "sum" and settled is not cpu:
            settled = _at_work(cpu, settled, samples.row[series], block)
        for histogram, values in ((after.cpu, settled), (after.memory, memory)):
            add_samples(histogram, single, at_each_step(values, block.starts, how), grid, slots, rows=rows)
    return after
