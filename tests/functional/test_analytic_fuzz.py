"""Every endpoint of prediction and models on broken requests: an answer, or a problem that points at the fault; never a failure, never a NaN."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest
from functional.client import Answer, Client
from functional.usage import NOWHERE, stored
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.models.app import api as models
from functions.prediction.app import api as prediction
from upid.bootstrap import Services
from upid.services.series import MOST_SERIES, MOST_VALUES

SERIES = {"name": "a", "values": [1.0, 2.5, None, 4.0, 3.0, 5.5, 1.0, 2.0, 2.0, 7.0, 3.0, 1.0, 2.0], "step_seconds": 3600.0}
POINTS = {"name": "b", "points": [{"time": f"2026-11-0{day}T00:00:00Z", "value": day / 3} for day in range(1, 9)]}
TWO = {"series": [SERIES, POINTS]}
BARE = {"values": SERIES["values"], "step_seconds": 60.0}
USE = {"resource": "cpu", "reserved": 2.0, "values": [1.0, 2.0, 0.5], "step_seconds": 60.0, "usd_per_unit_hour": 0.1}
WORKLOADS = {"workloads": [{"name": "web", "resources": [USE]}]}
BUCKETS = [{"le": 0.1, "count": 10}, {"le": 0.5, "count": 90}, {"le": "+Inf", "count": 100}]
CURVE = {"name": "c", "x": [1.0, 2.0, 4.0, 8.0, 16.0], "y": [10.0, 19.0, 35.0, 55.0, 60.0]}
POD = {"cpu_cores": [0.1, 0.2, None, 0.4] * 200, "memory_bytes": [1e8, 1.1e8, 1.2e8, None] * 200, "oom_kills": 1}
BODIES: dict[str, list[dict[str, Any]]] = {
    "/confidence/calculate": [TWO], "/confidence/validate": [{"predictions": [{"prediction_id": "pred_x", "actual": [1.0, 2.0]}]}],
    "/forecasting/batch-predict": [TWO | {"horizon": 3, "method": "holt_damped", "store": False}],
    "/forecasting/predict": [BARE | {"horizon": 3, "method": name, "period_steps": 2, "store": False} for name in ("auto", "arima", "theta")],
    "/forecasting/seasonal-analysis": [BARE | {"method": "stl", "period_steps": 3, "robust": True}, TWO],
    "/models/capacity/growth-projection": [BARE | {"model": "auto", "horizons_days": [30.0], "confidence": 0.9}],
    "/models/capacity/headroom-analysis": [TWO | {"capacity": 9.0, "percentile": 95, "nodes": [4.0, 8.0], "spare": 1}],
    "/models/capacity/planning": [BARE | {"capacity": 20.0, "horizon_days": 30.0, "node": {"capacity": 4.0}}],
    "/models/capacity/threshold-calculation": [TWO | {"method": "iqr", "warning": 1.5, "critical": 3.0}],
    "/models/performance/bottleneck-detection": [
        {"throughput_per_second": 10.0, "resources": [{"name": "cpu", "utilization": 0.5, "servers": 2}], "think_seconds": 1.0}
    ],
    "/models/performance/latency-analysis": [
        {"samples": [{"buckets": BUCKETS, "sum_seconds": 30.0}, {"values_seconds": [0.1, 0.2]}], "percentiles": [50, 99], "objective_seconds": 0.3}
    ],
    "/models/performance/saturation-point": [{"curves": [CURVE], "sensitivity": 0.05, "target_utilization": 0.7}],
    "/models/performance/throughput-calculate": [BARE | {"kind": "count"}, {"closed": {"users": 3.0, "response_seconds": 0.5}}],
    "/models/resource/efficiency-score": [WORKLOADS], "/models/resource/peak-detection": [BARE | {"share": 0.1, "most": 3}],
    "/models/resource/right-sizing": [{"containers": [{"name": "web", "step_seconds": 300, "pods": [POD], "replicas": 2}], "strategy": "balanced"}],
    "/models/resource/utilization-calculate": [TWO | {"capacities": {"a": 8.0, "b": 4.0}, "percentile": 50}],
    "/models/resource/waste-detection": [WORKLOADS | {"percentile": 95, "margin": 0.1}],
    "/models/statistical/exponential-smoothing": [BARE | {"method": "holt_winters", "horizon": 2, "period_steps": 3}],
    "/models/statistical/linear-regression": [BARE | {"predict_at": [3.0]}, {"x": [1.0, 2.0, 4.0], "y": [1.0, 2.0, 3.0]}],
    "/models/statistical/moving-average": [TWO | {"kind": "weighted", "window": 3}],
    "/models/statistical/polynomial-regression": [BARE | {"degree": 2}, {"x": [1.0, 2.0, 4.0, 5.0], "y": [1.0, 2.0, 3.0, 9.0], "most_degree": 2}],
    "/models/statistical/seasonal-decomposition": [BARE | {"method": "classical", "period_steps": 3}],
    "/patterns/anomaly-detection": [BARE | {"detector": "seasonal_residual", "threshold": 3.0, "causal": True, "period_steps": 2, "window_steps": 5}],
    "/patterns/detect": [TWO], "/patterns/seasonal": [BARE | {"significance": 0.05}],
    "/statistics/analyze": [TWO | {"averages": [{"kind": "simple", "window": 3}], "confidence_level": 0.9}],
    "/statistics/correlation": [{"x": [1.0, 2.0, 4.0, None], "y": [2.0, 1.0, 3.0, 4.0], "max_lag": 2, "method": "spearman"}],
    "/statistics/regression": [
        {"y": [1.0, 2.0, 3.0, 5.0], "x": [1.0, 2.0, 4.0, 8.0], "kind": "polynomial", "degree": 2, "predict_at": [[3.0]]},
        {"y": [1.0, 2.0, 3.0, 5.0], "kind": "multiple", "predictors": [{"name": "p", "values": [1.0, 0.0, 1.0, 0.0]}]},
    ],
}  # fmt: skip
QUERIES: dict[str, dict[str, Any]] = {
    "/statistics/trends/<cluster_id>": {"metric": "cpu_cores", "split": "workload", "limit": 3},
    "/statistics/variance/<cluster_id>": {"step_seconds": 3600},
    "/patterns/<cluster_id>": {"namespace": "shop"}, "/patterns/recurring": {"cluster_id": NOWHERE},
    "/forecasting/<cluster_id>/demand": {"horizon": 3, "method": "theta"},
    "/forecasting/<prediction_id>": {}, "/confidence/<prediction_id>/score": {}, "/confidence/metrics": {},
}  # fmt: skip
HOSTILE = st.one_of(
    st.sampled_from([None, True, "", "x", 0, -1, 1, 2, 0.5, 1e-300, 1e-100, 1e100, -1e100, 1e308, 2**63, [], {}, [None], [[]], [0.0] * 30]),
    st.sampled_from(["1970-01-01T00:00:00Z", "2026-11-01T00:00:00Z", "2026-13-01", [{"time": "2026-11-01T00:00:00Z", "value": 1.0}] * 3]),
    st.lists(st.one_of(st.none(), st.floats(-1e100, 1e100), st.sampled_from([0.0, 1e-100, 1e100])), max_size=40),
)


@pytest.fixture
def cluster_id(services: Services) -> str:
    """A cluster with a day of usage."""
    return stored(services, 288)


few = settings(max_examples=50, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document, its own included."""
    inner = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


@st.composite
def broken(draw: st.DrawFn, bodies: list[dict[str, Any]]) -> Any:
    """One of the bodies with one or two of its places replaced, taken away, or new."""
    body: Any = copy.deepcopy(draw(st.sampled_from(bodies)))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from([*places(body)[1:], ("unknown",)]))
        inner = body
        for key in path[:-1]:
            inner = inner[key]
        if path != ("unknown",) and draw(st.integers(0, 5)) == 0:
            del inner[path[-1]]
        else:
            inner[path[-1]] = copy.deepcopy(draw(HOSTILE))
    return body


def held(answer: Answer) -> bool:
    """Tell whether an answer holds what every answer must."""
    text = answer.raw.body
    assert answer.status != 429, "the limit of requests a minute: ask less"
    body = orjson.loads(text)
    faults = body["errors"] if answer.status == 422 else []
    pointed = all(fault["pointer"][:1] in {"#", "?"} and fault["detail"] for fault in faults)
    return b"NaN" not in text and b"Infinity" not in text and pointed and (answer.status in {200, 404, 409} or bool(faults))


def test_every_endpoint_is_here() -> None:
    rules = [(endpoint.method, endpoint.rule) for api in (prediction(), models()) for endpoint in api.endpoints]
    assert {rule for method, rule in rules if method == "POST"} == set(BODIES)
    assert {rule for method, rule in rules if method == "GET"} == set(QUERIES)
    assert len(rules) == 37


@pytest.mark.parametrize("path", BODIES)
def test_a_request_that_is_whole_is_answered(client: Client, path: str) -> None:
    for body in BODIES[path]:
        assert client.post(path, body).status == (404 if path.endswith("/validate") else 200), body


@pytest.mark.parametrize("path", BODIES)
@given(data=st.data())
@few
def test_a_broken_body_gets_an_answer_or_a_pointer(client: Client, path: str, data: st.DataObject) -> None:
    body = data.draw(broken(BODIES[path]))
    answer = client.post(path, body)
    assert held(answer), (answer.status, answer.raw.body[:500])


@pytest.mark.parametrize(
    "path", [path for path, (first, *_) in BODIES.items() if {"values", "series"} & set(first) and "models" not in path]
)
def test_an_impossible_series_is_pointed_at(client: Client, path: str) -> None:
    back = [{"time": f"2026-11-0{day}T00:00:00Z", "value": 1.0} for day in (2, 1)]
    impossible = {
        "#/values/1": {"values": [1, "2"]}, "#/values/0": {"values": [1e101]}, "#/values": {"values": [1.0] * (MOST_VALUES + 1)},
        "#/series": {"series": [{"values": [1.0]}] * (MOST_SERIES + 1)}, "#/step_seconds": {"values": [1, 2, 3], "step_seconds": 0},
        "#/series/0/points/1/time": {"series": [{"points": back}, POINTS]}, "#": {"values": [1], "selection": {"cluster_id": NOWHERE}},
    }  # fmt: skip
    for pointer, body in impossible.items():
        faults = client.post(path, body).problem(422, "invalid-request")["errors"]
        assert any(fault["pointer"].startswith(pointer) for fault in faults), (pointer, faults)


@pytest.mark.parametrize("path", QUERIES)
@given(data=st.data())
@few
def test_a_broken_query_gets_an_answer_or_a_pointer(client: Client, cluster_id: str, path: str, data: st.DataObject) -> None:
    names = ["metric", "split", "limit", "step_seconds", "start", "end", "horizon", "method", "namespace", "cluster_id", "unknown"]
    given_values = st.sampled_from(
        ["", "x", "0", "-1", "1e9", "NaN", "2026-11-01T00:00:00Z", "1970-01-01", "cpu_cores", "a" * 300, "none", "5"]
    )
    asked = QUERIES[path] | data.draw(st.dictionaries(st.sampled_from(names), given_values, max_size=3))
    places_asked = st.sampled_from(["", NOWHERE, "x", "pred_x", "%00", "a" * 200])  # the first is the one that has usage
    place = data.draw(places_asked) or cluster_id
    answer = client.get(path.replace("<cluster_id>", place).replace("<prediction_id>", place), asked)
    assert held(answer), (answer.status, answer.raw.body[:500])
