"""The histograms beside the pooled ones: the busiest pod of a row, and the sum over a workload, at each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.blocks import Block, Slots, add_samples, blocks_of
from upid.engine.usage.counting import Grid, valid_samples
from upid.engine.usage.histogram import Histogram, add_histogram, empty_histogram, take
from upid.engine.usage.profile import Beside
from upid.engine.usage.samples import Samples

How = Literal["max", "sum"]


@dataclass(frozen=True, slots=True)
class Pooled:
    """The pooled histograms before the fold, and the group that each of their rows belongs to."""

    cpu: Histogram
    memory: Histogram
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


def _prior(pooled: Histogram, group: NDArray[np.int64], chosen: NDArray[np.int64]) -> Histogram:
    """Return what new groups saw until now: with one series at a time, what all their rows saw, pooled."""
    result = empty_histogram(len(chosen))
    rows = np.flatnonzero(np.isin(group, chosen))
    rows = rows[np.argsort(group[rows], kind="stable")]
    place = np.searchsorted(chosen, group[rows])
    rank = np.arange(len(rows)) - np.searchsorted(place, place)
    for turn in range(int(rank.max(initial=-1)) + 1):
        now = rank == turn
        add_histogram(result, place[now], take(pooled, rows[now]))
    return result


def _joined(before: Histogram, prior: Histogram, order: NDArray[np.int64]) -> Histogram:
    return Histogram(
        np.concatenate([before.top, prior.top])[order],
        np.concatenate([before.days, prior.days])[order],
        np.concatenate([before.older, prior.older])[order],
    )


def fold_beside(
    before: Beside, pooled: Pooled, samples: Samples, group: NDArray[np.int64], *, how: How, grid: Grid, slots: Slots
) -> Beside:
    """Return the histograms beside with the samples folded in; `before` and `pooled` are already shifted to the new days. `group`: of each series."""
    new = np.setdiff1d(crowded(samples, group), before.index)
    if not len(before.index) and not len(new):
        return before
    index = np.concatenate([before.index, new])
    order = np.argsort(index, kind="stable")
    after = Beside(
        index[order],
        _joined(before.cpu, _prior(pooled.cpu, pooled.group, new), order),
        _joined(before.memory, _prior(pooled.memory, pooled.group, new), order),
    )
    chosen = np.flatnonzero(np.isin(group, after.index))
    for block in blocks_of(group[chosen], grid.steps):
        series, rows = chosen[block.series], np.searchsorted(after.index, block.groups)
        single = Block(slice(0, len(rows)), block.groups, np.arange(len(rows)))
        for histogram, values in ((after.cpu, samples.cpu_cores), (after.memory, samples.memory_bytes)):
            merged = at_each_step(valid_samples(values[series]), block.starts, how)
            add_samples(histogram, single, merged, grid, slots, rows=rows)
    return after
