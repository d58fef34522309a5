"""Routes of patterns."""

from __future__ import annotations

from functions.prediction.routes.statistics import STORED
from functions.prediction.schemas.patterns import (
    AnomaliesOut,
    ClusterPatternsAsked,
    ClusterPatternsOut,
    DetectAnomaliesIn,
    DetectedPatternsOut,
    DetectPatternsIn,
    RecurringAsked,
    RecurringOut,
    SeasonalIn,
    SeasonalOut,
)
from upid.http.api import Router
from upid.http.params import CurrentCaller, Injected

router = Router("/patterns", tag="Pattern Recognition")


@router.post("/detect", permission="predictions:read", errors=STORED)
def detect_patterns(body: DetectPatternsIn, services: Injected, caller: CurrentCaller) -> DetectedPatternsOut:
    """Find what is regular in series: kind, seasons, trend, shifts of level, peaks, and which peaks come again."""
    return DetectedPatternsOut.model_validate(services.patterns.detect(caller.tenant, body.asked()))


@router.get("/recurring", permission="predictions:read", errors=STORED)
def get_recurring_patterns(services: Injected, caller: CurrentCaller, asked: RecurringAsked) -> RecurringOut:
    """Find the peaks that come again in a cluster's parts: period, phase, width, strength, and when the next one is due."""
    return RecurringOut.model_validate(services.patterns.recurring(caller.tenant, asked.selection(asked.cluster_id), limit=asked.limit))


@router.get("/<cluster_id>", permission="predictions:read", errors=STORED)
def get_cluster_patterns(cluster_id: str, services: Injected, caller: CurrentCaller, asked: ClusterPatternsAsked) -> ClusterPatternsOut:
    """Find the patterns of a cluster's parts, the most used first."""
    return ClusterPatternsOut.model_validate(services.patterns.of_cluster(caller.tenant, asked.selection(cluster_id), limit=asked.limit))


@router.post("/seasonal", permission="predictions:read", errors=STORED)
def find_seasons(body: SeasonalIn, services: Injected, caller: CurrentCaller) -> SeasonalOut:
    """Find the significant seasons of series by periodogram and autocorrelation, with the mean cycle of the strongest."""
    return SeasonalOut.model_validate(services.patterns.seasonal(caller.tenant, body.asked(), significance=body.significance))


@router.post("/anomaly-detection", permission="predictions:read", errors=STORED)
def detect_anomalies(body: DetectAnomaliesIn, services: Injected, caller: CurrentCaller) -> AnomaliesOut:
    """Score every value by how far it is from what was to be expected, and tell events as one alarm each."""
    return AnomaliesOut.model_validate(services.patterns.anomalies(caller.tenant, body.asked(), body.how()))
