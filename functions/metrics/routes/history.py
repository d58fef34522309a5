"""Routes of usage as it was."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from functions.metrics.formats import Accept, history_as
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

router = Router("/metrics/history", tag="Historical Data", long=True)


@router.get("/<cluster_id>", permission="metrics:read", errors=ERRORS)
def get_usage_history(
    cluster_id: str, services: Injected, caller: CurrentCaller, filters: Histories, accept: Accept = ""
) -> Response[UsageHistoryOut]:
    """Return a cluster's usage over time, by group; the last day where no window is named.

    The series of a group are joined at every stored step, then brought onto the steps that are asked for: the highest of a namespace is that of its sum. `Accept: text/csv` or `application/vnd.apache.parquet` gives one row for each value.
    """
    return history_as(UsageHistoryOut.model_validate(services.usage.query(caller.tenant, filters.query(cluster_id))), accept)


@router.post("/query", permission="metrics:read", errors=ERRORS)
def query_usage_history(body: UsageQueryIn, services: Injected, caller: CurrentCaller, accept: Accept = "") -> Response[UsageHistoryOut]:
    """Return a cluster's usage over time: selection, window, step, aggregation, groups and fill policy as the body says. `Accept` as for the path by cluster."""
    return history_as(UsageHistoryOut.model_validate(services.usage.query(caller.tenant, body.query())), accept)


@router.get("/<cluster_id>/trends", permission="metrics:read", errors=ERRORS)
def get_usage_trends(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Spans) -> UsageTrendsOut:
    """Tell where usage goes, by Theil-Sen slope and Mann-Kendall significance.

    Of daily means, over four weeks where no window is named; of hourly ones in less than a week.
    """
    return UsageTrendsOut.model_validate(services.usage.trends(caller.tenant, filters.query(cluster_id)))


@router.get("/<cluster_id>/peak-usage", permission="metrics:read", errors=ERRORS)
def get_peak_usage(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Spans) -> UsagePeaksOut:
    """Tell each group's highest use and when it was, beside mean and quantiles; over the last week where no window is named."""
    return UsagePeaksOut.model_validate(services.usage.peaks(caller.tenant, filters.query(cluster_id)))


@router.get("/<cluster_id>/baseline", permission="metrics:read", errors=ERRORS)
def get_usage_baseline(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Spans) -> UsageBaselineOut:
    """Tell each group's usual week, by its 168 hours; over the last four weeks where no window is named."""
    return UsageBaselineOut.model_validate(services.usage.baseline(caller.tenant, filters.query(cluster_id)))
