"""What a container needs of memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.batch import run_memory
from upid.engine.rightsizing.confidence import margin
from upid.engine.rightsizing.cpu import ahead, full_days
from upid.engine.rightsizing.options import MIB, Options
from upid.engine.rightsizing.seen import Seen
from upid.engine.statistics.trend import STRICT_RAMP, trend
from upid.engine.usage.daily import days_of_daily
from upid.engine.usage.resident import days_of, resident_peak

Floats = NDArray[np.float64]
OOM_FACTOR: Final = 1.2  # above the limit at a kill, as the Vertical Pod Autoscaler has it, or
OOM_BYTES: Final = 100 * MIB  # this much above it, whichever is more
NOMINAL_SHARE: Final = 0.05  # of the largest use, per decade of the knob, and
NOMINAL_BYTES: Final = 15 * MIB  # per decade: what is small moves by more of itself
LITTLE_DATA: Final = 0.2  # margin for little data at which both double
AGED_SHARE: Final = 0.05  # what a peak is worth less when it is old, for the request alone, and
AGED_DAYS: Final = 2.0  # days in which half of that is gone
LEAK_PER_WEEK: Final = 0.10  # growth of memory from which it can be a leak
LEAK_CPU_SHARE: Final = 0.25  # and growth of CPU, relative to that of memory, below which it is one


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Shape (rows,): what is needed before floors and rounding, and what it is made of.

    `request`, `limit`, `peak` (within the window), `resident` (the largest resident set there, NaN = not known), `oom_limit` (at the kill), `oom_floor`
    (what that asks for; NaN = no kill) [bytes]; `growth` until the review, `growth_per_week` [1]; `is_leak`: grows without its work growing.
    """

    request: Floats
    limit: Floats
    peak: Floats
    resident: Floats
    oom_limit: Floats
    oom_floor: Floats
    growth: Floats
    growth_per_week: Floats
    is_leak: NDArray[np.bool_]


def knob_decades(allowed_time_above: float) -> float:
    """Return how many powers of ten the knob lies below one half, at which the largest use itself is asked for. [1]."""
    return math.log10(0.5 / allowed_time_above)


def margin_bytes(seen: Seen, allowed_time_above: float) -> tuple[Floats, Floats]:
    """Return the margin's two parts by the knob and for little data, shape (rows,): the share of the use [1], and the absolute term [bytes]."""
    decades = knob_decades(allowed_time_above) * (1 + margin(seen) / LITTLE_DATA)
    return decades * NOMINAL_SHARE, decades * NOMINAL_BYTES


def oom_floors(kills: NDArray[np.int32], limit_bytes: Floats, current_limit: Floats, peak: Floats) -> tuple[Floats, Floats]:
    """Return the memory limit at the highest kill and the least request after it, shape (rows,), NaN = no kill. [bytes].

    Where the limit at the kill is not known the current one stands for it, and where there is none, the largest use.
    """
    killed = kills.sum(axis=1) > 0 if kills.size else np.zeros(len(peak), dtype=bool)
    known = np.fmax.reduce(limit_bytes, axis=1, initial=np.nan)
    at = np.where(np.isnan(known), np.where(np.isnan(current_limit), peak, current_limit), known)
    at = np.where(killed, at, np.nan)
    return at, np.fmax(at * OOM_FACTOR, at + OOM_BYTES)


def _worth(days: int) -> Floats:
    """Return what a day's peak is worth for the request, oldest first: 1 for the newest day, falling towards 1 - AGED_SHARE. [1]."""
    age = np.arange(days)[::-1]
    result: Floats = 1 - AGED_SHARE * (1 - np.exp2(-age / AGED_DAYS))
    return result


def memory_need(seen: Seen, current_limit: Floats, heap_bytes: Floats, cpu_growth: Floats, options: Options) -> MemoryNeed:
    """Return the memory that each row needs, NaN where it has no sample.

    The largest use in the window, what is old counted a little less, with growth, and a margin by the knob that is wider for little data; never below
    what an OOM kill or the heap asks for. A leak is told, not fed: it gets no growth. Where the largest resident set is known, the request is
    made of that if it is less: what else a working set counts is page cache. The limit leaves room for both.
    """
    window = slice(max(seen.steps.shape[1] - options.memory_window_days, 0), None)
    daily = seen.memory_daily.peak[:, window].astype(np.float64)
    of_runs, recent_runs = run_memory(seen, _worth(seen.runs.memory.shape[1])[::-1])
    peak = np.fmax(np.fmax.reduce(daily, axis=1, initial=np.nan), of_runs)
    days = full_days(seen.memory_daily, seen.steps, seen.memory_daily.peak.astype(np.float64))
    peaks = trend(days)
    growth, per_week = peaks.growth(ahead(days, options.review_days), STRICT_RAMP), peaks.growth(7.0)
    cpu_per_week = cpu_growth * 7.0 / max(options.review_days, 1e-9)
    is_leak = (peaks.weight() >= 1) & (per_week >= LEAK_PER_WEEK) & (cpu_per_week < LEAK_CPU_SHARE * per_week)
    growth = np.where(is_leak, 0.0, growth)
    oom_limit, oom_floor = oom_floors(seen.oom_kills[:, window], seen.oom_limit_bytes[:, window], current_limit, peak)
    (share, absolute), expected = margin_bytes(seen, options.allowed_time_above), peak * (1 + growth)
    # Of a Job a run counts by its place among the runs: a monthly one is not old after a week.
    recent = np.where(np.isnan(of_runs), np.fmax.reduce(daily * _worth(daily.shape[1]), axis=1, initial=np.nan), recent_runs) * (1 + growth)
    resident = resident_peak(days_of(seen.resident, window), days_of_daily(seen.memory_daily, window))
    recent = np.where(np.isnan(resident), recent, np.minimum(recent, resident * (1 + growth)))
    request = np.fmax(np.fmax(recent * (1 + share) + absolute, oom_floor), heap_bytes)
    request = np.where(np.isnan(peak), np.nan, request)
    room = np.fmax(expected * (1 + share + options.memory_limit_headroom) + absolute, heap_bytes * (1 + options.heap_overhead))
    return MemoryNeed(request, np.fmax(request, room), peak, resident, oom_limit, oom_floor, growth, per_week, is_leak)
