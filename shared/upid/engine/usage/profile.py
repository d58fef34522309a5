"""The usage profile: what analysis reads. Fixed-size, mergeable summaries of many rows, one row a (workload, container) pooled over its pods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.histogram import Histogram


@dataclass(frozen=True, slots=True)
class Daily:
    """Samples of one metric by UTC day, shape (rows, days): `count` [1], `total` and `squares` (sums of value and value squared), `peak` (NaN = none)."""

    count: NDArray[np.int32]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]
    peak: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Hourly:
    """Samples of one metric by hour of week (0 = Monday 00:00 UTC), shape (rows, 168), NaN = none.

    `peak` and `mean` are those of the latest week that the hour was seen in; `past_peak` and `past_mean` those of the weeks before, decayed by half a week.
    """

    peak: NDArray[np.float32]
    mean: NDArray[np.float32]
    past_peak: NDArray[np.float32]
    past_mean: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Beside:
    """Histograms of values made at each step over several pods; `index`: which row (or workload) each one is. Rows of a single pod are left out."""

    index: NDArray[np.int64]
    cpu: Histogram
    memory: Histogram


@dataclass(frozen=True, slots=True)
class UsageProfile:
    """Summaries of the usage of many rows up to `folded_until`. Made by `empty_profile`, grown by `fold`; arrays are never changed in place.

    Attributes
    ----------
    folded_until : int
        End of what is folded; samples before it are never folded again. 0 = nothing yet. [s since the epoch]
    folded_from : int
        Start of the first samples folded; 0 = nothing yet. [s since the epoch]
    step_seconds : int
        Step of the samples; 0 = nothing yet. [s]
    first_day : int
        Day of the first column of all daily arrays. [days since the epoch]
    newest_day : int
        Day of the histograms' first slot; -1 = nothing yet. [days since the epoch]
    reference_day : int
        Day that the histograms' older part weighs relative to. [days since the epoch]
    workload : ndarray, shape (rows,), int64
        Index of each row's workload.
    pods : ndarray, shape (rows,), int32
        Most pods seen in one fold. [1]
    steps : ndarray, shape (rows, days), int32
        Steps of a day in which any pod had a sample (time of one pod, not summed over pods). [1]
    cpu, memory : Histogram
        Pooled over pods. [cores], [bytes]
    cpu_daily, memory_daily : Daily
    cpu_hourly, memory_hourly : Hourly
    throttled_total, throttled_count : ndarray, shape (rows, days)
        Sum of the shares of throttled periods, and how many there were. [1]
    oom_kills, restarts : ndarray, shape (rows, days), int32
        Events by day. [1]
    oom_limit_bytes : ndarray, shape (rows, days), float64
        Highest memory limit at a kill; NaN = none. [bytes]
    startup_cpu_cores, startup_memory_bytes : ndarray, shape (rows,), float32
        Largest value within ten minutes of a pod's start; NaN = no start seen. [cores], [bytes]
    last_seen : ndarray, shape (rows,), int64
        End of the row's last step with a sample; 0 = none. [s since the epoch]
    busiest : Beside
        Highest value over a row's pods at each step, of rows that had more than one pod at once.
    summed : Beside
        Sum over all pods and containers of a workload at each step, of workloads with more than one series.
    """

    folded_until: int
    folded_from: int
    step_seconds: int
    first_day: int
    newest_day: int
    reference_day: int
    workload: NDArray[np.int64]
    pods: NDArray[np.int32]
    steps: NDArray[np.int32]
    cpu: Histogram
    memory: Histogram
    cpu_daily: Daily
    memory_daily: Daily
    cpu_hourly: Hourly
    memory_hourly: Hourly
    throttled_total: NDArray[np.float32]
    throttled_count: NDArray[np.int32]
    oom_kills: NDArray[np.int32]
    restarts: NDArray[np.int32]
    oom_limit_bytes: NDArray[np.float64]
    startup_cpu_cores: NDArray[np.float32]
    startup_memory_bytes: NDArray[np.float32]
    last_seen: NDArray[np.int64]
    busiest: Beside
    summed: Beside

    @property
    def rows(self) -> int:
        """How many rows the profile has."""
        return int(self.workload.shape[0])


def empty_profile(workload: NDArray[np.int64]) -> UsageProfile:
    """Return a profile of `len(workload)` rows without samples; `workload` is the index of each row's workload."""
    raise NotImplementedError


def reindex(profile: UsageProfile, source: NDArray[np.int64], workload: NDArray[np.int64]) -> UsageProfile:
    """Return a profile whose row i is row `source[i]` of `profile`, an empty row where that is -1; `workload` are the new rows' workload indices.

    New rows appear with -1; a row not named in `source` is gone, so name all that shall stay. A workload's summed histograms go with its first row.

    Raises
    ------
    ValueError
        If `source` and `workload` differ in shape, a row is out of range or named twice.
    """
    raise NotImplementedError
