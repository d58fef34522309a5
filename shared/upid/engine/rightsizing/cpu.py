"""What a container needs of CPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.batch import run_quantiles
from upid.engine.rightsizing.confidence import margin
from upid.engine.rightsizing.months import monthly_need
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.seasons import Recurring, recurring_need
from upid.engine.rightsizing.seen import Density, Seen
from upid.engine.rightsizing.weekend import working_week
from upid.engine.statistics.density import smoothed_quantiles
from upid.engine.statistics.trend import STRICT_RAMP, trend
from upid.engine.usage.daily import Daily

Floats = NDArray[np.float64]
THROTTLED_RAMP: Final = (0.01, 0.05)  # share of throttled periods from which use is a lower bound of demand, none of it and all of it
THROTTLED_DAYS: Final = 7
TREND_DAYS: Final = 28
FULL_DAY: Final = 0.8  # share of a row's fullest day from which a day tells its trend


@dataclass(frozen=True, slots=True)
class CpuNeed:
    """Shape (rows,): requests before floors and rounding, and what they are made of.

    `request` [cores]; `tight` the same at a tenth of the allowed time, for a limit [cores]; `quantile` pooled over pods, `busiest` of the busiest pod
    (NaN = one pod), `runs` of the peaks of runs (NaN = no Job), `recurring` with recurring peaks, `startup` what start-ups need (NaN = none was seen) [cores];
    `startup_throttled`: share of periods in start-ups, 0 = none measured [1]; `growth`: excess over 1; `likely_growth`: the same by a lesser burden of proof; `throttled`: share of periods [1].
    """

    request: Floats
    tight: Floats
    quantile: Floats
    busiest: Floats
    runs: Floats
    recurring: Recurring
    growth: Floats
    likely_growth: Floats
    throttled: Floats
    startup: Floats
    startup_throttled: Floats


def full_days(daily: Daily, steps: NDArray[np.int32], values: Floats) -> Floats:
    """Return the last TREND_DAYS of daily values with days of too few steps as NaN."""
    fullest = steps.max(axis=1, initial=0)
    whole = (steps >= FULL_DAY * fullest[:, None]) & (daily.count > 0)
    return np.where(whole, values, np.nan)[:, -TREND_DAYS:]


def ahead(days: Floats, review_days: float) -> Floats:
    """Return how far ahead each row's growth is taken: to the review, but no further than half of the whole days that were seen, shape (rows,). [d]."""
    result: Floats = np.minimum(review_days, np.count_nonzero(~np.isnan(days), axis=1) / 2)
    return result


def throttled_share(seen: Seen) -> Floats:
    """Return the mean share of throttled CFS periods in the last week, 0 where none was measured, shape (rows,). [1]."""
    count = seen.throttled_count[:, -THROTTLED_DAYS:].sum(axis=1)
    total = seen.throttled_total[:, -THROTTLED_DAYS:].sum(axis=1, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), 0.0)


def is_lower_bound(throttled: Floats) -> Floats:
    """Return how far use counts as a lower bound of demand, 0 to 1, rising over THROTTLED_RAMP. [1]."""
    return np.clip((throttled - THROTTLED_RAMP[0]) / (THROTTLED_RAMP[1] - THROTTLED_RAMP[0]), 0, 1)


def _busiest(seen: Seen, shares: tuple[float, ...], week: Floats) -> Floats:
    result = np.full((len(seen.hours), len(shares)), np.nan)
    if len(seen.busiest_rows):
        result[seen.busiest_rows] = _quantiles(seen.busiest, shares, week[seen.busiest_rows])
    return result


def _quantiles(density: Density, shares: tuple[float, ...], week: Floats) -> Floats:
    return smoothed_quantiles(density.weights, density.top, allowed_time_above=shares, part_of_it=week)


def _startup(seen: Seen, share: float) -> tuple[Floats, Floats]:
    """Return what start-ups need for the share of their own time, throttling counted as in `cpu_need`, and the share of their throttled periods."""
    need, throttled = np.full(len(seen.hours), np.nan), np.zeros(len(seen.hours))
    if len(seen.startup_rows):
        censored = seen.startup_throttled * is_lower_bound(seen.startup_throttled)
        quantile = smoothed_quantiles(seen.startup.weights, seen.startup.top, allowed_time_above=(share,))[:, 0]
        need[seen.startup_rows], throttled[seen.startup_rows] = quantile * (1 + censored), seen.startup_throttled
    return need, throttled


def _daily_means(seen: Seen) -> Floats:
    """Return the mean use of each whole day, shape (rows, days), NaN = not whole. [cores]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = seen.cpu_daily.total / seen.cpu_daily.count
    return full_days(seen.cpu_daily, seen.steps, mean)


def cpu_need(seen: Seen, options: Options) -> CpuNeed:
    """Return the CPU that each row needs, NaN where it has no sample.

    The upper quantile of the smoothed, decayed histogram at the knob, held over a working week where weekends are quiet; that of the busiest pod at each step, and of the peaks of a Job's runs, where it is more; recurring peaks; growth
    until the review; throttled use counted as a lower bound of demand; and a margin for little data.
    """
    shares = (options.allowed_time_above, max(options.allowed_time_above / 10, 1e-7))
    means, throttled = _daily_means(seen), throttled_share(seen)
    week = working_week(seen, means)
    pooled, busiest = _quantiles(seen.cpu, shares, week), _busiest(seen, shares, week)
    runs = run_quantiles(seen, shares)
    base = np.fmax(np.fmax(pooled, busiest), runs)
    weekly = recurring_need(seen.cpu_hourly, base[:, 0], allowed_time_above=options.allowed_time_above)
    recurring = monthly_need(seen, weekly, allowed_time_above=options.allowed_time_above)
    daily = trend(means)
    growth = daily.growth(ahead(means, options.review_days), STRICT_RAMP)
    factor = (1 + growth) * (1 + throttled * is_lower_bound(throttled)) * (1 + margin(seen))
    request = recurring.need * factor
    tight, likely = np.fmax(base[:, 1] * factor, request), daily.growth(options.review_days)
    startup, startup_throttled = _startup(seen, options.allowed_time_above)
    return CpuNeed(
        request, tight, pooled[:, 0], busiest[:, 0], runs[:, 0], recurring, growth, likely, throttled,
        startup * (1 + margin(seen)), startup_throttled,
    )  # fmt: skip
