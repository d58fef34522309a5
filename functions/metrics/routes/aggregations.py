"""Routes of figures over whole windows."""

from __future__ import annotations

from functions.metrics.routes.resources import ERRORS
from functions.metrics.schemas.aggregations import CalculateIn, CalculationsOut, UsageSummaryOut
from functions.metrics.schemas.history import Spans
from upid.http.api import Router
from upid.http.params import CurrentCaller, Injected

router = Router("/metrics/aggregate", tag="Data Aggregation")


@router.get("/<cluster_id>/summary", permission="metrics:read", errors=ERRORS)
def get_usage_summary(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Spans) -> UsageSummaryOut:
    """Summarize a cluster's usage: mean, quantiles and highest of the whole and of each group; over the last week where no window is named."""
    return UsageSummaryOut.model_validate(services.usage.summary(caller.tenant, filters.query(cluster_id)))


@router.post("/bulk-calculate", permission="metrics:read")
def calculate_usage(body: CalculateIn, services: Injected, caller: CurrentCaller) -> CalculationsOut:
    """Bring the windows of up to fifty queries to one value each, of any clusters. A query that fails says why and leaves the others."""
    return CalculationsOut(items=services.usage.calculate(caller.tenant, [query.query() for query in body.queries]))  # type: ignore[arg-type] # validated
