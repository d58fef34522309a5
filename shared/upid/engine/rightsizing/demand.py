"""What a whole workload asks for: the sum over all its pods and containers at each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.confidence import margin
from upid.engine.rightsizing.cpu import ahead, full_days, is_lower_bound, throttled_share
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.rule import is_enough
from upid.engine.rightsizing.seen import Seen
from upid.engine.statistics.density import order_statistics, smoothed_quantiles
from upid.engine.statistics.trend import STRICT_RAMP, trend
from upid.engine.usage.daily import Daily
from upid.engine.usage.histogram import BUCKETS, EMPTY, Histogram, decayed, take
from upid.engine.usage.profile import UsageProfile

Floats = NDArray[np.float64]
LOW_QUANTILE: Final = 0.05  # of the time demand is below what the least number of pods is made for
Metric = Literal["cpu", "memory"]


@dataclass(frozen=True, slots=True)
class Demand:
    """Summed demand of one resource, shape (workloads,), NaN = not enough data. [cores or bytes].

    `low` is passed for all but LOW_QUANTILE of the time, `high` for a tenth of the allowed share of it; both with growth until the review, throttling
    (CPU) and the margin for little data. `weights`, shape (workloads, BUCKETS), and `top`: the histogram of what was measured, without any of that.
    """

    low: Floats
    high: Floats
    weights: Floats
    top: NDArray[np.int32]


def workload_count(profile: UsageProfile) -> int:
    """Return how many workloads a profile's rows belong to."""
    return int(profile.workload.max(initial=-1)) + 1


def busiest_share(profile: UsageProfile, view: Seen, demand: Demand, knob: float, replicas: NDArray[np.int64]) -> Floats:
    """Return how many even shares of the summed CPU demand the busiest pod's containers take, shape (workloads,), NaN = one pod or no data. [1]."""
    count = workload_count(profile)
    quantile = smoothed_quantiles(view.busiest.weights, view.busiest.top, allowed_time_above=(knob,))[:, 0]
    most = np.full(count, np.nan)
    np.fmax.at(most, profile.workload[profile.busiest.index], quantile)
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Floats = most * replicas / demand.high
    return result


def demand_of(profile: UsageProfile, view: Seen, metric: Metric, options: Options) -> Demand:
    """Return the summed demand of every workload; memory is never throttled, so that is counted for CPU alone."""
    count = workload_count(profile)
    weights, top = _summed(profile, view, metric, count)
    daily = view.cpu_daily if metric == "cpu" else view.memory_daily
    factor = (1 + _growth(profile, view, daily, count, options)) * (1 + _margin(profile, view, count))
    if metric == "cpu":
        throttled = throttled_share(view)
        factor *= 1 + _largest(profile, throttled * is_lower_bound(throttled), count)
    enough = _largest(profile, is_enough(view, daily, options).astype(np.float64), count) > 0
    known = np.where(enough, factor, np.nan)
    shares = (max(options.allowed_time_above / 10, 1e-7),)
    low = order_statistics(weights, top, (LOW_QUANTILE,))[:, 0]
    return Demand(low * known, smoothed_quantiles(weights, top, allowed_time_above=shares)[:, 0] * known, weights, top)


def _weights(profile: UsageProfile, histogram: Histogram) -> Floats:
    return decayed(histogram, newest_day=profile.newest_day, reference_day=profile.reference_day)


def _summed(profile: UsageProfile, view: Seen, metric: Metric, count: int) -> tuple[Floats, NDArray[np.int32]]:
    """Return each workload's histogram of sums; of one with a single series that is the series' own."""
    weights, top = np.zeros((count, BUCKETS)), np.full(count, EMPTY, dtype=np.int32)
    pooled, beside = getattr(profile, metric), getattr(profile.summed, metric)
    alone = np.flatnonzero(~np.isin(profile.workload, profile.summed.index) & (pooled.top != EMPTY))
    alone = alone[np.argsort(pooled.top[alone], kind="stable")]  # of several rows that ran one after the other the largest counts
    own = view.cpu.weights[alone] if metric == "cpu" else _weights(profile, take(pooled, alone))
    weights[profile.workload[alone]], top[profile.workload[alone]] = own, pooled.top[alone]
    weights[profile.summed.index], top[profile.summed.index] = _weights(profile, beside), beside.top
    return weights, top


def _largest(profile: UsageProfile, values: Floats, count: int) -> Floats:
    found = np.zeros(count)
    np.maximum.at(found, profile.workload, values)
    return found


def _margin(profile: UsageProfile, view: Seen, count: int) -> Floats:
    least = np.full(count, np.inf)
    np.minimum.at(least, profile.workload, margin(view))
    return np.where(np.isfinite(least), least, 0.0)


def _growth(profile: UsageProfile, view: Seen, daily: Daily, count: int, options: Options) -> Floats:
    """Return by how much the daily mean of the sum will have grown at the review."""
    days = view.steps.shape[1]
    total, steps, counts = np.zeros((count, days)), np.zeros((count, days), dtype=np.int32), np.zeros((count, days), dtype=np.int32)
    np.add.at(total, profile.workload, daily.total)
    np.maximum.at(steps, profile.workload, view.steps)
    np.add.at(counts, profile.workload, daily.count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / steps
    whole = full_days(Daily(counts, total, total, total.astype(np.float32)), steps, mean)
    return trend(whole).growth(ahead(whole, options.review_days), STRICT_RAMP)
