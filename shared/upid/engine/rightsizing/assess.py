"""From usage to recommendations, for all rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.backtest import Backtest, backtest
from upid.engine.rightsizing.batch import run_counts
from upid.engine.rightsizing.columns import NOT_WITHHELD, RECOMMENDED, UNCHANGED, WITHHELD, WITHHELD_CODES
from upid.engine.rightsizing.confidence import Confidence, confidence, margin
from upid.engine.rightsizing.consequences import cost_of, now_of, risk_of, savings_of
from upid.engine.rightsizing.current import Columns, CurrentResources, PriceColumns
from upid.engine.rightsizing.folds import Fold, judge_folds
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.reasons import reason_matrix
from upid.engine.rightsizing.rule import Sized, size
from upid.engine.rightsizing.seen import Seen, held_slots, seen
from upid.engine.usage.figures import Evidence
from upid.engine.usage.profile import UsageProfile

Floats = NDArray[np.float64]

__all__ = ["Assessment", "CurrentResources", "PriceColumns", "assess"]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What each row needs. `columns`: name -> array of shape (rows,); `upid.engine.rightsizing.columns` names them with unit and meaning of NaN."""

    columns: Columns


def assess(
    profile: UsageProfile,
    evidence: Evidence,
    current: CurrentResources,
    prices: PriceColumns,
    options: Options,
    *,
    folds: Sequence[Fold] = (),
) -> Assessment:
    """Return what every row needs, why, how sure that is, what it would have done on the held-out tail, and what it saves.

    A row without enough data, or with input that is no number, is withheld or left unchanged with a code; a NaN never counts as fine. What is
    recommended for a withheld row is what it has now. The back-test is of `folds`, and without any of the newest days of the profile; where the memory
    request is made of resident sets it is judged by these, and the limit by the working set, page cache included.

    Raises
    ------
    ValueError
        If the arrays' shapes differ.
    """
    if not profile.rows == len(evidence.samples) == len(current.replicas) == len(prices.cpu_usd_per_core_hour):
        raise ValueError("Profile, evidence, current resources and prices must have the same rows.")
    # The back-test's view is as large as the whole one: it comes and goes first.
    judged = judge_folds(folds, current, options) if folds else _judge_newest(profile, current, options)
    everything = seen(profile)
    sized = size(everything, current, options)
    runs = run_counts(everything)
    effective = np.where(runs > 0, runs, evidence.effective_samples)
    sure = confidence(everything, effective)
    code = _withheld(sized, evidence, current)
    status = np.where(code != NOT_WITHHELD, WITHHELD, np.where(sized.cpu.changes | sized.memory.changes, RECOMMENDED, UNCHANGED)).astype(
        np.int8
    )
    columns = (
        _recommended(sized, current, status) | _sureness(sure) | _judged(judged) | _values(sized, everything, profile, current, options)
    )
    columns |= {"status": status, "withheld_code": code.astype(np.int8), "runs": runs.astype(np.int64), "effective_samples": effective}
    columns["resident_bytes"] = sized.memory_need.resident
    columns["savings_usd_per_month"] = savings_of(columns, current, prices)
    columns["backtest_savings_usd_per_month"] = _fitted_savings(current, prices, judged)
    columns["risk_score"] = risk_of(columns, current)
    columns["reasons"] = reason_matrix(sized, columns, current, options, price_is_known=np.isfinite(cost_of(columns, current, prices)))
    return Assessment(columns)


def _judge_newest(profile: UsageProfile, current: CurrentResources, options: Options) -> Backtest:
    slots = held_slots(profile)
    past = size(seen(profile, hold_out=slots), current, options)
    return backtest(profile, past.cpu, past.memory, slots=slots, by_resident=past.by_resident)


def _withheld(sized: Sized, evidence: Evidence, current: CurrentResources) -> NDArray[np.int64]:
    """Return the code of why nothing is recommended, the gravest first; NOT_WITHHELD where something can be said."""
    conditions = {
        "init_container": current.is_init,
        "pod_level_resources": np.zeros(len(current.is_init), dtype=bool) if current.shares_pod is None else current.shares_pod,
        "no_data": evidence.samples == 0,
        "scaled_to_zero": (current.replicas == 0) & ~current.is_batch,
        "not_enough_data": ~(sized.cpu_enough | sized.memory_enough),
    }
    codes = [WITHHELD_CODES.index(name) for name in conditions]
    return np.select(list(conditions.values()), codes, default=NOT_WITHHELD)


def _recommended(sized: Sized, current: CurrentResources, status: NDArray[np.int8]) -> Columns:
    chosen = {
        "cpu_request_cores": sized.cpu.request, "cpu_limit_cores": sized.cpu.limit,
        "memory_request_bytes": sized.memory.request, "memory_limit_bytes": sized.memory.limit,
    }  # fmt: skip
    return {name: np.where(status == RECOMMENDED, value, getattr(current, name)) for name, value in chosen.items()}


def _sureness(sure: Confidence) -> Columns:
    return {
        "confidence": sure.score, "confidence_volume": sure.volume, "confidence_week": sure.week, "confidence_samples": sure.samples,
        "confidence_stability": sure.stability,
    }  # fmt: skip


def _judged(judged: Backtest) -> Columns:
    return {
        "backtest_folds": judged.folds, "backtest_judged_days": judged.judged_days,
        "backtest_cpu_time_above_request": judged.cpu_time_above_request, "backtest_cpu_time_above_limit": judged.cpu_time_above_limit,
        "backtest_throttled_share": judged.cpu_time_above_limit, "backtest_memory_time_above_request": judged.memory_time_above_request,
        "backtest_memory_time_above_limit": judged.memory_time_above_limit, "backtest_expected_oom_kills": judged.expected_oom_kills,
        "backtest_cpu_slack": judged.cpu_slack, "backtest_memory_slack": judged.memory_slack,
    }  # fmt: skip


def _values(sized: Sized, everything: Seen, profile: UsageProfile, current: CurrentResources, options: Options) -> Columns:
    """Return the columns that reasons quote."""
    cpu, memory, rows = sized.cpu_need, sized.memory_need, profile.rows
    with np.errstate(invalid="ignore", divide="ignore"):
        days_left = 7 * (current.memory_limit_bytes / memory.peak - 1) / memory.growth_per_week
    same = {
        "allowed_time_above": options.allowed_time_above, "review_days": options.review_days, "minimum_samples": options.minimum_samples,
        "minimum_hours": options.minimum_hours, "cpu_floor_cores": options.cpu_floor_cores, "memory_floor_bytes": options.memory_floor_bytes,
        "memory_limit_headroom": options.memory_limit_headroom,
    }  # fmt: skip
    return {
        "hours": everything.hours, "samples": everything.steps.sum(axis=1, dtype=np.int64), "cpu_quantile_cores": cpu.quantile,
        "cpu_busiest_cores": cpu.busiest, "cpu_runs_cores": cpu.runs, "cpu_recurring_cores": cpu.recurring.need, "cpu_recurring_hour": cpu.recurring.hour,
        "cpu_growth": cpu.growth, "recent_throttled_fraction": cpu.throttled, "memory_peak_bytes": memory.peak,
        "memory_margin": memory.request / np.fmin(memory.peak, memory.resident) - 1, "memory_growth": memory.growth, "memory_growth_per_week": memory.growth_per_week,
        "days_until_limit": np.where(np.isfinite(days_left), np.maximum(days_left, 0), np.nan), "oom_limit_bytes": memory.oom_limit,
        "oom_floor_bytes": memory.oom_floor, "is_leak": memory.is_leak, "startup_memory_bytes": profile.startup_memory_bytes.astype(np.float64),
        "startup_cpu_cores": profile.startup_cpu_cores.astype(np.float64), "cpu_startup_need_cores": cpu.startup,
        "cpu_startup_share": everything.startup_share, "heap_bytes": current.heap_bytes,
        "largest_node_cores": current.largest_node_cores, "largest_node_bytes": current.largest_node_bytes, "volume_margin": margin(everything),
    } | {name: np.full(rows, float(value)) for name, value in same.items()}  # fmt: skip


def _fitted_savings(current: CurrentResources, prices: PriceColumns, judged: Backtest) -> Floats:
    now = now_of(current)
    fitted = {
        "cpu_request_cores": np.where(np.isnan(judged.cpu_request_cores), now["cpu_request_cores"], judged.cpu_request_cores),
        "memory_request_bytes": np.where(np.isnan(judged.memory_request_bytes), now["memory_request_bytes"], judged.memory_request_bytes),
    }
    saved = cost_of(now, current, prices) - cost_of(now | fitted, current, prices)
    return np.where(judged.folds > 0, saved, np.nan)
