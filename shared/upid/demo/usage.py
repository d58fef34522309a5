"""What every container run uses at every moment: pure functions of the run and the time, vectorised over both.

Time is cut into cells of `cell_seconds`; within a cell use is even. So the mean rate over whole cells, and the largest value within them, are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.demo.chance import normal, number, uniform
from upid.demo.plan import DAY, Plan, Run
from upid.demo.specs import CPU_SHAPES, MEMORY_SHAPES, ContainerSpec
from upid.domain.quantities import parse_quantity

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

MIB: Final = 2**20
PAGE: Final = 4096
BURST_SECONDS: Final = 600
BURST_SHARE: Final = 0.03
BURST_LEAST: Final = 2.0
BURST_MORE: Final = 6.0
STARTUP_SECONDS: Final = 180
STARTUP_TIMES: Final = 12.0
WARM_UP_SECONDS: Final = 120
GROWTH_PER_DAY: Final = 0.035
GROWTH_DAYS: Final = 30.0
CACHE_SECONDS: Final = 6 * 3600.0
LEAK_PER_DAY: Final = 0.06
LEAST_CORES: Final = 0.0002


@dataclass(frozen=True, slots=True)
class Usage:
    """Arrays of all runs of a plan, shape (runs,): what their use follows from."""

    cell_seconds: int
    anchor: int
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    seed: NDArray[np.uint64]
    cpu_shape: NDArray[np.int8]
    memory_shape: NDArray[np.int8]
    cpu_level: Floats
    memory_level: Floats
    cpu_limit: Floats
    memory_limit: Floats
    peak_hour: Floats

    def alive(self, rows: Rows, cells: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell in which cells each run runs, shape (rows, cells)."""
        begin = cells * self.cell_seconds
        return (begin[None, :] >= self.start[rows, None]) & (begin[None, :] < self.end[rows, None])

    def cpu_cores(self, rows: Rows, cells: NDArray[np.int64]) -> Floats:
        """Return the mean use of CPU in each cell, held to the limit, shape (rows, cells). [cores]"""
        return np.minimum(self._demand(rows, cells), self.cpu_limit[rows, None])

    def throttled(self, rows: Rows, cells: NDArray[np.int64]) -> Floats:
        """Return the share of CFS periods that were throttled in each cell, shape (rows, cells); 0 without a limit."""
        pressure = self._demand(rows, cells) / self.cpu_limit[rows, None]
        return np.clip(1.6 * pressure - 0.9, 0.0, 0.95)

    def memory_bytes(self, rows: Rows, cells: NDArray[np.int64]) -> Floats:
        """Return the working set in each cell, whole pages, below the limit, shape (rows, cells). [bytes]"""
        out = np.empty((len(rows), len(cells)))
        for code in np.unique(self.memory_shape[rows]):
            at = np.flatnonzero(self.memory_shape[rows] == code)
            out[at] = self._memory_factor(MEMORY_SHAPES[code], rows[at], cells)
        out *= self.memory_level[rows, None] * (1.0 + 0.006 * normal(self.seed[rows] + np.uint64(2), cells))
        return np.ceil(np.minimum(out, self.memory_limit[rows, None] - PAGE) / PAGE) * PAGE

    def _demand(self, rows: Rows, cells: NDArray[np.int64]) -> Floats:
        out = np.empty((len(rows), len(cells)))
        for code in np.unique(self.cpu_shape[rows]):
            at = np.flatnonzero(self.cpu_shape[rows] == code)
            out[at] = self._cpu_factor(CPU_SHAPES[code], rows[at], cells)
        noise = 1.0 + 0.08 * normal(self.seed[rows], cells) + 0.1 * self._slow(rows, cells)
        return np.maximum(out * self.cpu_level[rows, None] * np.maximum(noise, 0.2), LEAST_CORES)

    def _cpu_factor(self, shape: str, rows: Rows, cells: NDArray[np.int64]) -> Floats:
        factors: dict[str, Callable[[Rows, NDArray[np.int64]], Floats]] = {
            "daily": self._daily,
            "weekly": self._weekly,
            "bursty": self._bursts,
            "growing": lambda rows, cells: self._growth(cells)[None, :] * (0.7 + 0.3 * self._daily(rows, cells)),
            "startup": lambda rows, cells: np.where(self._age(rows, cells) < STARTUP_SECONDS, STARTUP_TIMES, 1.0),
            "batch": lambda rows, cells: np.where(self._age(rows, cells) < WARM_UP_SECONDS, 0.4, 1.0),
        }
        factor = factors.get(shape)
        return factor(rows, cells) if factor else np.ones((len(rows), len(cells)))

    def _memory_factor(self, shape: str, rows: Rows, cells: NDArray[np.int64]) -> Floats:
        factors: dict[str, Callable[[Rows, NDArray[np.int64]], Floats]] = {
            "follow": lambda rows, cells: 0.75 + 0.25 * np.minimum(self._daily(rows, cells), 1.5),
            "cache": lambda rows, cells: 0.35 + 0.65 * (1.0 - np.exp(-self._age(rows, cells) / CACHE_SECONDS)),
            "heap": self._heap,
            "growing": lambda rows, cells: np.broadcast_to(self._growth(cells)[None, :], (len(rows), len(cells))),
            "leak": lambda rows, cells: 1.0 + LEAK_PER_DAY * self._age(rows, cells) / DAY,
            "sawtooth": self._sawtooth,
        }
        factor = factors.get(shape)
        return factor(rows, cells) if factor else 1.0 + 0.02 * self._slow(rows, cells)

    def _heap(self, rows: Rows, cells: NDArray[np.int64]) -> Floats:
        """Return what a JVM holds: its heap fills within hours and is not given back."""
        return np.minimum(0.6 + self._age(rows, cells) / 9000.0, 1.0) - 0.04 * uniform(self.seed[rows] + np.uint64(3), cells)

    def _sawtooth(self, rows: Rows, cells: NDArray[np.int64]) -> Floats:
        """Return what grows until it is killed at the limit."""
        life = (self.end[rows] - self.start[rows])[:, None]
        return 0.3 + 0.75 * np.clip(self._age(rows, cells) / life, 0.0, 1.0) ** 2

    def _age(self, rows: Rows, cells: NDArray[np.int64]) -> Floats:
        age: Floats = np.maximum((cells * self.cell_seconds)[None, :] - self.start[rows, None], 0).astype(np.float64)
        return age

    def _daily(self, rows: Rows, cells: NDArray[np.int64]) -> Floats:
        hour = (cells * self.cell_seconds % DAY) / 3600.0
        wave = 0.5 + 0.5 * np.cos((hour[None, :] - self.peak_hour[rows, None]) * (np.pi / 12.0))
        return 0.25 + 1.15 * wave * wave

    def _weekly(self, rows: Rows, cells: NDArray[np.int64]) -> Floats:
        weekend = (cells * self.cell_seconds // DAY + 3) % 7 >= 5  # 1970-01-01 was a Thursday; Monday is 0
        return self._daily(rows, cells) * np.where(weekend, 0.3, 1.0)[None, :]

    def _bursts(self, rows: Rows, cells: NDArray[np.int64]) -> Floats:
        """Return 1, and in a few spells of ten minutes a multiple of it."""
        spells, index = np.unique(cells * self.cell_seconds // BURST_SECONDS, return_inverse=True)
        chance = uniform(self.seed[rows] + np.uint64(5), spells)
        height = BURST_LEAST + BURST_MORE * chance / BURST_SHARE
        return np.where(chance < BURST_SHARE, height, 0.6)[:, index]

    def _growth(self, cells: NDArray[np.int64]) -> Floats:
        days = (cells * self.cell_seconds - self.anchor) / DAY
        growth: Floats = 1.0 + GROWTH_PER_DAY * np.clip(days, -20.0, GROWTH_DAYS)
        return growth

    def _slow(self, rows: Rows, cells: NDArray[np.int64]) -> Floats:
        """Return noise that wanders over hours, within -3 and 3: straight lines between a random value every hour."""
        position = cells * self.cell_seconds / 3600.0
        first = int(np.floor(position[0]))
        knots = normal(self.seed[rows] + np.uint64(1), np.arange(first, int(position[-1]) + 2))
        left = np.floor(position).astype(np.int64) - first
        part = (position - np.floor(position))[None, :]
        return knots[:, left] * (1.0 - part) + knots[:, left + 1] * part


def usage_of(plan: Plan, cell_seconds: int) -> Usage:
    """Return the arrays of a plan's runs."""
    runs = plan.runs
    specs = [_spec(run) for run in runs]
    own = np.array([_level(run) for run in runs])
    return Usage(
        cell_seconds=cell_seconds,
        anchor=plan.scale.anchor,
        start=np.array([run.start for run in runs], np.int64),
        end=np.array([run.end for run in runs], np.int64),
        seed=np.array([number(run.id) for run in runs], np.uint64),
        cpu_shape=np.array([CPU_SHAPES.index(spec.cpu) for spec in specs], np.int8),
        memory_shape=np.array([MEMORY_SHAPES.index(spec.memory) for spec in specs], np.int8),
        cpu_level=np.array([spec.cpu_cores for spec in specs]) * own,
        memory_level=np.array([spec.memory_mib * MIB for spec in specs]) * (1.0 + 0.1 * (own - 1.0)),
        cpu_limit=np.array([_limit(spec.cpu_limit) for spec in specs]),
        memory_limit=np.array([_limit(spec.memory_limit) for spec in specs]),
        peak_hour=np.array([11.0 + 6.0 * (number(run.pod.workload.uid) % 1000) / 1000.0 for run in runs]),
    )


def _spec(run: Run) -> ContainerSpec:
    return run.pod.workload.spec.containers[run.position]


def _level(run: Run) -> float:
    """Return how much busier than its siblings a pod is: within 15 % for most, one in twelve half as busy again."""
    chance = number(f"{run.pod.uid}/level") % 1200 / 1200.0
    return 1.5 if chance < 1 / 12 else 0.85 + 0.3 * chance


def _limit(quantity: str) -> float:
    return parse_quantity(quantity) if quantity else np.inf
