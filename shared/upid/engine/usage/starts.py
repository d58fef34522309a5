"""Which samples are of a start: the first ten minutes of a pod that was not there before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.counting import BLOCK_SAMPLES
from upid.engine.usage.runs import SILENT_SECONDS
from upid.engine.usage.samples import Samples

STARTUP_SECONDS: Final = 600
Integers = NDArray[np.int64]
Values = NDArray[np.float32]


def context_seconds(step_seconds: int) -> int:
    """Return how much time in front of new samples tells which of them are of a start. [s]."""
    return STARTUP_SECONDS + SILENT_SECONDS + step_seconds


@dataclass(frozen=True, slots=True)
class Starts:
    """Starts of series, shape (starts,): `series`, and the step `first` that each began in, below 0 where that lies in front of the steps.

    `length`: steps of a start-up. Batch rows are not among them: a run is a run.
    """

    series: Integers
    first: Integers
    length: int

    def steps(self, steps: int) -> Integers:
        """Return the steps of each start-up, shape (starts, length); those outside of [0, steps) as the nearest step of it."""
        nearest: Integers = np.clip(self.first[:, None] + np.arange(self.length), 0, steps - 1)
        return nearest

    def values(self, values: Values) -> Values:
        """Return the values within each start-up, shape (starts, length); NaN outside of the steps."""
        at = self.first[:, None] + np.arange(self.length)
        inside = (at >= 0) & (at < values.shape[1])
        return np.where(inside, values[self.series[:, None], self.steps(values.shape[1])], np.float32(np.nan))

    def without(self, values: Values, series: Any, count: int) -> Values:
        """Return values of some of `count` series, shape (len(series), steps), NaN where they are of a start; the very same array where none is."""
        place = np.full(count, -1, dtype=np.int64)
        place[series] = np.arange(len(values))
        row = place[self.series]
        some = row >= 0
        if not some.any():
            return values
        result = values.copy()
        result[row[some][:, None], self.steps(values.shape[1])[some]] = np.nan
        return result


def starts_of(samples: Samples, *, batch: bool = False) -> Starts:
    """Return the starts within the samples: of a series' first sample behind a silence that is longer than a run's own (SILENT_SECONDS).

    Within so much time of the grid's beginning nobody knows whether a series was there before, and none starts. A container that begins again within
    its pod is silent for less, and does not start. `batch`: those of batch rows instead.
    """
    length, gap = max(STARTUP_SECONDS // samples.step_seconds, 1), SILENT_SECONDS // samples.step_seconds + 1
    is_batch = np.zeros(len(samples.row), dtype=bool) if samples.is_batch is None else samples.is_batch[samples.row]
    chosen = np.flatnonzero(is_batch == batch)
    if len(chosen):
        with np.errstate(invalid="ignore", over="ignore"):
            chosen = chosen[np.isnan(np.add.reduce(samples.cpu_cores, axis=1)[chosen])]  # a sum with NaN is NaN, in one quick pass
    steps, found = samples.cpu_cores.shape[1], [(np.zeros(0, dtype=np.int64),) * 2]
    size = max(BLOCK_SAMPLES // max(steps, 1), 1)
    for begin in range(0, len(chosen), size):
        part = chosen[begin : begin + size]
        series, step = _begins(~np.isnan(samples.cpu_cores[part]) | ~np.isnan(samples.memory_bytes[part]), gap)
        found.append((part[series], step))
    series, first = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Starts(series, first, length)


def _begins(there: NDArray[np.bool_], gap: int) -> tuple[Integers, Integers]:
    """Return series and step of each sample with none in the `gap` steps before it, all of them within the grid."""
    steps = there.shape[1]
    edge = np.diff(there.astype(np.int8), axis=1, prepend=np.int8(0)).reshape(-1)
    begins, ends = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
    last = np.searchsorted(ends, begins) - 1
    silent_since = np.where(last >= 0, ends[np.maximum(last, 0)], 0) if len(ends) else np.zeros(len(begins), dtype=np.int64)
    silent_since = np.maximum(silent_since, begins // steps * steps)
    series, step = np.divmod(begins[begins - silent_since >= gap], steps)
    return series, step


def behind(starts: Starts, skip: int) -> Starts:
    """Return the start-ups that reach behind the first `skip` steps, counted from there."""
    kept = starts.first + starts.length > skip
    return Starts(starts.series[kept], starts.first[kept] - skip, starts.length)
