from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from outside.cluster import TOKEN, Cluster, refusal
from outside.serving import Reply, serving

from upid.adapters.kubernetes.client import ApiServers
from upid.adapters.metrics_server.source import MetricsServerSource, SourcesByKind
from upid.adapters.prometheus.source import PrometheusSource, PrometheusSources
from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.errors import UnavailableError
from upid.ports.metrics_source import NamespaceUsage, PodContainer, Window

END = 1_700_006_400
WINDOW = Window(END - 1200, END, 300)
GROUP = "/apis/metrics.k8s.io/v1beta1"


def pod(name: str, *containers: tuple[str, str, str], at: str = "2023-11-14T23:58:00Z") -> dict[str, Any]:
    """A PodMetrics as metrics-server writes it."""
    used = [{"name": container, "usage": {"cpu": cpu, "memory": memory}} for container, cpu, memory in containers]
    meta = {"name": name, "namespace": "shop", "creationTimestamp": "2023-11-15T00:00:01Z"}
    return {"metadata": meta, "timestamp": at, "window": "15.036s", "containers": used}


def served(*pods: dict[str, Any]) -> Cluster:
    cluster = Cluster()
    cluster.overrides[GROUP] = Reply({"resources": [{"name": "nodes"}, {"name": "pods"}]})
    cluster.overrides[f"{GROUP}/namespaces/shop/pods"] = Reply({"kind": "PodMetricsList", "metadata": {}, "items": list(pods)})
    return cluster


def asked(cluster: Cluster, *, check: bool = False) -> NamespaceUsage:
    with serving(cluster.answer) as url:
        source = MetricsServerSource(ApiServers(), ClusterAccess(server=url, token=TOKEN))
        if check:
            source.check()
        (found,) = source.usage([["shop"]], WINDOW)
    return found


def test_each_container_has_one_sample_in_the_last_step() -> None:
    found = asked(served(pod("web-1", ("app", "12345678n", "100Ki"), ("proxy", "3m", "1Mi")), pod("web-0", ("app", "1", "1Gi"))))

    nan = float("nan")
    assert list(found.cpu_cores.keys) == [
        PodContainer("shop", "web-0", "app"),
        PodContainer("shop", "web-1", "app"),
        PodContainer("shop", "web-1", "proxy"),
    ]
    np.testing.assert_array_equal(
        found.cpu_cores.values, np.float32([[nan, nan, nan, 1.0], [nan, nan, nan, 0.012345678], [nan, nan, nan, 0.003]])
    )
    np.testing.assert_array_equal(found.memory_bytes.values[:, -1], [2**30, 100 * 1024, 2**20])


def test_that_it_is_one_sample_is_told() -> None:
    assert "no history" in asked(served(pod("web-1", ("app", "1", "1Gi")))).warnings[0]


@pytest.mark.parametrize("at", ["2023-11-14T22:00:00Z", "2023-11-15T01:00:00Z", "soon", None])
def test_a_sample_of_another_time_is_left_out_and_told(at: Any) -> None:
    found = asked(served(pod("web-1", ("app", "1", "1Gi"), at=at)))

    assert list(found.cpu_cores.keys) == []
    assert "1 samples of metrics-server are not of the window's last step" in found.warnings[1]


@pytest.mark.parametrize("at", ["2023-11-14T23:55:00Z", "2023-11-15T00:04:59Z"])
def test_what_is_measured_while_it_is_read_is_of_the_last_step(at: str) -> None:
    assert len(asked(served(pod("web-1", ("app", "1", "1Gi"), at=at))).cpu_cores.keys) == 1


def test_a_quantity_that_is_none_is_no_sample() -> None:
    found = asked(served(pod("web-1", ("app", "many", "1Gi"))))

    assert np.isnan(found.cpu_cores.values).all()


def test_a_cluster_without_it_says_so() -> None:
    with pytest.raises(UnavailableError, match="has no metrics-server"):
        asked(Cluster(), check=True)


def test_one_that_is_away_is_an_error_and_no_empty_answer() -> None:
    cluster = served()
    cluster.overrides[f"{GROUP}/namespaces/shop/pods"] = refusal(404, "gone")

    with pytest.raises(UnavailableError, match="does not answer"):
        asked(cluster, check=True)


def test_it_has_no_other_family() -> None:
    source = MetricsServerSource(ApiServers(), ClusterAccess())

    assert [(f.family, f.keys, f.samples) for f in source.families(["shop"], ["network", "storage"], WINDOW)] == [
        ("network", (), {}),
        ("storage", (), {}),
    ]


def test_kinds_open_their_own_source() -> None:
    sources = SourcesByKind(PrometheusSources(), ApiServers())

    assert isinstance(sources.open(MetricsAccess(kind="metrics-server", cluster=ClusterAccess())), MetricsServerSource)
    assert isinstance(sources.open(MetricsAccess("http://x", "thanos")), PrometheusSource)


def test_without_a_cluster_there_is_nowhere_to_ask() -> None:
    with pytest.raises(UnavailableError, match="none is named"):
        SourcesByKind(PrometheusSources(), ApiServers()).open(MetricsAccess(kind="metrics-server")).check()
