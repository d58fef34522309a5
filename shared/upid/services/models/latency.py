"""Latencies: percentiles, objectives and Apdex from raw values or from histogram buckets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.domain.errors import InvalidRequestError
from upid.engine.performance.latency import apdex, bucket_quantiles, share_within
from upid.engine.statistics.describing import describe
from upid.services.models.telling import Answer, head, shown, sureness

Floats = NDArray[np.float64]
FEW: Final = 100  # observations below which a 99th percentile rests on a single one


def analyze_latency(request: Mapping[str, Any]) -> Answer:
    """Return each sample's latencies as `LatencyOut` names them; InvalidRequestError where buckets are no cumulative histogram."""
    return {"samples": [_sample(position, sample, request) for position, sample in enumerate(request["samples"])]}


def _sample(position: int, sample: Mapping[str, Any], request: Mapping[str, Any]) -> Answer:
    asked = {name: request[name] for name in ("objective_seconds", "objective_share", "apdex_target_seconds")}
    if sample["values_seconds"] is not None:
        values = np.array([math.nan if value is None else value for value in sample["values_seconds"]], dtype=np.float64)
        return {"name": sample["name"]} | _raw(values, request, asked)
    upper, counts = _histogram(f"#/samples/{position}/buckets", sample["buckets"])
    return {"name": sample["name"]} | _bucketed(upper, counts, sample["sum_seconds"], request, asked)


def _raw(values: Floats, request: Mapping[str, Any], asked: Mapping[str, Any]) -> Answer:
    probabilities = tuple(p / 100 for p in request["percentiles"])
    told = describe(values[None], (*probabilities, 0.5, 0.99))
    count, missing = int(told.count[0]), int(np.isnan(values).sum())
    quantiles = told.quantiles[0]
    warnings = _scarce(count) + ([f"{missing} values are missing."] if missing else [])
    shares = [
        float((values <= edge).sum())
        for edge in (asked["objective_seconds"] or 0, asked["apdex_target_seconds"] or 0, 4 * (asked["apdex_target_seconds"] or 0))
    ]
    percentiles = [
        shown({"percentile": p, "seconds": quantile, "low_seconds": quantile, "high_seconds": quantile})
        for p, quantile in zip(request["percentiles"], quantiles, strict=False)
    ]  # fmt: skip
    within = shares[0] / count if count else math.nan
    figures = {
        "source": "values", "observations": count, "mean_seconds": told.mean[0], "deviation_seconds": told.deviation[0], "max_seconds": told.maximum[0],
        "tail_ratio": _ratio(quantiles[-1], quantiles[-2]),
        "apdex": _apdex(shares[1], shares[2] - shares[1], count) if asked["apdex_target_seconds"] else None,
    }  # fmt: skip
    sure = sureness(float(told.effective_samples[0]), count / len(values))
    rest = {"percentiles": percentiles, "objective": _objective(within, within, asked)}
    return head("latency-percentiles", {"quantile_definition": "Hyndman-Fan 7", **asked}, warnings, sure) | shown(figures) | rest


def _bucketed(upper: Floats, counts: Floats, total: float | None, request: Mapping[str, Any], asked: Mapping[str, Any]) -> Answer:
    observations, row = float(counts[-1]), counts[None]
    found = bucket_quantiles(upper, row, (*(p / 100 for p in request["percentiles"]), 0.5, 0.99))
    percentiles = [
        shown({"percentile": p, "seconds": found.value[0, i], "low_seconds": found.low[0, i], "high_seconds": found.high[0, i]})
        for i, p in enumerate(request["percentiles"])
    ]  # fmt: skip
    warnings = _scarce(observations)
    if np.isinf(found.high[0, :-2]).any():
        warnings.append("A percentile lies above the last finite edge: it is at least what is told.")
    least, most = (float(each[0]) for each in share_within(upper, row, asked["objective_seconds"] or math.inf))
    target = asked["apdex_target_seconds"]
    score = _bucket_apdex(upper, row, target, observations) if target else None
    mean = total / observations if total is not None and observations else math.nan
    figures = {
        "source": "buckets", "observations": observations, "mean_seconds": mean, "deviation_seconds": None, "max_seconds": None,
        "tail_ratio": _ratio(found.value[0, -1], found.value[0, -2]), "apdex": score,
    }  # fmt: skip
    # A bucket as wide as its percentile says half as much as a narrow one.
    width = float(np.nanmax((found.high[0, -1] - found.low[0, -1]) / found.high[0, -1])) if math.isfinite(found.high[0, -1]) else 1.0
    rest = {"percentiles": percentiles, "objective": _objective(least, most, asked)}
    sure = sureness(observations, 1 - width / 2)
    return head("histogram-quantiles", {"interpolation": "linear within a bucket", **asked}, warnings, sure) | shown(figures) | rest


def _bucket_apdex(upper: Floats, row: Floats, target: float, observations: float) -> float | None:
    satisfied, tolerated = (float(share_within(upper, row, edge)[0][0]) * observations for edge in (target, 4 * target))
    return _apdex(satisfied, tolerated - satisfied, observations) if observations else None


def _histogram(pointer: str, buckets: Sequence[Mapping[str, Any]]) -> tuple[Floats, Floats]:
    """Return edges and cumulative counts; InvalidRequestError where they are not in order, fall, or do not end at +Inf."""
    upper = np.array([math.inf if bucket["le"] == "+Inf" else bucket["le"] for bucket in buckets], dtype=np.float64)
    counts = np.array([bucket["count"] for bucket in buckets], dtype=np.float64)
    faults = [
        {"pointer": f"{pointer}/{i}/le", "detail": "Edges must rise."} for i in range(1, len(upper)) if not upper[i] > upper[i - 1]
    ] + [
        {"pointer": f"{pointer}/{i}/count", "detail": "Counts of a cumulative histogram never fall."} for i in range(1, len(upper)) if counts[i] < counts[i - 1]
    ]  # fmt: skip
    if not math.isinf(upper[-1]):
        faults.append(
            {"pointer": f"{pointer}/{len(upper) - 1}/le", "detail": "The last edge must be +Inf, so that every observation is counted."}
        )
    if faults:
        raise InvalidRequestError(faults[:100])
    return upper, counts


def _objective(least: float, most: float, asked: Mapping[str, Any]) -> Answer | None:
    if asked["objective_seconds"] is None:
        return None
    wanted = asked["objective_share"]
    met = None if math.isnan(least) or least < wanted <= most else least >= wanted
    spent = (1 - least) / (1 - wanted)
    figures = shown(
        {"seconds": asked["objective_seconds"], "wanted_share": wanted, "share": least, "most_share": most, "error_budget_used": spent}
    )
    return figures | {"is_met": met}


def _scarce(observations: float) -> list[str]:
    if not observations:
        return ["There is no observation."]
    return [f"{observations:g} observations are few: high percentiles rest on one of them."] if observations < FEW else []


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below > 0 else math.nan


def _apdex(satisfied: float, tolerating: float, total: float) -> float:
    return float(apdex(np.array([satisfied]), np.array([tolerating]), np.array([float(total)]))[0])
