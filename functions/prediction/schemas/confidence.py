"""Confidence as it is asked for and answered."""

from __future__ import annotations

from pydantic import Field

from functions.prediction.schemas.series import SeriesBody, SeriesIn, SeriesOut, TrustOut, Value
from upid.http.schemas import Answer, Body
from upid.services.analytic_requests import Outcomes


class ConfidenceMetricOut(Answer):
    """A metric of confidence, in [0, 1]."""

    name: str
    weight: float
    title: str
    formula: str


class ConfidenceMetricsOut(Answer):
    """The catalogue of metrics, and how they make a score."""

    items: list[ConfidenceMetricOut]
    score: str


class CalculateConfidenceIn(SeriesBody):
    """What to tell the confidence of."""


class ConfidentSeriesOut(SeriesOut):
    """A series with its confidence."""

    confidence: TrustOut


class ConfidenceOut(Answer):
    """The confidence of every series, in their order."""

    series: list[ConfidentSeriesOut]


class PredictionErrorsOut(Answer):
    """What came of a forecast: errors in its unit, forecast less actual; null where nothing was compared."""

    points: int
    mae: float | None
    rmse: float | None
    bias: float | None
    mase: float | None
    mape: float | None
    covered80: float | None
    covered95: float | None


class PredictionScoreOut(Answer):
    """The confidence in a stored prediction, with what came of it by now."""

    prediction_id: str
    method: str
    created_at: str
    score: float
    score_when_made: float
    metrics: dict[str, float | None]
    outcome: PredictionErrorsOut
    warnings: list[str]


class PredictionOutcomeIn(Body):
    """A stored prediction and what came: bare values from its first step on, a series, or nothing where it was made of stored usage."""

    prediction_id: str = Field(min_length=1, max_length=64)
    actual: list[Value | None] | SeriesIn | None = None

    def outcomes(self, place: int) -> Outcomes:
        """Return what services take."""
        pointer = f"#/predictions/{place}/actual"
        if isinstance(self.actual, list):
            return Outcomes(self.prediction_id, SeriesIn(values=self.actual or [None], step_seconds=1.0).given(pointer, "actual"))
        return Outcomes(self.prediction_id, None if self.actual is None else self.actual.given(pointer, "actual"))


class ValidateConfidenceIn(Body):
    """Which predictions to compare with what came."""

    predictions: list[PredictionOutcomeIn] = Field(min_length=1, max_length=100)

    def asked(self) -> list[Outcomes]:
        """Return what services take."""
        return [each.outcomes(place) for place, each in enumerate(self.predictions)]


class ValidatedPrediction(PredictionErrorsOut):
    """What came of one prediction."""

    prediction_id: str
    method: str
    unit: str


class CalibrationOut(Answer):
    """Of the values that were to lie within an interval with this probability, which share did."""

    stated: float
    observed: float | None
    points: int


class ValidatedOut(Answer):
    """Errors of each prediction and the calibration of all; `calibration_error`: mean distance of observed from stated shares. [1]"""

    items: list[ValidatedPrediction]
    points: int
    calibration: list[CalibrationOut]
    calibration_error: float | None
    warnings: list[str]
