"""Series cut by time: which part of each was where. NaN = no sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.rollups import Rollup, Sketch

Samples = NDArray[np.floating[Any]]
Integers = NDArray[np.int64]
NOWHERE: Final = -1


class Pieces(NamedTuple):
    """Parts of series by time, arrays of shape (pieces,): the series of each, and the steps [begin, end) that it has of it. No two have the same cell."""

    series: Integers
    begin: Integers
    end: Integers


def longest_within(since: Sequence[float], start: float, step_seconds: float, steps: int) -> Integers:
    """Return for each step which of the stays holds most of it, the first of several, NOWHERE for a step before all; shape (steps,).

    Parameters
    ----------
    since : sequence of float
        When each stay begins, ascending; it lasts until the next one does. [s since the epoch]
    start, step_seconds : float
        When the first step begins, and how long each is. [s since the epoch, s]
    """
    begin = start + step_seconds * np.arange(steps, dtype=np.float64)[:, None]
    first, behind = np.asarray(since, np.float64)[None], np.append(since[1:], np.inf)[None]
    held = np.clip(np.minimum(begin + step_seconds, behind) - np.maximum(begin, first), 0.0, None)
    return np.where(held.any(axis=1), held.argmax(axis=1), NOWHERE) if len(since) else np.full(steps, NOWHERE, np.int64)


def within(values: Samples, begin: Integers, end: Integers) -> Samples:
    """Return samples of shape (pieces, steps) without those outside of the steps [begin, end) of each piece; the same array where none is."""
    partial = np.flatnonzero((begin > 0) | (end < values.shape[1]))
    if not len(partial):
        return values
    step = np.arange(values.shape[1])[None]
    found = values.copy()
    found[partial] = np.where((step >= begin[partial, None]) & (step < end[partial, None]), values[partial], np.nan)
    return found


def cut_apart(rollup: Rollup, pieces: Pieces) -> Rollup:
    """Return the pieces of a rollup's series as series of their own, of as many steps: each has its own steps' figures and sketch, and nothing elsewhere."""
    steps, count = rollup.steps, len(pieces.series)
    lengths = np.maximum(pieces.end - pieces.begin, 0)
    piece = np.repeat(np.arange(count), lengths)
    step = np.arange(len(piece)) - np.repeat(np.cumsum(lengths) - lengths - pieces.begin, lengths)
    place = pieces.series[piece], step
    low, high, mean = (np.full((count, steps), np.nan, np.float32) for _ in range(3))
    counts = np.zeros((count, steps), np.int64)
    for into, table in ((low, rollup.low), (high, rollup.high), (mean, rollup.mean), (counts, rollup.count)):
        into[piece, step] = table[place]
    if rollup.sketch is None:
        return Rollup(low, high, mean, counts, None)
    of_cell = np.full(rollup.count.shape, NOWHERE, np.int64)
    of_cell[place] = piece
    return Rollup(low, high, mean, counts, _moved(rollup.sketch, of_cell))


def _moved(sketch: Sketch, of_cell: Integers) -> Sketch:
    """Return the entries of the cells that a piece has, in the order of the pieces."""
    piece = of_cell.reshape(-1)[sketch.cells]
    kept = np.flatnonzero(piece != NOWHERE)
    steps = max(of_cell.shape[1], 1)
    cells = piece[kept] * steps + sketch.cells[kept] % steps
    order = np.argsort(cells, kind="stable")  # within a cell entries keep their order, by exponent
    return Sketch(cells[order], sketch.exponents[kept][order], sketch.counts[kept][order])
