"""Families beside CPU and memory: what is asked for each, and what is made of the answers."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from adapters.prometheus.scripted import Answer, Server, matrix, refused, vector

from upid.adapters.prometheus.client import PrometheusClient
from upid.adapters.prometheus.families import FAMILIES, FamilyReading
from upid.adapters.prometheus.shapes import resets_of, skew_of
from upid.domain.metrics import FAMILIES as NAMES
from upid.domain.metrics import SERVICE, metrics_of
from upid.ports.metrics_source import FamilyUsage, Metered, Window

START, STEP = 1_700_000_100, 300
WINDOW = Window(START, START + 3 * STEP, STEP)
TIMES = [START + STEP * (n + 1) for n in range(3)]
NAN = float("nan")
POD = {"namespace": "shop", "pod": "web-1"}
CONTAINER = POD | {"container": "app"}


def points(*values: str) -> list[tuple[int, str]]:
    return [(moment, value) for moment, value in zip(TIMES, values, strict=True) if value]


def read(server: Server, *families: str) -> list[FamilyUsage]:
    return list(FamilyReading(server.client(), 'cluster="c"', ("shop",), WINDOW).families(families))


def queries(server: Server) -> Iterator[str]:
    return (asked.query for asked in server.asked if asked.path.endswith("query_range"))


def answering(server: Server, **series: Answer) -> None:
    """Answer a query by the first of these metrics that it names."""
    server.answer = lambda asked: next(
        (answer for name, answer in series.items() if name in asked.params.get("query", [""])[0] and asked.path.endswith("range")),
        matrix() if asked.path.endswith("range") else Answer(),
    )


def test_every_family_but_that_of_queries_is_known() -> None:
    assert set(FAMILIES) == set(NAMES) - {SERVICE}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_asked_for_in_two_queries_with_every_metric_and_the_clusters_matcher(server: Server, family: str) -> None:
    answering(server)
    (found,) = read(server, family)

    asked = list(queries(server))
    assert len(asked) <= 2
    assert all('namespace="shop"' in query and 'cluster="c"' in query and "[300s]" in query for query in asked)
    assert sorted(measure.metric for query in FAMILIES[family] for measure in query.measures) == sorted(metrics_of(family))
    assert (found.family, found.keys, found.samples, found.refused) == (family, [], {}, "")


def test_interfaces_of_a_pod_add_up_and_who_scraped_them_twice_counts_once(server: Server) -> None:
    own = POD | {"upid_metric": "network_receive_bytes_per_second"}
    answering(server, container_network_receive_bytes_total=matrix(
        (own | {"interface": "eth0", "instance": "a"}, points("1", "2", "3")), (own | {"interface": "eth0", "instance": "b"}, points("1.5", "2", "")),
        (own | {"interface": "eth1"}, points("10", "", "30")),
    ))  # fmt: skip
    (found,) = read(server, "network")

    assert found.keys == [Metered("shop", "web-1")]
    np.testing.assert_array_equal(found.samples["network_receive_bytes_per_second"], [[11.5, 2.0, 33.0]])
    assert found.faults == {"duplicates": 1}


def test_a_claim_is_known_by_its_namespace_and_name_wherever_it_was_mounted(server: Server) -> None:
    own = {"namespace": "shop", "persistentvolumeclaim": "data-db-0", "upid_metric": "volume_used_bytes"}
    answering(server, kubelet_volume_stats_used_bytes=matrix(
        (own | {"node": "a"}, points("5e9", "6e9", "")), (own | {"node": "b"}, points("", "", "7e9")), ({"namespace": "shop"}, points("1", "1", "1")),
    ))  # fmt: skip
    (found,) = read(server, "storage")

    assert found.keys == [Metered("shop", volume="data-db-0")]
    np.testing.assert_array_equal(found.samples["volume_used_bytes"], np.array([[5e9, 6e9, 7e9]], np.float32))
    assert "volume_capacity_bytes" not in found.samples


def test_devices_add_up_and_of_two_runs_the_larger_use_of_files_counts(server: Server) -> None:
    own = CONTAINER | {"upid_metric": "filesystem_used_bytes"}
    answering(server, container_fs_usage_bytes=matrix(
        (own | {"id": "/a", "device": "sda"}, points("10", "20", "")), (own | {"id": "/a", "device": "sdb"}, points("1", "2", "")),
        (own | {"id": "/b", "device": "sda"}, points("", "15", "25")),
    ))  # fmt: skip
    (found,) = read(server, "filesystem")
    np.testing.assert_array_equal(found.samples["filesystem_used_bytes"], [[11.0, 22.0, 25.0]])


def test_pools_of_a_heap_add_up_and_those_without_a_maximum_are_not_asked_for(server: Server) -> None:
    used = CONTAINER | {"upid_metric": "jvm_heap_used_bytes", "area": "heap"}
    answering(server, jvm_memory_used_bytes=matrix(
        (used | {"id": "eden"}, points("100", "110", "120")), (used | {"id": "old"}, points("400", "400", "400")),
        (POD | {"upid_metric": "jvm_heap_used_bytes", "id": "old"}, points("7", "7", "7")),
    ))  # fmt: skip
    (found,) = read(server, "heap")

    assert found.keys == [Metered("shop", "web-1"), Metered("shop", "web-1", "app")]
    np.testing.assert_array_equal(found.samples["jvm_heap_used_bytes"], [[7.0, 7.0, 7.0], [500.0, 510.0, 520.0]])
    assert any('jvm_memory_max_bytes{namespace="shop",area="heap",cluster="c"}[300s]) >= 0' in query for query in queries(server))


def test_a_family_that_is_refused_leaves_the_others(server: Server) -> None:
    answering(server, container_memory_rss=refused(422, "too many samples"), kubelet_volume_stats_used_bytes=matrix(
        ({"namespace": "shop", "persistentvolumeclaim": "data", "upid_metric": "volume_used_bytes"}, points("1", "1", "1")),
    ))  # fmt: skip
    detail, storage = read(server, "memory_detail", "storage")

    assert (detail.keys, detail.samples) == ((), {})
    assert "too many samples" in detail.refused
    assert (storage.refused, list(storage.keys)) == ("", [Metered("shop", volume="data")])


def test_what_is_below_zero_no_number_or_off_the_grid_is_dropped_and_counted(server: Server) -> None:
    own = {"namespace": "shop", "persistentvolumeclaim": "data", "upid_metric": "volume_used_bytes"}
    wild = [(TIMES[0] - 10 * STEP, "3"), (TIMES[1], "NaN"), (TIMES[0], "-5"), (TIMES[2], "8"), (TIMES[2], "9")]
    answering(server, kubelet_volume_stats_used_bytes=matrix((own, wild)))
    (found,) = read(server, "storage")

    np.testing.assert_array_equal(found.samples["volume_used_bytes"], [[NAN, NAN, 9.0]])
    assert found.faults == {"off_grid": 1, "not_a_number": 1, "negative": 1, "out_of_order": 1, "repeated": 1}


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (42.0, ["The source's clock is about 40 s behind ours."]),
        (-3600.0, ["The source's clock is about 3600 s ahead of ours."]),
        (3.0, []),
    ],
)
def test_a_source_whose_clock_is_not_ours_is_told_of(server: Server, ahead: float, told: list[str]) -> None:
    client = replace_clock(server, ahead)
    client.instant("up", START)
    assert skew_of(client) == told


def replace_clock(server: Server, ahead: float) -> PrometheusClient:
    """A client whose clock is ahead of the server's."""
    client = server.client()
    client.now = lambda: time.time() + ahead
    return client


def test_resets_are_asked_for_in_one_query_over_the_window(server: Server) -> None:
    server.script(vector(({}, "3")))
    assert resets_of(server.client(), ["shop"], "", WINDOW) == 3
    (asked,) = server.asked
    assert asked.query == 'sum(resets(container_cpu_usage_seconds_total{namespace="shop",container!="",container!="POD"}[900s]))'
