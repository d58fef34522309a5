"""Merging profiles of the same rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.daily import merge_daily
from upid.engine.usage.histogram import Histogram, add_histogram, empty_histogram, take
from upid.engine.usage.hourly import Hourly, advance, copy_hourly, merge_hourly
from upid.engine.usage.profile import Beside, UsageProfile
from upid.engine.usage.resident import merge_resident
from upid.engine.usage.runs import merge_runs
from upid.engine.usage.shifting import at_days
from upid.engine.usage.startups import merge_startups, steady


def merge(a: UsageProfile, b: UsageProfile) -> UsageProfile:
    """Return the profile of what both saw: times apart, or different rows of the same indexing. Equals one pass over everything.

    Exact for counts and days, to 1e-12 for sums and the older part. A start is known to the one that saw the silence before it. Hourly figures of the weeks before are exact where at most one of both has
    them. Rows with several pods at once in one profile only have the other's samples counted as of one pod.

    Raises
    ------
    ValueError
        If rows, workloads or steps differ.
    """
    if not np.array_equal(a.workload, b.workload) or len({a.step_seconds, b.step_seconds} - {0}) > 1:
        raise ValueError("Only profiles of the same rows, workloads and step can be merged.")
    if b.folded_until == 0:
        return a
    if a.folded_until == 0:
        return b
    if a.folded_until > b.folded_until:
        a, b = b, a
    first, newest = min(a.first_day, b.first_day), max(a.newest_day, b.newest_day)
    ours, theirs = at_days(a, first, newest), at_days(b, first, newest)
    return replace(
        theirs, folded_from=min(a.folded_from, b.folded_from), pods=np.maximum(a.pods, b.pods), steps=ours.steps + theirs.steps,
        cpu=_histograms(ours.cpu, theirs.cpu), memory=_histograms(ours.memory, theirs.memory),
        cpu_daily=merge_daily(ours.cpu_daily, theirs.cpu_daily), memory_daily=merge_daily(ours.memory_daily, theirs.memory_daily),
        cpu_busiest_total=ours.cpu_busiest_total + theirs.cpu_busiest_total,
        cpu_hourly=_hourly(a, b, a.cpu_hourly, b.cpu_hourly), memory_hourly=_hourly(a, b, a.memory_hourly, b.memory_hourly),
        throttled_total=ours.throttled_total + theirs.throttled_total, throttled_count=ours.throttled_count + theirs.throttled_count,
        oom_kills=ours.oom_kills + theirs.oom_kills, restarts=ours.restarts + theirs.restarts,
        oom_limit_bytes=np.fmax(ours.oom_limit_bytes, theirs.oom_limit_bytes),
        startup_cpu_cores=np.fmax(a.startup_cpu_cores, b.startup_cpu_cores), startup_memory_bytes=np.fmax(a.startup_memory_bytes, b.startup_memory_bytes),
        last_seen=np.maximum(a.last_seen, b.last_seen),
        busiest=_busiest(ours, theirs), summed=_summed(ours, theirs), runs=merge_runs(a.runs, b.runs),
        resident=merge_resident(ours.resident, theirs.resident), startups=merge_startups(ours.startups, theirs.startups),
    )  # fmt: skip


def _histograms(a: Histogram, b: Histogram) -> Histogram:
    result = take(b, np.arange(b.rows))
    add_histogram(result, np.arange(a.rows), a)
    return result


def _hourly(a: UsageProfile, b: UsageProfile, ours: Hourly, theirs: Hourly) -> Hourly:
    moved = copy_hourly(ours)
    advance(moved, (a.folded_until - 1) // 3600, (b.folded_until - 1) // 3600)
    return merge_hourly(moved, theirs)


def _busiest(a: UsageProfile, b: UsageProfile) -> Beside:
    """Merge the rows that had several pods in either; where the other has none, its pooled samples are of one pod at a time."""
    index = np.union1d(a.busiest.index, b.busiest.index)
    result = Beside(index, empty_histogram(len(index)), empty_histogram(len(index)))
    for profile in (a, b):
        has = np.isin(index, profile.busiest.index)
        place = np.searchsorted(profile.busiest.index, index[has])
        for name in ("cpu", "memory"):
            add_histogram(getattr(result, name), np.flatnonzero(has), take(getattr(profile.busiest, name), place))
            add_histogram(getattr(result, name), np.flatnonzero(~has), _alone(profile, name, index[~has]))
    return result


def _alone(profile: UsageProfile, metric: str, rows: NDArray[np.int64]) -> Histogram:
    """Return what rows with one pod at a time bring to the histograms beside: memory whole, CPU without start-ups."""
    return steady(profile.cpu, rows, profile.startups) if metric == "cpu" else take(profile.memory, rows)


def _summed(a: UsageProfile, b: UsageProfile) -> Beside:
    index = np.union1d(a.summed.index, b.summed.index)
    result = Beside(index, empty_histogram(len(index)), empty_histogram(len(index)))
    for profile in (a, b):
        has = np.isin(index, profile.summed.index)
        place = np.searchsorted(profile.summed.index, index[has])
        alone = np.flatnonzero(np.isin(profile.workload, index[~has]))
        for name in ("cpu", "memory"):
            add_histogram(getattr(result, name), np.flatnonzero(has), take(getattr(profile.summed, name), place))
            for row in alone:  # one container at a time: a workload without summed histograms has one series, so one such row
                add_histogram(
                    getattr(result, name),
                    np.searchsorted(index, profile.workload[row : row + 1]),
                    _alone(profile, name, np.array([row])),
                )
    return result
