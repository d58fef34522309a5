"""What a cluster uses now, over HTTP."""

from __future__ import annotations

import pytest
from functional.client import Client
from functional.collected import Collected, collected
from worlds.collection import SetClock

from upid.bootstrap import Services

ALL = (("shop", "web-0"), ("shop", "web-1"), ("shop", "cart-0"), ("bank", "ledger-0"))


@pytest.fixture
def seen(client: Client, services: Services) -> Collected:
    return collected(client, services, history="2h")


def test_the_cluster_uses_the_newest_samples_of_all_its_pods(client: Client, services: Services, seen: Collected) -> None:
    assert isinstance(services.clock, SetClock)
    services.clock.moment = seen.end + 90
    answer = client.get(f"/metrics/resources/{seen.cluster_id}").expect(200)

    used = float(seen.cpu(*ALL)[:, -1].sum())
    assert (answer["age_seconds"], answer["pods"], answer["nodes"]) == (90.0, 4, 1)
    assert answer["cpu"]["used"] == pytest.approx(used, abs=1e-5)
    # Four pods that request a core and a GiB each, on a node of 8 cores and 32 GiB.
    assert (answer["cpu"]["requested"], answer["cpu"]["requested_of_capacity"], answer["memory"]["requested_of_capacity"]) == (
        4.0,
        0.5,
        0.125,
    )
    assert answer["memory"]["used_of_capacity"] == pytest.approx(used / 32, abs=1e-5)


def test_pods_go_by_pages_in_order(client: Client, seen: Collected) -> None:
    path = f"/metrics/resources/{seen.cluster_id}/pods"
    first = client.get(path, query={"limit": 3}).expect(200)
    second = client.get(path, query={"limit": 3, "cursor": first["next_cursor"]}).expect(200)

    pods = first["items"] + second["items"]
    assert [pod["key"] for pod in pods] == ["bank/ledger-0", "shop/cart-0", "shop/web-0", "shop/web-1"]
    assert second["next_cursor"] is None
    assert pods[3]["cpu_cores"] == pytest.approx(float(seen.cpu(("shop", "web-1"))[0, -1]), abs=1e-6)
    assert (pods[3]["workload"], pods[3]["node"], pods[3]["cpu_request_cores"]) == ("web", "node-1", 1.0)
    assert [part["name"] for part in pods[3]["containers"]] == ["main"]


def test_pods_of_one_namespace(client: Client, seen: Collected) -> None:
    items = client.get(f"/metrics/resources/{seen.cluster_id}/pods", query={"namespace": "bank"}).expect(200)["items"]

    assert [pod["key"] for pod in items] == ["bank/ledger-0"]


def test_a_node_carries_its_pods(client: Client, seen: Collected) -> None:
    (node,) = client.get(f"/metrics/resources/{seen.cluster_id}/nodes").expect(200)["items"]

    assert (node["name"], node["pods"], node["cpu"]["capacity"], node["memory"]["capacity"]) == ("node-1", 4, 8.0, 32 * 2.0**30)
    assert node["cpu"]["used"] == pytest.approx(float(seen.cpu(*ALL)[:, -1].sum()), abs=1e-5)


@pytest.mark.parametrize(("metric", "unit"), [("cpu", 1.0), ("memory", 2.0**30)])
def test_containers_beside_their_requests(client: Client, seen: Collected, metric: str, unit: float) -> None:
    items = client.get(f"/metrics/resources/{seen.cluster_id}/{metric}", query={"namespace": "shop"}).expect(200)["items"]

    web = seen.cpu(("shop", "web-0"), ("shop", "web-1"))[:, -1].astype(float) * unit
    assert [(item["workload"], item["container"], item["pods"]) for item in items] == [("cart", "main", 1), ("web", "main", 2)]
    assert items[1]["used"] == pytest.approx(web.sum(), rel=1e-5)
    assert items[1]["largest_pod"] == pytest.approx(web.max(), rel=1e-5)
    assert items[1]["used_of_requested"] == pytest.approx(web.sum() / (2 * unit), rel=1e-4)
    assert (items[1]["limit"], items[1]["used_of_limit"], items[1]["throttled"]) == (None, None, None)


def test_pods_that_stopped_sending_are_not_shown(client: Client, services: Services, seen: Collected) -> None:
    from functional.test_collections import run
    from worlds.collection import inventory, workload

    seen.cluster.listed = inventory(workload("shop", "web", replicas=1))
    assert isinstance(services.clock, SetClock)
    services.clock.moment += 3600
    run(services, client.post("/metrics/collect", {"cluster_id": seen.cluster_id}).expect(202)["id"])

    items = client.get(f"/metrics/resources/{seen.cluster_id}/pods").expect(200)["items"]
    assert [pod["key"] for pod in items] == ["shop/web-0"]
