"""Forecasts of series, as answers have them: in batches of one length, step and season, each with its back-test and its confidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from upid.domain.errors import InvalidRequestError
from upid.engine.confidence import scoring
from upid.engine.forecasting.methods import METHODS
from upid.engine.forecasting.selection import AUTO, Forecast, forecast
from upid.engine.seasonality.periods import seasons
from upid.services.analytic_requests import ForecastAsked
from upid.services.fits import Fits
from upid.services.panels import Batch, Floats, Panel, batches, number, numbers
from upid.services.series import MOST_FITTED, MOST_FITTED_OTHERWISE
from upid.services.statistics import common_periods, trust

LEAST_STEPS: Final = 2  # that any forecast needs


def bounded(panels: Sequence[Panel], how: ForecastAsked) -> None:
    """Raise InvalidRequestError for more values than the method is done with while a client waits."""
    values, most = sum(len(panel.values) for panel in panels), MOST_FITTED.get(how.method, MOST_FITTED_OTHERWISE)
    if values > most:
        detail = f"At most {most} values of all series together are forecast by `{how.method}`, got {values}: take fewer, longer steps, or `theta`."
        raise InvalidRequestError([{"pointer": how.place("method"), "detail": detail}])


def _begun(panel: Panel) -> Panel:
    """Return the panel without the steps before its first value, but for less than a sixth, which is before any origin of a back-test.

    Lengths are cut by a sixth at a time, so that series which begin at many moments are still few batches.
    """
    known = np.flatnonzero(~np.isnan(panel.values))
    needed = len(panel.values) - int(known[0]) if len(known) else len(panel.values)
    length = len(panel.values)
    while length * 5 // 6 >= max(needed, LEAST_STEPS):
        length = length * 5 // 6
    skipped = len(panel.values) - length
    if not skipped:
        return panel
    start = None if panel.start is None else panel.start + skipped * panel.step_seconds
    told = f"There is no value in the first {len(panel.values) - needed} steps: the newest {length} are used."
    return replace(panel, values=panel.values[skipped:], start=start, warnings=(*panel.warnings, told))


def forecasts(panels: Sequence[Panel], how: ForecastAsked, fits: Fits, *, hold: bool = False) -> list[dict[str, Any]]:
    """Return the forecast of each panel, made in batches of one length, step and season.

    `hold`: what the method does not fit is held at its last value; else InvalidRequestError.
    """
    begun = [_begun(panel) for panel in panels]
    result: list[dict[str, Any]] = [{}] * len(panels)
    for batch in batches(begun):
        periods = [period_of(panel) if how.period is None else how.period for panel in batch.panels]
        for period in sorted(set(periods)):
            rows = [row for row, each in enumerate(periods) if each == period]
            part = Batch(tuple(batch.panels[row] for row in rows), tuple(batch.places[row] for row in rows))
            for place, told in zip(part.places, _batch(part, period, how, fits, hold=hold), strict=True):
                result[place] = told
    return result


def period_of(panel: Panel) -> int:
    """Return the steps of the strongest season that a panel has, 1 for none."""
    found = seasons(panel.values, common_periods(panel))
    return found[0].period if found else 1


def _batch(batch: Batch, period: int, how: ForecastAsked, fits: Fits, *, hold: bool) -> list[dict[str, Any]]:
    values = batch.values
    if np.isnan(values).all(axis=1).any():
        pointer = "?step_seconds" if how.pointer == "?" else "#/series"
        raise InvalidRequestError([{"pointer": pointer, "detail": "The newest steps of a series have no value at all."}])
    wanted = AUTO if how.method == "auto" else (how.method,)
    try:
        found = fits.forecast(values, how.horizon, period, wanted)
    except ValueError:
        if not hold:
            raise InvalidRequestError([{"pointer": how.place("method"), "detail": _unfit(how, values, period)}]) from None
        return _held(batch, period, how, fits)
    return [_told(panel, row, found, period, how) for row, panel in enumerate(batch.panels)]


def _held(batch: Batch, period: int, how: ForecastAsked, fits: Fits) -> list[dict[str, Any]]:
    """Return forecasts of series that the method does not fit all of: one with a 0 keeps a multiplicative season from no other."""
    if len(batch.panels) > 1:
        alone = [Batch((panel,), (place,)) for panel, place in zip(batch.panels, batch.places, strict=True)]
        return [told for each in alone for told in _batch(each, period, how, fits, hold=True)]
    (panel,) = batch.panels
    told = f"{_unfit(how, batch.values, period)} It is held at its last value."
    found = forecast(batch.values, how.horizon, 1, methods=("naive",))
    return [_told(replace(panel, warnings=(*panel.warnings, told)), 0, found, 1, how)]


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
