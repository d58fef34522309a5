"""Capacity: days until it is full, growth, thresholds and headroom."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.domain.errors import InvalidRequestError
from upid.engine.capacity.growth import Growth, grow
from upid.engine.capacity.headroom import headroom
from upid.engine.capacity.planning import Exhaustion, capacity_left, nodes_needed, until_full
from upid.engine.capacity.thresholds import alarms, threshold
from upid.engine.statistics.linear import least_squares_line
from upid.services.models.rows import DAY_SECONDS, after, answer_of, by_batch, days, told
from upid.services.models.telling import Answer, shown
from upid.services.panels import Batch, Panel

Floats = NDArray[np.float64]
MOST_NODES: Final = 1_000_000
WEEK_DAYS: Final = 7.0


def plan(panels: Sequence[Panel], request: Mapping[str, Any]) -> Answer:
    """Return for each series when its capacity is full, with bounds, and the nodes that it needs, as `PlanningOut` names it."""

    def _run(batch: Batch) -> list[Answer]:
        capacity = capacities_of(batch, request)
        found = until_full(days(batch), batch.values, capacity, confidence=request["confidence"])
        use = headroom(batch.values, capacity, probability=request["percentile"] / 100, target=request["target_utilization"])
        return [
            _planned(panel, row, found, request, capacity=float(capacity[row]), quantile=float(use.quantile[row]))
            for row, panel in enumerate(batch.panels)
        ]

    return answer_of("capacity-exhaustion", request, by_batch(panels, _run))


def _planned(panel: Panel, row: int, found: Exhaustion, request: Mapping[str, Any], *, capacity: float, quantile: float) -> Answer:
    full, early, late = (float(getattr(found, name)[row]) for name in ("until_full", "earliest", "latest"))
    slope = float(found.slope[row])
    figures = {
        "capacity": capacity, "level": found.level[row], "growth_per_day": slope, "demand": quantile, "status": _status(full),
        "days_until_full": full, "earliest_days": early, "latest_days": late,
    }  # fmt: skip
    dates = {"full_at": after(panel, full), "earliest_at": after(panel, early), "latest_at": after(panel, late)}
    fit = shown(
        {
            "r_squared": found.r_squared[row],
            "residual_deviation": found.residual_deviation[row],
            "points": int((~np.isnan(panel.values)).sum()),
        }
    )
    demand = max(quantile, 0.0) if math.isfinite(quantile) else 0.0
    ahead = max(demand + max(slope, 0.0) * request["horizon_days"], 0.0) if math.isfinite(slope) else demand
    nodes = _nodes(demand, ahead, request) if request["node"] else None
    return told(panel, figures, warnings=_planning_warnings(panel, full, late)) | dates | {"goodness_of_fit": fit, "nodes": nodes}


def _status(full: float) -> str:
    if math.isnan(full):
        return "unknown"
    return "full" if full == 0 else "growing" if math.isfinite(full) else "not_growing"


def _planning_warnings(panel: Panel, full: float, late: float) -> list[str]:
    window = len(panel.values) * panel.step_seconds / DAY_SECONDS
    found = []
    if math.isfinite(full) and full > window:
        found.append(f"That is further ahead than the {window:.3g} days that were seen: a guess that grows with the distance.")
    if math.isfinite(full) and full > 0 and not math.isfinite(late):
        found.append("The growth is not certain: the lower bound never reaches the capacity.")
    return found


def _nodes(demand: float, ahead: float, request: Mapping[str, Any]) -> Answer:
    """Return the nodes for the demand now and at the horizon; InvalidRequestError where they are more than a million."""
    node = request["node"]
    if max(demand, ahead) / (node["capacity"] * request["target_utilization"]) > MOST_NODES:
        raise InvalidRequestError(
            [{"pointer": "#/node/capacity", "detail": f"The demand would need more than {MOST_NODES} nodes: check the units."}]
        )
    needed = [nodes_needed(each, node["capacity"], target=request["target_utilization"], spare=node["spare"]) for each in (demand, ahead)]
    count = node["count"]
    survives = None if count is None else capacity_left(np.full(count, float(node["capacity"])), node["spare"]) >= demand
    return {
        "needed_now": needed[0], "needed_at_horizon": needed[1], "spare": node["spare"], "count": count,
        "missing_at_horizon": None if count is None else max(needed[1] - count, 0), "survives_loss_of_spare": survives,
    }  # fmt: skip


def project(panels: Sequence[Panel], request: Mapping[str, Any]) -> Answer:
    """Return how each series grows and where that leads, as `GrowthOut` names it."""
    ahead = np.array(sorted(set(request["horizons_days"])), dtype=np.float64)

    def _run(batch: Batch) -> list[Answer]:
        fits = {"linear": grow(days(batch), batch.values, ahead, model="linear", confidence=request["confidence"])}
        rising = np.atleast_1d((np.nan_to_num(batch.values, nan=1.0) > 0).all(axis=1))
        if request["model"] != "linear" and rising.any():
            safe = np.where(rising[:, None], batch.values, 1.0)
            fits["exponential"] = grow(days(batch), safe, ahead, model="exponential", confidence=request["confidence"])
        return [_grown(panel, row, fits, ahead, request, rising=bool(rising[row])) for row, panel in enumerate(batch.panels)]

    return answer_of("growth-projection", request, by_batch(panels, _run))


def _grown(panel: Panel, row: int, fits: Mapping[str, Growth], ahead: Floats, request: Mapping[str, Any], *, rising: bool) -> Answer:
    model, warnings = _model(row, fits, request["model"], rising=rising)
    found = fits[model]
    relative, rate = float(found.relative[row]), float(found.rate[row])
    with np.errstate(over="ignore", divide="ignore"):  # e-folds a day may be more than a number holds, or a fall to nothing
        per_week = float(np.expm1(WEEK_DAYS * np.log1p(relative))) if model == "exponential" else relative * WEEK_DAYS
    doubling = (math.log(2) / math.log1p(relative) if model == "exponential" else 1 / relative) if relative > 0 else math.nan
    if math.isinf(per_week):
        warnings = [*warnings, "Growth per week is more than a number holds."]
    level = float(found.level[row])
    figures = {
        "level": level, "growth_per_day": level * rate if model == "exponential" else rate, "relative_growth_per_day": relative,
        "relative_growth_per_week": per_week, "doubling_days": doubling, "p_value": found.p_value[row],
    }  # fmt: skip
    projections = [
        shown({"days": day, "value": found.projected[row, i], "low": found.low[row, i], "high": found.high[row, i]}) | {"time": after(panel, day)}
        for i, day in enumerate(ahead)
    ]  # fmt: skip
    points = int((~np.isnan(panel.values)).sum())
    fit = shown(
        {"r_squared": found.r_squared[row], "residual_deviation": found.residual_deviation[row], "points": points, "aicc": found.aicc[row]}
    )
    if ahead[-1] * DAY_SECONDS > len(panel.values) * panel.step_seconds:
        warnings = [*warnings, "A horizon is further ahead than the window that was seen."]
    significance = {"significance": 1 - float(found.p_value[row])}
    answer = told(panel, figures, warnings=warnings, parts=significance)
    return answer | {"model": model, "projections": projections, "goodness_of_fit": fit}


def _model(row: int, fits: Mapping[str, Growth], wanted: str, *, rising: bool) -> tuple[str, list[str]]:
    if wanted == "linear" or "exponential" not in fits or not rising:
        return "linear", [] if wanted != "exponential" else ["An exponential model needs values above 0: a line was taken."]
    if wanted == "exponential":
        return "exponential", []
    return ("exponential" if fits["exponential"].aicc[row] < fits["linear"].aicc[row] else "linear"), []


def calculate_thresholds(panels: Sequence[Panel], request: Mapping[str, Any]) -> Answer:
    """Return for each series where to warn, and what that would have done on it, as `ThresholdsOut` names it."""
    levels = {name: request[name] for name in ("warning", "critical")}
    if levels["warning"] >= levels["critical"]:
        raise InvalidRequestError([{"pointer": "#/critical", "detail": "It must be above `warning`."}])
    if request["method"] == "percentile" and levels["critical"] >= 1:
        raise InvalidRequestError([{"pointer": "#/critical", "detail": "A percentile's share is below 1, such as 0.99."}])

    def _run(batch: Batch) -> list[Answer]:
        step = batch.panels[0].step_seconds
        hold = max(math.ceil(request["for_seconds"] / step), 1)
        found = {name: threshold(batch.values, method=request["method"], sensitivity=level) for name, level in levels.items()}
        past = {name: alarms(batch.values, limit, for_steps=hold) for name, limit in found.items()}
        line = least_squares_line(days(batch), batch.values)
        return [
            told(panel, {}, warnings=_flat(panel))
            | {name: _level(panel, float(found[name][row]), past[name], row) for name in levels}
            | {"lead_time": _lead(panel, float(line.slope[row]), request)}
            for row, panel in enumerate(batch.panels)
        ]

    return answer_of("threshold-from-history", request, by_batch(panels, _run))


def _level(panel: Panel, value: float, past: Any, row: int) -> Answer:
    count = int((~np.isnan(panel.values)).sum())
    return shown({
        "value": value, "time_above": int(past.steps_above[row]) / count, "alarms": int(past.alarms[row]),
        "longest_seconds": int(past.longest[row]) * panel.step_seconds,
    })  # fmt: skip


def _lead(panel: Panel, slope: float, request: Mapping[str, Any]) -> Answer | None:
    """Return the threshold from which on there are `lead_days` left until the capacity is full at today's growth; None without a capacity."""
    if request["capacity"] is None and panel.name not in request["capacities"]:
        return None
    capacity = _capacity(panel, request)
    rise = max(slope, 0.0) * request["lead_days"] if math.isfinite(slope) else math.nan
    return shown({"value": capacity - rise, "capacity": capacity, "growth_per_day": slope, "lead_days": request["lead_days"]})


def _flat(panel: Panel) -> list[str]:
    known = panel.values[~np.isnan(panel.values)]
    return ["All values are alike: a threshold is that value, and anything above it alarms."] if len(known) and np.ptp(known) == 0 else []


def analyze_headroom(panels: Sequence[Panel], request: Mapping[str, Any]) -> Answer:
    """Return what is free above each series' use, now and with nodes gone, as `HeadroomOut` names it."""

    def _run(batch: Batch) -> list[Answer]:
        capacity = capacities_of(batch, request)
        found = headroom(batch.values, capacity, probability=request["percentile"] / 100, target=request["target_utilization"])
        names = (
            "mean", "quantile", "peak", "of_mean", "of_quantile", "of_peak", "to_target", "growth_left", "time_above_target", "time_above_capacity",
        )  # fmt: skip
        return [
            _free(panel, {name: float(getattr(found, name)[row]) for name in names} | {"capacity": float(capacity[row])}, request)
            for row, panel in enumerate(batch.panels)
        ]

    return answer_of("headroom", request, by_batch(panels, _run))


def _free(panel: Panel, found: Mapping[str, float], request: Mapping[str, Any]) -> Answer:
    share = found["of_quantile"] / found["capacity"]
    warnings = [] if found["of_peak"] >= 0 else ["The peak lies above the capacity."]
    nodes = None
    if request["nodes"]:
        left = capacity_left(np.array(request["nodes"], dtype=np.float64), request["spare"])
        room = left - found["peak"]
        nodes = shown({"capacity_left": left, "spare": request["spare"], "of_peak": room}) | {"survives": bool(room >= 0)}
    return told(panel, {**found, "share_free": share}, warnings=warnings) | {"nodes": nodes}


def capacities_of(batch: Batch, request: Mapping[str, Any]) -> Floats:
    """Return the capacity of each series: its own, else the one for all, else the sum of the nodes; InvalidRequestError without any."""
    return np.array([_capacity(panel, request) for panel in batch.panels])


def _capacity(panel: Panel, request: Mapping[str, Any]) -> float:
    """Return a series' capacity: its own, else the one for all, else the sum of the nodes; InvalidRequestError without any."""
    found = request["capacities"].get(panel.name, request["capacity"])
    if found is None and request.get("nodes"):
        found = math.fsum(request["nodes"])
    if found is None:
        raise InvalidRequestError([{"pointer": "#/capacity", "detail": f"There is no capacity for {panel.name[:100]}."}])
    return float(found)
