"""The usage profile: what analysis reads. Fixed-size, mergeable summaries of many rows, one row a (workload, container) pooled over its pods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.daily import Daily, empty_daily, placed, placed_daily
from upid.engine.usage.histogram import Histogram, empty_histogram, take
from upid.engine.usage.hourly import Hourly, copy_hourly, empty_hourly
from upid.engine.usage.resident import Resident, no_resident, placed_resident
from upid.engine.usage.runs import Runs, moved_runs, no_runs
from upid.engine.usage.startups import Startups, moved_startups, no_startups


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
        Pooled over pods, all samples. [cores], [bytes]
    cpu_daily, memory_daily : Daily
        All samples.
    cpu_busiest_total : ndarray, shape (rows, days), float64
        Sum over a day's steps of the highest CPU of any pod. [cores]
    cpu_hourly, memory_hourly : Hourly
        CPU of the busiest pod at each step, without start-ups; memory of all pods, pooled.
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
        Highest value over a row's pods at each step, of rows that had more than one pod at once; of CPU over those that do not start.
    summed : Beside
        Sum over all pods and containers of a workload at each step, of workloads with more than one series; CPU of a pod that starts counts as that of
        those beside it.
    startups : Startups
        CPU within ten minutes of a start, of rows that were seen to start.
    runs : Runs
        The newest runs of rows of Jobs and CronJobs, pod by pod.
    resident : Resident
        Resident memory by day, as far as the source tells it apart from page cache.
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
    cpu_busiest_total: NDArray[np.float64]
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
    runs: Runs
    resident: Resident
    startups: Startups

    @property
    def rows(self) -> int:
        """How many rows the profile has."""
        return int(self.workload.shape[0])


def _no_beside() -> Beside:
    return Beside(np.zeros(0, dtype=np.int64), empty_histogram(0), empty_histogram(0))


def empty_profile(workload: NDArray[np.int64]) -> UsageProfile:
    """Return a profile of `len(workload)` rows without samples; `workload` is the index of each row's workload."""
    rows = len(workload)
    none = np.zeros((rows, 0), dtype=np.int32)
    return UsageProfile(
        folded_until=0, folded_from=0, step_seconds=0, first_day=0, newest_day=-1, reference_day=0,
        workload=np.asarray(workload, dtype=np.int64), pods=np.zeros(rows, dtype=np.int32), steps=none,
        cpu=empty_histogram(rows), memory=empty_histogram(rows), cpu_daily=empty_daily(rows, 0), memory_daily=empty_daily(rows, 0),
        cpu_busiest_total=np.zeros((rows, 0)), cpu_hourly=empty_hourly(rows), memory_hourly=empty_hourly(rows), throttled_total=none.astype(np.float32), throttled_count=none,
        oom_kills=none, restarts=none, oom_limit_bytes=none.astype(np.float64), startup_cpu_cores=np.full(rows, np.nan, dtype=np.float32),
        startup_memory_bytes=np.full(rows, np.nan, dtype=np.float32), last_seen=np.zeros(rows, dtype=np.int64),
        busiest=_no_beside(), summed=_no_beside(), runs=no_runs(), resident=no_resident(rows, 0),
        startups=no_startups(),
    )  # fmt: skip


def _taken(array: NDArray[Any], source: NDArray[np.int64], blank: Any) -> NDArray[Any]:
    result = np.full(len(source), blank, dtype=array.dtype)
    result[source >= 0] = array[source[source >= 0]]
    return result


def _moved(beside: Beside, target: NDArray[np.int64]) -> Beside:
    """Return the histograms under their new indices, `target[old]`, -1 = gone, in order of the new ones."""
    index = target[beside.index]
    order = np.flatnonzero(index >= 0)
    order = order[np.argsort(index[order], kind="stable")]
    return Beside(index[order], take(beside.cpu, order), take(beside.memory, order))


def _targets(source: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    target = np.full(count, -1, dtype=np.int64)
    target[source[source >= 0]] = np.flatnonzero(source >= 0)
    return target


def reindex(profile: UsageProfile, source: NDArray[np.int64], workload: NDArray[np.int64]) -> UsageProfile:
    """Return a profile whose row i is row `source[i]` of `profile`, an empty row where that is -1; `workload` are the new rows' workload indices.

    New rows appear with -1; a row not named in `source` is gone, so name all that shall stay. A workload's summed histograms go with its rows.

    Raises
    ------
    ValueError
        If `source` and `workload` differ in shape, a row is out of range or named twice.
    """
    kept = source[source >= 0]
    if source.shape != workload.shape or len(np.unique(kept)) != len(kept) or (kept >= profile.rows).any():
        raise ValueError("source and workload must have one shape, and source must name each row of the profile at most once.")
    days = profile.steps.shape[1]
    workloads = np.full(int(profile.workload.max(initial=-1)) + 1, -1, dtype=np.int64)
    workloads[profile.workload[kept]] = workload[source >= 0]

    def _by_day(array: NDArray[Any]) -> NDArray[Any]:
        return placed(array, source, 0, days, is_missing_nan=array is profile.oom_limit_bytes)

    return replace(
        profile, workload=np.asarray(workload, dtype=np.int64), pods=_taken(profile.pods, source, 0), steps=_by_day(profile.steps),
        cpu=take(profile.cpu, source), memory=take(profile.memory, source), cpu_daily=placed_daily(profile.cpu_daily, source, 0, days),
        memory_daily=placed_daily(profile.memory_daily, source, 0, days), cpu_busiest_total=_by_day(profile.cpu_busiest_total), cpu_hourly=copy_hourly(profile.cpu_hourly, source),
        memory_hourly=copy_hourly(profile.memory_hourly, source), throttled_total=_by_day(profile.throttled_total),
        throttled_count=_by_day(profile.throttled_count), oom_kills=_by_day(profile.oom_kills), restarts=_by_day(profile.restarts),
        oom_limit_bytes=_by_day(profile.oom_limit_bytes), startup_cpu_cores=_taken(profile.startup_cpu_cores, source, np.nan),
        startup_memory_bytes=_taken(profile.startup_memory_bytes, source, np.nan), last_seen=_taken(profile.last_seen, source, 0),
        busiest=_moved(profile.busiest, _targets(source, profile.rows)), summed=_moved(profile.summed, workloads),
        runs=moved_runs(profile.runs, _targets(source, profile.rows)), resident=placed_resident(profile.resident, source, 0, days),
        startups=moved_startups(profile.startups, _targets(source, profile.rows)),
    )  # fmt: skip
