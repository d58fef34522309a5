"""The same rule with the same knob, fitted on all but the last days and judged on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.advice import Advice
from upid.engine.statistics.density import share_above
from upid.engine.usage.daily import Daily
from upid.engine.usage.histogram import Histogram
from upid.engine.usage.profile import UsageProfile
from upid.engine.usage.resident import told_days

Floats = NDArray[np.float64]
Fitted = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class Backtest:
    """Shape (rows,), NaN where there was no fold: nothing to fit on, or nothing to judge on. Names and units as in `columns.COLUMNS`.

    `cpu_request_cores`, `memory_request_bytes`: the fitted requests, their mean over folds.
    """

    folds: NDArray[np.int64]
    judged_days: Floats
    cpu_time_above_request: Floats
    cpu_time_above_limit: Floats
    memory_time_above_request: Floats
    memory_time_above_limit: Floats
    expected_oom_kills: Floats
    cpu_slack: Floats
    memory_slack: Floats
    cpu_request_cores: Floats
    memory_request_bytes: Floats


def _tail(histogram: Histogram, slots: int) -> Floats:
    counts: Floats = histogram.days[:, :slots].sum(axis=1, dtype=np.float64)
    return counts


def _slack(total: Floats, daily: Daily, slots: int, request: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        slack: Floats = 1 - total[:, -slots:].sum(axis=1) / daily.count[:, -slots:].sum(axis=1) / request
    return np.where(np.isfinite(slack), slack, np.nan)


def backtest(profile: UsageProfile, cpu: Advice, memory: Advice, *, slots: int, by_resident: NDArray[np.bool_]) -> Backtest:
    """Return how the requests and limits fitted on all but the newest `slots` days would have done on those, which are one fold.

    A limit that is not set is never passed. An expected OOM kill is a held-out day on which the largest use passes the fitted limit. Where a memory
    request is made of resident sets (`by_resident`), use is the working set, and no more on a day than was resident at most: never less than was resident.
    """
    above, above_limit = _above(profile.cpu, cpu, slots)
    memory_above, memory_above_limit = _above(profile.memory, memory, slots)
    resident = _resident_days(profile, by_resident)
    if by_resident.any():
        memory_above = np.where(
            by_resident, memory_above * _part_above(profile.memory, memory.fitted_request, resident[:, ::-1][:, :slots]), memory_above
        )
    judged = ~np.isnan(above) | ~np.isnan(memory_above)
    seconds = profile.folded_until - max((profile.newest_day - slots + 1) * 86400, profile.folded_from)
    peak = profile.memory_daily.peak[:, -slots:]
    with np.errstate(invalid="ignore"):
        kills = (peak > memory.fitted_limit[:, None]).sum(axis=1).astype(np.float64)
    return Backtest(
        folds=judged.astype(np.int64), judged_days=np.where(judged, seconds / 86400, np.nan), cpu_time_above_request=above,
        cpu_time_above_limit=above_limit, memory_time_above_request=memory_above, memory_time_above_limit=memory_above_limit,
        expected_oom_kills=np.where(np.isnan(memory_above), np.nan, kills),
        cpu_slack=_slack(profile.cpu_daily.total, profile.cpu_daily, slots, cpu.fitted_request),
        memory_slack=_slack(np.fmin(profile.memory_daily.total, resident * profile.memory_daily.count), profile.memory_daily, slots, memory.fitted_request),
        cpu_request_cores=cpu.fitted_request, memory_request_bytes=memory.fitted_request,
    )  # fmt: skip


def _above(histogram: Histogram, advice: Advice, slots: int) -> Fitted:
    """Return the shares of the tail above the fitted request and above the fitted limit."""
    shares = share_above(_tail(histogram, slots), histogram.top, np.stack([advice.fitted_request, advice.fitted_limit], axis=1))
    above = shares[:, 0]
    return above, np.where(np.isnan(above), np.nan, np.where(np.isnan(advice.fitted_limit), 0.0, shares[:, 1]))


def _resident_days(profile: UsageProfile, by_resident: NDArray[np.bool_]) -> Floats:
    """Return the most that was resident on each day, shape (rows, days) [bytes]; NaN where nobody knows it or the row is not sized by it."""
    told = told_days(profile.resident, profile.memory_daily) & by_resident[:, None]
    return np.where(told, profile.resident.peak, np.nan).astype(np.float64)


def _part_above(memory: Histogram, request: Floats, resident: Floats) -> Floats:
    """Return which part of the tail's time above the request lies in days on which more was resident, or nobody knows how much; days newest first."""
    slots = resident.shape[1]
    counts = memory.days[:, :slots].astype(np.float64)
    whole = [share_above(counts[:, day], memory.top, request) * counts[:, day].sum(axis=1) for day in range(slots)]
    above = np.nan_to_num(np.stack(whole, axis=1))
    with np.errstate(invalid="ignore"):
        counted = np.where(resident <= request[:, None], 0.0, above).sum(axis=1)
    total = above.sum(axis=1)
    return np.where(total > 0, counted / np.where(total > 0, total, 1.0), 0.0)
