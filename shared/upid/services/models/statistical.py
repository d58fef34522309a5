"""Statistical models, over the services of statistics and forecasting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from upid.domain.errors import InvalidRequestError
from upid.engine.statistics import averages
from upid.services.analytic_requests import ForecastAsked, RegressionAsked
from upid.services.forecasting import ForecastingService
from upid.services.forecasts import forecasts
from upid.services.models.requests import Question, XyQuestion
from upid.services.models.rows import DAY_SECONDS, answer_of, by_batch, told, with_unit
from upid.services.models.telling import Answer, shown
from upid.services.panels import Batch, Floats, Panel, numbers
from upid.services.statistics import StatisticsService
from upid.services.usage_series import SeriesReader

MOST_FORECASTS = 100_000  # steps ahead times series of one request


@dataclass(frozen=True, slots=True)
class StatisticalModels:
    """Regressions, smoothing, averages, decomposition. Errors as `SeriesReader.read`, and InvalidRequestError where a model does not fit a series."""

    reader: SeriesReader
    statistics: StatisticsService
    forecasting: ForecastingService

    def regression(self, tenant: str, asked: XyQuestion, kind: str) -> Answer:
        """Return the regression of y on x, or of each series over its days."""
        request = asked.request
        if asked.question is None:
            x, y = asked.columns or ((), ())
            fits = [
                {"name": "y", "x_unit": "", "unit": request["unit"]}
                | self.statistics.regress(tenant, _asked(list(x), list(y), request, kind))
            ]
        else:
            panels = with_unit(self.reader.read(tenant, asked.question.asked), request["unit"])
            fits = [self._over_time(tenant, panel, request, kind) for panel in panels]
        return {"algorithm": f"{kind}-regression", "parameters": _parameters(request), "fits": fits}

    def _over_time(self, tenant: str, panel: Panel, request: Mapping[str, Any], kind: str) -> Answer:
        known = ~np.isnan(panel.values)
        days = panel.times[known] / DAY_SECONDS
        try:
            found = self.statistics.regress(tenant, _asked(days.tolist(), panel.values[known].tolist(), request, kind))
        except InvalidRequestError as error:
            faults = error.members["errors"]
            detail = faults[0]["detail"] if isinstance(faults, list) else error.detail
            raise InvalidRequestError([{"pointer": "#/series", "detail": f"{panel.name[:100]}: {detail}"}]) from None
        warnings = [*panel.all_warnings(), *found["warnings"]]
        return found | {"name": panel.name, "x_unit": "days", "unit": panel.unit, "warnings": warnings}

    def smoothing(self, tenant: str, question: Question) -> Answer:
        """Return each series smoothed, and its forecast."""
        request = question.request
        panels = with_unit(self.reader.read(tenant, question.asked), request["unit"])
        if len(panels) * request["horizon"] > MOST_FORECASTS:
            raise InvalidRequestError([{"pointer": "#/horizon", "detail": f"At most {MOST_FORECASTS} steps ahead over all series."}])
        how = ForecastAsked(request["horizon"], request["method"], request["period_steps"], store=False)
        return answer_of("exponential-smoothing", request, forecasts(panels, how, self.forecasting.fits))

    def average(self, tenant: str, question: Question) -> Answer:
        """Return the moving average of each series."""
        request = question.request
        panels = with_unit(self.reader.read(tenant, question.asked), request["unit"])
        return answer_of("moving-average", request, by_batch(panels, lambda batch: _averages(batch, request)))

    def decomposition(self, tenant: str, question: Question) -> Answer:
        """Return trend, season and rest of each series."""
        request = question.request
        how = {"method": request["method"], "period": request["period_steps"], "robust": request["robust"]}
        found = self.forecasting.decompose(tenant, question.asked, **how)["series"]
        unit = {"unit": request["unit"]} if request["unit"] else {}
        return answer_of("seasonal-decomposition", request, [each | unit for each in found])


def _asked(x: list[float], y: list[float], request: Mapping[str, Any], kind: Any) -> RegressionAsked:
    at = [[each] for each in request["predict_at"]]
    return RegressionAsked(kind, y, [("x", x)], request.get("degree"), request.get("most_degree", 1), request["confidence_level"], at)


def _parameters(request: Mapping[str, Any]) -> Answer:
    return shown({name: value for name, value in request.items() if not isinstance(value, list)})


def _averages(batch: Batch, request: Mapping[str, Any]) -> list[Answer]:
    if request["kind"] == "exponential":
        alpha = request["alpha"] or 2 / (request["window"] + 1)
        found, parameters = averages.exponential_average(batch.values, alpha), {"alpha": alpha}
    else:
        made = {"simple": averages.simple_average, "weighted": averages.weighted_average}[request["kind"]]
        found, parameters = made(batch.values, request["window"]), {"window": float(request["window"])}
    average = {"kind": request["kind"], "parameters": parameters}
    return [_averaged(panel, found[row], average) for row, panel in enumerate(batch.panels)]


def _averaged(panel: Panel, values: Floats, average: Mapping[str, Any]) -> Answer:
    away = panel.values - values
    known = ~np.isnan(away)
    size = float(np.abs(away[known]).max(initial=0.0)) or 1.0
    deviation = float(np.sqrt(((away[known] / size) ** 2).mean())) * size if known.any() else np.nan
    newest = values[~np.isnan(values)]
    warnings = [] if len(newest) else ["The window is longer than any run of values: there is no average."]
    figures = {"deviation": deviation, "last": newest[-1] if len(newest) else np.nan}
    return told(panel, figures, warnings=warnings) | {"average": {**average, "values": numbers(values)}}
