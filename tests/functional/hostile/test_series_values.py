"""Hostile values in every field of the analytic endpoints' bodies and queries: never a 5xx, never a number that is none."""

from __future__ import annotations

import math
from typing import Any

import pytest
from functional.client import Client
from functional.hostile.test_http_values import VALUES, paths_of, sent, with_value

SERIES = {"name": "a", "values": [1.0, 2.0, 4.0, 3.0] * 4, "start": "2026-11-01T00:00:00Z", "step_seconds": 60}
ONE = {"series": [SERIES]}
X = [1.0, 2.0, 3.0, 4.0]
BODIES: dict[str, dict[str, Any]] = {
    "/statistics/analyze": ONE | {"include": ["summary"], "averages": [{"kind": "simple", "window": 2, "alpha": 0.5}], "confidence_level": 0.9},
    "/statistics/correlation": {"x": X, "y": X, "method": "pearson", "max_lag": 1, "confidence_level": 0.9},
    "/statistics/regression": {"x": X, "y": X, "kind": "polynomial", "degree": 1, "most_degree": 3, "confidence_level": 0.9, "predict_at": [[1.0]]},
    "/forecasting/predict": ONE | {"horizon": 2, "method": "linear", "period_steps": 1, "non_negative": True, "store": False},
    "/forecasting/seasonal-analysis": ONE | {"method": "stl", "period_steps": 4, "robust": False},
    "/patterns/seasonal": ONE | {"significance": 0.01},
    "/patterns/anomaly-detection": ONE | {"detector": "iqr", "threshold": 3.0, "window_steps": 5, "causal": True, "period_steps": 2, "tail": 0.01,
                                          "cool_down_steps": 1, "side": "both", "scores": True},
    "/confidence/validate": {"predictions": [{"prediction_id": "pred_1", "actual": X}]},
}  # fmt: skip


@pytest.mark.parametrize("path", BODIES)
def test_no_value_of_any_field_is_more_than_a_problem(client: Client, path: str) -> None:
    fields = [place for place in paths_of(BODIES[path]) if not any(isinstance(step, int) and step > 0 for step in place)]
    for place in fields:
        for name, value in VALUES.items():
            answer = sent(client, f"POST {path}", with_value(BODIES[path], place, value))
            assert answer.status < 500, (path, place, name, answer.raw.body[:500])


EXTREMES = {
    "constant": [5.0] * 40, "zeros": [0.0] * 40, "tiny": [1e-100, 2e-100] * 20, "huge": [1e100, -1e100] * 20, "mixed": [1e100, 1e-100] * 20,
    "denormal": [5e-324] * 20 + [1e-320] * 20, "gaps": [1.0, None, None, None] * 10, "one known": [None] * 39 + [1.0], "one": [1.0], "two": [1.0, 2.0],
    "step": [0.0] * 39 + [1e100], "negative": [-3.0, -1.0] * 20, "far from 0": [1e15 + i % 3 for i in range(40)],
}  # fmt: skip
ENDPOINTS = (
    "/statistics/analyze",
    "/forecasting/predict",
    "/forecasting/seasonal-analysis",
    "/patterns/detect",
    "/patterns/seasonal",
    "/confidence/calculate",
)


def all_finite(value: Any) -> bool:
    if isinstance(value, dict | list):
        return all(all_finite(each) for each in (value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize("name", EXTREMES)
def test_no_series_is_more_than_a_problem(client: Client, name: str) -> None:
    for path in ENDPOINTS:
        answer = client.post(path, {"values": EXTREMES[name], "step_seconds": 3600})
        assert answer.status in {200, 422}, (path, answer.raw.body[:500])
        assert all_finite(answer.json)


@pytest.mark.parametrize("name", EXTREMES)
def test_no_series_breaks_a_detector_or_a_fit(client: Client, name: str) -> None:
    values = EXTREMES[name]
    for detector in ("standard_deviation", "z_score", "robust_z", "iqr", "percentile_band", "seasonal_residual"):
        for causal in (True, False):
            asked = {"values": values, "detector": detector, "causal": causal, "period_steps": 4}
            assert client.post("/patterns/anomaly-detection", asked).status == 200
    pair = {"x": values, "y": values[::-1], "max_lag": 3}
    assert client.post("/statistics/correlation", pair).status == 200
    known = [value for value in values if value is not None]
    for kind in ("linear", "polynomial"):
        for x in (known, [1e-100 * i for i in range(len(known))], [1e100 - 1e98 * i for i in range(len(known))]):
            assert client.post("/statistics/regression", {"x": x, "y": known[::-1], "kind": kind}).status in {200, 422}
