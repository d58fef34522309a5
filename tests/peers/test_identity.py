"""Peers that know workloads by name, or by the beginning of a pod's name, take one's usage for another's."""

from __future__ import annotations

import pytest
from peers.road import GIB, flat, inventory, measured, pods_of, recommend, workload

from upid.ports.metrics_source import PodOwner


def test_one_name_in_two_namespaces_is_two_workloads_each_with_its_own_usage() -> None:
    busy, idle = workload("shop", "api"), workload("staging", "api")
    usage = {("shop", "api-1", "app"): (flat(2.0), flat(3 * GIB)), ("staging", "api-1", "app"): (flat(0.1), flat(GIB / 4))}
    found = recommend(inventory([busy, idle], [*pods_of(busy, "api-1"), *pods_of(idle, "api-1")]), measured(usage))
    assert {key: e["uid"] for key, e in found.items()} == {
        ("shop", "api", "app"): "uid-shop-api",
        ("staging", "api", "app"): "uid-staging-api",
    }
    assert found["shop", "api", "app"]["evidence"]["cpu_cores"]["max"] == 2.0
    assert found["staging", "api", "app"]["evidence"]["cpu_cores"]["max"] == pytest.approx(0.1)
    wanted = {key[0]: e["recommended"]["cpu_request_cores"] for key, e in found.items()}
    assert wanted["staging"] < 0.5
    assert wanted["shop"] >= 2.0


def test_a_pod_of_api_gateway_is_none_of_api() -> None:
    api, gateway = workload("shop", "api"), workload("shop", "api-gateway")
    usage = {("shop", "api-5d4f-a", "app"): (flat(0.1), flat(GIB)), ("shop", "api-gateway-77c9-a", "app"): (flat(3.0), flat(5 * GIB))}
    found = recommend(inventory([api, gateway], [*pods_of(api, "api-5d4f-a"), *pods_of(gateway, "api-gateway-77c9-a")]), measured(usage))
    assert found["shop", "api", "app"]["evidence"]["cpu_cores"]["max"] == pytest.approx(0.1)
    assert found["shop", "api-gateway", "app"]["evidence"]["cpu_cores"]["max"] == 3.0
    assert [e["evidence"]["pods"] for e in found.values()] == [1, 1]


def test_gone_pods_of_earlier_replica_sets_are_found_by_their_owners_and_not_by_their_names() -> None:
    api, gateway = workload("shop", "api"), workload("shop", "api-gateway")
    usage = {("shop", "api-gateway-1-a", "app"): (flat(3.0), flat(5 * GIB)), ("shop", "api-gateway-2-b", "app"): (flat(0.1), flat(GIB))}
    # Both pods are gone. The names say one thing, the owners another: the first set was named by hand and belongs to `api`.
    owners = [
        PodOwner("shop", "Pod", "api-gateway-1-a", "ReplicaSet", "api-gateway-1"),
        PodOwner("shop", "ReplicaSet", "api-gateway-1", "Deployment", "api"),
        PodOwner("shop", "Pod", "api-gateway-2-b", "ReplicaSet", "api-gateway-2"),
        PodOwner("shop", "ReplicaSet", "api-gateway-2", "Deployment", "api-gateway"),
    ]
    found = recommend(inventory([api, gateway]), measured(usage, owners))
    assert found["shop", "api", "app"]["evidence"]["cpu_cores"]["max"] == 3.0
    assert found["shop", "api-gateway", "app"]["evidence"]["cpu_cores"]["max"] == pytest.approx(0.1)


def test_usage_of_a_pod_that_nobody_is_known_to_own_is_nobodys() -> None:
    api = workload("shop", "api")
    found = recommend(inventory([api]), measured({("shop", "api-5d4f-a", "app"): (flat(3.0), flat(GIB))}))
    entry = found["shop", "api", "app"]
    assert entry["status"] == "withheld"
    assert entry["evidence"]["pods"] == 0
    assert entry["evidence"]["cpu_cores"]["max"] is None


def test_an_owner_in_another_namespace_does_not_count() -> None:
    api = workload("shop", "api")
    owners = [PodOwner("staging", "Pod", "api-a", "ReplicaSet", "api-1"), PodOwner("shop", "ReplicaSet", "api-1", "Deployment", "api")]
    found = recommend(
        inventory([api], replica_sets=[("shop", "api-1", api.uid)]), measured({("staging", "api-a", "app"): (flat(3.0), flat(GIB))}, owners)
    )
    assert found["shop", "api", "app"]["evidence"]["pods"] == 0
