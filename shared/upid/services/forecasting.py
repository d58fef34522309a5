"""Forecasts: made of series or of stored usage, kept, and found again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from upid.domain.errors import InvalidRequestError
from upid.domain.times import format_time
from upid.engine.confidence import scoring
from upid.engine.forecasting.methods import METHODS
from upid.engine.forecasting.selection import AUTO, Forecast, forecast
from upid.engine.seasonality.decomposition import Parts, classical, stl
from upid.engine.seasonality.periods import seasons
from upid.engine.statistics.rows import linear_fill
from upid.ports.clock import Clock, Ids
from upid.ports.records import Key, Records
from upid.services.analytic_requests import ForecastAsked, UnknownPredictionError
from upid.services.panels import Batch, Floats, Panel, batches, number, numbers
from upid.services.series import Asked, Selection
from upid.services.statistics import common_periods, season_told, trust
from upid.services.usage_series import SeriesReader

MOST_USED: Final = 2016  # newest steps that a forecast is fitted on: a week of five minutes
MOST_FORECASTS: Final = 100_000  # steps ahead times series of one request
MOST_LOESS: Final = 5_000_000  # steps times period of an STL decomposition
KEPT_SECONDS: Final = 180 * 86400.0


@dataclass(frozen=True, slots=True)
class ForecastingService:
    """Forecasts series, and keeps what was predicted so that it can be judged later."""

    reader: SeriesReader
    records: Records
    clock: Clock
    ids: Ids

    def predict(self, tenant: str, asked: Asked, how: ForecastAsked) -> list[dict[str, Any]]:
        """Return a forecast of each series, in their order. Errors as `SeriesReader.read`, and InvalidRequestError where a method does not fit a series."""
        panels = [_newest(panel) for panel in self.reader.read(tenant, asked)]
        if len(panels) * how.horizon > MOST_FORECASTS:
            raise InvalidRequestError([{"pointer": "#/horizon", "detail": f"At most {MOST_FORECASTS} steps ahead over all series."}])
        told = forecasts(panels, how)
        source = asdict(asked) if isinstance(asked, Selection) else None
        return [self._kept(tenant, panel, each, source, store=how.store) for panel, each in zip(panels, told, strict=True)]

    def get(self, tenant: str, prediction_id: str) -> dict[str, Any]:
        """Return a stored prediction; UnknownPredictionError where the tenant has none of this id."""
        found = self.records.get(Key(_partition(tenant), prediction_id))
        if found is None:
            raise UnknownPredictionError(f"There is no prediction {prediction_id[:100]}.", id=prediction_id[:100])
        return dict(found.body)

    def demand(self, tenant: str, asked: Selection, how: ForecastAsked, *, limit: int) -> dict[str, Any]:
        """Return the forecast of a cluster and of its parts, reconciled so that the parts add up to the whole; the largest parts first."""
        panels = [_newest(panel) for panel in self.reader.select(tenant, asked)]
        if len(panels) * how.horizon > MOST_FORECASTS:
            raise InvalidRequestError([{"pointer": "?horizon", "detail": f"At most {MOST_FORECASTS} steps ahead over all parts."}])
        whole = replace(_newest(self.reader.select(tenant, replace(asked, split="none"))[0]), name="total")
        total = forecasts([whole], how)[0]
        parts = forecasts(panels, how)
        _reconcile(total, parts)
        items = sorted(parts, key=lambda each: -sum(value or 0.0 for value in each["mean"]))
        return {
            "cluster_id": asked.cluster_id, "metric": asked.metric, "unit": whole.unit, "split": asked.split, "horizon": how.horizon, "total": total,
            "parts": len(parts), "items": items[:limit],
        }  # fmt: skip

    def decompose(self, tenant: str, asked: Asked, *, method: str, period: int | None, robust: bool) -> dict[str, Any]:
        """Return the seasons of each series, and its trend, season and rest by the period given or found. InvalidRequestError where it doesn't fit."""
        return {
            "method": method,
            "series": [_decomposed(panel, method, period, robust=robust) for panel in self.reader.read(tenant, asked)],
        }

    def _kept(self, tenant: str, panel: Panel, told: dict[str, Any], source: Mapping[str, Any] | None, *, store: bool) -> dict[str, Any]:
        now = self.clock.now()
        prediction_id = self.ids.new("prediction") if store else None
        body = {"id": prediction_id, "created_at": format_time(now)} | told
        if prediction_id is not None:
            selected = None if source is None else {**source, **panel.labels, "split": "none"}
            kept = body | {
                "source": selected,
                "made_at": now,
                "begins": None if panel.start is None else panel.start + len(panel.values) * panel.step_seconds,
            }
            self.records.put(Key(_partition(tenant), prediction_id), kept, expires_at=now + KEPT_SECONDS)
        return body


def _partition(tenant: str) -> str:
    return f"t#{tenant}#predictions"


def _newest(panel: Panel) -> Panel:
    skipped = len(panel.values) - MOST_USED
    if skipped <= 0:
        return panel
    start = None if panel.start is None else panel.start + skipped * panel.step_seconds
    told = f"The newest {MOST_USED} of {len(panel.values)} steps are used."
    return replace(panel, values=panel.values[skipped:], start=start, warnings=(*panel.warnings, told))


def forecasts(panels: Sequence[Panel], how: ForecastAsked) -> list[dict[str, Any]]:
    """Return the forecast of each panel, made in batches of one length, step and season; InvalidRequestError where the method fits none."""
    result: list[dict[str, Any]] = [{}] * len(panels)
    for batch in batches(panels):
        periods = [period_of(panel) if how.period is None else how.period for panel in batch.panels]
        for period in sorted(set(periods)):
            rows = [row for row, each in enumerate(periods) if each == period]
            part = Batch(tuple(batch.panels[row] for row in rows), tuple(batch.places[row] for row in rows))
            for place, told in zip(part.places, _batch(part, period, how), strict=True):
                result[place] = told
    return result


def period_of(panel: Panel) -> int:
    """Return the steps of the strongest season that a panel has, 1 for none."""
    found = seasons(panel.values, common_periods(panel))
    return found[0].period if found else 1


def _batch(batch: Batch, period: int, how: ForecastAsked) -> list[dict[str, Any]]:
    values = batch.values
    if np.isnan(values).all(axis=1).any():
        raise InvalidRequestError([{"pointer": "#/series", "detail": "The newest steps of a series have no value at all."}])
    wanted = AUTO if how.method == "auto" else (how.method,)
    try:
        found = forecast(values, how.horizon, period, methods=wanted)
    except ValueError:
        raise InvalidRequestError([{"pointer": "#/method", "detail": _unfit(how, values, period)}]) from None
    return [_told(panel, row, found, period, how) for row, panel in enumerate(batch.panels)]


def _unfit(how: ForecastAsked, values: Floats, period: int) -> str:
    if how.method == "auto":
        return "A forecast needs two values at least."
    method = METHODS[how.method]
    need = f"{max(method.least, method.cycles * period)} values, got {values.shape[1]}"
    return (
        f"{method.name} needs {need}" + (", a season" if method.cycles else "") + (", and values above 0" if method.positive else "") + "."
    )


def _told(panel: Panel, row: int, found: Forecast, period: int, how: ForecastAsked) -> dict[str, Any]:
    name = found.chosen[row]
    outlook = found.outlooks[name]
    test = found.backtest
    floor = 0.0 if how.non_negative else -math.inf
    bounds = {
        f"{edge}{share}": numbers(np.maximum(each[row], floor))
        for share in (80, 95)
        for edge, each in zip(("low", "high"), outlook.interval(share / 100), strict=True)
    }
    steps = len(panel.values)
    warnings = panel.all_warnings() + ([] if test else ["There is too little history for a back-test: intervals rest on the fit alone."])
    judged = (
        {}
        if test is None or name not in test.mase
        else scoring.of_backtest(
            float(np.nanmean(test.mase[name][row])) if np.isfinite(test.mase[name][row]).any() else math.nan,
            float(test.covered95[name][row]),
        )
    )
    return {
        "series": panel.told() | {"warnings": warnings}, "method": name, "asked_method": how.method, "period_steps": period, "horizon": how.horizon,
        "unit": panel.unit, "step_seconds": panel.step_seconds, "start": panel.moment(steps),
        "parameters": {key: float(value[row]) for key, value in outlook.parameters.items()},
        "mean": numbers(np.maximum(outlook.mean[row], floor)), "deviation": numbers(outlook.deviation[row]), **bounds,
        "backtest": _backtest(found, row), "confidence": trust(panel, **judged),
    }  # fmt: skip


def _backtest(found: Forecast, row: int) -> dict[str, Any] | None:
    test = found.backtest
    if test is None:
        return None
    rows = [
        {
            "method": name, "mase": number(_finite_mean(test.mase[name][row])), "rmse": number(test.rmse[name][row]), "bias": number(test.bias[name][row]),
            "covered80": number(test.covered80[name][row]), "covered95": number(test.covered95[name][row]),
        }
        for name in test.mase
    ]  # fmt: skip
    return {"folds": len(test.origins), "horizon": test.horizon, "mase_scale": number(test.mase_scale[row]), "methods": rows}


def _finite_mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def _reconcile(total: dict[str, Any], parts: Sequence[dict[str, Any]]) -> None:
    """Change forecasts so that the parts add up to the whole, each by its share of the variance (weighted least squares).

    With independent errors this is the best linear reconciliation for one level (Wickramasuriya et al., doi:10.1080/01621459.2018.1448825, with a diagonal
    covariance). Bounds move with the means.
    """
    means = np.array([[value or 0.0 for value in part["mean"]] for part in parts])
    spread = np.array([[value or 0.0 for value in part["deviation"]] for part in parts]) ** 2
    whole, wide = np.array([value or 0.0 for value in total["mean"]]), np.array([value or 0.0 for value in total["deviation"]]) ** 2
    gap = whole - means.sum(axis=0)
    every = spread.sum(axis=0) + wide
    share = np.where(every > 0, 1 / np.where(every > 0, every, 1.0), 0.0)
    moved = [gap * variance * share for variance in spread]
    left = gap - np.sum(moved, axis=0)
    _shift(total, -np.where(every > 0, left, gap))
    for part, by in zip(parts, moved, strict=True):
        _shift(part, by)
    # A mean that is held at 0 moves no further: the whole is then what its parts come to, and its bounds hold that.
    total["mean"] = numbers(np.array([[value or 0.0 for value in part["mean"]] for part in parts]).sum(axis=0))
    for name, held in (("low80", min), ("low95", min), ("high80", max), ("high95", max)):
        total[name] = [held(bound, mean) for bound, mean in zip(total[name], total["mean"], strict=True)]


def _shift(told: dict[str, Any], by: Floats) -> None:
    for name in ("mean", "low80", "high80", "low95", "high95"):
        told[name] = numbers(np.maximum(np.array([value or 0.0 for value in told[name]]) + by, 0.0))


def _decomposed(panel: Panel, method: str, period: int | None, *, robust: bool) -> dict[str, Any]:
    found = seasons(panel.values, common_periods(panel))
    used = period or (found[0].period if found else None)
    parts = _parts(panel, method, used, robust=robust) if used else None
    warnings = panel.all_warnings() + ([] if used else ["No significant season was found: name a period to decompose by it all the same."])
    return panel.told() | {
        "seasons": [season_told(panel, each) for each in found], "period_steps": used,
        "trend": numbers(parts.trend[0]) if parts else None, "season": numbers(parts.season[0]) if parts else None,
        "rest": numbers(parts.rest[0]) if parts else None, "seasonal_strength": number(parts.seasonal_strength[0]) if parts else None,
        "trend_strength": number(parts.trend_strength[0]) if parts else None, "warnings": warnings,
        "confidence": trust(panel, **({"significance": 1 - found[0].p_value} if found else {})),
    }  # fmt: skip


def _parts(panel: Panel, method: str, period: int, *, robust: bool) -> Parts:
    values = linear_fill(panel.values[None])
    if method == "stl" and len(panel.values) * period > MOST_LOESS:
        raise InvalidRequestError(
            [{"pointer": "#/period_steps", "detail": f"Steps times period may be {MOST_LOESS} for stl: take `classical`."}]
        )
    try:
        if method == "stl":
            return stl(values, period, robust=robust)
        return classical(values, period, multiplicative=method == "classical_multiplicative")
    except ValueError as error:
        raise InvalidRequestError([{"pointer": "#/period_steps", "detail": str(error)}]) from None
