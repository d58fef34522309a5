"""Samples of series, reduced over windows that end at each step: what range functions and instant selectors see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.demo.prometheus.family import Cells, Family, Floats, Rows
from upid.demo.prometheus.syntax import QueryError

AT_ONCE: Final = 1 << 21  # values that are worked out at a time
GAUGE: Final = frozenset({"max_over_time", "min_over_time", "sum_over_time", "avg_over_time", "count_over_time", "present_over_time"})


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows (t - span, t] of cells for each moment t; none reaches past `now`. The sample of cell i is taken at its end."""

    times: Floats
    span_seconds: float
    cell_seconds: int
    now: float

    @property
    def bounds(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The first cell of each window and the one behind its last."""
        last = np.floor(np.minimum(self.times, self.now) / self.cell_seconds).astype(np.int64)
        first = np.floor((self.times - self.span_seconds) / self.cell_seconds).astype(np.int64)
        return np.minimum(first, last), last

    def reached(self, family: Family, rows: Rows) -> Rows:
        """Return those rows that live in any of the windows."""
        first, last = self.bounds
        lives = family.lives[rows]
        there = (lives[:, 0] < int(last.max()) * self.cell_seconds) & (lives[:, 1] > int(first.min()) * self.cell_seconds)
        return rows[there]

    def over(self, family: Family, rows: Rows, function: str) -> Floats:
        """Return a function of each window, shape (rows, times); NaN where a series has no sample in it."""
        if family.kind == "constant":
            return self._constant(family, rows, function)
        first, last = self.bounds
        cells = np.arange(first.min(), max(last.max(), first.min() + 1))
        piece = max(1, AT_ONCE // len(cells))
        out = np.empty((len(rows), len(self.times)))
        for at in range(0, len(rows), piece):
            out[at : at + piece] = self._reduced(family, rows[at : at + piece], cells, function)
        return out

    def _reduced(self, family: Family, rows: Rows, cells: Cells, function: str) -> Floats:
        assert family.cells is not None
        alive = self._alive(family, rows, cells)
        count = self._segments(np.add, alive.astype(np.float64), 0.0)
        if family.kind == "counter":
            values = self._counter(family, rows, cells, function)
        elif function in GAUGE:
            values = self._gauge(family.cells(rows, cells), alive, count, function)
        elif function == "last_over_time":
            values = self._latest(family.cells(rows, cells), alive)
        else:
            raise QueryError(f"{function} of a gauge is not supported by the demo cluster")
        return np.where(count >= self._least(function), values, np.nan)

    def _alive(self, family: Family, rows: Rows, cells: Cells) -> NDArray[np.bool_]:
        begin = cells[None, :] * self.cell_seconds
        alive: NDArray[np.bool_] = (begin >= family.lives[rows, :1]) & (begin < family.lives[rows, 1:])
        return alive

    def _least(self, function: str) -> int:
        """Return how many samples a function needs: a rate two, where a window can hold two."""
        return 2 if function in {"rate", "increase"} and self.span_seconds >= 2 * self.cell_seconds else 1

    def _gauge(self, values: Floats, alive: NDArray[np.bool_], count: Floats, function: str) -> Floats:
        if function == "max_over_time":
            return self._segments(np.maximum, np.where(alive, values, -np.inf), -np.inf)
        if function == "min_over_time":
            return self._segments(np.minimum, np.where(alive, values, np.inf), np.inf)
        if function in {"count_over_time", "present_over_time"}:
            return count if function == "count_over_time" else np.ones_like(count)
        total = self._segments(np.add, np.where(alive, values, 0.0), 0.0)
        return total / np.maximum(count, 1.0) if function == "avg_over_time" else total

    def _counter(self, family: Family, rows: Rows, cells: Cells, function: str) -> Floats:
        assert family.cells is not None
        alive = self._alive(family, rows, cells)
        if function == "resets":  # a run's counters begin with it and never again
            return np.zeros((len(rows), len(self.times)))
        if function not in {"rate", "increase", "changes"}:
            return self._level(family, rows, cells, function)
        added = np.where(alive, family.cells(rows, cells), 0.0)
        total = self._segments(np.add, added, 0.0) * self.cell_seconds
        if function == "changes":
            return np.ceil(self._segments(np.add, (added > 0).astype(np.float64), 0.0))
        # A window that a series fills but for one sample is extrapolated to its ends, as Prometheus does.
        whole, count = self.span_seconds / self.cell_seconds, self._segments(np.add, alive.astype(np.float64), 0.0)
        full = np.where(count >= whole - 1.1, whole / np.maximum(count, 1.0), 1.0)
        return total * full / (self.span_seconds if function == "rate" else 1.0)

    def _level(self, family: Family, rows: Rows, cells: Cells, function: str) -> Floats:
        """Return a counter's own value. For speed it grows evenly from the series' start, but where it counts single events."""
        alive = self._alive(family, rows, cells)
        if "restarts" in family.name or "oom_events" in family.name:
            level = self._events(family, rows, cells)
        else:
            level = np.maximum(cells[None, :] * self.cell_seconds - family.lives[rows, :1], 0.0) * 0.1
        if function == "last_over_time":
            return self._latest(level, alive)
        if function not in GAUGE:
            raise QueryError(f"{function} of a counter is not supported by the demo cluster")
        return self._gauge(level, alive, self._segments(np.add, alive.astype(np.float64), 0.0), function)

    def _events(self, family: Family, rows: Rows, cells: Cells) -> Floats:
        assert family.cells is not None
        since = int(family.lives[rows, 0].min()) // self.cell_seconds
        begin = min(max(since, int(cells[0]) - 90 * 86400 // self.cell_seconds), int(cells[0]))
        added = family.cells(rows, np.arange(begin, cells[-1] + 1)) * self.cell_seconds
        return np.rint(np.cumsum(added, axis=1)[:, int(cells[0]) - begin :])

    def _latest(self, values: Floats, alive: NDArray[np.bool_]) -> Floats:
        first, last = self.bounds
        place = np.where(alive, np.arange(alive.shape[1])[None, :], -1)
        newest = np.maximum.accumulate(place, axis=1)[:, np.clip(last - 1 - first.min(), 0, None)]
        return np.take_along_axis(values, np.maximum(newest, 0), axis=1)

    def _segments(self, function: np.ufunc, values: Floats, fill: float) -> Floats:
        """Reduce each window's cells; `fill` where a window holds none."""
        first, last = self.bounds
        low, high = first - first.min(), last - first.min()
        padded = np.concatenate([values, np.full((len(values), 1), fill)], axis=1)
        pairs = np.stack([low, np.minimum(high, values.shape[1])], axis=1).ravel()
        reduced: Floats = function.reduceat(padded, pairs, axis=1)[:, ::2]
        return np.where(high > low, reduced, fill)

    def _constant(self, family: Family, rows: Rows, function: str) -> Floats:
        assert family.values is not None
        first, last = self.bounds
        begin, end = first * self.cell_seconds, last * self.cell_seconds
        alive = (family.lives[rows, :1] < end) & (family.lives[rows, 1:] > begin) & (last > first)
        still = {"rate": 0.0, "increase": 0.0, "changes": 0.0, "resets": 0.0, "present_over_time": 1.0}.get(function)
        values = np.broadcast_to(family.values[rows, None] if still is None else np.float64(still), alive.shape)
        if function in {"count_over_time", "sum_over_time"}:
            overlap = np.minimum(family.lives[rows, 1:], end) - np.maximum(family.lives[rows, :1], begin)
            count = np.maximum(overlap // self.cell_seconds, 1)
            values = count * (values if function == "sum_over_time" else 1.0)
        return np.where(alive, values, np.nan)
