"""Classification over the API."""

from __future__ import annotations

from typing import Any

import pytest
from functional.client import Client
from worlds.analysis import SHOP
from worlds.collection import World


def classes(api: Client, **measures: Any) -> set[str]:
    found = api.post("/classification/categorize", {"workloads": [{"name": "x", **measures}]}).expect(200)
    return {each["id"] for each in found["items"][0]["classes"]}


class TestCategorize:
    @pytest.mark.parametrize(
        ("measures", "expected"),
        [
            ({"cpu_utilization": 0.71, "memory_utilization": 0.49}, {"cpu-intensive"}), ({"cpu_utilization": 0.7, "memory_utilization": 0.39}, set()),
            ({"cpu_utilization": 0.49, "memory_utilization": 0.71}, {"memory-intensive"}), ({"cpu_utilization": 0.4, "memory_utilization": 0.7}, {"balanced"}),
            ({"cpu_utilization": 0.39, "memory_utilization": 0.7}, set()),
            ({"cpu_utilization": 0.1, "memory_utilization": 0.2, "io_utilization": 0.9}, {"io-intensive"}),
            ({"variation": 0.09}, {"steady-state"}), ({"variation": 0.1}, set()), ({"variation": 0.51}, {"bursty"}),
            ({"growth_per_week": 0.06}, {"growing"}), ({"growth_per_week": 0.05}, set()), ({"weekly": 0.8}, {"periodic"}),
            ({"replicas": 3, "autoscaled": True}, {"horizontal", "elastic"}),
            ({"replicas": 1, "autoscaled": False, "cpu_request_cores": 8.0}, {"vertical", "static"}), ({"kind": "CronJob"}, {"batch-job"}),
            ({"kind": "StatefulSet", "images": ["docker.io/library/postgres:16"], "ports": [5432]}, {"database"}),
            ({"kind": "Deployment", "images": ["nginx:1.27"], "ports": [80]}, {"web-application"}),
            ({"kind": "Deployment", "replicas": 2, "containers": ["app", "istio-proxy"]}, {"microservice", "horizontal"}),
        ],
    )  # fmt: skip
    def test_holds_the_documented_bounds(self, api: Client, measures: Any, expected: set[str]) -> None:
        assert classes(api, **measures) == expected

    def test_bounds_can_be_set(self, api: Client) -> None:
        body = {"workloads": [{"name": "x", "variation": 0.3}], "thresholds": {"bursty_above": 0.2}}
        found = api.post("/classification/categorize", body).expect(200)
        (bursty,) = found["items"][0]["classes"]
        assert (bursty["id"], bursty["evidence"]) == ("bursty", {"variation": 0.3, "thresholds": {"bursty_above": 0.2}})

    def test_a_value_at_its_bound_is_half_as_sure_as_one_far_off(self, api: Client) -> None:
        workloads = [
            {"name": "near", "variation": 0.5000001},
            {"name": "far", "variation": 5.0},
            {"name": "little", "variation": 5.0, "hours": 24},
        ]
        items = api.post("/classification/categorize", {"workloads": workloads}).expect(200)["items"]
        assert [item["classes"][0]["confidence"] for item in items] == [0.5, 1.0, 0.5]

    def test_what_is_not_known_is_told_as_unknown(self, api: Client) -> None:
        found = api.post("/classification/categorize", {"workloads": [{"name": "x", "memory_utilization": 0.9}]}).expect(200)["items"][0]
        assert "memory-intensive" in found["unknown"]
        assert "cpu-intensive" not in found["unknown"]  # whatever the CPU use, so much memory rules it out

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"workloads": []}, "#/workloads"), ({"workloads": [{"name": "x", "variation": -1}]}, "#/workloads/0/variation"),
            ({"workloads": [{"name": "x"}], "thresholds": {"other": 1}}, "#/thresholds/other"),
            ({"workloads": [{"name": "x"}], "thresholds": {"balanced_low": 0.9}}, "#/thresholds"),
        ],
    )  # fmt: skip
    def test_tells_what_is_wrong(self, api: Client, body: Any, pointer: str) -> None:
        assert api.post("/classification/categorize", body).problem(422, "invalid-request")["errors"][0]["pointer"] == pointer

    def test_types_tell_the_default_bounds(self, api: Client) -> None:
        found = {each["id"]: each for each in api.get("/classification/types").expect(200)["items"]}
        assert len(found) == 16
        assert found["growing"]["bounds"] == {"growing_above": 0.05}


class TestCluster:
    def test_every_workload_is_classified(self, api: Client, cluster_id: str) -> None:
        found = api.post("/classification/analyze", {"cluster_id": cluster_id}).expect(200)
        assert found["workloads"] == len(found["items"]) == len(SHOP)
        of = {item["name"]: {each["id"] for each in item["classes"]} for item in found["items"]}
        assert {"horizontal", "static"} <= of["api"]
        assert "batch-job" in of["mailer"]
        assert found["classes"]["static"] == len(SHOP)
        measures = found["items"][0]["measures"]
        assert measures["cpu_utilization"] == pytest.approx(
            measures["memory_utilization"], rel=1e-5
        )  # the world's memory is its CPU in GiB

    def test_patterns_are_of_resources_and_traffic(self, api: Client, cluster_id: str) -> None:
        found = api.get(f"/classification/{cluster_id}/workload-patterns", {"namespace": "shop"}).expect(200)
        assert {item["namespace"] for item in found["items"]} == {"shop"}
        assert {each["group"] for item in found["items"] for each in item["classes"]} <= {"resources", "traffic"}
        assert found["classes"]["steady-state"] == len([item for item in found["items"] if item["measures"]["variation"] < 0.1]) > 0

    def test_what_was_not_collected_is_409(self, api: Client, world: World) -> None:
        cluster_id = world.register()
        assert api.post("/classification/analyze", {"cluster_id": cluster_id}).problem(409, "nothing-collected")
        assert api.get(f"/classification/{cluster_id}/workload-patterns").problem(409, "nothing-collected")
        assert api.get("/classification/cl_none/workload-patterns").problem(404, "not-found")

    def test_permissions_are_held(self, api: Client) -> None:
        other = api.as_user("rules:read")
        assert other.get("/classification/types").problem(403, "forbidden")
        assert other.post("/classification/similarity-analysis", {"cluster_id": "x"}).problem(403, "forbidden")


class TestSimilarity:
    def test_near_ones_are_neighbours_and_a_group(self, api: Client) -> None:
        at = {"a": 0.0, "b": 0.1, "c": 10.0, "d": 10.1}
        workloads = [{"name": name, "features": {"x": x, "y": 1.0}} for name, x in at.items()]
        found = api.post("/classification/similarity-analysis", {"workloads": workloads, "neighbours": 1, "within": 0.1}).expect(200)
        assert [group["members"] for group in found["groups"]] == [["a", "b"], ["c", "d"]]
        assert [item["neighbours"][0]["name"] for item in found["items"]] == ["b", "a", "d", "c"]

    def test_workloads_of_a_cluster_are_compared(self, api: Client, cluster_id: str) -> None:
        found = api.post("/classification/similarity-analysis", {"cluster_id": cluster_id, "neighbours": 2}).expect(200)
        assert {item["name"] for item in found["items"]} >= {"shop/Deployment/api", "data/StatefulSet/db"}
        assert all(len(item["neighbours"]) == 2 for item in found["items"])
        assert sum(group["size"] for group in found["groups"]) == len(SHOP)

    def test_a_selection_without_workloads_has_nothing_to_compare(self, api: Client, cluster_id: str) -> None:
        found = api.post("/classification/similarity-analysis", {"cluster_id": cluster_id, "namespaces": ["nowhere"]}).expect(200)
        assert (found["items"], found["groups"], found["features"]) == ([], [], [])

    def test_needs_one_source(self, api: Client) -> None:
        assert api.post("/classification/similarity-analysis", {}).problem(422, "invalid-request")["errors"][0]["pointer"] == "#"
