"""What is collected of families beside CPU and memory is what a real Prometheus answers for the same window, also where a collection was cut in two."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from outside.real_prometheus import Written, is_installed, prometheus

from upid.adapters.prometheus.source import PrometheusSources
from upid.domain.clusters import MetricsAccess
from upid.domain.inventory import Claim, Container, Inventory, Pod, Workload
from upid.domain.metrics import FAMILIES as ALL
from upid.domain.metrics import SERVICE
from upid.ports.metrics_source import Window
from upid.services.asking import Families, ask

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not is_installed(), reason="there is no Prometheus here")]

FAMILIES = tuple(family for family in ALL if family != SERVICE)
START, STEP, STEPS = 1_700_000_000 // 3600 * 3600, 300, 24
WINDOW = Window(START, START + STEP * STEPS, STEP)
POD = {"namespace": "shop", "pod": "db-0", "instance": "node:10250"}
CONTAINER = POD | {"container": "app", "id": "/kubepods/db-0/app"}
CLAIM = {"namespace": "shop", "persistentvolumeclaim": "data-db-0", "instance": "node:10250"}
MOMENTS = np.arange(START - 600, WINDOW.end + 1, 30)
LISTED = Inventory(
    (Workload("shop", "StatefulSet", "db", "uid-db", 1, (Container("app"),)),), (Pod("shop", "db-0", "uid-pod", "uid-db", "node"),), (), ("shop",),
    claims=(Claim("shop", "data-db-0", "uid-db"),),
)  # fmt: skip


def counter(rate: float) -> Iterator[tuple[float, str]]:
    """A counter that runs unevenly, and begins again in the middle of the window."""
    total, random = 0.0, np.random.default_rng(7)
    for moment in MOMENTS:
        total = 0.0 if abs(moment - START - 3600) < 15 else total + 30 * rate * random.uniform(0.5, 1.5)
        yield float(moment), f"{total:.3f}"


def level(size: float, *, gap: bool = False) -> Iterator[tuple[float, str]]:
    random = np.random.default_rng(11)
    for moment in MOMENTS:
        if not (gap and 1800 <= moment - START < 3600):
            yield float(moment), f"{size * random.uniform(0.8, 1.2):.0f}"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    written = Written()
    written.add("container_memory_working_set_bytes", CONTAINER, level(3e8))
    for cpu in ("cpu00", "cpu01"):
        written.add("container_cpu_usage_seconds_total", CONTAINER | {"cpu": cpu}, counter(0.3))
    for name, size in (("container_memory_rss", 2e8), ("container_memory_cache", 5e7)):
        written.add(name, CONTAINER, level(size))
    for direction in ("receive", "transmit"):
        for interface, rate in (("eth0", 1000.0), ("eth1", 10.0)):
            written.add(f"container_network_{direction}_bytes_total", POD | {"interface": interface}, counter(rate))
            written.add(f"container_network_{direction}_errors_total", POD | {"interface": interface}, counter(0.01))
    written.add("container_fs_usage_bytes", CONTAINER | {"device": "sda"}, level(1e6))
    for name in ("reads_bytes", "writes_bytes", "reads", "writes"):
        written.add(f"container_fs_{name}_total", CONTAINER | {"device": "sda"}, counter(50.0))
    written.add("kubelet_volume_stats_used_bytes", CLAIM, level(4e9, gap=True))
    written.add("kubelet_volume_stats_capacity_bytes", CLAIM, level(1e10))
    for pool, most in (("eden", "-1"), ("old", "8e8")):
        written.add("jvm_memory_used_bytes", CONTAINER | {"area": "heap", "id": pool}, level(2e8))
        written.add("jvm_memory_max_bytes", CONTAINER | {"area": "heap", "id": pool}, ((float(m), most) for m in MOMENTS))
    with prometheus(tmp_path_factory.mktemp("prometheus"), written) as served:
        yield served


def asked(url: str, query: str) -> np.ndarray[Any, Any]:
    """Return Prometheus' own answer of one series on the window's grid."""
    form = {"query": query, "start": WINDOW.start + STEP, "end": WINDOW.end, "step": STEP}
    with urllib.request.urlopen(f"{url}/api/v1/query_range?{urllib.parse.urlencode(form)}") as answer:
        (series,) = json.load(answer)["data"]["result"]
    row = np.full(STEPS, np.nan)
    for moment, value in series["values"]:
        row[(int(moment) - WINDOW.start) // STEP - 1] = float(value)
    return row


TRUTH = {
    "memory_rss_bytes": "max_over_time(container_memory_rss[5m])",
    "memory_cache_bytes": "max_over_time(container_memory_cache[5m])",
    "network_receive_bytes_per_second": "sum(rate(container_network_receive_bytes_total[5m]))",
    "network_transmit_errors_per_second": "sum(rate(container_network_transmit_errors_total[5m]))",
    "filesystem_used_bytes": "max_over_time(container_fs_usage_bytes[5m])",
    "filesystem_read_bytes_per_second": "rate(container_fs_reads_bytes_total[5m])",
    "filesystem_writes_per_second": "rate(container_fs_writes_total[5m])",
    "volume_used_bytes": "max_over_time(kubelet_volume_stats_used_bytes[5m])",
    "volume_capacity_bytes": "max_over_time(kubelet_volume_stats_capacity_bytes[5m])",
    "jvm_heap_used_bytes": "sum(avg_over_time(jvm_memory_used_bytes[5m]))",
    "jvm_heap_max_bytes": 'avg_over_time(jvm_memory_max_bytes{id="old"}[5m])',
}


@pytest.fixture(scope="module")
def found(url: str) -> dict[str, np.ndarray[Any, Any]]:
    source = PrometheusSources().open(MetricsAccess(url))
    usages = list(source.families(["shop"], FAMILIES, WINDOW))
    assert [usage.refused for usage in usages] == [""] * len(FAMILIES)
    return {metric: values[0] for usage in usages for metric, values in usage.samples.items()}


@pytest.mark.parametrize("metric", TRUTH)
def test_a_metric_is_what_prometheus_answers(url: str, found: dict[str, Any], metric: str) -> None:
    np.testing.assert_allclose(found[metric], asked(url, TRUTH[metric]), rtol=1e-6)


def test_what_the_source_does_not_have_is_absent(found: dict[str, Any]) -> None:
    assert {"go_heap_used_bytes", "network_receive_dropped_per_second"}.isdisjoint(found)


def test_a_window_collected_in_two_parts_has_the_samples_of_one(url: str) -> None:
    source, middle = PrometheusSources().open(MetricsAccess(url)), START + 7 * STEP
    windows = (WINDOW, Window(START, middle, STEP), Window(middle, WINDOW.end, STEP))
    whole, first, second = ({c.family: c for c in ask(source, ["shop"], w, LISTED, families=Families(FAMILIES)).families} for w in windows)

    assert set(whole) == set(FAMILIES)
    for family, chunk in whole.items():
        assert list(first[family].keys) == list(second[family].keys) == list(chunk.keys)
        for metric, values in chunk.samples.items():
            np.testing.assert_array_equal(np.concatenate([first[family].samples[metric], second[family].samples[metric]], axis=1), values)
    assert {key.volume for key in whole["storage"].keys} == {"data-db-0"}
    assert {key.workload_uid for chunk in whole.values() for key in chunk.keys} == {"uid-db"}


RECEIVED = 'sum(rate(container_network_receive_bytes_total{namespace="shop"}[5m]))'


def test_a_persons_query_gives_what_prometheus_answers_and_one_that_is_wrong_says_so(url: str) -> None:
    wrong = {
        "sum(rate(": "parse error", "container_network_receive_bytes_total": "2 series where one is needed", "nothing_here": "no series",
        'container_memory_rss{container="app"} * 0 / 0': "at 24 of 24 steps", "sum(up[5m])": "expected type instant vector",
    }  # fmt: skip
    good, *bad = PrometheusSources().open(MetricsAccess(url)).evaluate([RECEIVED, *wrong], WINDOW)

    np.testing.assert_allclose(good.values, asked(url, RECEIVED), rtol=1e-6)
    assert good.problem == ""
    for found, said in zip(bad, wrong.values(), strict=True):
        assert said in found.problem
        assert np.isnan(found.values).all()


def test_counters_that_began_again_are_counted_as_prometheus_counts_them(url: str) -> None:
    source = PrometheusSources().open(MetricsAccess(url))
    assert source.resets(["shop"], WINDOW) == 2
    assert source.resets(["bank"], WINDOW) == 0
