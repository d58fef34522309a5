"""What the network and storage of a cluster carry now, and over time, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from functional.client import Client
from functional.collected import Collected, collected
from functional.test_collections import run
from worlds.collection import CAPACITY, STEP, SetClock, level

from upid.bootstrap import Services
from upid.domain.inventory import Claim

WEB, LEDGER = "uid-shop-Deployment-web", "uid-bank-Deployment-ledger"
RECEIVED, USED = "network_receive_bytes_per_second", "volume_used_bytes"
CLAIMS = (
    Claim("bank", "data", LEDGER, 4e4, 8e4, "gp3", "Bound"),
    Claim("bank", "left-over", "", 1e9),
    Claim("shop", "shared", WEB, 2e4, None),
)


@pytest.fixture
def seen(client: Client, services: Services) -> Collected:
    """A cluster whose claims were seen by its second collection."""
    found = collected(client, services, history="2h")
    found.cluster.listed = replace(found.cluster.listed, claims=CLAIMS)
    assert isinstance(services.clock, SetClock)
    services.clock.moment = found.end + 2 * STEP
    run(services, client.post(f"/metrics/collectors/ct_{found.cluster_id.removeprefix('cl_')}/run").expect(202)["id"])
    return replace(found, end=found.end + 2 * STEP)


def now(seen: Collected, name: str) -> float:
    """The newest sample of a pod or claim."""
    return float(level(name, np.array([seen.end - STEP]))[0])


def listed(client: Client, seen: Collected, what: str, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/metrics/resources/{seen.cluster_id}/{what}", query=query).expect(200)["items"]
    return found


def test_what_pods_receive_is_summed_by_workload_namespace_and_cluster(client: Client, seen: Collected) -> None:
    web, cart, ledger = now(seen, "web-0") + now(seen, "web-1"), now(seen, "cart-0"), now(seen, "ledger-0")

    by = {
        name: {item["key"]: item[RECEIVED] for item in listed(client, seen, "network", by=name)}
        for name in ("pod", "workload", "namespace", "node", "cluster")
    }
    assert by["pod"]["shop/web-1"] == now(seen, "web-1")
    assert by["workload"] == {"bank/Deployment/ledger": ledger, "shop/Deployment/cart": cart, "shop/Deployment/web": web}
    assert by["namespace"] == {"bank": ledger, "shop": web + cart}
    assert by["node"] == {"node-1": web + cart + ledger}
    assert by["cluster"] == {"cluster": web + cart + ledger}


def test_an_item_says_whose_it_is_how_old_and_what_the_source_does_not_tell(client: Client, services: Services, seen: Collected) -> None:
    assert isinstance(services.clock, SetClock)
    services.clock.moment = seen.end + 90
    (item,) = listed(client, seen, "network", by="pod", namespace="bank")

    assert (item["namespace"], item["kind"], item["workload"], item["pod"], item["pods"]) == ("bank", "Deployment", "ledger", "ledger-0", 1)
    assert (item["age_seconds"], item["network_transmit_bytes_per_second"]) == (90.0, None)


def test_volumes_stand_beside_what_was_asked_for_with_those_that_nobody_mounts(client: Client, seen: Collected) -> None:
    workloads = {item["key"]: item for item in listed(client, seen, "storage")}
    held = now(seen, "data")

    assert set(workloads) == {"bank/Deployment/ledger", "shop/Deployment/web"}
    (volume,) = workloads["bank/Deployment/ledger"]["volumes"]
    assert volume == {
        "namespace": "bank", "name": "data", "used_bytes": held, "capacity_bytes": CAPACITY, "request_bytes": 4e4,
        "used_of_capacity": round(held / CAPACITY, 6),
        "storage_class": "gp3", "phase": "Bound", "mounted": True,
    }  # fmt: skip
    assert workloads["shop/Deployment/web"]["volume_capacity_bytes"] == CAPACITY
    (bank,) = listed(client, seen, "storage", by="namespace", namespace="bank")
    assert (bank[USED], bank["volume_capacity_bytes"], bank["volume_request_bytes"]) == (held, CAPACITY, 4e4 + 1e9)
    assert bank["volume_used_of_capacity"] == round(held / CAPACITY, 6)
    assert [(one["name"], one["mounted"], one["used_bytes"]) for one in bank["volumes"]] == [
        ("data", True, held),
        ("left-over", False, None),
    ]


def test_pages_go_on_where_they_ended(client: Client, seen: Collected) -> None:
    path = f"/metrics/resources/{seen.cluster_id}/network"
    first = client.get(path, query={"limit": 2, "by": "pod"}).expect(200)
    second = client.get(path, query={"limit": 2, "by": "pod", "cursor": first["next_cursor"]}).expect(200)
    assert [item["key"] for item in first["items"] + second["items"]] == ["bank/ledger-0", "shop/cart-0", "shop/web-0", "shop/web-1"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("what", ["storage", "network"])
def test_bad_input_and_unknown_clusters_are_problems(client: Client, seen: Collected, what: str) -> None:
    problem = client.get(f"/metrics/resources/{seen.cluster_id}/{what}", query={"by": "planet"}).problem(422, "invalid-request")
    assert "by" in problem["errors"][0]["pointer"]
    client.get(f"/metrics/resources/cl_01HZZZZZZZZZZZZZZZZZZZZZZZ/{what}").problem(404, "not-found")
    client.anonymous().get(f"/metrics/resources/{seen.cluster_id}/{what}").problem(401, "unauthenticated")
    client.as_user("clusters:read").get(f"/metrics/resources/{seen.cluster_id}/{what}").problem(403, "forbidden")


def test_history_of_a_family_is_what_the_source_had(client: Client, seen: Collected) -> None:
    asked = {"metric": RECEIVED, "group_by": "workload", "window": "1h", "step": "5m"}
    answer = client.get(f"/metrics/history/{seen.cluster_id}", query=asked).expect(200)
    web = next(series for series in answer["series"] if series["labels"] == {"workload": "web"})

    moments = np.arange(seen.end - 3600, seen.end, STEP)
    assert (web["metric"], web["unit"]) == (RECEIVED, "bytes/s")
    np.testing.assert_allclose(web["values"], level("web-0", moments) + level("web-1", moments))


def test_metrics_of_several_families_stand_in_one_answer_each_by_its_own_series(client: Client, seen: Collected) -> None:
    asked = {
        "cluster_id": seen.cluster_id,
        "metrics": ["cpu_cores", RECEIVED, USED],
        "group_by": ["namespace", "pod", "volume"],
        "window": "10m",
        "step": "5m",
    }
    series = client.post("/metrics/history/query", asked).expect(200)["series"]
    found = {
        (one["metric"], one["labels"]["pod"], one["labels"]["volume"]): one["values"]
        for one in series
        if one["labels"]["namespace"] == "bank"
    }

    moments = np.arange(seen.end - 600, seen.end, STEP)
    assert found[USED, "", "data"] == list(level("data", moments))
    assert found[RECEIVED, "ledger-0", ""] == list(level("ledger-0", moments))
    assert found[USED, "ledger-0", ""] == found["cpu_cores", "", "data"] == [None, None]


@pytest.mark.parametrize("kind", ["trends", "peak-usage", "baseline"])
def test_trends_peaks_and_baselines_take_every_metric(client: Client, seen: Collected, kind: str) -> None:
    answer = client.get(f"/metrics/history/{seen.cluster_id}/{kind}", query={"metric": RECEIVED, "window": "2h"}).expect(200)
    assert {item["metric"] for item in answer["items"]} == {RECEIVED}
    if kind == "peak-usage":
        moments = np.arange(seen.end - 7200, seen.end, STEP)
        peaks = {item["labels"]["namespace"]: item["peak"] for item in answer["items"]}
        assert peaks["bank"] == level("ledger-0", moments).max()


def test_a_family_without_samples_in_the_window_is_empty_and_no_error(client: Client, seen: Collected) -> None:
    for kind in ("", "/trends", "/peak-usage", "/baseline"):
        answer = client.get(f"/metrics/history/{seen.cluster_id}{kind}", query={"metric": "jvm_heap_used_bytes", "window": "2h"}).expect(
            200
        )
        assert answer.get("series", answer.get("items")) == []
    summary = client.get(f"/metrics/aggregate/{seen.cluster_id}/summary", query={"metric": USED, "window": "10m"}).expect(200)
    assert summary["total"][USED]["samples"] == 2


def test_memory_stands_beside_what_is_resident_where_the_source_tells(client: Client, services: Services, seen: Collected) -> None:
    before = listed(client, seen, "memory")
    seen.cluster.detailed = True
    assert isinstance(services.clock, SetClock)
    services.clock.moment = seen.end + STEP
    run(services, client.post(f"/metrics/collectors/ct_{seen.cluster_id.removeprefix('cl_')}/run").expect(202)["id"])
    after, later = listed(client, seen, "memory"), replace(seen, end=seen.end + STEP)

    assert {(item["resident"], item["cache"]) for item in before} == {(None, None)}
    web = next(item for item in after if item["workload"] == "web")
    assert (web["resident"], web["cache"]) == (now(later, "web-0") + now(later, "web-1"), None)
    assert {(item["resident"], item["cache"]) for item in listed(client, seen, "cpu")} == {(None, None)}
