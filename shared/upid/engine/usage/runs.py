"""Runs of what comes and goes: pods of Jobs and CronJobs. A run is one observation, by its peak, however long or short it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.blocks import Block, blocks_of
from upid.engine.usage.counting import valid_samples
from upid.engine.usage.samples import Samples

KEPT: Final = 96  # newest runs of a row
SILENT_SECONDS: Final = 600  # a pod that is silent for no longer goes on with the same run
Peaks = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Runs:
    """The newest runs of some rows, newest first: no pod had a sample on both sides of where one run ends and the next begins.

    `index`: which row each is, rising; `cpu`, `memory`: peak of the busiest pod, shape (rows, KEPT), NaN = none [cores, bytes]; `end`: end of the last
    step with a sample, shape (rows, KEPT), 0 = no run [s since the epoch]. The newest run may still go on.
    """

    index: Integers
    cpu: Peaks
    memory: Peaks
    end: Integers


def no_runs(index: Integers | None = None) -> Runs:
    """Return rows that have not run yet; none without `index`."""
    rows = np.zeros(0, dtype=np.int64) if index is None else index
    blank = np.full((len(rows), KEPT), np.nan, dtype=np.float32)
    return Runs(rows, blank, blank.copy(), np.zeros(blank.shape, dtype=np.int64))


def with_rows(runs: Runs, index: Integers) -> Runs:
    """Return the runs of the rows in `index` (rising), those that are not there yet without a run; always a copy."""
    result = no_runs(index)
    kept = np.isin(runs.index, index)
    place = np.searchsorted(index, runs.index[kept])
    result.cpu[place], result.memory[place], result.end[place] = runs.cpu[kept], runs.memory[kept], runs.end[kept]
    return result


def moved_runs(runs: Runs, target: Integers) -> Runs:
    """Return the runs under their rows' new numbers, `target[old]`, -1 = gone."""
    index = target[runs.index]
    order = np.flatnonzero(index >= 0)
    order = order[np.argsort(index[order], kind="stable")]
    return Runs(index[order], runs.cpu[order], runs.memory[order], runs.end[order])


def merge_runs(a: Runs, b: Runs) -> Runs:
    """Return the newest runs that either saw; a run that one saw begin and the other end counts as two."""
    index = np.union1d(a.index, b.index)
    one, two = with_rows(a, index), with_rows(b, index)
    return _newest(one, two)


def _newest(one: Runs, two: Runs) -> Runs:
    """Return the newest of two lists of runs of the same rows."""
    cpu, memory = np.concatenate([one.cpu, two.cpu], axis=1), np.concatenate([one.memory, two.memory], axis=1)
    end = np.concatenate([one.end, two.end], axis=1)
    order = np.argsort(-end, axis=1, kind="stable")[:, :KEPT]
    return Runs(
        one.index, np.take_along_axis(cpu, order, axis=1), np.take_along_axis(memory, order, axis=1), np.take_along_axis(end, order, axis=1)
    )


def fold_runs(before: Runs, samples: Samples, folded_until: int) -> Runs:
    """Return the runs with those of the samples' batch rows: steps that begin before `folded_until` only tell which pods go on.

    Without such steps, a row that had a sample within SILENT_SECONDS of them goes on with its run.
    """
    if samples.is_batch is None or not samples.is_batch.any():
        return before
    chosen = np.flatnonzero(samples.is_batch[samples.row])
    after = with_rows(before, np.union1d(before.index, samples.row[chosen]))
    skip = max(-(-(folded_until - samples.start) // samples.step_seconds), 0)
    for block in blocks_of(samples.row[chosen], samples.cpu_cores.shape[1]):
        after = _add(after, _found(block, chosen[block.series], samples, skip, after))
    return after


@dataclass(frozen=True, slots=True)
class _Found:
    """Runs in order of row and time: position of the row in Runs, peaks, end, and whether it is the row's newest run that goes on."""

    place: Integers
    cpu: Peaks
    memory: Peaks
    end: Integers
    goes_on: NDArray[np.bool_]


def _found(block: Block, series: Any, samples: Samples, skip: int, runs: Runs) -> _Found:
    cpu, memory = valid_samples(samples.cpu_cores[series]), valid_samples(samples.memory_bytes[series])
    there = ~np.isnan(cpu) | ~np.isnan(memory)
    lasts = np.zeros_like(there)
    for back in range(1, SILENT_SECONDS // samples.step_seconds + 2):
        lasts[:, back:] |= there[:, back:] & there[:, :-back]
    any_there, any_lasts = (np.logical_or.reduceat(part, block.starts, axis=0)[:, skip:] for part in (there, lasts))
    cores, size = (np.fmax.reduceat(part, block.starts, axis=0)[:, skip:] for part in (cpu, memory))
    place = np.searchsorted(runs.index, block.groups)
    if skip == 0:
        near = samples.start - runs.end[place, 0] <= SILENT_SECONDS
        any_lasts[:, 0] |= near & any_there[:, 0]
    group, step = np.nonzero(any_there)
    if not len(group):
        nothing = np.zeros(0, dtype=np.int64)
        return _Found(nothing, nothing.astype(np.float32), nothing.astype(np.float32), nothing, nothing.astype(bool))
    first_of_row = np.diff(group, prepend=-1) > 0
    begins = first_of_row | ~any_lasts[group, step]
    at = np.flatnonzero(begins)
    last = np.append(at[1:], len(group)) - 1
    rows = place[group[at]]
    return _Found(
        rows, np.fmax.reduceat(cores[group, step], at), np.fmax.reduceat(size[group, step], at),
        samples.start + (skip + step[last] + 1) * samples.step_seconds, any_lasts[group[at], step[at]] & (runs.end[rows, 0] > 0),
    )  # fmt: skip


def _add(runs: Runs, found: _Found) -> Runs:
    """Return the runs with those that were found: what goes on raises the newest run, the others come before it."""
    on, new = found.goes_on, ~found.goes_on
    runs.cpu[found.place[on], 0] = np.fmax(runs.cpu[found.place[on], 0], found.cpu[on])
    runs.memory[found.place[on], 0] = np.fmax(runs.memory[found.place[on], 0], found.memory[on])
    runs.end[found.place[on], 0] = found.end[on]
    place = found.place[new]
    if not len(place):
        return runs
    rank = np.arange(len(place)) - np.searchsorted(place, place)
    shape = (len(runs.index), int(rank.max()) + 1)
    cpu, memory, end = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32), np.zeros(shape, np.int64)
    cpu[place, rank], memory[place, rank], end[place, rank] = found.cpu[new], found.memory[new], found.end[new]
    return _newest(Runs(runs.index, cpu, memory, end), runs)
