"""What the rule sees of a profile: all of it, or all but a held-out tail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.daily import Daily, days_of_daily
from upid.engine.usage.histogram import DAY_SLOTS, Histogram, decayed
from upid.engine.usage.hourly import HOURS, Hourly, hour_of_week
from upid.engine.usage.profile import UsageProfile
from upid.engine.usage.resident import Resident, days_of
from upid.engine.usage.runs import Runs
from upid.engine.usage.startups import at_top, without

Floats = NDArray[np.float64]
STARTUP_RAMP: Final = (0.02, 0.10)  # share of running time from which start-ups are a part of it, none of it and all of it


@dataclass(frozen=True, slots=True)
class Density:
    """Weights of samples by bucket as seen from the newest day, shape (rows, BUCKETS), and the exponent of the highest bucket, shape (rows,)."""

    weights: Floats
    top: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Seen:
    """What sizing reads. Daily arrays end with the last day that is seen; `end` is the moment that counts as now. [s since the epoch]

    `cpu` and `busiest` are of steady state, `cpu` with start-ups as far as they are a large share of running time (STARTUP_RAMP). `busiest` has one row
    per row named in `busiest_rows`, `runs` one per row of a Job or CronJob that ran, `startup` one per row named in `startup_rows`.
    `startup_share`: of the row's samples, by their weight, shape (rows,); `startup_throttled`: mean share of throttled periods, 0 where none was
    measured, shape (startup_rows,). [1]
    """

    end: int
    step_seconds: int
    cpu: Density
    busiest: Density
    busiest_rows: NDArray[np.int64]
    steps: NDArray[np.int32]
    cpu_daily: Daily
    memory_daily: Daily
    cpu_busiest_total: Floats
    cpu_hourly: Hourly
    throttled_total: NDArray[np.float32]
    throttled_count: NDArray[np.int32]
    oom_kills: NDArray[np.int32]
    oom_limit_bytes: Floats
    last_seen: NDArray[np.int64]
    runs: Runs
    startup: Density
    startup_rows: NDArray[np.int64]
    startup_share: Floats
    startup_throttled: Floats
    resident: Resident

    @property
    def hours(self) -> Floats:
        """Time covered by samples of any pod, shape (rows,). [h]."""
        result: Floats = self.steps.sum(axis=1) * self.step_seconds / 3600
        return result


def _density(profile: UsageProfile, histogram: Histogram, first_slot: int) -> Density:
    slots = range(first_slot, DAY_SLOTS)
    weights = decayed(histogram, newest_day=profile.newest_day, reference_day=profile.reference_day, slots=slots)
    return Density(weights, histogram.top)


def apart(pooled: Density, startup: Density, rows: NDArray[np.int64]) -> tuple[Density, Floats]:
    """Return the pooled samples without those of start-ups, as far as these stand apart, and the start-ups' share of them, shape (rows,). [1]."""
    share = np.zeros(len(pooled.top))
    if not len(rows):
        return pooled, share
    whole = pooled.weights[rows]
    total = whole.sum(axis=1)
    share[rows] = startup.weights.sum(axis=1) / np.where(total > 0, total, 1)
    alone = 1 - np.clip((share[rows] - STARTUP_RAMP[0]) / (STARTUP_RAMP[1] - STARTUP_RAMP[0]), 0, 1)
    part = at_top(startup.top, startup.weights, pooled.top[rows])
    pooled.weights[rows] = without(whole, alone[:, None] * part)
    return pooled, share


def held_slots(profile: UsageProfile) -> int:
    """Return how many of the newest days make the held-out tail: two, or three where the newest has not seen its noon."""
    return 3 if profile.folded_until - profile.newest_day * 86400 < 43200 else 2


def seen(profile: UsageProfile, *, hold_out: int = 0) -> Seen:
    """Return what the rule sees when the newest `hold_out` days (0 to DAY_SLOTS) are held out."""
    days = max(profile.steps.shape[1] - hold_out, 0)
    end = profile.folded_until if hold_out == 0 else (profile.newest_day - hold_out + 1) * 86400
    steps = profile.steps[:, :days]
    last_seen = profile.last_seen
    if hold_out:
        last_day = profile.first_day + days - np.argmax((steps > 0)[:, ::-1], axis=1) if days else np.zeros(profile.rows, dtype=np.int64)
        last_seen = np.minimum(np.where((steps > 0).any(axis=1), last_day * 86400, 0), profile.last_seen)
    startup, startup_rows = _density(profile, profile.startups.cpu, hold_out), profile.startups.index
    cpu, startup_share = apart(_density(profile, profile.cpu, hold_out), startup, startup_rows)
    return Seen(
        end=end, step_seconds=profile.step_seconds, cpu=cpu,
        busiest=_density(profile, profile.busiest.cpu, hold_out), busiest_rows=profile.busiest.index, steps=steps,
        cpu_daily=days_of_daily(profile.cpu_daily, slice(0, days)), memory_daily=days_of_daily(profile.memory_daily, slice(0, days)),
        cpu_busiest_total=profile.cpu_busiest_total[:, :days], cpu_hourly=_hours_before(profile, end) if hold_out else profile.cpu_hourly,
        throttled_total=profile.throttled_total[:, :days], throttled_count=profile.throttled_count[:, :days],
        oom_kills=profile.oom_kills[:, :days], oom_limit_bytes=profile.oom_limit_bytes[:, :days], last_seen=last_seen,
        runs=_runs_before(profile.runs, end) if hold_out else profile.runs, startup=startup, startup_rows=startup_rows, startup_share=startup_share,
        startup_throttled=profile.startups.throttled_total / np.where(profile.startups.throttled_count > 0, profile.startups.throttled_count, 1), resident=days_of(profile.resident, slice(0, days)),
    )  # fmt: skip


def _runs_before(runs: Runs, end: int) -> Runs:
    """Return the runs without those that ended in the tail: what they reached before it is not known."""
    known = runs.end <= end
    blank = np.float32(np.nan)
    return replace(runs, cpu=np.where(known, runs.cpu, blank), memory=np.where(known, runs.memory, blank), end=np.where(known, runs.end, 0))


def _hours_before(profile: UsageProfile, end: int) -> Hourly:
    """Return the hourly figures without hours whose latest time lies in the tail."""
    hours = np.arange(end // 3600, (profile.folded_until - 1) // 3600 + 1, dtype=np.int64)
    held = np.zeros(HOURS, dtype=bool)
    held[hour_of_week(hours)] = True
    hourly = profile.cpu_hourly
    return replace(
        hourly, count=np.where(held, 0, hourly.count), mean=np.where(held, np.float32(np.nan), hourly.mean),
        peak=np.where(held, np.float32(np.nan), hourly.peak),
    )  # fmt: skip
