"""Runs of what comes and goes: pods of Jobs and CronJobs. A pod's run is one observation, by its peak, however long or short it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.blocks import blocks_of
from upid.engine.usage.counting import valid_samples
from upid.engine.usage.samples import Samples

KEPT: Final = 96  # newest runs of a row
AT_ONCE: Final = (
    12  # of pods that ran at the same time so many are kept: the first to end, and the busiest; the others join the least of these
)
SILENT_SECONDS: Final = 600  # a pod that is silent for no longer goes on with the same run
UNKNOWN: Final = -1
_LOOKED_AT: Final = 8 * KEPT  # newest runs that are thinned out to these
Peaks = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Runs:
    """The newest runs of some rows, newest end first, each of one pod; where more than AT_ONCE ran at the same time, the last of them stands for the rest.

    `index`: which row each is, rising. Shape (rows, KEPT): `cpu`, `memory`: peak, NaN = none [cores, bytes]; `begin`, `end`: of the first step with a
    sample and behind the last, 0 = no run [s since the epoch]; `pod`: its key in the samples, UNKNOWN where nobody kept it. A run may still go on.
    """

    index: Integers
    cpu: Peaks
    memory: Peaks
    begin: Integers
    end: Integers
    pod: Integers


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Pieces of runs one by one, shape (pieces,): position of the row in Runs, and what Runs has of each."""

    row: Integers
    cpu: Peaks
    memory: Peaks
    begin: Integers
    end: Integers
    pod: Integers


_NAMES: Final = ("cpu", "memory", "begin", "end", "pod")


def no_runs(index: Integers | None = None, most: int = KEPT) -> Runs:
    """Return rows that have not run yet; none without `index`."""
    rows = np.zeros(0, dtype=np.int64) if index is None else index
    blank, zero = np.full((len(rows), most), np.nan, dtype=np.float32), np.zeros((len(rows), most), dtype=np.int64)
    return Runs(rows, blank, blank.copy(), zero, zero.copy(), np.full(zero.shape, UNKNOWN, dtype=np.int64))


def moved_runs(runs: Runs, target: Integers) -> Runs:
    """Return the runs under their rows' new numbers, `target[old]`, -1 = gone."""
    index = target[runs.index]
    order = np.flatnonzero(index >= 0)
    order = order[np.argsort(index[order], kind="stable")]
    return Runs(index[order], *(getattr(runs, name)[order] for name in _NAMES))


def merge_runs(a: Runs, b: Runs) -> Runs:
    """Return the newest runs that either saw; of one that both saw the pieces are joined."""
    index = np.union1d(a.index, b.index)
    return _newest(index, [_pieces(a, index), _pieces(b, index)])


def one_at_a_time(begin: Integers, end: Integers) -> NDArray[np.bool_]:
    """Tell which runs are among the most that did not run at the same time, shape (rows, runs), newest end first; `end` 0 = no run.

    Each that begins no sooner than the last one taken ended is taken, oldest end first: no other choice finds more.
    """
    last, taken = np.full(len(end), np.iinfo(np.int64).min), np.zeros(end.shape, dtype=bool)
    for column in range(end.shape[1])[::-1]:
        taken[:, column] = (end[:, column] > 0) & (begin[:, column] >= last)
        last = np.where(taken[:, column], end[:, column], last)
    return taken


def places(begin: Integers, end: Integers) -> Integers:
    """Return how many runs of those that did not run at the same time came later, of each run: 0 for the newest and all beside it."""
    taken = one_at_a_time(begin, end)
    later: Integers = np.cumsum(taken, axis=1) - taken
    return later


def fold_runs(before: Runs, samples: Samples, folded_until: int) -> Runs:
    """Return the runs with those of the samples' batch rows: steps that begin before `folded_until` only tell which pods go on.

    A pod goes on with its run where it had a sample within SILENT_SECONDS, known by its key also without such steps. One that goes on and whose own run
    is not among those that are kept joins the busiest of those of its row that ended last: it stood for less than that.
    """
    if samples.is_batch is None or not samples.is_batch.any():
        return before
    chosen = np.flatnonzero(samples.is_batch[samples.row])
    index = np.union1d(before.index, samples.row[chosen])
    known = _pieces(before, index)
    return _newest(index, [known, *_found(samples, chosen, index, folded_until, known)])


def _pieces(runs: Runs, index: Integers) -> _Pieces:
    row, place = np.nonzero(runs.end)
    return _Pieces(np.searchsorted(index, runs.index)[row], *(getattr(runs, name)[row, place] for name in _NAMES))


def _found(samples: Samples, chosen: Integers, index: Integers, folded_until: int, known: _Pieces) -> Iterator[_Pieces]:
    """Yield the pieces of runs that the samples of some series hold behind `folded_until`."""
    skip = max(-(-(folded_until - samples.start) // samples.step_seconds), 0)
    keys = samples.key_of_pod
    for block in blocks_of(samples.row[chosen], samples.cpu_cores.shape[1]):
        series = chosen[block.series]
        cpu, memory = (_padded(values[series]) for values in (samples.cpu_cores, samples.memory_bytes))
        width = cpu.shape[1]
        line, begin, end = _stretches(~np.isnan(cpu) | ~np.isnan(memory), SILENT_SECONDS // samples.step_seconds + 1)
        new = end > skip
        line, goes_on, begin, end = line[new], begin[new] < skip, np.maximum(begin[new], skip), end[new]
        if not len(line):
            continue
        edges = (line * width)[:, None] + np.stack([begin, end], axis=1)
        cores, size = (np.fmax.reduceat(values.reshape(-1), edges.reshape(-1))[::2] for values in (cpu, memory))
        row, pod = np.searchsorted(index, samples.row[series[line]]), keys[series[line]]
        first, last = (samples.start + samples.step_seconds * step for step in (begin, end))
        yield _Pieces(row, cores, size, first, last, np.where(goes_on, _kept_key(row, pod, known), pod))


def _padded(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the samples with a step behind them that has none, so that every stretch ends."""
    return np.pad(valid_samples(values), ((0, 0), (0, 1)), constant_values=np.nan)


def _stretches(there: NDArray[np.bool_], gap: int) -> tuple[Integers, Integers, Integers]:
    """Return line, first step and the step behind the last of each stretch without `gap` steps or more of silence; the last step is silent."""
    width = there.shape[1]
    edge = np.diff(there.reshape(-1).astype(np.int8), prepend=np.int8(0))
    begin, end = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
    line = begin // width
    head = np.append(True, (np.diff(line) > 0) | (begin[1:] - end[:-1] >= gap))[: len(begin)]
    tail = np.append(head[1:], True)[: len(begin)]
    return line[head], begin[head] % width, end[tail] % width


def _kept_key(row: Integers, pod: Integers, known: _Pieces) -> Integers:
    """Return the key itself where the row has a run of it, else that of the busiest of the row's newest runs, its own where there is none."""
    newest = np.lexsort((np.nan_to_num(known.cpu, nan=-1), known.end, known.row))
    last = np.searchsorted(known.row[newest], row, side="right") - 1
    other = np.append(known.pod[newest], UNKNOWN)[last] if len(newest) else np.full(len(row), UNKNOWN)
    mine = (known.row[newest][np.maximum(last, 0)] == row) & (other != UNKNOWN) if len(newest) else np.zeros(len(row), dtype=bool)
    own = np.isin(_pair(row, pod), _pair(known.row, known.pod))
    return np.where(own | ~mine, pod, other)


def _pair(row: Integers, pod: Integers) -> Integers:
    return row * 2**34 + pod + 1


def _newest(index: Integers, parts: list[_Pieces]) -> Runs:
    """Return the newest runs of pieces: those of one run joined, and of pods that ran at the same time the AT_ONCE busiest."""
    every = _Pieces(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("row", *_NAMES)))
    order = np.lexsort((every.begin, every.pod, every.row))
    row, pod = every.row[order], every.pod[order]
    same = (np.diff(row) == 0) & (np.diff(pod) == 0) & (pod[1:] != UNKNOWN)
    same &= every.begin[order][1:] - every.end[order][:-1] <= SILENT_SECONDS
    looked_at = _laid(index, _joined(every, order, np.append(True, ~same)[: len(order)]), _LOOKED_AT)
    return _laid(index, _thinned(looked_at), KEPT)


def _joined(pieces: _Pieces, order: Integers, head: NDArray[np.bool_]) -> _Pieces:
    """Return the pieces in this order, each with those behind it up to the next head as one."""
    first = np.flatnonzero(head)
    if not len(first):
        return pieces
    how = {"cpu": np.fmax, "memory": np.fmax, "begin": np.minimum, "end": np.maximum}
    whole = {name: way.reduceat(getattr(pieces, name)[order], first) for name, way in how.items()}
    return _Pieces(row=pieces.row[order][first], pod=pieces.pod[order][first], **whole)


def _laid(index: Integers, pieces: _Pieces, most: int) -> Runs:
    """Return the newest pieces of each row side by side."""
    order = np.lexsort((pieces.pod, -pieces.cpu, -pieces.begin, -pieces.end, pieces.row))
    row = pieces.row[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    kept = rank < most
    runs = no_runs(index, most if most == KEPT else int(rank[kept].max(initial=0)) + 1)
    for name in _NAMES:
        getattr(runs, name)[row[kept], rank[kept]] = getattr(pieces, name)[order][kept]
    return runs


def _thinned(runs: Runs) -> _Pieces:
    """Return the runs one by one; of more than AT_ONCE of the same place the busiest by CPU, the least of them with the peaks of the others.

    The one that counts among those of different times always stays, so that how many these are never depends on what was used.
    """
    pieces, known = _pieces(runs, runs.index), np.nonzero(runs.end)
    taken, place = one_at_a_time(runs.begin, runs.end)[known], places(runs.begin, runs.end)[known]
    order = np.lexsort((pieces.pod, -pieces.cpu, ~taken, place, pieces.row))
    group = np.cumsum((np.diff(pieces.row[order], prepend=-1) != 0) | (np.diff(place[order], prepend=-1) != 0))
    rank = np.arange(len(order)) - np.searchsorted(group, group)
    return _joined(pieces, order, rank < AT_ONCE)
