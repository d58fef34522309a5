"""Routes of analyses: started with 202, read until they ended."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from functions.optimization.schemas.analyses import AnalysisOut, AnalyzeBatchIn, AnalyzeIn, ClusterSummaryOut, DeepAnalysisIn
from upid.domain.errors import NotFoundError
from upid.http.answers import accepted
from upid.http.api import PREFIX, Router
from upid.http.params import CurrentCaller, IdempotencyKey, Injected
from upid.services.analyses import NotAnalyzedError, NothingCollectedError
from upid.services.idempotency import IdempotencyKeyReusedError

router = Router("/optimization", tag="Optimization Analysis")

STARTS = (NotFoundError, NothingCollectedError, IdempotencyKeyReusedError)


def started(view: dict[str, object]) -> Response[AnalysisOut]:
    """Return the 202 of an analysis that was started."""
    return accepted(AnalysisOut.model_validate(view), location=f"{PREFIX}/optimization/analysis/{view['id']}")


@router.post("/analyze", permission="analyses:write", status=202, errors=STARTS)
def analyze_cluster(
    body: AnalyzeIn, services: Injected, caller: CurrentCaller, idempotency_key: IdempotencyKey = None
) -> Response[AnalysisOut]:
    """Analyze a cluster, or some of its namespaces, from its usage profiles.

    `Location` names the analysis. Its recommendations become the cluster's when the whole cluster was analyzed.
    """
    return started(services.analyses.start(caller, body.request(), idempotency_key=idempotency_key))


@router.post("/analyze/batch", permission="analyses:write", status=202, errors=(NotFoundError, IdempotencyKeyReusedError))
def analyze_batch(
    body: AnalyzeBatchIn, services: Injected, caller: CurrentCaller, idempotency_key: IdempotencyKey = None
) -> Response[AnalysisOut]:
    """Start several analyses under one parent, whose status, progress and errors are those of its parts taken together."""
    return started(services.analyses.start_batch(caller, body.all_requests(), idempotency_key=idempotency_key))


@router.post("/deep-analysis", permission="analyses:write", status=202, errors=STARTS)
def analyze_deeply(
    body: DeepAnalysisIn, services: Injected, caller: CurrentCaller, idempotency_key: IdempotencyKey = None
) -> Response[AnalysisOut]:
    """Analyze a cluster, or some workloads of it, from every stored sample instead of from profiles.

    Evidence is exact then, and `trade_offs` tells what each value of `allowed_time_above` would save and risk.
    """
    return started(services.analyses.start(caller, body.request(), idempotency_key=idempotency_key))


@router.get("/analysis/<analysis_id>", permission="analyses:read", errors=(NotFoundError,))
def get_analysis(analysis_id: str, services: Injected, caller: CurrentCaller) -> AnalysisOut:
    """Tell how an analysis or a batch stands, with its totals once it ended."""
    return AnalysisOut.model_validate(services.analyses.view(caller.tenant, analysis_id))


@router.get("/analyze/<cluster_id>/summary", permission="analyses:read", errors=(NotFoundError, NotAnalyzedError))
def summarize_cluster(cluster_id: str, services: Injected, caller: CurrentCaller) -> ClusterSummaryOut:
    """Return the totals of a cluster's latest whole analysis: by status, by reason withheld, requests now and recommended, savings."""
    return ClusterSummaryOut.model_validate(services.analyses.summary(caller.tenant, cluster_id))
