"""Usage of a chosen size, as all benchmarks have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

END: Final = 1_795_392_000  # a Monday, 00:00 UTC
MIB: Final = 2.0**20


@dataclass(frozen=True, slots=True)
class Size:
    """How much usage there is: workloads of one container and one pod, days of history, seconds between samples."""

    containers: int
    days: int
    step_seconds: int

    @property
    def steps(self) -> int:
        """Samples of one container and metric."""
        return self.days * 86400 // self.step_seconds


def usage_of(size: Size, rows: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return CPU [cores] and memory [bytes] of some containers up to END, shape (rows, steps): a daily swing and noise around levels of their own."""
    hours = (END - size.days * 86400 + size.step_seconds * np.arange(size.steps)) / 3600 % 24
    day = (1 + 0.5 * np.sin(2 * np.pi * (hours - 9) / 24)).astype(np.float32)
    cpu = _wandering(rng, rng.gamma(1.5, 0.1, rows), day, 0.25)
    return cpu, _wandering(rng, rng.gamma(3.0, 100 * MIB, rows), 1 + 0.1 * (day - 1), 0.05)


def _wandering(rng: np.random.Generator, level: NDArray[np.float64], shape: NDArray[np.float32], spread: float) -> NDArray[np.float32]:
    noise = rng.standard_normal((level.size, shape.size), np.float32)
    noise *= np.float32(spread)
    np.exp(noise, out=noise)
    noise *= shape
    noise *= level.astype(np.float32)[:, None]
    return noise
