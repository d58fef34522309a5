"""Samples on longer steps without losing what a percentile needs: lowest, highest, mean, number, and a sketch of the values, all of which merge.

The sketch is the histogram of `upid.engine.usage.histogram`: buckets 3 % wide by exponent, here as many as there are. Quantiles of it are off by 1.5 %
at most, whether samples went into it at once or over several steps of downsampling. NaN = no sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.histogram import GROWTH, LOWEST, exponent_of
from upid.engine.usage.queries import quantile_of

Samples = NDArray[np.floating[Any]]
Integers = NDArray[np.int64]
_SHIFT: Final = 1 << 16
_MIDDLE: Final = 1 << 15  # exponents of float32 lie between -701 and 3002


@dataclass(frozen=True, slots=True)
class Sketch:
    """How many samples of a cell lie in a bucket [GROWTH**exponent, GROWTH**(exponent + 1)), sorted by cell and exponent; arrays of shape (entries,).

    cells: series * steps + step. The lowest exponent, LOWEST, takes all below, zero included.
    """

    cells: NDArray[np.int64]
    exponents: NDArray[np.int16]
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rollup:
    """Figures of samples, each of shape (series, steps). sketch: None = not read."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    mean: NDArray[np.float32]
    count: NDArray[np.int64]
    sketch: Sketch | None

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return int(self.count.shape[1])


class Part(NamedTuple):
    """A rollup, the row that each of its series has in a larger one, and the step that it begins at there."""

    rollup: Rollup
    rows: Integers
    at: int


def rolled(values: Samples, factor: int) -> Rollup:
    """Return samples of shape (series, n * factor) on steps `factor` times as long; ValueError where they are no whole number of steps."""
    blocks = _blocks(values, factor)
    there = ~np.isnan(blocks)
    count = there.sum(axis=2, dtype=np.int64)
    total = np.where(there, blocks, 0.0).sum(axis=2, dtype=np.float64)
    row, place = np.nonzero(~np.isnan(values))
    sketch = _counted(row * count.shape[1] + place // factor, exponent_of(values[row, place]).astype(np.int64), np.ones(len(row), np.int64))
    return Rollup(
        np.fmin.reduce(blocks, axis=2).astype(np.float32), np.fmax.reduce(blocks, axis=2).astype(np.float32), _ratio(total, count), count, sketch
    )  # fmt: skip


def coarser(rollup: Rollup, factor: int) -> Rollup:
    """Return a rollup on steps `factor` times as long: what `rolled` makes of the samples at once, the mean to 1e-6. ValueError as `rolled`."""
    count = _blocks(rollup.count, factor).sum(axis=2)
    total = _blocks(np.where(rollup.count > 0, rollup.mean, 0.0).astype(np.float64) * rollup.count, factor).sum(axis=2)
    low, high = np.fmin.reduce(_blocks(rollup.low, factor), axis=2), np.fmax.reduce(_blocks(rollup.high, factor), axis=2)
    sketch = rollup.sketch
    if sketch is not None:
        row, step = np.divmod(sketch.cells, max(rollup.steps, 1))
        sketch = _counted(row * count.shape[1] + step // factor, sketch.exponents.astype(np.int64), sketch.counts)
    return Rollup(low, high, _ratio(total, count), count, sketch)


def put_together(parts: Sequence[Part], series: int, steps: int) -> Rollup:
    """Return one rollup of shape (series, steps) of parts that do not overlap; it has a sketch where all of them have one."""
    low, high, mean = (np.full((series, steps), np.nan, np.float32) for _ in range(3))
    count = np.zeros((series, steps), np.int64)
    for rollup, rows, at in parts:
        place = np.s_[rows[:, None], np.arange(at, at + rollup.steps)[None]]
        low[place], high[place], mean[place], count[place] = rollup.low, rollup.high, rollup.mean, rollup.count
    sketches = [_moved(part, steps) for part in parts]
    known = [sketch for sketch in sketches if sketch is not None]
    if len(known) < len(sketches):
        return Rollup(low, high, mean, count, None)
    cells, exponents, counts = (
        np.concatenate([np.empty(0, np.int64), *(getattr(sketch, name) for sketch in known)]).astype(np.int64)
        for name in ("cells", "exponents", "counts")
    )
    return Rollup(low, high, mean, count, _counted(cells, exponents, counts))


def cut(rollup: Rollup, begin: int, end: int) -> Rollup:
    """Return the steps [begin, end) of a rollup."""
    sketch = rollup.sketch
    if sketch is not None:
        row, step = np.divmod(sketch.cells, max(rollup.steps, 1))
        kept = (step >= begin) & (step < end)
        sketch = Sketch((row * (end - begin) + step - begin)[kept], sketch.exponents[kept], sketch.counts[kept])
    steps = slice(begin, end)
    return Rollup(rollup.low[:, steps], rollup.high[:, steps], rollup.mean[:, steps], rollup.count[:, steps], sketch)


def taken(rollup: Rollup, rows: Integers) -> Rollup:
    """Return some distinct series of a rollup, in the order of `rows`."""
    sketch = rollup.sketch
    if sketch is not None:
        place = np.full(len(rollup.count), -1, np.int64)
        place[rows] = np.arange(len(rows))
        row, step = np.divmod(sketch.cells, max(rollup.steps, 1))
        kept = place[row] >= 0
        sketch = _counted((place[row] * rollup.steps + step)[kept], sketch.exponents[kept].astype(np.int64), sketch.counts[kept])
    return Rollup(rollup.low[rows], rollup.high[rows], rollup.mean[rows], rollup.count[rows], sketch)


def figure(rollup: Rollup, how: str) -> NDArray[np.float64]:
    """Return one figure of each cell, shape (series, steps): mean, max, min, sum, count, or p0 to p100 of the samples (of the sketch, within 1.5 %).

    Raises
    ------
    ValueError
        For an unknown `how`, or a quantile of a rollup without its sketch.
    """
    simple: dict[str, NDArray[Any]] = {"mean": rollup.mean, "max": rollup.high, "min": rollup.low, "count": rollup.count}
    if how in simple:
        return simple[how].astype(np.float64)
    if how == "sum":
        return rollup.mean.astype(np.float64) * np.where(rollup.count > 0, rollup.count, np.nan)
    probability = quantile_of(how)
    if rollup.sketch is None:
        raise ValueError("A quantile needs the sketch.")
    return _quantile(rollup, rollup.sketch, probability)


def spread(rollup: Rollup, width: int) -> NDArray[np.float32]:
    """Return samples that have the figures of a rollup, `width` places for each of its steps: shape (series, steps * width).

    A step's samples stand in it by size, from its first place to its last, each the middle of its bucket and within 1.5 % of one that was measured; the
    lowest and the highest are those themselves. Where fewer than `width` were measured, places between stay NaN. When series are joined place by
    place, their samples thus meet those of the same rank: the highest of a sum is at most what is found, a mean stays as it is.

    Raises
    ------
    ValueError
        For a rollup without its sketch.
    """
    if rollup.sketch is None:
        raise ValueError("Samples need the sketch.")
    held, low, high = rollup.count.reshape(-1), rollup.low.reshape(-1), rollup.high.reshape(-1)
    cells, counts = rollup.sketch.cells, rollup.sketch.counts
    exponent = rollup.sketch.exponents.astype(np.float64)
    middle = np.clip(np.where(exponent == LOWEST, 0.0, GROWTH ** (exponent + 0.5)), low[cells], high[cells]).astype(np.float32)
    cell = np.repeat(cells, counts)
    rank, last = np.arange(len(cell)) - (np.cumsum(held) - held)[cell], held[cell] - 1
    values = np.where(rank == last, high[cell], np.where(rank == 0, low[cell], np.repeat(middle, counts)))
    place = np.where(last > 0, (2 * rank * (width - 1) + last) // np.maximum(2 * last, 1), width - 1)
    found = np.full((len(held), width), np.nan, np.float32)
    found[cell, place] = values
    return found.reshape(len(rollup.count), rollup.steps * width)


def _quantile(rollup: Rollup, sketch: Sketch, probability: float) -> NDArray[np.float64]:
    """Return the value of the sample of rank ceil(p * n): the middle of its bucket, but nothing outside of what was seen."""
    held = rollup.count.reshape(-1)
    before = np.cumsum(held) - held
    rank = np.maximum(np.ceil(probability * held - 1e-9), 1).astype(np.int64)
    found = np.full(held.shape, np.nan)
    there = held > 0
    entry = np.searchsorted(np.cumsum(sketch.counts), (before + rank)[there], side="left")
    exponent = sketch.exponents[entry].astype(np.float64)
    found[there] = np.where(exponent == LOWEST, 0.0, GROWTH ** (exponent + 0.5))
    clipped: NDArray[np.float64] = np.clip(found.reshape(rollup.count.shape), rollup.low.astype(np.float64), rollup.high.astype(np.float64))
    return clipped


def _moved(part: Part, steps: int) -> Sketch | None:
    sketch = part.rollup.sketch
    if sketch is None:
        return None
    row, step = np.divmod(sketch.cells, max(part.rollup.steps, 1))
    return Sketch(part.rows[row] * steps + part.at + step, sketch.exponents, sketch.counts)


def _counted(cells: Integers, exponents: Integers, counts: Integers) -> Sketch:
    """Return a sketch of entries in any order, with those of one cell and exponent added up."""
    keys, place = np.unique(cells * _SHIFT + (exponents + _MIDDLE), return_inverse=True)
    total = np.bincount(place, weights=counts, minlength=len(keys)).astype(np.int64)
    return Sketch(keys // _SHIFT, (keys % _SHIFT - _MIDDLE).astype(np.int16), total)


def _blocks(values: NDArray[Any], factor: int) -> NDArray[Any]:
    if factor < 1 or values.shape[1] % factor:
        raise ValueError(f"{values.shape[1]} steps are no whole number of steps of {factor}.")
    return values.reshape(len(values), values.shape[1] // factor, factor)


def _ratio(total: NDArray[np.float64], count: Integers) -> NDArray[np.float32]:
    found = np.full(total.shape, np.nan)
    np.divide(total, count, out=found, where=count > 0)
    return found.astype(np.float32)
