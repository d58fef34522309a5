"""What a person reads: quantiles and counts per row. Exact from samples, within a bucket from a profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

QUANTILES: Final = (0.5, 0.9, 0.95, 0.99)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """Unweighted figures of one metric per row, pooled over pods, shape (rows,), float64, NaN = no sample. [cores or bytes]."""

    mean: Floats
    p50: Floats
    p90: Floats
    p95: Floats
    p99: Floats
    max: Floats


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen of each row, shape (rows,).

    Attributes
    ----------
    source : str
        `samples` (exact, Hyndman-Fan 7) or `profile` (quantiles within half a bucket, 1.5 %).
    cpu, memory : Spread
        [cores], [bytes]
    cpu_samples, memory_samples : ndarray of int64
        Samples summed over pods. [1]
    samples : ndarray of int64
        Steps with a sample, of one pod, never summed over pods. [1]
    effective_samples : ndarray of float64
        What these steps are worth if they were independent; 0 = no sample. [1]
    pods : ndarray of int64
        Pods that had samples. [1]
    coverage : ndarray of float64
        Share of the steps since the row was first seen that have a sample, of the window's steps; 0 = no sample. [1]
    throttled_fraction : ndarray of float64
        Mean share of CFS periods throttled; NaN = none measured. [1]
    oom_kills, restarts : ndarray of int64
        Events. [1]
    """

    source: str
    cpu: Spread
    memory: Spread
    cpu_samples: NDArray[np.int64]
    memory_samples: NDArray[np.int64]
    samples: NDArray[np.int64]
    effective_samples: Floats
    pods: NDArray[np.int64]
    coverage: Floats
    throttled_fraction: Floats
    oom_kills: NDArray[np.int64]
    restarts: NDArray[np.int64]
