"""What the demo cluster tells beside CPU and memory, and that it goes with CPU, memory and the claims of its Kubernetes API."""

from __future__ import annotations

import pytest
from unit.demo.small import DAY, NOW, cluster, kubernetes, matrix, prometheus, vector

from upid.demo.prometheus.parser import Parser
from upid.demo.prometheus.syntax import QueryError, Relabel
from upid.domain.quantities import parse_quantity

SHOP = '{namespace="shop"}'


def test_every_claim_of_the_api_is_measured_and_is_as_large_as_it_says() -> None:
    status, answer = kubernetes("/api/v1/persistentvolumeclaims")
    claims = {
        (c["metadata"]["namespace"], c["metadata"]["name"]): parse_quantity(c["status"]["capacity"]["storage"]) for c in answer["items"]
    }
    size = {
        (dict(key)["namespace"], dict(key)["persistentvolumeclaim"]): value
        for key, value in vector("kubelet_volume_stats_capacity_bytes").items()
    }

    assert status == 200
    assert size == claims
    assert len(claims) > 10


def test_a_volume_never_holds_more_than_it_can_and_one_that_fills_holds_more_a_day_later() -> None:
    full = vector("kubelet_volume_stats_used_bytes / on (namespace, persistentvolumeclaim) kubelet_volume_stats_capacity_bytes")
    assert all(0 < share < 1 for share in full.values())
    (before,), (after,) = (
        vector('kubelet_volume_stats_used_bytes{persistentvolumeclaim="data-ledger-db-0"}', t).values() for t in (NOW - DAY, NOW)
    )
    assert (after - before) / parse_quantity("500Gi") == pytest.approx(0.006, abs=2e-4)


def test_pods_that_mount_claims_say_which() -> None:
    _, answer = kubernetes("/api/v1/namespaces/payments/pods")
    (pod,) = [pod for pod in answer["items"] if pod["metadata"]["name"] == "ledger-db-0"]
    assert pod["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-ledger-db-0"}}]


@pytest.mark.parametrize(
    ("name", "inside", "per_core"),
    [("container_network_receive_bytes_total", "", 3 * 2**20), ("container_fs_writes_bytes_total", ',container="storefront"', 0.4 * 2**20)],
)
def test_bytes_go_with_the_cpu_of_the_main_container(name: str, inside: str, per_core: float) -> None:
    asked = (name + '{pod=~"storefront-.*"' + inside, 'container_cpu_usage_seconds_total{pod=~"storefront-.*",container="storefront"')
    moved, used = (matrix(f"sum(rate({each}}}[5m]))", NOW - 43200, NOW, 3600)[0][1] for each in asked)
    assert moved == pytest.approx({moment: per_core * cores for moment, cores in used.items()}, rel=1e-6)


def test_the_pools_of_a_heap_are_below_the_working_set() -> None:
    heap = vector('sum by (pod, container) (jvm_memory_used_bytes{namespace="shop",area="heap"})')
    memory = vector(f"sum by (pod, container) (container_memory_working_set_bytes{SHOP})")
    assert heap
    assert all(0.5 * memory[key] < value < memory[key] for key, value in heap.items())


def test_labels_are_replaced_where_the_source_matches_as_a_whole() -> None:
    found = vector('label_replace(up, "kind", "$1-x", "job", "(prom).*")')
    assert [dict(key)["kind"] for key in found] == ["prom-x"]
    assert vector('label_replace(up, "kind", "x", "job", "prom")') == vector("up")
    assert parse('label_replace(up, "a", "b", "", "")') == "b"


def parse(text: str) -> str:
    """Return what the one relabelling of a query puts in."""
    found = Parser(text).parse()
    assert isinstance(found, Relabel)
    return found.replacement


@pytest.mark.parametrize("text", ['label_replace(up, "a", "b", "c")', "label_replace(up, a, b, c, d)"])
def test_a_relabelling_without_its_four_texts_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        Parser(text).parse()
    assert prometheus("/api/v1/query", query=text, time=NOW)[0] == 400


def test_a_cluster_of_very_many_pods_has_cpu_and_memory_alone() -> None:
    assert vector("count(container_memory_working_set_bytes)", of=cluster(1200))
    assert vector("container_memory_rss", of=cluster(1200)) == {}
