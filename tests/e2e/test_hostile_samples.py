"""Samples as a bad day makes them, in a real Prometheus: none of them may reach a recommendation as usage."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from outside.metrics import CPU, MEMORY
from outside.real_prometheus import Sample, Written, is_installed, prometheus

from upid.adapters.prometheus.source import PrometheusSources
from upid.domain.clusters import MetricsAccess
from upid.domain.inventory import Container, Inventory, Pod, Workload
from upid.ports.metrics_source import MetricsSource, NamespaceUsage, Window
from upid.services.attribution import attribute

pytestmark = [pytest.mark.prometheus, pytest.mark.skipif(not is_installed(), reason="Prometheus is not installed")]

START = 1_700_000_100
WINDOW = Window(START, START + 7200, 300)
SCRAPE = 30
MEBIBYTE = 2**20
MOMENTS = range(START - 600, START + 7200 + 600, SCRAPE)
LONG = "p" * 253


def counter(rate: float, *, resets: int = 0, skip: Callable[[float], bool] = lambda _: False) -> list[Sample]:
    """Return a CPU counter that grows by `rate` cores and begins again at zero every `resets` seconds."""
    origin = MOMENTS[0]
    return [(t, repr(rate * ((t - origin) % resets if resets else t - origin))) for t in MOMENTS if not skip(t)]


def gauge(value: float, *, skip: Callable[[float], bool] = lambda _: False) -> list[Sample]:
    return [(t, repr(value)) for t in MOMENTS if not skip(t)]


def spoiled(samples: list[Sample], *texts: str) -> list[Sample]:
    """Return the samples with every fifth replaced by one of the texts in turn."""
    return [(t, texts[(i // 5) % len(texts)] if i % 5 == 0 else text) for i, (t, text) in enumerate(samples)]


def write(
    written: Written, namespace: str, cpu: list[Sample], memory: list[Sample], *, pod: str = "pod", container: str = "app", **more: str
) -> None:
    labels = {"namespace": namespace, "pod": pod, "container": container, "id": f"/kubepods/{pod}/{container}", **more}
    written.add(CPU, labels, cpu)
    written.add(MEMORY, labels, memory)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetricsSource]:
    written = Written()
    steady = counter(0.5), gauge(200 * MEBIBYTE)
    write(written, "steady", *steady)
    write(written, "spoiled", counter(0.5), spoiled(steady[1], "NaN", "+Inf", "-Inf"))
    write(written, "spoiled-cpu", spoiled(steady[0], "NaN"), steady[1])
    write(written, "resets", counter(0.5, resets=1700), steady[1])
    for replica in ("prometheus-0", "prometheus-1"):
        write(written, "twins", *steady, prometheus_replica=replica, instance=f"node-{replica}")
    half = START + 3600
    write(written, "renamed", counter(3.0, skip=lambda t: t > half), gauge(900 * MEBIBYTE, skip=lambda t: t > half), container="old")
    write(written, "renamed", counter(0.5, skip=lambda t: t <= half), gauge(200 * MEBIBYTE, skip=lambda t: t <= half))
    write(written, "ahead", counter(0.5, skip=lambda t: t <= START + 6000), gauge(200 * MEBIBYTE, skip=lambda t: t <= START + 6000))
    write(written, "unicode", *steady, pod='größe-☃-\\"quoted"', container="контейнер")
    write(written, "n" * 63, *steady, pod=LONG, container="c" * 63)
    with prometheus(tmp_path_factory.mktemp("prometheus"), written) as url:
        yield PrometheusSources().open(MetricsAccess(url))


def usage_of(source: MetricsSource, namespace: str) -> NamespaceUsage:
    (found,) = source.usage([[namespace]], WINDOW)
    return found


def row(found: NamespaceUsage, metric: str, container: str = "app") -> np.ndarray:  # type: ignore[type-arg] # floats
    block = getattr(found, metric)
    (place,) = [i for i, key in enumerate(block.keys) if key.container == container]
    return np.asarray(block.values[place])


def test_steady_usage_reads_as_it_is(source: MetricsSource) -> None:
    found = usage_of(source, "steady")
    np.testing.assert_allclose(row(found, "cpu_cores"), np.full(24, 0.5), rtol=1e-9)
    np.testing.assert_array_equal(row(found, "memory_bytes"), np.full(24, 200.0 * MEBIBYTE))


def test_nan_and_infinite_memory_samples_are_none(source: MetricsSource) -> None:
    memory = row(usage_of(source, "spoiled"), "memory_bytes")
    seen = memory[~np.isnan(memory)]
    assert set(seen.tolist()) <= {200.0 * MEBIBYTE}


def test_nan_in_a_counter_makes_gaps_and_no_values(source: MetricsSource) -> None:
    cpu = row(usage_of(source, "spoiled-cpu"), "cpu_cores") if usage_of(source, "spoiled-cpu").cpu_cores.keys else np.array([np.nan])
    assert np.all(np.isnan(cpu) | (np.abs(cpu - 0.5) < 0.01))


def test_counter_resets_show_neither_as_negative_nor_as_huge_rates(source: MetricsSource) -> None:
    cpu = row(usage_of(source, "resets"), "cpu_cores")
    assert not np.isnan(cpu).any()
    assert np.all((cpu > 0.4) & (cpu < 0.56))  # one lost scrape interval of ten where it begins again


def test_series_of_two_replicas_of_prometheus_count_once(source: MetricsSource) -> None:
    found = usage_of(source, "twins")
    assert [key.container for key in found.cpu_cores.keys] == ["app"]
    np.testing.assert_allclose(row(found, "cpu_cores"), np.full(24, 0.5), rtol=1e-9)
    np.testing.assert_array_equal(row(found, "memory_bytes"), np.full(24, 200.0 * MEBIBYTE))


def test_a_container_that_was_renamed_does_not_inherit_the_old_ones_usage(source: MetricsSource) -> None:
    app = Workload("renamed", "Deployment", "web", "uid-web", 1, (Container("app"),))
    listed = Inventory((app,), (Pod("renamed", "pod", "uid-pod", "uid-web"),), (), ("renamed",))
    chunk = attribute(usage_of(source, "renamed"), listed)
    names = [key.container for key in chunk.keys]
    assert sorted(names) == ["app", "old"]
    cpu = chunk.cpu_cores[names.index("app")]
    assert np.isnan(cpu[:11]).all()
    np.testing.assert_allclose(cpu[14:], np.full(10, 0.5), rtol=1e-6)


def test_samples_from_before_a_workload_was_made_are_not_its_own(source: MetricsSource) -> None:
    made = START + 3600.0
    app = Workload("steady", "Deployment", "web", "uid-new", 1, (Container("app"),), created_at=made)
    listed = Inventory((app,), (Pod("steady", "pod", "uid-pod", "uid-new"),), (), ("steady",))
    chunk = attribute(usage_of(source, "steady"), listed)
    assert np.isnan(chunk.cpu_cores[0, :12]).all()
    assert not np.isnan(chunk.cpu_cores[0, 13:]).any()


def test_a_creation_time_ahead_of_the_metrics_clock_leaves_no_samples_and_no_error(source: MetricsSource) -> None:
    app = Workload("steady", "Deployment", "web", "uid-new", 1, (Container("app"),), created_at=WINDOW.end + 3600.0)
    listed = Inventory((app,), (Pod("steady", "pod", "uid-pod", "uid-new"),), (), ("steady",))
    chunk = attribute(usage_of(source, "steady"), listed)
    assert np.isnan(chunk.cpu_cores).all()
    assert np.isnan(chunk.memory_bytes).all()


def test_samples_behind_the_window_are_not_in_it(source: MetricsSource) -> None:
    memory = row(usage_of(source, "ahead"), "memory_bytes")
    assert np.isnan(memory[:19]).all()
    assert not np.isnan(memory[21:]).any()
    (early,) = source.usage([["ahead"]], Window(START, START + 5700, 300))
    assert np.isnan(early.memory_bytes.values).all()


@pytest.mark.parametrize("namespace", ["unicode", "n" * 63])
def test_names_of_any_length_and_script_come_through(source: MetricsSource, namespace: str) -> None:
    found = usage_of(source, namespace)
    (key,) = found.cpu_cores.keys
    assert key.pod in {LONG, 'größe-☃-\\"quoted"'}
    np.testing.assert_allclose(found.cpu_cores.values, np.full((1, 24), 0.5), rtol=1e-9)


def test_a_namespace_that_is_gone_is_empty_and_not_an_error(source: MetricsSource) -> None:
    found = usage_of(source, "gone")
    assert (len(found.cpu_cores.keys), found.cpu_cores.values.shape, found.warnings) == (0, (0, 24), ())
