"""Samples of many series on one regular grid, with the row that each series belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Samples:
    """Usage of pods' containers. A series is one pod's container; a row is one (workload, container), pooled over its pods.

    Step `i` covers [start + i * step_seconds, start + (i + 1) * step_seconds), in seconds since the epoch.

    Attributes
    ----------
    start, step_seconds : int
        The grid. [s]
    cpu_cores : ndarray, shape (series, steps), float32
        Mean rate over the step; NaN = no sample. [cores]
    memory_bytes : ndarray, shape (series, steps), float32
        Largest working set within the step; NaN = no sample. [bytes]
    throttled : ndarray, shape (series, steps), float32
        Share of CFS periods throttled in the step; NaN = no sample or no limit. [1]
    oom_kills, restarts : ndarray, shape (series,), int
        Events within the grid. [1]
    oom_limit_bytes : ndarray, shape (series,), float64
        Memory limit at the kill; NaN = none known. [bytes]
    row : ndarray, shape (series,), int
        Index of the row that the series belongs to.
    workload : ndarray, shape (rows,), int
        Index of the workload that each row belongs to.
    is_batch : ndarray, shape (rows,), bool, or None
        Rows whose pods come and go: of Jobs and CronJobs. None = none of them.
    pods : ndarray, shape (series,), int, or None
        How many pods each series is of: short-lived pods of a row that ran one after the other may share one. None = one each.
    pod_keys : ndarray, shape (series,), int, or None
        A number below 2 ** 34, 0 or more, that tells the pods of a row apart and is the same in all samples that are folded into one profile. None = the
        place of the series, which then has to be the same.
    """

    start: int
    step_seconds: int
    cpu_cores: NDArray[np.float32]
    memory_bytes: NDArray[np.float32]
    throttled: NDArray[np.float32]
    oom_kills: NDArray[np.int32]
    restarts: NDArray[np.int32]
    oom_limit_bytes: NDArray[np.float64]
    row: NDArray[np.int64]
    workload: NDArray[np.int64]
    is_batch: NDArray[np.bool_] | None = None
    pods: NDArray[np.int64] | None = None
    pod_keys: NDArray[np.int64] | None = None

    @property
    def end(self) -> int:
        """The moment behind the last step. [s since the epoch]."""
        return self.start + self.step_seconds * int(self.cpu_cores.shape[1])

    @property
    def rows(self) -> int:
        """How many rows the samples speak of, those without a series included."""
        return int(self.workload.shape[0])

    @property
    def pods_of_series(self) -> NDArray[np.int64]:
        """How many pods each series is of."""
        return np.ones(len(self.row), dtype=np.int64) if self.pods is None else self.pods

    @property
    def key_of_pod(self) -> NDArray[np.int64]:
        """What each series' pod is known by."""
        return np.arange(len(self.row)) if self.pod_keys is None else self.pod_keys
