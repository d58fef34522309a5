"""Confidence: what it is made of, what a series or a stored prediction deserves, and whether predictions came true."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from upid.domain.errors import AppError, InvalidRequestError
from upid.engine.confidence import scoring
from upid.ports.clock import Clock
from upid.services.analytic_requests import Outcomes
from upid.services.forecasting import ForecastingService
from upid.services.panels import Floats, Panel, number, panel_of
from upid.services.series import Asked, Selection
from upid.services.statistics import trust
from upid.services.usage_series import SeriesReader

LEVELS: Final = (0.5, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class ConfidenceService:
    """Says how far figures are to be believed."""

    reader: SeriesReader
    forecasting: ForecastingService
    clock: Clock

    def metrics(self) -> dict[str, Any]:
        """Return the catalogue of metrics."""
        items = [{"name": each.name, "weight": each.weight, "title": each.title, "formula": each.formula} for each in scoring.METRICS]
        return {"items": items, "score": "Weighted geometric mean of the metrics that are known, each at least 0.01."}

    def calculate(self, tenant: str, asked: Asked) -> dict[str, Any]:
        """Return the confidence in each series, with recency where its times are known. Errors as `SeriesReader.read`."""
        return {
            "series": [panel.told() | {"confidence": trust(panel, **self._recency(panel))} for panel in self.reader.read(tenant, asked)]
        }

    def score(self, tenant: str, prediction_id: str) -> dict[str, Any]:
        """Return the confidence in a stored prediction: as it was made, and with what came of it where that is stored by now.

        Raises UnknownPredictionError.
        """
        stored = self.forecasting.get(tenant, prediction_id)
        made = stored["confidence"]
        actual = self._later(tenant, stored)
        came = _outcome(stored, actual)
        metrics = {name: math.nan if value is None else value for name, value in made["metrics"].items()}
        if came.points:
            metrics |= scoring.of_backtest(came.mase, came.covered95)
        warnings = [] if came.points else ["Nothing of what it predicts has been seen yet: this is the confidence at the time it was made."]
        known = {name: float(np.clip(value, 0, 1)) if not math.isnan(value) else value for name, value in metrics.items()}
        return {
            "prediction_id": prediction_id, "method": stored["method"], "created_at": stored["created_at"], "score": scoring.score(known),
            "score_when_made": made["score"], "metrics": {name: number(value) for name, value in known.items()}, "outcome": _told(came), "warnings": warnings,
        }  # fmt: skip

    def validate(self, tenant: str, asked: Sequence[Outcomes]) -> dict[str, Any]:
        """Compare stored predictions with what came, and return the errors of each and one calibration table of all.

        What came is given, or read from the history of the selection that the prediction was made of. Raises UnknownPredictionError, and
        InvalidRequestError where there is neither.
        """
        items, away = [], []
        for place, each in enumerate(asked):
            stored = self.forecasting.get(tenant, each.prediction_id)
            actual = self._later(tenant, stored) if each.actual is None else _given(stored, each)
            if each.actual is None and stored["source"] is None:
                detail = "It was made of values in the request, so what came has to be given too."
                raise InvalidRequestError([{"pointer": f"#/predictions/{place}/actual", "detail": detail}])
            came = _outcome(stored, actual)
            items.append({"prediction_id": each.prediction_id, "method": stored["method"], "unit": stored["unit"], **_told(came)})
            away.append(_standardised(stored, actual))
        table = scoring.calibration_table(np.concatenate(away), LEVELS)
        points = sum(item["points"] for item in items)
        gap = np.array([line.observed - line.stated for line in table])
        warnings = [] if points >= 100 else [f"Only {points} values were compared: shares are rough."]
        return {
            "items": items, "points": points, "calibration_error": number(float(np.abs(gap).mean())), "warnings": warnings,
            "calibration": [{"stated": line.stated, "observed": number(line.observed), "points": line.points} for line in table],
        }  # fmt: skip

    def _recency(self, panel: Panel) -> dict[str, float]:
        if panel.start is None:
            return {}
        newest = panel.start + (int(np.flatnonzero(~np.isnan(panel.values))[-1]) + 1) * panel.step_seconds
        return scoring.of_age(self.clock.now() - newest)

    def _later(self, tenant: str, stored: dict[str, Any]) -> Floats:
        """Return what the history has for the steps that a prediction is of; NaN = not known (yet)."""
        horizon = len(stored["mean"])
        result = np.full(horizon, np.nan)
        if stored["source"] is None:
            return result
        begin, step = stored["begins"], stored["step_seconds"]
        wanted = stored["source"] | {"start": begin, "end": begin + horizon * step, "step_seconds": int(step)}
        try:
            panel = self.reader.select(tenant, Selection(**wanted))[0]
        except AppError:
            return result  # the cluster, the workload or the window is not there: nothing is known
        shift = round(((panel.start or 0.0) - begin) / step)
        for place, value in enumerate(panel.values):
            if 0 <= place + shift < horizon:
                result[place + shift] = value
        return result


def _given(stored: dict[str, Any], each: Outcomes) -> Floats:
    """Return the given values at the steps of the prediction: by their times where both have them, else from the first on."""
    horizon = len(stored["mean"])
    result = np.full(horizon, np.nan)
    if each.actual is None:
        return result
    panel = panel_of(each.actual)
    shift = 0
    if panel.start is not None and stored["begins"] is not None:
        shift = round((panel.start - stored["begins"]) / stored["step_seconds"])
        if abs(panel.step_seconds - stored["step_seconds"]) > 1e-6 * stored["step_seconds"]:
            detail = f"Its step is {panel.step_seconds:g} s, the prediction's {stored['step_seconds']:g} s."
            raise InvalidRequestError([{"pointer": each.actual.pointer, "detail": detail}])
    for place, value in enumerate(panel.values):
        if 0 <= place + shift < horizon:
            result[place + shift] = value
    return result


def _arrays(stored: dict[str, Any]) -> tuple[Floats, Floats]:
    return tuple(np.array([math.nan if value is None else value for value in stored[name]], np.float64) for name in ("mean", "deviation"))  # type: ignore[return-value] # two of two


def _outcome(stored: dict[str, Any], actual: Floats) -> scoring.Outcome:
    mean, deviation = _arrays(stored)
    test = stored["backtest"]
    return scoring.outcome(actual, mean, deviation, (test or {}).get("mase_scale") or 0.0)


def _standardised(stored: dict[str, Any], actual: Floats) -> Floats:
    mean, deviation = _arrays(stored)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(actual == mean, 0.0, (actual - mean) / deviation)


def _told(came: scoring.Outcome) -> dict[str, Any]:
    return {"points": came.points} | {name: number(value) for name, value in came._asdict().items() if name != "points"}
