"""The features of rows, computed as columns from what is collected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.cost.savings import HOURS_PER_MONTH
from upid.engine.rightsizing.cpu import TREND_DAYS
from upid.engine.rightsizing.current import CurrentResources, PriceColumns
from upid.engine.rules.catalogue import FIGURES
from upid.engine.rules.columns import Column, FeatureTable, feature_table, known, measured
from upid.engine.statistics.density import share_above
from upid.engine.statistics.trend import RAMP, trend
from upid.engine.usage.daily import Daily
from upid.engine.usage.figures import Evidence, Spread
from upid.engine.usage.histogram import Histogram, decayed
from upid.engine.usage.profile import UsageProfile

Floats = NDArray[np.float64]
GIB: Final = 2.0**30
WEEK_DAYS: Final = 7
BUSY: Final = 0.8  # of the request
FULL: Final = 0.9  # of the limit


@dataclass(frozen=True, slots=True)
class FeatureInputs:
    """What features are computed from, all of the same rows. `described`: columns that no array of the engine holds, by feature (names, HPA, nodes)."""

    profile: UsageProfile
    evidence: Evidence
    current: CurrentResources
    prices: PriceColumns
    described: Mapping[str, Column]
    recommended: Mapping[str, NDArray[Any]]


def features_of(inputs: FeatureInputs) -> FeatureTable:
    """Return every feature of every row; one that was not measured is missing, as is one that the row does not have set.

    Raises
    ------
    ValueError
        If the inputs' rows differ.
    """
    profile, now = inputs.profile, inputs.current
    columns = _metric("cpu", profile, inputs.evidence, (now.cpu_request_cores, now.cpu_limit_cores))
    columns |= _metric("memory", profile, inputs.evidence, (now.memory_request_bytes, now.memory_limit_bytes))
    columns |= _happenings(profile, inputs.evidence) | _seen(profile, inputs.evidence) | _costs(now, inputs.prices)
    columns |= {
        "memory.heap": measured(now.heap_bytes), "replicas": known(now.replicas), "nodes.largest_cpu": measured(now.largest_node_cores),
        "nodes.largest_memory": measured(now.largest_node_bytes), "qos.class": known(_qos(now)),
        "memory.days_until_limit": measured(_days_until(profile.memory_daily, now.memory_limit_bytes)),
    }  # fmt: skip
    return feature_table(profile.rows, columns | _recommended(inputs.recommended) | dict(inputs.described))


def _metric(metric: str, profile: UsageProfile, evidence: Evidence, resources: tuple[Floats, Floats]) -> dict[str, Column]:
    spread: Spread = getattr(evidence, metric)
    histogram: Histogram = getattr(profile, metric)
    daily: Daily = getattr(profile, f"{metric}_daily")
    startup = profile.startup_cpu_cores if metric == "cpu" else profile.startup_memory_bytes
    slopes = trend(daily_means(daily)[:, -TREND_DAYS:])
    weights = decayed(histogram, newest_day=profile.newest_day, reference_day=profile.reference_day)
    request, limit = resources
    above = share_above(weights, histogram.top, np.column_stack([request * BUSY, limit * FULL]))
    seen = ~np.isnan(slopes.level)
    with np.errstate(invalid="ignore", divide="ignore"):
        growth = np.where(seen & (slopes.level > 0), slopes.slope * WEEK_DAYS / slopes.level, np.nan)
    found = {
        "request": request, "limit": limit, "variation": variation(daily), "growth_per_week": growth,
        "trend_weight": np.where(seen, significance(slopes.z), np.nan), "time_above_80": above[:, 0], "time_near_limit": above[:, 1],
        "startup": startup,
    }  # fmt: skip
    columns = {f"{metric}.{name}": measured(values) for name, values in found.items()}
    columns |= {f"{metric}.{figure}": measured(getattr(spread, figure)) for figure in FIGURES}
    return columns | {f"{metric}.samples": known(getattr(evidence, f"{metric}_samples"))}


def daily_means(daily: Daily) -> Floats:
    """Return the mean of each day, shape (rows, days); NaN where a day has no sample."""
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Floats = np.where(daily.count > 0, daily.total / daily.count, np.nan)
    return result


def significance(z: Floats) -> Floats:
    """Return how much of a trend to believe by its Mann-Kendall z: 0 below 5 % significance, 1 above 1 %, linear between. [1]."""
    result: Floats = np.clip((np.abs(z) - RAMP[0]) / (RAMP[1] - RAMP[0]), 0, 1)
    return result


def variation(daily: Daily) -> Floats:
    """Return the coefficient of variation of the samples, shape (rows,); 0 for a use that is always 0, NaN without samples."""
    count = daily.count.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = daily.total.sum(axis=1) / count
        square = daily.squares.sum(axis=1) / count
        spread = np.sqrt(np.maximum(square - mean**2, 0))
        # What rounding leaves of a constant series is no variation.
        spread = np.where(spread**2 <= 1e-12 * square, 0.0, spread)
        result: Floats = np.where(count > 0, np.where(mean > 0, spread / mean, 0.0), np.nan)
    return result


def _last_days(events: NDArray[np.int32]) -> NDArray[np.int64]:
    return np.asarray(events[:, -WEEK_DAYS:].sum(axis=1), dtype=np.int64)


def _happenings(profile: UsageProfile, evidence: Evidence) -> dict[str, Column]:
    unseen = evidence.samples == 0
    counts = {
        "oom.count": evidence.oom_kills, "restarts.count": evidence.restarts, "oom.count_7d": _last_days(profile.oom_kills),
        "restarts.count_7d": _last_days(profile.restarts),
    }  # fmt: skip
    # Nothing seen is not the same as no restart: what has no sample has no count.
    return {name: Column(np.asarray(values, dtype=np.int64), unseen) for name, values in counts.items()} | {
        "throttled.fraction": measured(evidence.throttled_fraction)
    }


def _seen(profile: UsageProfile, evidence: Evidence) -> dict[str, Column]:
    return {
        "pods.seen": known(evidence.pods), "samples.count": known(evidence.samples), "samples.coverage": measured(evidence.coverage),
        "samples.hours": measured(evidence.samples * profile.step_seconds / 3600), "samples.effective": measured(evidence.effective_samples),
    }  # fmt: skip


def _costs(now: CurrentResources, prices: PriceColumns) -> dict[str, Column]:
    hours = HOURS_PER_MONTH * now.replicas
    cpu = np.nan_to_num(now.cpu_request_cores) * prices.cpu_usd_per_core_hour * hours
    memory = np.nan_to_num(now.memory_request_bytes) / GIB * prices.memory_usd_per_gib_hour * hours
    return {"cost.cpu_monthly": measured(cpu), "cost.memory_monthly": measured(memory), "cost.monthly": measured(cpu + memory)}


def _qos(now: CurrentResources) -> NDArray[np.str_]:
    amounts = (now.cpu_request_cores, now.cpu_limit_cores, now.memory_request_bytes, now.memory_limit_bytes)
    nothing = np.logical_and.reduce([np.isnan(amount) for amount in amounts])
    # A limit without a request is the request too.
    cpu = ~np.isnan(now.cpu_limit_cores) & (np.isnan(now.cpu_request_cores) | (now.cpu_request_cores == now.cpu_limit_cores))
    memory = ~np.isnan(now.memory_limit_bytes) & (np.isnan(now.memory_request_bytes) | (now.memory_request_bytes == now.memory_limit_bytes))
    return np.where(nothing, "BestEffort", np.where(cpu & memory, "Guaranteed", "Burstable"))


def _days_until(daily: Daily, limit: Floats) -> Floats:
    """Return the days until the trend of the daily peaks reaches the limit, NaN where it does not rise significantly or there is no limit; 0 = it did."""
    peaks = trend(daily.peak[:, -TREND_DAYS:].astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        days = np.maximum((limit - peaks.level) / peaks.slope, 0.0)
    result: Floats = np.where((significance(peaks.z) > 0) & (peaks.slope > 0), days, np.nan)
    return result


def _recommended(columns: Mapping[str, NDArray[Any]]) -> dict[str, Column]:
    names = {
        "cpu_request": "cpu_request_cores", "cpu_limit": "cpu_limit_cores", "memory_request": "memory_request_bytes",
        "memory_limit": "memory_limit_bytes", "confidence": "confidence", "savings": "savings_usd_per_month", "risk": "risk_score",
    }  # fmt: skip
    return {f"recommended.{name}": measured(columns[column]) for name, column in names.items() if column in columns}
