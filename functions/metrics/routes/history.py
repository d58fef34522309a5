"""Routes of usage as it was."""

from __future__ import annotations

from functions.metrics.routes.resources import ERRORS
from functions.metrics.schemas.history import (
    Histories,
    Spans,
    UsageBaselineOut,
    UsageHistoryOut,
    UsagePeaksOut,
    UsageQueryIn,
    UsageTrendsOut,
)
from upid.http.api import Router
from upid.http.params import CurrentCaller, Injected

router = Router("/metrics/history", tag="Historical Data")


@router.get("/<cluster_id>", permission="metrics:read", errors=ERRORS)
def get_usage_history(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Histories) -> UsageHistoryOut:
    """Return a cluster's usage over time, by group; the last day where no window is named.

    The series of a group are joined at every stored step, then brought onto the steps that are asked for: the highest of a namespace is that of its sum.
    """
    return UsageHistoryOut.model_validate(services.usage.query(caller.tenant, filters.query(cluster_id)))


@router.post("/query", permission="metrics:read", errors=ERRORS)
def query_usage_history(body: UsageQueryIn, services: Injected, caller: CurrentCaller) -> UsageHistoryOut:
    """Return a cluster's usage over time: selection, window, step, aggregation, groups and fill policy as the body says."""
    return UsageHistoryOut.model_validate(services.usage.query(caller.tenant, body.query()))


@router.get("/<cluster_id>/trends", permission="metrics:read", errors=ERRORS)
def get_usage_trends(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Spans) -> UsageTrendsOut:
    """Tell where usage goes: Theil-Sen slope and Mann-Kendall significance of daily means over four weeks, of hourly ones in less than a week."""
    return UsageTrendsOut.model_validate(services.usage.trends(caller.tenant, filters.query(cluster_id)))


@router.get("/<cluster_id>/peak-usage", permission="metrics:read", errors=ERRORS)
def get_peak_usage(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Spans) -> UsagePeaksOut:
    """Tell each group's highest use and when it was, beside mean and quantiles; over the last week where no window is named."""
    return UsagePeaksOut.model_validate(services.usage.peaks(caller.tenant, filters.query(cluster_id)))


@router.get("/<cluster_id>/baseline", permission="metrics:read", errors=ERRORS)
def get_usage_baseline(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Spans) -> UsageBaselineOut:
    """Tell each group's usual week, by its 168 hours; over the last four weeks where no window is named."""
    return UsageBaselineOut.model_validate(services.usage.baseline(caller.tenant, filters.query(cluster_id)))
