"""Routes of recommendations."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from functions.optimization import params
from functions.optimization.routes.analyses import STARTS, started
from functions.optimization.schemas.analyses import AnalysisOut, BulkGenerateIn, GenerateIn
from functions.optimization.schemas.recommendations import (
    RecommendationOut,
    ReviewIn,
    SimulateIn,
    SimulationOut,
    tagged,
)
from upid.domain.errors import NotFoundError, VersionConflictError
from upid.http.api import Router
from upid.http.paging import Page
from upid.http.params import CurrentCaller, IdempotencyKey, IfMatch, Injected
from upid.services.analyses import NotAnalyzedError
from upid.services.idempotency import IdempotencyKeyReusedError
from upid.services.recommendation_queries import NothingToApproveError, TransitionError

router = Router("/optimization/recommendations", tag="Recommendations")


@router.post("/generate", permission="analyses:write", status=202, errors=STARTS)
def generate_recommendations(
    body: GenerateIn, services: Injected, caller: CurrentCaller, idempotency_key: IdempotencyKey = None
) -> Response[AnalysisOut]:
    """Make the recommendations of a cluster, some namespaces or some workloads anew. `Location` names the analysis that does it."""
    return started(services.analyses.start(caller, body.request(), idempotency_key=idempotency_key))


@router.post("/bulk-generate", permission="analyses:write", status=202, errors=(NotFoundError, IdempotencyKeyReusedError))
def bulk_generate_recommendations(
    body: BulkGenerateIn, services: Injected, caller: CurrentCaller, idempotency_key: IdempotencyKey = None
) -> Response[AnalysisOut]:
    """Make the recommendations of many clusters anew, under one parent analysis."""
    return started(services.analyses.start_batch(caller, body.all_requests(), idempotency_key=idempotency_key))


@router.get("/<id>", permission="recommendations:read", errors=(NotFoundError, NotAnalyzedError))
def get_recommendations(
    id: str,  # noqa: A002 the contract's path has one parameter for both kinds of id
    services: Injected,
    caller: CurrentCaller,
    filters: params.Filters,
) -> Response[RecommendationOut | Page[RecommendationOut]]:
    """Return the recommendations of a cluster (`cl_...`) as a list, or a recommendation (`rec_...`) by itself with its `ETag`.

    Filters, `sort`, `limit` and `cursor` are for lists. Withheld ones are listed with their code: none is dropped.
    """
    return tagged(services.recommendations.look_up(caller.tenant, id, filters.query()), params.known_members(filters.fields))


@router.put(
    "/<recommendation_id>/status",
    permission="recommendations:write",
    errors=(NotFoundError, TransitionError, NothingToApproveError, VersionConflictError),
)
def review_recommendation(
    recommendation_id: str, body: ReviewIn, services: Injected, caller: CurrentCaller, if_match: IfMatch = None
) -> Response[RecommendationOut]:
    """Decide about a recommendation. Its `status`, the analysis' verdict, stays as it is."""
    return tagged(services.recommendations.review(caller, recommendation_id, body.review, body.comment, if_match=if_match))


@router.post("/<recommendation_id>/simulate", permission="recommendations:read", errors=(NotFoundError,))
def simulate_recommendation(recommendation_id: str, body: SimulateIn, services: Injected, caller: CurrentCaller) -> SimulationOut:
    """Tell what other requests and limits would have done over the stored history: time above, OOM kills, throttling, USD.

    The current and the recommended values are answered beside, by the same count.
    """
    return SimulationOut.model_validate(services.recommendations.simulate(caller.tenant, recommendation_id, body.values()))
