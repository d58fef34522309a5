"""Series cut by time: which part of each was where. NaN = no sample."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.engine.ranges import cells_in
from upid.engine.usage.rollups import Rollup, Sketch

Samples = NDArray[np.floating[Any]]
Integers = NDArray[np.int64]
NOWHERE: Final = -1


class Pieces(NamedTuple):
    """Parts of series by time, arrays of shape (pieces,): the series of each, and the steps [begin, end) that it has of it. No two have the same cell."""

    series: Integers
    begin: Integers
    end: Integers


class Stays(NamedTuple):
    """When series came to places, arrays of shape (stays,), sorted by series and time: each lasts until the next of its series. since: seconds since the epoch."""

    series: Integers
    since: NDArray[np.float64]
    place: Integers


def pieces_of(stays: Stays, before: Integers, start: float, step_seconds: float, steps: int) -> tuple[Pieces, Integers]:
    """Return series cut where they changed places, in their order, and the place of each piece. A step goes to the stay that has most of it, the first of several.

    Parameters
    ----------
    before : ndarray, shape (series,)
        The place of each series before its first stay. It has no step that the first stay has any of.
    start, step_seconds, steps : float, float, int
        The grid: when its first step begins [s since the epoch], how long each is [s], how many there are.
    """
    number = np.arange(len(before))
    series, begin, place = (
        np.concatenate(parts)
        for parts in zip((number, np.full(len(before), -2), before), *_changes(stays, start, step_seconds), strict=True)
    )
    order = np.lexsort((begin, series))  # stable: of changes at one step the last one counts
    series, begin, place = series[order], np.clip(begin[order], 0, steps), place[order]
    is_overtaken = (np.append(series[1:], -1) == series) & (np.append(begin[1:], -1) == begin)
    counts = (begin < steps) & ~is_overtaken
    series, begin, place = series[counts], begin[counts], place[counts]
    new = np.flatnonzero((np.diff(series, prepend=-1) != 0) | (np.diff(place, prepend=-2) != 0))
    series, begin, place = series[new], begin[new], place[new]
    end = np.append(begin[1:], steps)
    end[np.append(series[1:], -1) != series] = steps
    return Pieces(series, begin, end), place


def _changes(
    stays: Stays, start: float, step_seconds: float
) -> tuple[tuple[Integers, Integers, Integers], tuple[Integers, Integers, Integers]]:
    """Return (series, step, place) of two kinds of changes: behind the steps in which stays began, to the last of those, and in such steps, to the longest there."""
    count = len(stays.series)
    step = np.maximum(np.floor((stays.since - start) / step_seconds), -1).astype(np.int64)
    is_first = np.diff(stays.series, prepend=-1) != 0
    heads = np.flatnonzero(is_first | (np.diff(step, prepend=-2) != 0))  # of the stays that began in one step of a series
    if not count:
        return (stays.series, step, stays.place), (stays.series, step, stays.place)
    begin = start + step * step_seconds
    behind = np.where(np.append(is_first[1:], True), np.inf, np.append(stays.since[1:], np.inf))
    held = np.minimum(behind, begin + step_seconds) - stays.since
    most = np.maximum.reduceat(held, heads)
    is_most = held == np.repeat(most, np.diff(heads, append=count))
    longest = np.minimum.reduceat(np.where(is_most, np.arange(count), count), heads)
    earlier = np.where(is_first[heads], -1.0, stays.since[heads] - begin[heads])  # what the stay before has of the step
    longest = np.where(earlier >= most, heads - 1, longest)
    last = np.append(heads[1:], count) - 1
    series, at = stays.series[heads], step[heads]
    return (series, at + 1, stays.place[last]), (series, at, stays.place[longest])


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
    piece, step = cells_in(pieces.begin, pieces.end)
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
