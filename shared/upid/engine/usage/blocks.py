"""What folding counts of one metric: sums by hour and day, and histograms, series by series in blocks of whole groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.counting import BLOCK_SAMPLES, Grid, bucket_counts
from upid.engine.usage.histogram import BUCKETS, EMPTY, Histogram, add_counts, exponent_of, raise_top


@dataclass(frozen=True, slots=True)
class Block:
    """Series of whole groups: `series` picks them from the samples, `groups` are their distinct groups, rising, `starts` each group's first series."""

    series: NDArray[np.int64] | slice
    groups: NDArray[np.int64]
    starts: NDArray[np.int64]

    @property
    def local(self) -> NDArray[np.int64]:
        """The position in `groups` of each series' group."""
        count = self.series.stop - self.series.start if isinstance(self.series, slice) else len(self.series)
        return np.repeat(np.arange(len(self.groups)), np.diff(np.append(self.starts, count)))

    @property
    def is_single(self) -> bool:
        """Whether each group has exactly one series."""
        return len(self.starts) == len(self.local)


def blocks_of(group: NDArray[np.int64], steps: int) -> Iterator[Block]:
    """Yield blocks that hold all series of their groups and about BLOCK_SAMPLES samples, groups rising."""
    order = np.argsort(group, kind="stable")
    in_order = bool((order == np.arange(len(order))).all())
    groups, starts = np.unique(group[order], return_index=True)
    bounds = np.append(starts, len(order))
    size = max(BLOCK_SAMPLES // max(steps, 1), 1)
    first = 0
    while first < len(groups):
        last = max(int(np.searchsorted(bounds, bounds[first] + size, side="right")) - 1, first + 1)
        begin, end = int(bounds[first]), int(bounds[last])
        yield Block(slice(begin, end) if in_order else order[begin:end], groups[first:last], starts[first:last] - begin)
        first = last


@dataclass(frozen=True, slots=True)
class Sums:
    """Samples of one metric by hour, shape (rows, hours), and sums of squares by day, shape (rows, days)."""

    count: NDArray[np.int32]
    total: NDArray[np.float64]
    peak: NDArray[np.float32]
    squares: NDArray[np.float64]


def empty_sums(rows: int, grid: Grid) -> Sums:
    """Return sums of nothing."""
    shape = (rows, len(grid.hours))
    return Sums(
        np.zeros(shape, dtype=np.int32), np.zeros(shape), np.full(shape, np.nan, dtype=np.float32), np.zeros((rows, len(grid.days)))
    )


def add_sums(sums: Sums, block: Block, values: NDArray[np.float32], valid: NDArray[np.bool_], grid: Grid) -> None:
    """Add the samples of a block to sums that the caller owns, in place; each group comes in one block only."""
    known = values if valid.all() else np.where(valid, values, np.float32(0))
    count = np.add.reduceat(valid, grid.hour_starts, axis=1, dtype=np.int32)
    total = np.add.reduceat(known, grid.hour_starts, axis=1, dtype=np.float64)
    squares = np.add.reduceat(np.square(known, dtype=np.float64), grid.day_starts, axis=1)
    peak = np.fmax.reduceat(values, grid.hour_starts, axis=1)
    if not block.is_single:
        count, total, squares = (np.add.reduceat(part, block.starts, axis=0) for part in (count, total, squares))
        peak = np.fmax.reduceat(peak, block.starts, axis=0)
    sums.count[block.groups], sums.total[block.groups], sums.squares[block.groups], sums.peak[block.groups] = count, total, squares, peak


def busiest_by_day(values: NDArray[np.float32], block: Block, grid: Grid) -> NDArray[np.float64]:
    """Return the sum over each day's steps of the highest value of any series of a group, shape (groups, days)."""
    most = np.fmax.reduceat(values, block.starts, axis=0)
    total: NDArray[np.float64] = np.add.reduceat(np.where(np.isnan(most), np.float32(0), most), grid.day_starts, axis=1, dtype=np.float64)
    return total


def put_sums(sums: Sums, known: Sums, block: Block, values: NDArray[np.float32], *, same: NDArray[np.float32], grid: Grid) -> None:
    """Add the samples of a block as `add_sums` does; where they are the `same` array that `known` has the sums of, these are taken over."""
    if values is not same:
        add_sums(sums, block, values, ~np.isnan(values), grid)
        return
    for part in ("count", "total", "squares", "peak"):
        getattr(sums, part)[block.groups] = getattr(known, part)[block.groups]


@dataclass(frozen=True, slots=True)
class Slots:
    """Where each day of a grid goes in a histogram: its slot, DAY_SLOTS or more = the older part, with its weight there."""

    slot: NDArray[np.int64]
    weight: NDArray[np.float64]


def add_samples(
    histogram: Histogram, block: Block, values: NDArray[np.float32], grid: Grid, slots: Slots, *, rows: NDArray[np.int64] | None = None
) -> None:
    """Add the samples of a block to a histogram that the caller owns, in place; `rows`: the histogram's row of each group (the group itself without)."""
    rows = block.groups if rows is None else rows
    peak = np.fmax.reduce(values, axis=1)
    if not block.is_single:
        peak = np.fmax.reduceat(peak, block.starts)
    raise_top(histogram, rows, exponent_of(peak))
    top = histogram.top[rows]
    base = np.where(top == EMPTY, 0, top - (BUCKETS - 1)).astype(np.int32)
    local = block.local
    counts = bucket_counts(values, local, base[local], grid, len(rows))
    add_counts(histogram, rows, counts, slots.slot, slots.weight)
