"""Peers that size each container from its pod's total, or look at the first pods only, or forget the replicas."""

from __future__ import annotations

import pytest
from peers.road import GIB, MIB, flat, inventory, measured, pods_of, recommend, workload

from upid.domain.inventory import Container, Resources


def test_each_container_is_sized_by_itself_and_not_by_its_pods_total() -> None:
    asked = Resources(cpu_request_cores=4.0, memory_request_bytes=8 * GIB)
    web = workload("shop", "web", Container("app", asked), Container("proxy", asked), Container("logs", asked))
    usage = {
        ("shop", "web-1", "app"): (flat(1.0), flat(2 * GIB)),
        ("shop", "web-1", "proxy"): (flat(0.1), flat(100 * MIB)),
        ("shop", "web-1", "logs"): (flat(0.05), flat(50 * MIB)),
    }
    found = recommend(inventory([web], pods_of(web, "web-1")), measured(usage))
    wanted = {key[2]: e["recommended"] for key, e in found.items()}
    assert wanted["app"]["cpu_request_cores"] == pytest.approx(1.0, rel=0.3)
    assert wanted["proxy"]["cpu_request_cores"] == pytest.approx(0.1, rel=0.3)
    assert wanted["logs"]["cpu_request_cores"] == pytest.approx(0.05, rel=0.3)
    assert wanted["proxy"]["memory_request_bytes"] < 250 * MIB
    assert wanted["app"]["memory_request_bytes"] >= 2 * GIB


def test_of_two_hundred_pods_the_busiest_counts_though_it_is_the_last() -> None:
    web = workload("shop", "web", replicas=200)
    names = [f"web-{number:03}" for number in range(200)]
    usage = {("shop", name, "app"): (flat(0.1), flat(GIB)) for name in names} | {("shop", names[-1], "app"): (flat(1.5), flat(6 * GIB))}
    entry = recommend(inventory([web], pods_of(web, *names)), measured(usage))["shop", "web", "app"]
    assert entry["evidence"]["pods"] == 200
    assert entry["evidence"]["cpu_cores"]["max"] == 1.5
    # A quantile over all pods' samples never sees one pod in two hundred.
    assert entry["evidence"]["cpu_cores"]["p99"] == pytest.approx(0.1)
    assert entry["recommended"]["cpu_request_cores"] >= 1.5
    assert entry["recommended"]["memory_request_bytes"] >= 6 * GIB


@pytest.mark.parametrize("replicas", [2, 10])
def test_savings_count_every_replica(replicas: int) -> None:
    def savings(count: int) -> float:
        web = workload("shop", "web", replicas=count)
        names = [f"web-{number}" for number in range(count)]
        usage = {("shop", name, "app"): (flat(0.5), flat(GIB)) for name in names}
        return float(recommend(inventory([web], pods_of(web, *names)), measured(usage))["shop", "web", "app"]["savings_usd_per_month"])

    assert savings(1) > 0
    assert savings(replicas) == pytest.approx(replicas * savings(1), rel=0.02)
