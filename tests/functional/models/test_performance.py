from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from functional.client import Client

GROUP = "/models/performance"
BUCKETS = [{"le": 0.1, "count": 10}, {"le": 0.5, "count": 90}, {"le": "+Inf", "count": 100}]


def asked(client: Client, model: str, /, **body: Any) -> Any:
    return client.post(f"{GROUP}/{model}", body).expect(200)


def test_a_counter_with_a_restart(client: Client) -> None:
    (found,) = asked(client, "throughput-calculate", values=[0, 10, 20, 5, None, 25], step_seconds=10)["series"]

    assert found["per_second"] == [1.0, 1.0, 0.5, None, 1.0]
    assert (found["mean_per_second"], found["total"], found["seconds"], found["resets"]) == (0.9, 45.0, 50.0, 1)
    assert any("restart" in text for text in found["warnings"])


def test_counts_of_each_step(client: Client) -> None:
    (found,) = asked(client, "throughput-calculate", values=[60, 120, 180], step_seconds=60, kind="count", rates=False)["series"]

    assert (found["mean_per_second"], found["peak_per_second"], found["per_second"]) == (2.0, 3.0, None)


def test_users_by_littles_law(client: Client) -> None:
    found = asked(client, "throughput-calculate", closed={"users": 100, "response_seconds": 0.5, "think_seconds": 4.5})

    assert found["closed"] == {"throughput_per_second": 20.0, "busy_users": 10.0}


def test_counters_below_zero_and_users_without_time_are_refused(client: Client) -> None:
    below = client.post(f"{GROUP}/throughput-calculate", {"values": [1, -1]}).problem(422, "invalid-request")
    timeless = client.post(f"{GROUP}/throughput-calculate", {"closed": {"users": 1, "response_seconds": 0}}).problem(422, "invalid-request")

    assert [each["errors"][0]["pointer"] for each in (below, timeless)] == ["#/series/0", "#/closed"]


def test_percentiles_of_values_are_those_of_numpy(client: Client) -> None:
    values = np.random.default_rng(1).gamma(2, 0.1, 400).tolist()

    (found,) = asked(client, "latency-analysis", samples=[{"values_seconds": values}], objective_seconds=0.5)["samples"]

    assert [each["seconds"] for each in found["percentiles"]] == pytest.approx(np.percentile(values, [50, 90, 95, 99]).tolist())
    assert found["objective"]["share"] == pytest.approx(np.mean(np.array(values) <= 0.5))


def test_percentiles_of_buckets_come_with_their_bounds(client: Client) -> None:
    # Rank 50 in 10 to 90: 0.1 + 0.4 / 2. Rank 99 lies in the last bucket.
    (found,) = asked(client, "latency-analysis", samples=[{"buckets": BUCKETS, "sum_seconds": 30}], percentiles=[50, 99])["samples"]

    assert found["percentiles"][0] == {"percentile": 50.0, "seconds": 0.3, "low_seconds": 0.1, "high_seconds": 0.5}
    assert found["percentiles"][1] == {"percentile": 99.0, "seconds": 0.5, "low_seconds": 0.5, "high_seconds": None}
    assert (found["mean_seconds"], "at least" in found["warnings"][0]) == (0.3, True)


@pytest.mark.parametrize(("seconds", "share", "met"), [(0.5, 0.9, True), (0.5, 0.95, False), (0.3, 0.5, None)])
def test_an_objective_is_met_or_not_or_cannot_be_told(client: Client, seconds: float, share: float, met: bool | None) -> None:
    body = {"samples": [{"buckets": BUCKETS}], "objective_seconds": seconds, "objective_share": share}

    assert asked(client, "latency-analysis", **body)["samples"][0]["objective"]["is_met"] is met


def test_apdex_counts_half_of_those_who_tolerate(client: Client) -> None:
    # T = 0.1: one satisfied, one (0.4) tolerates, one (0.41) does not: 1.5 / 3.
    body = {"samples": [{"values_seconds": [0.1, 0.4, 0.41]}], "apdex_target_seconds": 0.1}

    assert asked(client, "latency-analysis", **body)["samples"][0]["apdex"] == 0.5


def test_no_observation_has_no_percentile(client: Client) -> None:
    empty = [{"values_seconds": [None]}, {"buckets": [{"le": 1, "count": 0}, {"le": "+Inf", "count": 0}]}]

    found = asked(client, "latency-analysis", samples=empty, objective_seconds=1, apdex_target_seconds=1)["samples"]

    assert all(each["percentiles"][0]["seconds"] is None and each["confidence"] is None and each["apdex"] is None for each in found)


@pytest.mark.parametrize(
    ("buckets", "pointer"),
    [
        (BUCKETS[:2], "#/samples/0/buckets/1/le"), ([BUCKETS[1], BUCKETS[0], BUCKETS[2]], "#/samples/0/buckets/1/le"),
        ([BUCKETS[0], {"le": "+Inf", "count": 9}], "#/samples/0/buckets/1/count"),
    ],
)  # fmt: skip
def test_what_is_no_histogram_is_pointed_at(client: Client, buckets: list[Any], pointer: str) -> None:
    answer = client.post(f"{GROUP}/latency-analysis", {"samples": [{"buckets": buckets}]})

    assert pointer in [fault["pointer"] for fault in answer.problem(422, "invalid-request")["errors"]]


def test_a_system_of_the_law_saturates_where_the_law_says(client: Client) -> None:
    # 10 N / (1 + 0.19 (N - 1) + 0.01 N (N - 1)) peaks at sqrt(0.81 / 0.01) = 9.
    load = [1, 2, 4, 6, 9, 12, 16]
    throughput = [10 * n / (1 + 0.19 * (n - 1) + 0.01 * n * (n - 1)) for n in load]

    (found,) = asked(client, "saturation-point", curves=[{"x": load, "y": throughput}])["curves"]

    assert (found["peak_load"], found["contention"], found["coherency"]) == pytest.approx((9, 0.19, 0.01), rel=1e-5)
    assert (found["limit"], found["peak_is_extrapolated"]) == ("coherency", False)
    safe = found["safe_load"]
    assert 10 * safe / (1 + 0.19 * (safe - 1) + 0.01 * safe * (safe - 1)) == pytest.approx(
        0.8 * found["peak_throughput_per_second"], rel=1e-6
    )


def test_knees_are_told_with_throughput_and_latency(client: Client) -> None:
    curve = {"x": [1, 2, 3, 4, 5], "y": [1, 80, 90, 95, 100], "latency_seconds": [0.01, 0.02, 0.05, 0.2, 1]}

    (found,) = asked(client, "saturation-point", curves=[curve])["curves"]

    assert found["throughput_knee"] == {"load": 2.0, "throughput_per_second": 80.0, "latency_seconds": 0.02}
    assert found["latency_knee"]["load"] == 4.0


def test_three_loads_are_too_few_for_a_fit(client: Client) -> None:
    (found,) = asked(client, "saturation-point", curves=[{"x": [1, 2, 2, 4], "y": [1, 2, 2, 3]}])["curves"]

    assert (found["peak_load"], found["limit"], found["goodness_of_fit"]) == (None, "unknown", None)
    assert "four different loads" in found["warnings"][0]


def test_curves_of_hard_numbers_get_an_answer(client: Client) -> None:
    for x, y in (([1, 2, 3, 4], [1e-100, 1e100] * 2), ([1e100, 1e99, 1, 2], [1, 1, 1, 1]), ([1, 2, 3, 4], [5, 5, 5, 5])):
        assert asked(client, "saturation-point", curves=[{"x": x, "y": y}])["curves"][0]["name"] == "system"


def test_lengths_that_differ_are_pointed_at(client: Client) -> None:
    answer = client.post(f"{GROUP}/saturation-point", {"curves": [{"x": [1, 2], "y": [1], "latency_seconds": [1]}]})

    assert [fault["pointer"] for fault in answer.problem(422, "invalid-request")["errors"]] == [
        "#/curves/0/y",
        "#/curves/0/latency_seconds",
    ]


def test_the_busiest_resource_is_the_bottleneck(client: Client) -> None:
    resources = [{"name": "cpu", "utilization": 0.7, "servers": 4}, {"name": "disk", "utilization": 0.9}]

    found = asked(client, "bottleneck-detection", throughput_per_second=100, resources=resources)

    assert (found["bottleneck"], found["most_throughput_per_second"]) == ("disk", pytest.approx(1000 / 9))
    disk = found["resources"][0]  # M/M/1: 9 ms at 90 %: 90 ms
    assert (disk["demand_seconds"], disk["mean_response_seconds"]) == (0.009, pytest.approx(0.09))
    assert [each["response_seconds"] is None for each in found["responses"]] == [False, False, True, True, True]


def test_saturated_and_unused_systems_are_told(client: Client) -> None:
    full, idle = (
        asked(client, "bottleneck-detection", throughput_per_second=1, resources=[{"name": "cpu", "utilization": use}]) for use in (1, 0)
    )

    assert (full["resources"][0]["mean_wait_seconds"], full["growth_left"]) == (None, 0.0)
    assert (idle["bottleneck"], idle["most_throughput_per_second"]) == (None, None)


def test_a_utilization_above_one_is_pointed_at(client: Client) -> None:
    body = {"throughput_per_second": 1, "resources": [{"name": "cpu", "utilization": 1.5}]}

    answer = client.post(f"{GROUP}/bottleneck-detection", body)

    assert answer.problem(422, "invalid-request")["errors"][0]["pointer"] == "#/resources/0/utilization"
