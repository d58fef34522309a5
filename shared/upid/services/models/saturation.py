"""Saturation points: the Universal Scalability Law and the knees of load curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.domain.errors import InvalidRequestError
from upid.engine.performance.knees import Shape, knee
from upid.engine.performance.scalability import Scalability, fit_scalability
from upid.services.models.telling import Answer, head, shown, sureness

Floats = NDArray[np.float64]
PER_FIGURE: Final = 2.0  # different loads count this much towards confidence: they are means already


def find_saturation(request: Mapping[str, Any]) -> Answer:
    """Return each curve's saturation as `SaturationOut` names it; InvalidRequestError where arrays of a curve differ in length."""
    curves = request["curves"]
    faults = [
        {"pointer": f"#/curves/{i}/{name}", "detail": f"There must be one for each of the {len(curve['x'])} loads."}
        for i, curve in enumerate(curves) for name in ("y", "latency_seconds") if curve[name] is not None and len(curve[name]) != len(curve["x"])
    ]  # fmt: skip
    if faults:
        raise InvalidRequestError(faults)
    load, throughput = (_padded([curve[name] for curve in curves]) for name in ("x", "y"))
    fit = fit_scalability(load, throughput)
    return {"curves": [_curve(i, curve, fit, request) for i, curve in enumerate(curves)]}


def _padded(rows: Sequence[Sequence[float]]) -> Floats:
    found = np.full((len(rows), max(len(row) for row in rows)), np.nan)
    for row, values in zip(found, rows, strict=True):
        row[: len(values)] = values
    return found


def _curve(row: int, curve: Mapping[str, Any], fit: Scalability, request: Mapping[str, Any]) -> Answer:
    highest = max(curve["x"])
    rate, contention, coherency = (float(getattr(fit, name)[row]) for name in ("rate", "contention", "coherency"))
    peak, there = float(fit.peak_load[row]), float(fit.peak_throughput[row])
    fitted = not math.isnan(rate)
    figures = {
        "rate_per_second": rate, "contention": contention, "coherency": coherency, "peak_load": peak, "peak_throughput_per_second": there,
        "safe_load": _safe_load(rate, contention, coherency, there * request["target_utilization"]),
    }  # fmt: skip
    beyond = {"peak_is_extrapolated": peak > highest if fitted else None, "limit": _limit(contention, coherency)}
    quality = float(fit.r_squared[row])
    good = (
        shown({"r_squared": quality, "residual_deviation": fit.residual_deviation[row], "points": int(fit.points[row])}) if fitted else None
    )
    warnings = _warnings(curve, fitted=fitted, beyond=bool(beyond["peak_is_extrapolated"]), quality=quality)
    asked = {
        "sensitivity": request["sensitivity"],
        "target_utilization": request["target_utilization"],
        "objective": "least squares of throughput",
    }
    sure = sureness(PER_FIGURE * len(set(curve["x"])), quality) if fitted else None
    knees = _knees(curve, request["sensitivity"])
    return (
        {"name": curve["name"]}
        | head("universal-scalability-law", asked, warnings, sure)
        | shown(figures)
        | beyond
        | knees
        | {"goodness_of_fit": good}
    )


def _limit(contention: float, coherency: float) -> str:
    if math.isnan(contention):
        return "unknown"
    if coherency > 0:
        return "coherency"
    return "contention" if contention > 0 else "none"


def _safe_load(rate: float, contention: float, coherency: float, wanted: float) -> float:
    """Return the smallest load with the wanted throughput: the lower root of wanted (1 + sigma (N - 1) + kappa N (N - 1)) = rate N. NaN without one."""
    if not math.isfinite(wanted):
        return math.nan
    a, b, c = wanted * coherency, wanted * (contention - coherency) - rate, wanted * (1 - contention)
    root = b * b - 4 * a * c
    if root < 0 or b >= 0:
        return math.nan
    # The smaller root as c / q: without cancellation, and right for a = 0 too.
    return max(2 * c / (-b + math.sqrt(root)), 0.0)


def _knees(curve: Mapping[str, Any], sensitivity: float) -> Answer:
    order = np.argsort(curve["x"], kind="stable")
    load = np.array(curve["x"], dtype=np.float64)[order]
    _, first = np.unique(load, return_index=True)
    columns = {name: np.array(curve[name], dtype=np.float64)[order] for name in ("y", "latency_seconds") if curve[name] is not None}
    means = {name: np.add.reduceat(values, first) / np.diff([*first, len(load)]) for name, values in columns.items()}
    loads = load[first]
    kinds: tuple[tuple[str, str, Shape], ...] = (("throughput_knee", "y", "concave"), ("latency_knee", "latency_seconds", "convex"))
    return {told: _knee(loads, means, name, shape, sensitivity) for told, name, shape in kinds}


def _knee(loads: Floats, means: Mapping[str, Floats], name: str, shape: Shape, sensitivity: float) -> Answer | None:
    if name not in means:
        return None
    place = knee(loads, means[name], shape=shape, sensitivity=sensitivity)
    if place < 0:
        return None
    latency = means["latency_seconds"][place] if "latency_seconds" in means else None
    return shown({"load": loads[place], "throughput_per_second": means["y"][place], "latency_seconds": latency})


def _warnings(curve: Mapping[str, Any], *, fitted: bool, beyond: bool, quality: float) -> list[str]:
    found = []
    if not fitted:
        found.append(f"A fit needs four different loads, there are {len(set(curve['x']))}.")
    if beyond:
        found.append(f"The peak lies beyond the largest load that was measured, {max(curve['x']):g}.")
    if fitted and quality < 0.9:
        found.append(f"The law explains {max(quality, 0):.0%} of the variance only: other effects are at work.")
    return found
