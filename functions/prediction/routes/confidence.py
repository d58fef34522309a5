"""Routes of confidence."""

from __future__ import annotations

from functions.prediction.routes.statistics import STORED
from functions.prediction.schemas.confidence import (
    CalculateConfidenceIn,
    ConfidenceMetricsOut,
    ConfidenceOut,
    PredictionScoreOut,
    ValidateConfidenceIn,
    ValidatedOut,
)
from upid.http.api import Router
from upid.http.params import CurrentCaller, Injected
from upid.services.analytic_requests import UnknownPredictionError

router = Router("/confidence", tag="Confidence Scoring")


@router.get("/metrics", permission="predictions:read")
def get_confidence_metrics(services: Injected) -> ConfidenceMetricsOut:
    """Tell what confidence is made of: each metric's formula and weight."""
    return ConfidenceMetricsOut.model_validate(services.confidence.metrics())


@router.post("/calculate", permission="predictions:read", errors=STORED)
def calculate_confidence(body: CalculateConfidenceIn, services: Injected, caller: CurrentCaller) -> ConfidenceOut:
    """Tell how far figures about series are to be believed, and what is weak about them."""
    return ConfidenceOut.model_validate(services.confidence.calculate(caller.tenant, body.asked()))


@router.get("/<prediction_id>/score", permission="predictions:read", errors=(UnknownPredictionError,))
def score_prediction(prediction_id: str, services: Injected, caller: CurrentCaller) -> PredictionScoreOut:
    """Tell how far a stored forecast is to be believed, with what came of it by now where usage is stored."""
    return PredictionScoreOut.model_validate(services.confidence.score(caller.tenant, prediction_id))


@router.post("/validate", permission="predictions:read", errors=(UnknownPredictionError,))
def validate_confidence(body: ValidateConfidenceIn, services: Injected, caller: CurrentCaller) -> ValidatedOut:
    """Compare stored forecasts with what came: errors of each, and whether intervals held what they promised."""
    return ValidatedOut.model_validate(services.confidence.validate(caller.tenant, body.asked()))
