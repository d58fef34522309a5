"""Routes of figures over whole windows."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from functions.metrics.routes.resources import ERRORS
from functions.metrics.schemas.aggregations import AggregationOut, CalculateIn, CalculationsOut, UsageSummaryOut
from functions.metrics.schemas.history import Spans, UsageQueryIn
from upid.domain.errors import NotFoundError
from upid.http.answers import accepted
from upid.http.api import PREFIX, Router
from upid.http.params import CurrentCaller, Injected

router = Router("/metrics/aggregate", tag="Data Aggregation", long=True)


@router.post("", permission="metrics:read", status=202, errors=ERRORS)
def create_aggregation(body: UsageQueryIn, services: Injected, caller: CurrentCaller) -> Response[AggregationOut]:
    """Compute a query of stored usage and keep its answer. `Location` names the aggregation; its window is settled now."""
    aggregation = AggregationOut.of(services.aggregations.start(caller, body.query()))
    return accepted(aggregation, location=f"{PREFIX}/metrics/aggregate/{aggregation.id}")


@router.get("/<aggregation_id>", permission="metrics:read", errors=(NotFoundError,))
def get_aggregation(aggregation_id: str, services: Injected, caller: CurrentCaller) -> AggregationOut:
    """Tell how an aggregation stands, with its answer once it succeeded."""
    return AggregationOut.of(services.aggregations.view(caller.tenant, aggregation_id))


@router.get("/<cluster_id>/summary", permission="metrics:read", errors=ERRORS)
def get_usage_summary(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Spans) -> UsageSummaryOut:
    """Summarize a cluster's usage: mean, quantiles and highest of the whole and of each group.

    Over the last week where no window is named.
    """
    return UsageSummaryOut.model_validate(services.usage.summary(caller.tenant, filters.query(cluster_id)))


@router.post("/bulk-calculate", permission="metrics:read")
def calculate_usage(body: CalculateIn, services: Injected, caller: CurrentCaller) -> CalculationsOut:
    """Bring the windows of up to fifty queries to one value each, of any clusters. A query that fails says why and leaves the others."""
    return CalculationsOut(items=services.usage.calculate(caller.tenant, [query.query() for query in body.queries]))  # type: ignore[arg-type] # validated
