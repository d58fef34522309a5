"""Resources: utilisation, efficiency, waste and peaks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.engine.capacity.headroom import headroom
from upid.engine.cost.savings import GIB, HOURS_PER_MONTH
from upid.engine.cost.waste import efficiency, waste
from upid.engine.patterns.peaks import Peak, peaks
from upid.engine.statistics.describing import describe
from upid.ports.prices import Prices
from upid.services.models.capacity import capacities_of
from upid.services.models.rows import answer_of, by_batch, told
from upid.services.models.telling import Answer, shown
from upid.services.panels import Batch, Panel
from upid.services.statistics import trust

Floats = NDArray[np.float64]
PROBABILITIES: Final = (0.5, 0.95, 0.99)
GRADES: Final = ((80.0, "A"), (60.0, "B"), (40.0, "C"), (20.0, "D"), (0.0, "F"))
UNITS: Final = {"cpu": "cores", "memory": "bytes", "other": ""}


class Measured(NamedTuple):
    """One resource of a workload: what is reserved, its price (None = the default rate) and its use."""

    resource: str
    reserved: float
    usd_per_unit_hour: float | None
    panel: Panel


# ---------------------------------------------------------------- utilisation
def calculate_utilization(panels: Sequence[Panel], request: Mapping[str, Any]) -> Answer:
    """Return how much of each capacity is used, as `UtilizationOut` names it."""

    def _run(batch: Batch) -> list[Answer]:
        capacity = capacities_of(batch, request)
        use = describe(batch.values, (*PROBABILITIES, request["percentile"] / 100))
        free = headroom(batch.values, capacity, target=request["target_utilization"])
        return [_utilized(panel, row, use, free, float(capacity[row]), request) for row, panel in enumerate(batch.panels)]

    return answer_of("utilization", request, by_batch(panels, _run))


def _utilized(panel: Panel, row: int, use: Any, free: Any, capacity: float, request: Mapping[str, Any]) -> Answer:  # noqa: PLR0917 what is known of a row
    p50, p95, p99, judged = (float(each) / capacity for each in use.quantiles[row])
    mean, peak = float(use.mean[row]), float(use.maximum[row])
    figures = {
        "capacity": capacity, "mean": mean / capacity, "p50": p50, "p95": p95, "p99": p99, "peak": peak / capacity, "at_percentile": judged,
        "peak_to_mean": peak / mean if mean > 0 else math.nan, "time_above_target": free.time_above_target[row],
        "time_above_capacity": free.time_above_capacity[row], "verdict": _verdict(judged, request),
    }  # fmt: skip
    return told(panel, figures, warnings=_below_zero(panel))


def _verdict(judged: float, request: Mapping[str, Any]) -> str:
    target = request["target_utilization"]
    if judged <= request["idle_utilization"]:
        return "idle"
    if judged <= target:
        return "low" if judged < target / 2 else "good"
    return "high" if judged <= 1 else "over"


def _below_zero(panel: Panel) -> list[str]:
    return ["Some values are below 0, which use cannot be."] if np.nanmin(panel.values) < 0 else []


# ---------------------------------------------------------------- efficiency and waste
def score_efficiency(workloads: Sequence[tuple[str, Sequence[Measured]]], prices: Prices) -> Answer:
    """Return how well what is paid for is used, as `EfficiencyOut` names it."""
    found = [_efficiency(name, resources, prices) for name, resources in workloads]
    scored = [each for each in found if each["score"] is not None]
    cost = math.fsum(each["usd_per_month"] for each in scored)
    whole = math.fsum(each["score"] * each["usd_per_month"] for each in scored) / cost if cost > 0 else math.nan
    return {"algorithm": "cost-weighted-efficiency", "parameters": {}, "workloads": found, **shown({"score": whole})}


def _efficiency(name: str, resources: Sequence[Measured], prices: Prices) -> Answer:
    price = np.array([_price(each, prices) for each in resources])
    use = np.array([np.nanmean(np.maximum(each.panel.values, 0)) for each in resources])
    reserved = np.array([each.reserved for each in resources])
    found = efficiency(use[None], reserved[None], price)
    costs = reserved * price * HOURS_PER_MONTH
    unused = float((costs * (1 - np.minimum(np.nan_to_num(found.utilization[0], nan=1.0), 1))).sum())
    points = float(found.score[0])
    parts = [
        {"resource": each.resource, "unit": each.panel.unit or UNITS[each.resource]}
        | shown({
            "reserved": each.reserved, "mean_use": use[i], "utilization": found.utilization[0, i], "weight": found.weight[0, i],
            "usd_per_unit_hour": price[i], "usd_per_month": costs[i],
        })
        for i, each in enumerate(resources)
    ]  # fmt: skip
    grade = None if math.isnan(points) else next(letter for least, letter in GRADES if points >= least)
    figures = shown({"score": points, "usd_per_month": costs.sum(), "usd_unused_per_month": unused})
    return {"name": name, "grade": grade, "resources": parts} | figures | _sure(resources)


def detect_waste(workloads: Sequence[tuple[str, Sequence[Measured]]], request: Mapping[str, Any], prices: Prices) -> Answer:
    """Return what is reserved and not used, as `WasteOut` names it, the dearest first."""
    found = sorted((_waste(name, resources, request, prices) for name, resources in workloads), key=lambda each: -each["usd_per_month"])
    totals = {key: math.fsum(each[key] for each in found) for key in ("usd_per_month", "reducible_usd_per_month")}
    parameters = {key: request[key] for key in ("percentile", "margin", "least_share")}
    return {"algorithm": "waste", "parameters": shown(parameters), "workloads": found} | shown(totals)


def _waste(name: str, resources: Sequence[Measured], request: Mapping[str, Any], prices: Prices) -> Answer:
    parts = [_wasted(each, request, prices) for each in resources]
    totals = {key: math.fsum(part[key] or 0.0 for part in parts) for key in ("usd_per_month", "reducible_usd_per_month")}
    return {"name": name, "resources": parts} | shown(totals) | _sure(resources)


def _wasted(each: Measured, request: Mapping[str, Any], prices: Prices) -> Answer:
    values, reserved = each.panel.values[None], np.array([each.reserved])
    quantile = describe(values, (request["percentile"] / 100,)).quantiles[:, 0]
    found = waste(values, reserved, quantile, np.array([_price(each, prices)]), margin=request["margin"])
    names = ("mean_idle", "share", "reducible", "over", "time_over", "usd_per_month", "reducible_usd_per_month")
    figures = {"reserved": each.reserved, "quantile": float(quantile[0])} | {name: float(getattr(found, name)[0]) for name in names}
    verdict = {"verdict": _waste_verdict(figures, request["least_share"])}
    return {"resource": each.resource, "unit": each.panel.unit or UNITS[each.resource]} | shown(figures) | verdict


def _waste_verdict(figures: Mapping[str, float], least_share: float) -> str:
    reserved, quantile = figures["reserved"], figures["quantile"]
    if math.isnan(quantile):
        return "unknown"
    if quantile > reserved:
        return "under_provisioned"
    if reserved > 0 and quantile <= 0.01 * reserved:
        return "unused"
    return "over_provisioned" if reserved > 0 and figures["reducible"] >= least_share * reserved else "fitting"


def _price(each: Measured, prices: Prices) -> float:
    """Return the price of a unit: what the request says, else the default rate of a core or a byte. [USD per unit and hour]."""
    if each.usd_per_unit_hour is not None:
        return each.usd_per_unit_hour
    default = prices.of_node("", "", "")
    return default.cpu_usd_per_core_hour if each.resource == "cpu" else default.memory_usd_per_gib_hour / GIB


def _sure(resources: Sequence[Measured]) -> Answer:
    """Return the warnings of all resources, and the confidence of the least known one."""
    warnings = [f"{each.resource}: {text}" for each in resources for text in [*each.panel.all_warnings(), *_below_zero(each.panel)]]
    return {"warnings": warnings, "confidence": min((trust(each.panel) for each in resources), key=lambda found: found["score"])}


# ---------------------------------------------------------------- peaks
def detect_peaks(panels: Sequence[Panel], request: Mapping[str, Any]) -> Answer:
    """Return the peaks of each series with their times and widths, as `PeaksOut` names it."""
    return answer_of("peaks", request, [_peaks(panel, request) for panel in panels])


def _peaks(panel: Panel, request: Mapping[str, Any]) -> Answer:
    step = panel.step_seconds
    least, join = max(math.ceil(request["least_seconds"] / step), 1), max(math.floor(request["join_seconds"] / step) + 1, 1)
    level, found = peaks(panel.values, share=request["share"], least_width=least, join=join)
    kept = sorted(sorted(found, key=lambda peak: (-peak.value, peak.first))[: request["most"]], key=lambda peak: peak.first)
    covered = sum(peak.width for peak in found) / len(panel.values)
    figures = {"level": level, "median": float(np.nanmedian(panel.values)), "found": len(found), "peak_time_share": covered}
    warnings = [] if found else ["There is no peak: the values are alike, or none lasts as long as asked."]
    return told(panel, figures, warnings=warnings) | {"peaks": [_peak(panel, peak) for peak in kept]}


def _peak(panel: Panel, peak: Peak) -> Answer:
    times = {"start": panel.moment(peak.first), "end": panel.moment(peak.last + 1), "top_at": panel.moment(peak.top)}
    steps = {"first_step": peak.first, "last_step": peak.last, "top_step": peak.top}
    return times | steps | shown({"width_seconds": peak.width * panel.step_seconds, "value": peak.value, "prominence": peak.prominence})
