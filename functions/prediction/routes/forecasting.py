"""Routes of forecasts."""

from __future__ import annotations

from functions.prediction.routes.statistics import STORED
from functions.prediction.schemas.forecasting import (
    DemandAsked,
    DemandOut,
    PredictIn,
    PredictionOut,
    PredictionsOut,
    SeasonalAnalysisIn,
    SeasonalAnalysisOut,
)
from upid.http.api import Router
from upid.http.params import CurrentCaller, Injected
from upid.services.analytic_requests import UnknownPredictionError

router = Router("/forecasting", tag="Forecasting")


@router.post("/predict", permission="predictions:write", errors=STORED)
def predict_series(body: PredictIn, services: Injected, caller: CurrentCaller) -> PredictionOut:
    """Forecast one series with bounds of 80 and 95 %, and keep the forecast.

    Of several series in the request the first is forecast: `batch-predict` takes all.
    """
    return PredictionOut.model_validate(services.forecasting.predict(caller.tenant, body.asked(), body.how())[0])


@router.post("/batch-predict", permission="predictions:write", errors=STORED)
def predict_batch(body: PredictIn, services: Injected, caller: CurrentCaller) -> PredictionsOut:
    """Forecast many series at once, or every part of stored usage that `split` names."""
    return PredictionsOut.model_validate({"items": services.forecasting.predict(caller.tenant, body.asked(), body.how())})


@router.get("/<prediction_id>", permission="predictions:read", errors=(UnknownPredictionError,))
def get_prediction(prediction_id: str, services: Injected, caller: CurrentCaller) -> PredictionOut:
    """Return a stored forecast as it was made."""
    return PredictionOut.model_validate(services.forecasting.get(caller.tenant, prediction_id))


@router.get("/<cluster_id>/demand", permission="predictions:read", errors=STORED)
def forecast_demand(cluster_id: str, services: Injected, caller: CurrentCaller, asked: DemandAsked) -> DemandOut:
    """Forecast the demand of a cluster and of its parts, reconciled so that the parts add up to the whole.

    A part that the method does not fit is held at its last value and named in `warnings`: it fails no other.
    """
    found = services.forecasting.demand(caller.tenant, asked.selection(cluster_id), asked.how(), limit=asked.limit)
    return DemandOut.model_validate(found)


@router.post("/seasonal-analysis", permission="predictions:read", errors=STORED)
def analyze_seasons(body: SeasonalAnalysisIn, services: Injected, caller: CurrentCaller) -> SeasonalAnalysisOut:
    """Take series apart into trend, season and rest, by local regression (STL) or moving averages (classical)."""
    found = services.forecasting.decompose(caller.tenant, body.asked(), method=body.method, period=body.period_steps, robust=body.robust)
    return SeasonalAnalysisOut.model_validate(found)
