from __future__ import annotations

from typing import Any

import pytest
from functional.client import Client
from functional.test_optimization import cluster_id, world  # noqa: F401 fixtures
from functional.usage import stored
from worlds.collection import World

from upid.bootstrap import Services

GROUP = "/models/resource"
GIB = 2**30


def asked(client: Client, model: str, /, **body: Any) -> Any:
    return client.post(f"{GROUP}/{model}", body).expect(200)


def use(resource: str, reserved: float, values: list[float], **more: Any) -> dict[str, Any]:
    return {"resource": resource, "reserved": reserved, "values": values, "step_seconds": 60, **more}


def test_utilization_by_hand(client: Client) -> None:
    (found,) = asked(client, "utilization-calculate", values=[2, 4, None, 6, 8], step_seconds=60, capacity=10, percentile=50)["series"]

    assert (found["mean"], found["p50"], found["peak"], found["peak_to_mean"]) == pytest.approx((0.5, 0.5, 0.8, 1.6))
    assert (found["verdict"], found["missing"], found["time_above_target"]) == ("good", 1, 0.0)


@pytest.mark.parametrize(("level", "verdict"), [(0.0, "idle"), (0.2, "low"), (0.6, "good"), (0.9, "high"), (1.2, "over")])
def test_verdicts_follow_the_target(client: Client, level: float, verdict: str) -> None:
    (found,) = asked(client, "utilization-calculate", values=[level * 4] * 12, step_seconds=60, capacity=4)["series"]

    assert found["verdict"] == verdict


def test_a_series_without_capacity_is_pointed_at(client: Client) -> None:
    body = {"series": [{"name": name, "values": [1]} for name in ("a", "b")], "capacities": {"a": 2}}

    fault = client.post(f"{GROUP}/utilization-calculate", body).problem(422, "invalid-request")["errors"][0]

    assert (fault["pointer"], "b" in fault["detail"]) == ("#/capacity", True)


def test_efficiency_weighs_what_it_costs(client: Client) -> None:
    # CPU half used at 3 USD x 2, other fully used at 0.5 USD x 4: 100 (0.5 * 6 + 1 * 2) / 8.
    resources = [use("cpu", 2, [1.0] * 12, usd_per_unit_hour=3), use("other", 4, [4.0] * 12, usd_per_unit_hour=0.5)]

    found = asked(client, "efficiency-score", workloads=[{"name": "web", "resources": resources}])

    assert found["score"] == pytest.approx(62.5)
    (workload,) = found["workloads"]
    assert (workload["grade"], workload["usd_unused_per_month"]) == ("B", pytest.approx(3 * 730))
    assert [each["weight"] for each in workload["resources"]] == pytest.approx([0.75, 0.25])


def test_nothing_reserved_has_no_score(client: Client) -> None:
    found = asked(client, "efficiency-score", workloads=[{"name": "web", "resources": [use("cpu", 0, [1.0])]}])

    assert (found["score"], found["workloads"][0]["score"], found["workloads"][0]["grade"]) == (None, None, None)


def test_waste_costs_what_is_idle(client: Client) -> None:
    # 2 - 0.5 cores idle at 0.031611 USD; 2 - 0.5 * 1.15 could go.
    (workload,) = asked(client, "waste-detection", workloads=[{"name": "web", "resources": [use("cpu", 2, [0.5] * 12)]}])["workloads"]

    (found,) = workload["resources"]
    assert (found["mean_idle"], found["reducible"], found["verdict"]) == (1.5, pytest.approx(1.425), "over_provisioned")
    assert found["usd_per_month"] == pytest.approx(1.5 * 0.031611 * 730)


@pytest.mark.parametrize(("value", "verdict"), [(0.0, "unused"), (0.95, "fitting"), (1.5, "under_provisioned")])
def test_verdicts_of_waste(client: Client, value: float, verdict: str) -> None:
    found = asked(client, "waste-detection", workloads=[{"name": "web", "resources": [use("memory", 1.0, [value] * 12)]}])

    assert found["workloads"][0]["resources"][0]["verdict"] == verdict


def test_the_dearest_waste_comes_first(client: Client) -> None:
    workloads = [{"name": f"w{n}", "resources": [use("cpu", n, [0.1] * 12)]} for n in (1, 4, 2)]

    assert [each["name"] for each in asked(client, "waste-detection", workloads=workloads)["workloads"]] == ["w4", "w2", "w1"]


def test_what_is_stored_can_be_waste(client: Client, services: Services) -> None:
    selection = {"cluster_id": stored(services), "workload": "db"}
    resources = [{"resource": "cpu", "reserved": 4, "selection": selection}]

    (workload,) = asked(client, "waste-detection", workloads=[{"name": "db", "resources": resources}])["workloads"]

    assert workload["resources"][0]["mean_idle"] == pytest.approx(3.0)


@pytest.mark.parametrize(
    "resource", [{"resource": "other", "reserved": 1, "values": [1]}, {"resource": "cpu", "reserved": 1}, {"resource": "cpu", "reserved": -1, "values": [1]},
                 {"resource": "cpu", "reserved": 1, "selection": {"cluster_id": "x", "split": "workload"}}],
)  # fmt: skip
def test_impossible_resources_are_refused(client: Client, resource: dict[str, Any]) -> None:
    for model in ("waste-detection", "efficiency-score"):
        answer = client.post(f"{GROUP}/{model}", {"workloads": [{"name": "web", "resources": [resource]}]})
        assert answer.problem(422, "invalid-request")["errors"][0]["pointer"].startswith("#/workloads/0/resources/0")


def test_a_peak_has_its_time_and_width(client: Client) -> None:
    values = [1.0] * 40 + [5.0, 9.0, 6.0] + [1.0] * 17

    (found,) = asked(client, "peak-detection", values=values, start="2026-11-01T00:00:00Z", step_seconds=3600)["series"]

    (peak,) = found["peaks"]
    assert (peak["first_step"], peak["top_step"], peak["last_step"], peak["width_seconds"]) == (40, 41, 42, 3 * 3600)
    assert (peak["top_at"], peak["end"], peak["value"], peak["prominence"]) == ("2026-11-02T17:00:00Z", "2026-11-02T19:00:00Z", 9.0, 8.0)


def test_short_peaks_are_left_out(client: Client) -> None:
    values = [1.0] * 40 + [9.0] + [1.0] * 40

    (found,) = asked(client, "peak-detection", values=values, step_seconds=60, least_seconds=120)["series"]

    assert (found["found"], found["peaks"]) == (0, [])


def container(**more: Any) -> dict[str, Any]:
    pods = [{"cpu_cores": [0.1, 0.12] * 1008, "memory_bytes": [3e8] * 2016}]
    return {"name": "web", "start": "2026-11-01T00:00:00Z", "step_seconds": 300, "pods": pods, **more}


def test_a_container_is_sized_from_its_use(client: Client) -> None:
    current = {"cpu_request_cores": 2, "memory_request_bytes": 2 * GIB}

    (sized,) = asked(client, "right-sizing", containers=[container(current=current)])["containers"]

    assert sized["status"] == "recommended"
    assert 0.12 <= sized["recommended"]["cpu_request_cores"] < 0.2
    assert 3e8 <= sized["recommended"]["memory_request_bytes"] < 4e8
    assert sized["savings_usd_per_month"] > 40
    assert {"cpu_quantile", "memory_peak"} <= {reason["code"] for reason in sized["reasons"]}


def test_too_little_use_is_withheld(client: Client) -> None:
    pods = [{"cpu_cores": [0.1, None, 0.2]}]

    (sized,) = asked(client, "right-sizing", containers=[container(pods=pods)])["containers"]

    assert (sized["status"], sized["withheld_code"]) == ("withheld", "not_enough_data")


def test_containers_of_different_grids_keep_their_order(client: Client) -> None:
    containers = [container(name=name, step_seconds=step) for name, step in (("a", 300), ("b", 600), ("c", 300))]

    assert [each["container"] for each in asked(client, "right-sizing", containers=containers)["containers"]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("pod", "pointer"),
    [
        ({"cpu_cores": [1, 2], "memory_bytes": [1]}, "#/containers/0/pods/0"), ({"cpu_cores": [1], "throttled": [2]}, "#/containers/0/pods/0/throttled"),
        ({}, "#/containers/0/pods/0"), ({"cpu_cores": [-1]}, "#/containers/0/pods/0/cpu_cores/0"),
    ],
)  # fmt: skip
def test_impossible_use_is_pointed_at(client: Client, pod: dict[str, Any], pointer: str) -> None:
    answer = client.post(f"{GROUP}/right-sizing", {"containers": [container(pods=[pod])]})

    assert answer.problem(422, "invalid-request")["errors"][0]["pointer"] == pointer


def test_stored_containers_are_sized_as_analyses_size_them(world: World, client: Client, cluster_id: str) -> None:  # noqa: F811 fixtures
    found = asked(client, "right-sizing", selection={"cluster_id": cluster_id, "namespace": "shop"})["containers"]

    assert {each["workload"] for each in found} == {"api", "api-gateway", "cart"}
    assert all(each["namespace"] == "shop" and each["evidence"]["source"] == "profile" for each in found)


def test_a_cluster_that_is_not_there_or_not_collected_is_a_problem(world: World, client: Client) -> None:  # noqa: F811 a fixture
    assert client.post(f"{GROUP}/right-sizing", {"selection": {"cluster_id": "cl_none"}}).problem(404, "not-found")
    assert client.post(f"{GROUP}/right-sizing", {"selection": {"cluster_id": world.register()}}).problem(409, "nothing-collected")
