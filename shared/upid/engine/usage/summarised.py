"""Evidence from profiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from upid.engine.statistics.density import order_statistics
from upid.engine.statistics.effective import effective_samples
from upid.engine.usage.daily import Daily
from upid.engine.usage.figures import QUANTILES, Evidence, Floats, Spread
from upid.engine.usage.histogram import Histogram, decayed
from upid.engine.usage.profile import UsageProfile


def profile_evidence(profile: UsageProfile) -> Evidence:
    """Return what a profile shows of each row.

    Quantiles weigh samples by age (half-life a day) and are within half a bucket (1.5 %); mean, maximum, counts and events are exact over the
    profile's days. `pods` is the most that were seen in one fold.
    """
    count = profile.steps.sum(axis=1, dtype=np.int64)
    hours = count * profile.step_seconds / 3600
    cpu = profile.cpu_daily
    effective = effective_samples(cpu.count.astype(np.int64), cpu.total, cpu.squares, count, hours=hours)
    with np.errstate(invalid="ignore", divide="ignore"):
        throttled = profile.throttled_total.sum(axis=1, dtype=np.float64) / profile.throttled_count.sum(axis=1)
    return Evidence(
        source="profile", cpu=_spread(profile, profile.cpu, profile.cpu_daily), memory=_spread(profile, profile.memory, profile.memory_daily),
        cpu_samples=cpu.count.sum(axis=1, dtype=np.int64), memory_samples=profile.memory_daily.count.sum(axis=1, dtype=np.int64),
        samples=count, effective_samples=effective, pods=profile.pods.astype(np.int64), coverage=_coverage(profile, count),
        throttled_fraction=throttled, oom_kills=profile.oom_kills.sum(axis=1, dtype=np.int64), restarts=profile.restarts.sum(axis=1, dtype=np.int64),
    )  # fmt: skip


def _spread(profile: UsageProfile, histogram: Histogram, daily: Daily) -> Spread:
    weights = decayed(histogram, newest_day=profile.newest_day, reference_day=profile.reference_day)
    peak = np.fmax.reduce(daily.peak, axis=1, initial=np.nan).astype(np.float64)
    # The middle of the highest bucket may lie above the highest sample, which no quantile can.
    quantiles = order_statistics(weights, histogram.top, QUANTILES).T
    quantiles = np.where(quantiles > peak, peak, quantiles)
    with np.errstate(invalid="ignore"):
        mean = daily.total.sum(axis=1) / daily.count.sum(axis=1)
    return Spread(mean, quantiles[0], quantiles[1], quantiles[2], quantiles[3], peak)


def _coverage(profile: UsageProfile, count: NDArray[np.int64]) -> Floats:
    """Return the share of steps with a sample since the first day that the row was seen on."""
    if profile.newest_day < 0 or profile.step_seconds == 0:
        return np.zeros(profile.rows)
    seen = profile.steps > 0
    first = profile.first_day + np.where(seen.any(axis=1), np.argmax(seen, axis=1), seen.shape[1])
    begin = np.maximum(first * 86400, profile.folded_from)
    possible = np.maximum((profile.folded_until - begin) // profile.step_seconds, 1)
    coverage: Floats = np.minimum(count / possible, 1.0)
    return coverage
