"""Every model on input that breaks arithmetic: an answer or a problem with pointers, never a failure, never a number that is none."""

from __future__ import annotations

from typing import Any

import pytest
from functional.client import Client
from functional.usage import NOWHERE, cluster_of

from functions.models.app import api
from upid.bootstrap import Services

HUGE, TINY = 1e100, 1e-100
VALUES: dict[str, list[float | None]] = {
    "one": [3.0], "two": [1.0, 2.0], "zeros": [0.0] * 12, "constant": [0.1] * 30, "gaps": [None, 1.0, None, None, 2.0, 3.0, None, 5.0],
    "huge": [HUGE, -HUGE, HUGE, 0.0, HUGE / 3, -HUGE, HUGE, HUGE, 1.0, 2.0], "rising huge": [HUGE * i / 40 for i in range(1, 40)],
    "tiny": [TINY * i for i in range(1, 30)], "negative": [-5.0, -4.0, -6.0, -1.0, -2.0, -3.0], "far apart": [TINY, HUGE] * 10,
    "offset": [1e9 + i % 2 for i in range(50)], "one above": [0.0] * 40 + [HUGE],
}  # fmt: skip
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "/models/statistical/linear-regression": [{}, {"predict_at": [HUGE, -HUGE]}], "/models/statistical/polynomial-regression": [{}, {"degree": 2}],
    "/models/statistical/exponential-smoothing": [{"method": name} for name in ("ses", "holt_damped", "holt_winters", "holt_winters_multiplicative")],
    "/models/statistical/moving-average": [{"kind": kind, "window": 3} for kind in ("simple", "weighted", "exponential")],
    "/models/statistical/seasonal-decomposition": [{}, {"period_steps": 2}, {"method": "classical_multiplicative", "period_steps": 3}],
    "/models/resource/utilization-calculate": [{"capacity": HUGE}, {"capacity": TINY}], "/models/resource/peak-detection": [{}, {"share": 0.5}],
    "/models/performance/throughput-calculate": [{}, {"kind": "count"}],
    "/models/capacity/planning": [{"capacity": HUGE, "node": {"capacity": 1}}, {"capacity": TINY}, {"capacity": 3, "node": {"capacity": TINY}}],
    "/models/capacity/growth-projection": [{"horizons_days": [3650], "model": model} for model in ("auto", "linear", "exponential")],
    "/models/capacity/threshold-calculation": [{"method": m, "warning": 0.5, "critical": 0.9} for m in ("percentile", "deviation", "robust", "iqr")],
    "/models/capacity/headroom-analysis": [{"capacity": HUGE}, {"nodes": [TINY, HUGE]}],
}  # fmt: skip
IMPOSSIBLE = {
    b'{"values": [1, 1e101]}': "#/values/1", b'{"values": [1, "2"]}': "#/values/1", b'{"values": []}': "#/values",
    b'{"series": [{"name": "a", "points": [{"time": "yesterday", "value": 1}]}]}': "#/series/0/points/0/time",
    b'{"values": [1], "selection": {"cluster_id": "x"}}': "#", b'{"values": [1], "step_seconds": 0}': "#/step_seconds",
    b'{"values": [null]}': "#/values",
}  # fmt: skip
CASES = [(path, options) for path, found in OPTIONS.items() for options in found]


def held(client: Client, path: str, body: Any) -> bool:
    """Tell whether the answer holds what every answer must."""
    answer = client.post(path, body)
    faults = answer.json["errors"] if answer.status == 422 else []
    pointed = all(fault["pointer"].startswith("#") and fault["detail"] for fault in faults)
    numbers = b"NaN" not in answer.raw.body and b"Infinity" not in answer.raw.body
    return numbers and pointed and (answer.status == 200 or bool(faults))


def test_every_model_over_series_is_here() -> None:
    others = {"efficiency-score", "waste-detection", "right-sizing", "latency-analysis", "saturation-point", "bottleneck-detection"}
    routes = {endpoint.rule for endpoint in api().endpoints}

    assert {rule for rule in routes if rule.rsplit("/", 1)[1] not in others} == set(OPTIONS)
    assert len(routes) == 18


@pytest.mark.parametrize(("path", "options"), CASES, ids=[f"{path.rsplit('/', 1)[1]} {options}" for path, options in CASES])
def test_hard_values_get_an_answer_or_a_pointer(client: Client, path: str, options: dict[str, Any]) -> None:
    for values in VALUES.values():
        assert held(client, path, {"values": values, "step_seconds": 3600, **options}), (path, values)


@pytest.mark.parametrize("path", OPTIONS)
def test_impossible_series_are_pointed_at(client: Client, path: str) -> None:
    for body, pointer in IMPOSSIBLE.items():
        errors = client.post(path, body).problem(422, "invalid-request")["errors"]
        assert pointer in [fault["pointer"] for fault in errors], errors


def test_what_is_no_number_is_no_json(client: Client) -> None:
    for text in (b"NaN", b"1e999", b"-Infinity"):
        assert client.post("/models/resource/peak-detection", b'{"values": [1, ' + text + b"]}").problem(400, "malformed")


@pytest.mark.parametrize(("path", "options"), [(path, found[0]) for path, found in OPTIONS.items()])
def test_a_selection_of_nothing_is_a_problem(client: Client, services: Services, path: str, options: dict[str, Any]) -> None:
    assert client.post(path, {"selection": {"cluster_id": NOWHERE}, **options}).problem(404, "not-found")
    assert client.post(path, {"selection": {"cluster_id": cluster_of(services)}, **options}).problem(409, "nothing-collected")


def test_times_that_go_back_are_pointed_at(client: Client) -> None:
    points = [{"time": f"2026-11-0{day}T00:00:00Z", "value": 1.0} for day in (2, 1)]
    answer = client.post("/models/resource/peak-detection", {"series": [{"name": "a", "points": points}]})
    assert answer.problem(422, "invalid-request")["errors"][0]["pointer"] == "#/series/0/points/1/time"
