"""Algorithms on series: the same input and parameters give the same bytes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from upid.domain.errors import InvalidRequestError
from upid.engine.anomalies.alarms import alarms
from upid.engine.anomalies.detectors import detect
from upid.engine.capacity.growth import grow
from upid.engine.capacity.thresholds import threshold
from upid.engine.forecasting.selection import AUTO, forecast
from upid.engine.patterns.peaks import peaks
from upid.engine.rightsizing.assess import assess
from upid.engine.rightsizing.current import CurrentResources, PriceColumns
from upid.engine.rightsizing.options import Options
from upid.engine.seasonality.decomposition import classical, stl
from upid.engine.seasonality.periods import seasons
from upid.engine.statistics.averages import exponential_average, simple_average, weighted_average
from upid.engine.statistics.changes import level_shifts
from upid.engine.statistics.density import smoothed_quantiles
from upid.engine.statistics.describing import describe
from upid.engine.statistics.effective import effective_samples
from upid.engine.statistics.linear import least_squares_line, robust_trend
from upid.engine.statistics.quantiles import sorted_quantiles
from upid.engine.statistics.regression import polynomial_regression
from upid.engine.statistics.rows import linear_fill
from upid.engine.statistics.variance import anova, spread_by_group
from upid.engine.usage.evidence import profile_evidence
from upid.engine.usage.folding import fold
from upid.engine.usage.histogram import decayed
from upid.engine.usage.profile import UsageProfile, empty_profile
from upid.engine.usage.samples import Samples
from upid.services.algorithms.registry import ALGORITHMS
from upid.services.panels import Panel

Floats = NDArray[np.float64]
Found = dict[str, Any]
DAY: Final = 86400
WEEK: Final = 7 * DAY
FIRST_MONDAY: Final = 4 * DAY
PROBABILITIES: Final = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def run(algorithm_id: str, parameters: Mapping[str, Any], panels: Sequence[Panel]) -> Found:
    """Return what an algorithm finds in each series, as JSON; InvalidRequestError for a series that it can not work on.

    Keys: algorithm, version, parameters, input_digest, series. A figure that is not defined is None.
    """
    function = FUNCTIONS[algorithm_id]
    found = []
    for place, panel in enumerate(panels):
        if not np.isfinite(panel.values).any():
            raise _refused(place, panel, "It has no value.")
        try:
            result = function(panel, parameters)
        except ValueError as error:
            raise _refused(place, panel, str(error)) from None
        found.append({**panel.told(), "result": plain(result)})
    told = {"algorithm": algorithm_id, "version": ALGORITHMS[algorithm_id].version, "parameters": dict(parameters)}
    return {**told, "input_digest": input_digest(panels), "series": found}


def _refused(place: int, panel: Panel, detail: str) -> InvalidRequestError:
    return InvalidRequestError([{"pointer": f"#/series/{place}", "detail": f"{panel.name}: {detail}"}])


def input_digest(panels: Sequence[Panel]) -> str:
    """Return the SHA-256 of the series: names, grids and every value."""
    digest = hashlib.sha256()
    for panel in panels:
        digest.update(orjson.dumps([panel.name, panel.start, panel.step_seconds, len(panel.values)]))
        digest.update(np.ascontiguousarray(panel.values, dtype="<f8").tobytes())
    return digest.hexdigest()


def plain(value: Any) -> Any:
    """Return a result as JSON has it: figures to 12 digits, None for what is not finite."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(each) for each in (value.tolist() if isinstance(value, np.ndarray) else value)]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return float(f"{value:.12g}") if math.isfinite(value) else None
    return value


def _row(panel: Panel) -> Floats:
    return panel.values[None, :]


def _quantile(panel: Panel, given: Mapping[str, Any]) -> Found:
    known = np.sort(panel.values[np.isfinite(panel.values)])[None, :]
    return {"quantile": sorted_quantiles(known, np.array([known.shape[1]]), (given["probability"],))[0, 0], "unit": panel.unit}


def profile_of(panel: Panel, resource: str) -> UsageProfile:
    """Return the profile of one series as one pod's use; ValueError for a step that is no whole number of seconds, or values below 0."""
    step = int(panel.step_seconds)
    if step != panel.step_seconds or DAY % step or (panel.values < 0).any():
        raise ValueError("use is not below 0, on steps of whole seconds that a day is a multiple of.")
    values = panel.values.astype(np.float32)[None, :]
    none = np.full(values.shape, np.nan, dtype=np.float32)
    cpu, memory = (values, none) if resource == "cpu" else (none, values)
    zero = np.zeros(1, dtype=np.int64)
    start = FIRST_MONDAY if panel.start is None else int(panel.start) // step * step
    events = np.zeros(1, dtype=np.int32)
    return fold(empty_profile(zero), Samples(start, step, cpu, memory, none, events, events, np.full(1, np.nan), zero, zero))


def _density(panel: Panel, given: Mapping[str, Any]) -> Found:
    profile = profile_of(panel, "cpu")
    weights = decayed(profile.cpu, newest_day=profile.newest_day, reference_day=profile.reference_day)
    found = smoothed_quantiles(weights, profile.cpu.top, allowed_time_above=(given["allowed_time_above"],))
    return {"quantile": found[0, 0], "unit": panel.unit}


def _right_sizing(panel: Panel, given: Mapping[str, Any]) -> Found:
    profile = profile_of(panel, given["resource"])
    unset, no = np.full(1, np.nan), np.zeros(1, dtype=bool)
    now = CurrentResources(unset, unset, unset, unset, unset, np.ones(1, dtype=np.int64), no, no, no, no, unset, unset)
    options = Options(allowed_time_above=given["allowed_time_above"])
    columns = assess(profile, profile_evidence(profile), now, PriceColumns(np.zeros(1), np.zeros(1)), options).columns
    names = ("cpu_request_cores", "cpu_limit_cores") if given["resource"] == "cpu" else ("memory_request_bytes", "memory_limit_bytes")
    figures = {name: columns[column][0] for name, column in zip(("request", "limit"), names, strict=True)}
    return {
        **figures,
        "unit": "cores" if given["resource"] == "cpu" else "bytes",
        "confidence": columns["confidence"][0],
        "hours": columns["hours"][0],
    }


def _describe(panel: Panel, _: Mapping[str, Any]) -> Found:
    found = describe(_row(panel), PROBABILITIES)
    names = ("count", "mean", "deviation", "variation", "minimum", "maximum", "autocorrelation", "effective_samples")
    figures = {name: getattr(found, name)[0] for name in names}
    return figures | {f"p{p * 100:g}": value for p, value in zip(PROBABILITIES, found.quantiles[0], strict=True)} | {"unit": panel.unit}


def _effective(panel: Panel, _: Mapping[str, Any]) -> Found:
    per_day = max(int(DAY // panel.step_seconds), 1)
    days = -(-len(panel.values) // per_day)
    padded = np.full(days * per_day, np.nan)
    padded[: len(panel.values)] = panel.values
    table, known = padded.reshape(1, days, per_day), ~np.isnan(padded).reshape(1, days, per_day)
    filled = np.where(known, table, 0.0)
    steps = known.sum(axis=(1, 2))
    hours = steps * panel.step_seconds / 3600
    found = effective_samples(known.sum(axis=2), filled.sum(axis=2), (filled**2).sum(axis=2), steps, hours=hours)[0]
    return {"effective_samples": found, "samples": steps[0], "tau_steps": steps[0] / found if found else math.nan}


def _line(panel: Panel, given: Mapping[str, Any]) -> Found:
    line = least_squares_line(panel.times, _row(panel), confidence=given["confidence"])
    weekly = {f"{name}_per_week": getattr(line, name)[0] * WEEK for name in ("slope", "low", "high")}
    return {**weekly, "unit": panel.unit, **{name: getattr(line, name)[0] for name in ("r_squared", "p_value", "p_value_correlated")}}


def _robust(panel: Panel, given: Mapping[str, Any]) -> Found:
    if len(panel.values) > 3000:
        raise ValueError("at most 3000 values, as all pairs are compared: take a longer step.")
    found = robust_trend(panel.times, panel.values, confidence=given["confidence"])
    weekly = {f"{name}_per_week": getattr(found, name) * WEEK for name in ("slope", "low", "high")}
    return {**weekly, "unit": panel.unit, **{name: getattr(found, name) for name in ("tau", "z", "p_value")}}


def _shifts(panel: Panel, given: Mapping[str, Any]) -> Found:
    found = level_shifts(panel.values, least=given["least"], penalty=given["penalty"])
    return {"shifts": [{**shift._asdict(), "time": panel.moment(shift.column)} for shift in found], "unit": panel.unit}


def _seasons(panel: Panel, given: Mapping[str, Any]) -> Found:
    found = seasons(panel.values, significance=given["significance"])
    return {"seasons": [{**season._asdict(), "seconds": season.period * panel.step_seconds} for season in found]}


def _stl(panel: Panel, given: Mapping[str, Any]) -> Found:
    parts = stl(linear_fill(_row(panel)), given["period"], robust=given["robust"])
    arrays = {name: np.squeeze(getattr(parts, name)) for name in parts.__dataclass_fields__}
    return {name: value if value.ndim else value.item() for name, value in arrays.items()} | {"unit": panel.unit}


def _classical(panel: Panel, given: Mapping[str, Any]) -> Found:
    parts = classical(linear_fill(_row(panel)), given["period"], multiplicative=given["multiplicative"])
    return {name: getattr(parts, name)[0] for name in ("trend", "season", "rest")} | {
        "seasonal_strength": parts.seasonal_strength[0], "trend_strength": parts.trend_strength[0], "unit": panel.unit,
    }  # fmt: skip


def _polynomial(panel: Panel, given: Mapping[str, Any]) -> Found:
    known = np.isfinite(panel.values)
    found = polynomial_regression(
        panel.times[known] / DAY, panel.values[known], degree=given["degree"] or None, confidence=given["confidence"]
    )
    fit = found.regression
    return {
        "degree": found.degree,
        "fitted": found.at(panel.times / DAY),
        "r_squared": fit.r_squared,
        "aicc": fit.aicc,
        "p_value": fit.p_value,
        "unit": panel.unit,
    }


def _growth(panel: Panel, given: Mapping[str, Any]) -> Found:
    ahead = np.array([given["days_ahead"]])
    found = grow(panel.times / DAY, _row(panel), ahead, model=given["model"], confidence=given["confidence"])
    figures = {name: getattr(found, name)[0] for name in ("level", "rate", "relative", "r_squared", "p_value")}
    return figures | {name: getattr(found, name)[0, 0] for name in ("projected", "low", "high")} | {"unit": panel.unit}


def _peaks(panel: Panel, given: Mapping[str, Any]) -> Found:
    level, found = peaks(panel.values, share=given["share"], least_width=given["least_width"], join=given["join"])
    return {
        "level": level,
        "peaks": [{**peak._asdict(), "width": peak.width, "time": panel.moment(peak.first)} for peak in found],
        "unit": panel.unit,
    }


def _threshold(panel: Panel, given: Mapping[str, Any]) -> Found:
    return {"threshold": threshold(_row(panel), method=given["method"], sensitivity=given["sensitivity"])[0], "unit": panel.unit}


def _by_hour(panel: Panel, _: Mapping[str, Any]) -> Found:
    hours = (((panel.start or 0.0) + panel.times) % DAY // 3600).astype(np.int64)
    spread = spread_by_group(panel.values, hours, 24)
    columns = zip(*(getattr(spread, name) for name in ("counts", "mean", "deviation", "variation")), strict=True)
    told = [
        {"hour": hour, "count": n, "mean": mean, "deviation": deviation, "variation": cv}
        for hour, (n, mean, deviation, cv) in enumerate(columns)
    ]
    return {"hours": told, **anova(spread)._asdict(), "unit": panel.unit}


def _forecast(panel: Panel, given: Mapping[str, Any]) -> Found:
    methods = AUTO if given["method"] == "auto" else (given["method"],)
    found = forecast(_row(panel), given["horizon"], given["period"], methods=methods)
    outlook = found.outlooks[found.chosen[0]]
    bounds = {
        f"{side}{cover:.0%}".replace("%", ""): bound[0]
        for cover in (0.8, 0.95)
        for side, bound in zip(("low", "high"), outlook.interval(cover), strict=True)
    }
    return {"method": outlook.method, "mean": outlook.mean[0], **bounds, "unit": panel.unit}


def _anomalies(panel: Panel, given: Mapping[str, Any]) -> Found:
    options = {name: given[name] for name in ("threshold", "window", "causal", "period")}
    scores = detect(_row(panel), given["detector"], **options)
    found = alarms(scores.score[0], threshold=given["threshold"], cool_down=given["cool_down"])
    return {"alarms": [{**alarm._asdict(), "time": panel.moment(alarm.first)} for alarm in found], "scores": scores.score[0]}


FUNCTIONS: Final[MappingProxyType[str, Callable[[Panel, Mapping[str, Any]], Found]]] = MappingProxyType({
    "right-sizing": _right_sizing, "density-quantile": _density, "exact-quantile": _quantile, "describe": _describe, "effective-samples": _effective,
    "simple-moving-average": lambda panel, given: {"values": simple_average(_row(panel), given["window"])[0], "unit": panel.unit},
    "weighted-moving-average": lambda panel, given: {"values": weighted_average(_row(panel), given["window"])[0], "unit": panel.unit},
    "exponential-moving-average": lambda panel, given: {"values": exponential_average(_row(panel), given["alpha"])[0], "unit": panel.unit},
    "least-squares-trend": _line, "theil-sen-trend": _robust, "level-shifts": _shifts, "seasonality": _seasons, "stl-decomposition": _stl,
    "forecast": _forecast, "anomaly-detection": _anomalies, "classical-decomposition": _classical, "polynomial-trend": _polynomial,
    "growth-projection": _growth, "peaks": _peaks, "alarm-threshold": _threshold, "variance-by-hour": _by_hour,
})  # fmt: skip
