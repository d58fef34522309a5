from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from upid.adapters.prometheus.series import Stretch, block_of, share_of
from upid.domain.inventory import Container, Inventory, Workload
from upid.engine.rightsizing.folds import folded_with_tests
from upid.engine.usage.evidence import exact_evidence
from upid.engine.usage.samples import Samples
from upid.ports.metrics_source import ContainerEvents, NamespaceUsage, PodContainer, PodOwner, UsageBlock, Window
from upid.ports.usage_history import UsageChunk
from upid.services.attribution import attribute
from upid.services.chunks import take, without_events
from upid.services.short_lived import samples_of_history, samples_of_usage
from upid.services.sizing import rows_of, samples_of

WEEK = Window(1_699_401_600, 1_700_006_400, 300)
RUNS = 300
CREATED = WEEK.start + 3600.0


def listed() -> Inventory:
    """A CronJob and a Deployment."""
    job = Workload("shop", "CronJob", "nightly", "uid-job", 1, (Container("app"),), CREATED)
    return Inventory((job, Workload("shop", "Deployment", "web", "uid-web", 1, (Container("app"),))), (), (), ("shop",))


def ran(dense: bool) -> NamespaceUsage:
    """Short runs all over the week, some with holes, idle ends, kills or no sample at all; as rows of their own or packed."""
    random = np.random.default_rng(11)
    parts: list[dict[PodContainer, Stretch]] = [{}, {}, {}]
    owners, kills, restarts = [], {}, {}
    for i in range(RUNS):
        pod = PodContainer("shop", f"nightly-{i:03}", "app")
        first, length = int(random.integers(0, WEEK.steps - 40)), int(random.integers(1, 30))
        samples = random.gamma(2.0, 0.1, (3, length)).astype(np.float32)
        samples[:, random.random(length) < 0.3] = np.nan
        samples[0, -1] = 0.0
        if i % 20:
            for part, row in zip(parts, samples, strict=True):
                part[pod] = Stretch(first, row)
        owners += [PodOwner("shop", "Pod", pod.pod, "Job", f"job-{i}"), PodOwner("shop", "Job", f"job-{i}", "CronJob", "nightly")]
        if i % 10 == 0:
            kills[pod], restarts[pod] = 1, 2
    web = PodContainer("shop", "web-1", "app")
    owners.append(PodOwner("shop", "Pod", "web-1", "Deployment", "web"))
    for part in parts:
        part[web] = Stretch(0, random.gamma(2.0, 0.1, WEEK.steps).astype(np.float32))
    cpu, memory, throttled = (_block(part, dense) for part in parts)
    return NamespaceUsage(("shop",), WEEK, cpu, memory, throttled, ContainerEvents(kills, restarts, dict.fromkeys(kills, 2.0**30)), owners)


def _block(part: dict[PodContainer, Stretch], dense: bool) -> UsageBlock:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("upid.adapters.prometheus.series.PACKED_FROM", 2**60 if dense else 0)
        return block_of([part], [WEEK.steps])


@pytest.fixture(scope="module")
def packed() -> Samples:
    return samples_of_usage(ran(dense=False), listed(), rows_of(listed()))


@pytest.fixture(scope="module")
def apart() -> Samples:
    return samples_of([attribute(ran(dense=True), listed())], rows_of(listed()))


def assert_same(one: Any, other: Any) -> None:
    """Hold that two dataclasses of arrays say the same, sums to the last digits."""
    for field in fields(one):
        mine, others = getattr(one, field.name), getattr(other, field.name)
        if hasattr(mine, "__dataclass_fields__"):
            assert_same(mine, others)
        elif field.name == "pod":
            continue  # lanes are known by other keys than pods
        elif isinstance(mine, np.ndarray):
            np.testing.assert_allclose(mine, others, rtol=1e-6, atol=1e-12, err_msg=field.name)
        else:
            assert mine == others, field.name


def days() -> list[UsageChunk]:
    """The week as a collector stores it: a chunk for each day, of the pods that ran in it; what happened is told with a pod's first chunk."""
    whole, found, told = attribute(ran(dense=True), listed()), [], np.zeros(0, np.int64)
    never = np.isnan([whole.cpu_cores, whole.memory_bytes, whole.throttled]).all(axis=(0, 2))
    for first in range(0, WEEK.steps, 288):
        cut = {name: getattr(whole, name)[:, first : first + 288] for name in ("cpu_cores", "memory_bytes", "throttled")}
        silent_now = np.isnan(list(cut.values())).all(axis=(0, 2))
        there = np.flatnonzero(~silent_now | ((first == 0) & (never | (whole.restarts > 0))))
        chunk = take(replace(whole, start=WEEK.start + first * 300, **cut), there.tolist())
        again = np.isin(there, told)
        silent = {name: np.where(again, nothing, getattr(chunk, name)) for name, nothing in (("oom_kills", 0), ("restarts", 0), ("oom_limit_bytes", np.nan))}  # fmt: skip
        found.append(replace(chunk, **silent))
        told = np.union1d(told, there)
    return found


@pytest.fixture(scope="module")
def stored() -> Samples:
    return samples_of_history(iter(days()), rows_of(listed()))


def test_a_stored_history_is_packed_as_a_scan_is(stored: Samples, packed: Samples, apart: Samples) -> None:
    assert len(stored.row) == len(packed.row)
    assert stored.pods_of_series.sum() == len(apart.row)
    assert (stored.start, stored.end, stored.rows) == (apart.start, apart.end, apart.rows)
    assert_same(exact_evidence(stored), exact_evidence(apart))
    (mine, my_folds), (others, their_folds) = folded_with_tests(stored), folded_with_tests(apart)
    assert_same(mine, others)
    for one, other in zip(my_folds, their_folds, strict=True):
        assert_same(one.view, other.view)


def test_a_stored_history_without_jobs_is_read_as_ever() -> None:
    inventory = Inventory(listed().workloads[1:], (), (), ("shop",))
    chunks = [attribute(ran(dense=True), inventory)]

    assert_same(samples_of_history(chunks, rows_of(inventory)), samples_of(chunks, rows_of(inventory)))
    assert samples_of_history([], rows_of(inventory)).end == 0


def test_the_later_chunk_counts_where_two_have_a_sample_of_a_pod() -> None:
    whole = attribute(ran(dense=True), listed())
    later = replace(whole, memory_bytes=whole.memory_bytes * 2, cpu_cores=np.full_like(whole.cpu_cores, np.nan))

    twice = samples_of_history([without_events(whole), without_events(later)], rows_of(listed()))
    once = samples_of([without_events(whole), without_events(later)], rows_of(listed()))

    assert_same(exact_evidence(twice), exact_evidence(once))


def test_runs_share_few_series(packed: Samples, apart: Samples) -> None:
    assert len(apart.row) == RUNS + 1 - RUNS // 20 + RUNS // 20
    assert len(packed.row) < RUNS / 10
    assert packed.pods_of_series.sum() == len(apart.row)


def test_evidence_is_that_of_series_of_their_own(packed: Samples, apart: Samples) -> None:
    assert_same(exact_evidence(packed), exact_evidence(apart))


def test_the_profile_and_its_back_test_are_too(packed: Samples, apart: Samples) -> None:
    (mine, my_folds), (others, their_folds) = folded_with_tests(packed), folded_with_tests(apart)

    assert_same(mine, others)
    assert len(my_folds) == len(their_folds) == 3
    for one, other in zip(my_folds, their_folds, strict=True):
        assert_same(one.view, other.view)


def test_how_the_source_packs_changes_nothing(packed: Samples) -> None:
    assert_same(packed, samples_of_usage(ran(dense=True), listed(), rows_of(listed())))


def test_packed_blocks_are_much_smaller() -> None:
    dense, small = ran(dense=True), ran(dense=False)

    assert small.memory_bytes.values.shape[0] < dense.memory_bytes.values.shape[0] / 10
    assert small.memory_bytes.keys == dense.memory_bytes.keys


def test_a_collector_reads_packed_blocks_as_rows_of_their_own() -> None:
    one, other = attribute(ran(dense=False), listed()), attribute(ran(dense=True), listed())

    assert one.keys == other.keys
    for name in ("cpu_cores", "memory_bytes", "throttled"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_share_of_packed_blocks_is_packed_and_the_same() -> None:
    shares = [share_of(usage.cpu_cores, usage.memory_bytes, 2, 2 * WEEK.steps - 1) for usage in (ran(dense=False), ran(dense=True))]

    assert shares[0].places is not None
    assert shares[0].keys == shares[1].keys
    for i in range(len(shares[0].keys)):
        row = np.full(2 * WEEK.steps - 1, np.nan, dtype=np.float32)
        first, samples = shares[0].stretch(i)
        row[first : first + len(samples)] = samples
        np.testing.assert_array_equal(row, shares[1].values[i])


def test_a_cluster_without_jobs_is_read_as_ever() -> None:
    inventory = Inventory(listed().workloads[1:], (), (), ("shop",))
    found = samples_of_usage(ran(dense=True), inventory, rows_of(inventory))

    assert found.pods is None
    assert_same(found, samples_of([attribute(ran(dense=True), inventory)], rows_of(inventory)))
