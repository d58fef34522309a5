"""Routes of statistics."""

from __future__ import annotations

from functions.prediction.schemas.series import Selected
from functions.prediction.schemas.statistics import (
    AnalyzedOut,
    AnalyzeSeriesIn,
    ClusterTrendsOut,
    ClusterVarianceOut,
    CorrelatedOut,
    CorrelateIn,
    RegressedOut,
    RegressIn,
)
from upid.domain.errors import NotFoundError
from upid.http.api import Router
from upid.http.params import CurrentCaller, Injected
from upid.services.analyses import NothingCollectedError

router = Router("/statistics", tag="Statistical Analysis")

STORED = (NotFoundError, NothingCollectedError)


@router.post("/analyze", permission="predictions:read", errors=STORED)
def analyze_series(body: AnalyzeSeriesIn, services: Injected, caller: CurrentCaller) -> AnalyzedOut:
    """Describe series: moments and quantiles, trend with bounds and tests, shifts of level, seasons, moving averages.

    Trends are by least squares and by Theil and Sen; bounds allow for correlated residuals.
    """
    found = services.statistics.analyze(
        caller.tenant, body.asked(), parts=body.include, wanted=body.wanted(), confidence=body.confidence_level
    )
    return AnalyzedOut.model_validate(found)


@router.get("/trends/<cluster_id>", permission="predictions:read", errors=STORED)
def get_cluster_trends(cluster_id: str, services: Injected, caller: CurrentCaller, asked: Selected) -> ClusterTrendsOut:
    """Tell how the use of each part of a cluster grows or falls, the strongest first."""
    found = services.statistics.trends(caller.tenant, asked.selection(cluster_id), limit=asked.limit, confidence=0.95)
    return ClusterTrendsOut.model_validate(found)


@router.post("/correlation", permission="predictions:read", errors=STORED)
def correlate_series(body: CorrelateIn, services: Injected, caller: CurrentCaller) -> CorrelatedOut:
    """Correlate x and y, also at lags, or every pair of several series, by Pearson or Spearman, with p-values and bounds."""
    return CorrelatedOut.model_validate(services.statistics.correlate(caller.tenant, body.correlation()))


@router.get("/variance/<cluster_id>", permission="predictions:read", errors=STORED)
def get_cluster_variance(cluster_id: str, services: Injected, caller: CurrentCaller, asked: Selected) -> ClusterVarianceOut:
    """Tell how a cluster's use varies by hour of day, between its parts and within each, with analyses of variance."""
    found = services.statistics.variance(caller.tenant, asked.selection(cluster_id), limit=asked.limit)
    return ClusterVarianceOut.model_validate(found)


@router.post("/regression", permission="predictions:read", errors=STORED)
def regress_series(body: RegressIn, services: Injected, caller: CurrentCaller) -> RegressedOut:
    """Fit y on x by a line or polynomial, on several predictors, or stored usage on days, with tests and predictions.

    A polynomial's degree is chosen by AICc where none is given.
    """
    return RegressedOut.model_validate(services.statistics.regress(caller.tenant, body.asked()))
