"""How sure a recommendation is, and how much wider it is for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.batch import RECENCY_DAYS, run_counts, run_volume
from upid.engine.rightsizing.seen import Seen
from upid.engine.usage.daily import Daily

Floats = NDArray[np.float64]
VOLUME_DAYS: Final = 1.5  # each such span of data halves what is missing to full confidence
MARGIN: Final = 0.4  # added with next to no data
ENOUGH_SAMPLES: Final = 8.0  # effective samples that are half of enough


def volume(seen: Seen) -> Floats:
    """Return how much data there is and how fresh it is, 0 to 1, shape (rows,); of Jobs by their runs. Depends on times only, never on values. [1]."""
    missing = np.exp2(-seen.hours / 24 / VOLUME_DAYS)
    age = np.maximum(seen.end - seen.last_seen, 0) / 86400
    by_time = np.where(seen.hours > 0, (1 - missing) * np.exp2(-age / RECENCY_DAYS), 0.0)
    by_runs = run_volume(seen)
    return np.where(np.isnan(by_runs), by_time, by_runs)


def margin(seen: Seen) -> Floats:
    """Return what is added to every need for little or old data, shape (rows,): smooth, 16 % after a day, 2.5 % after three, 0.1 % after seven. [1]."""
    return MARGIN * (1 - volume(seen)) ** 2


@dataclass(frozen=True, slots=True)
class Confidence:
    """Shape (rows,), each 0 to 1: `score` is volume times the geometric mean of the three others."""

    score: Floats
    volume: Floats
    week: Floats
    samples: Floats
    stability: Floats


def _stability(daily: Daily) -> Floats:
    """Return 1 / (1 + coefficient of variation of the daily means); 1 with fewer than two days."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(daily.count > 0, daily.total / daily.count, np.nan)
        days = (daily.count > 0).sum(axis=1)
        centre = np.nansum(mean, axis=1) / days
        spread = np.sqrt(np.nansum((mean - centre[:, None]) ** 2, axis=1) / days)
        steady = 1 / (1 + spread / centre)
    return np.where((days >= 2) & np.isfinite(steady), steady, 1.0)


def confidence(seen: Seen, effective_samples: Floats) -> Confidence:
    """Return how sure sizing is, from the time seen, the share of the week, the effective samples and how alike the days are.

    A Job is not expected to run in every hour of the week, so of its runs that is no measure.
    """
    amount = volume(seen)
    week = (seen.cpu_hourly.count > 0).mean(axis=1) if len(amount) else amount
    week = np.where(run_counts(seen) > 0, 1.0, week)
    samples = effective_samples / (effective_samples + ENOUGH_SAMPLES)
    stability = np.minimum(_stability(seen.cpu_daily), _stability(seen.memory_daily))
    score = amount * np.cbrt(week * samples * stability)
    return Confidence(score, amount, week, samples, stability)
