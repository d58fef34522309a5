from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pytest
from unit.engine.making import DAY, GIB, MIB, MONDAY, PER_DAY, noise

from upid.domain.inventory import Autoscaler, Container, Inventory, Node, Resources, Workload
from upid.engine.rightsizing.options import Options
from upid.engine.usage.evidence import exact_evidence
from upid.engine.usage.folding import fold
from upid.engine.usage.profile import empty_profile
from upid.ports.prices import Price, VolumePrice
from upid.ports.usage_history import SeriesKey, UsageChunk
from upid.services.gathering import current_of, prices_of
from upid.services.sizing import (
    ContainerRow,
    Table,
    UsageWindow,
    align_profile,
    assess_rows,
    pack_table,
    rows_of,
    samples_of,
    unpack_table,
    workload_index,
)

APP = Container("app", Resources(cpu_request_cores=1.0, memory_request_bytes=GIB))


class TwoPrices:
    """`big` costs twice the default."""

    def of_node(self, instance_type: str, region: str, capacity_type: str) -> Price:
        """Return the price by type alone."""
        assert isinstance(region + capacity_type, str)
        return Price(0.06, 0.008, "test") if instance_type == "big" else Price(0.03, 0.004, "test")

    def of_volume(self, storage_class: str, instance_types: Collection[str], region: str) -> VolumePrice:
        """Return a price that is not known."""
        assert isinstance(f"{storage_class}{len(instance_types)}{region}", str)
        return VolumePrice(float("nan"), "test")


def workload(name: str, *containers: Container, **given: Any) -> Workload:
    """Return a Deployment of two replicas in `shop`."""
    plain: dict[str, Any] = {
        "namespace": "shop",
        "kind": "Deployment",
        "replicas": 2,
        "uid": f"uid-{name}",
        "containers": containers or (APP,),
    }
    return Workload(name=name, **(plain | given))


def inventory(*workloads: Workload) -> Inventory:
    """Return a cluster of these workloads alone."""
    return Inventory(workloads, (), (), ("shop",))


def chunk(keys: Sequence[tuple[str, str, str]], cpu: Any, *, start: int = MONDAY, **given: Any) -> UsageChunk:
    """Return usage of some series, with 100 MiB of memory."""
    cores = np.atleast_2d(np.asarray(cpu, dtype=np.float32))
    rest: dict[str, Any] = {
        "memory_bytes": np.full(cores.shape, 100 * MIB, dtype=np.float32), "throttled": np.full(cores.shape, np.nan, dtype=np.float32),
        "oom_kills": np.zeros(len(cores), dtype=np.int32), "restarts": np.zeros(len(cores), dtype=np.int32),
        "oom_limit_bytes": np.full(len(cores), np.nan),
    }  # fmt: skip
    return UsageChunk([SeriesKey(*key) for key in keys], start, 300, cores, **(rest | given))


def table(rows: Sequence[ContainerRow], *chunks: UsageChunk, nodes: Sequence[Node] = ()) -> Table:
    """Return the table of these rows and chunks with default options."""
    found = samples_of(chunks, rows)
    profile = fold(empty_profile(workload_index(rows)), found)
    window = UsageWindow(found.start, found.end, found.step_seconds)
    return assess_rows(rows, profile, exact_evidence(found), prices=TwoPrices(), nodes=nodes, options=Options(), window=window)


def test_every_container_is_a_row_in_order_of_identity() -> None:
    side = Container("proxy", role="sidecar")
    found = rows_of(inventory(
        workload("b"), workload("a", APP, side), workload("z", namespace="admin"), workload("a", kind="CronJob", uid="x"),
    ))  # fmt: skip

    assert [(r.namespace, r.kind, r.name, r.container) for r in found] == [
        ("admin", "Deployment", "z", "app"), ("shop", "CronJob", "a", "app"), ("shop", "Deployment", "a", "app"),
        ("shop", "Deployment", "a", "proxy"), ("shop", "Deployment", "b", "app"),
    ]  # fmt: skip
    assert workload_index(found).tolist() == [0, 1, 2, 2, 3]


def test_a_name_in_two_namespaces_is_two_workloads() -> None:
    rows = rows_of(inventory(workload("api", namespace="one", uid="1"), workload("api", namespace="two", uid="2")))

    found = samples_of([chunk([("2", "app", "api-x"), ("1", "app", "api-x")], [[0.9], [0.1]])], rows)

    assert found.row.tolist() == [1, 0]


def test_series_of_no_row_are_left_out() -> None:
    rows = rows_of(inventory(workload("api")))
    keys = [("uid-api-gateway", "app", "p"), ("uid-api", "app", "p"), ("uid-api", "renamed", "p")]

    found = samples_of([chunk(keys, [[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]])], rows)

    np.testing.assert_array_equal(found.cpu_cores, np.float32([[0.2, 0.2]]))


def test_chunks_that_follow_each_other_are_one_series() -> None:
    rows = rows_of(inventory(workload("api")))
    early = chunk([("uid-api", "app", "p")], [[0.1, 0.2]], oom_kills=np.array([1], dtype=np.int32), oom_limit_bytes=np.array([5e8]))
    late = chunk([("uid-api", "app", "q"), ("uid-api", "app", "p")], [[0.7], [0.3]], start=MONDAY + 900)

    found = samples_of([late, early], rows)

    by_pod = found.cpu_cores[np.argsort(np.nan_to_num(found.cpu_cores[:, 3]))]
    np.testing.assert_array_equal(by_pod, np.float32([[0.1, 0.2, np.nan, 0.3], [np.nan, np.nan, np.nan, 0.7]]))
    assert (found.start, found.end, found.row.tolist()) == (MONDAY, MONDAY + 1200, [0, 0])
    assert (found.oom_kills.sum(), np.nanmax(found.oom_limit_bytes)) == (1, 5e8)


def test_a_single_whole_chunk_is_not_copied() -> None:
    one = chunk([("uid-api", "app", "p")], [[0.1, 0.2]])

    assert samples_of([one], rows_of(inventory(workload("api")))).cpu_cores is one.cpu_cores


def test_no_chunk_is_no_sample() -> None:
    found = table(rows_of(inventory(workload("api"))))

    assert found.columns["withheld_code"].tolist() == [1]
    assert found.columns["evidence_samples"].tolist() == [0]


@pytest.mark.parametrize("other", [{"start": MONDAY + 100}, {"step": 60}])
def test_grids_that_do_not_line_up_are_refused(other: dict[str, int]) -> None:
    one = chunk([("uid-api", "app", "p")], [[0.1]])
    two = UsageChunk(one.keys, other.get("start", MONDAY), other.get("step", 300), *(getattr(one, name) for name in (
        "cpu_cores", "memory_bytes", "throttled", "oom_kills", "restarts", "oom_limit_bytes")))  # fmt: skip

    with pytest.raises(ValueError, match="grids"):
        samples_of([one, two], rows_of(inventory(workload("api"))))


def test_prices_are_the_mean_of_the_nodes_that_pods_run_on() -> None:
    nodes = [Node("n1", "1", 4, 16 * GIB, instance_type="big"), Node("n2", "2", 8, 32 * GIB)]
    rows = rows_of(
        inventory(workload("a", node_names=("n1", "n2", "n1")), workload("b", node_names=("gone",)), workload("c", node_names=("n2",)))
    )

    found = prices_of(rows, nodes, TwoPrices())

    assert found.cpu_usd_per_core_hour.tolist() == pytest.approx([0.05, 0.045, 0.03])
    assert found.memory_usd_per_gib_hour.tolist() == pytest.approx([0.02 / 3, 0.006, 0.004])
    assert prices_of(rows, [], TwoPrices()).cpu_usd_per_core_hour.tolist() == [0.03] * 3


def test_what_rows_have_now_is_told_in_columns() -> None:
    rows = rows_of(inventory(
        workload("a", autoscaler=Autoscaler("a", 1, 9, cpu_utilization=80.0)), workload("b", Container("run", role="init"), kind="CronJob"),
    ))  # fmt: skip

    found = current_of(rows, [Node("n", "1", 4, GIB), Node("m", "2", 8, GIB / 2)])

    assert (found.scaled_on_cpu.tolist(), found.scaled_on_memory.tolist()) == ([False, True], [False, False])
    assert (found.is_init.tolist(), found.is_batch.tolist()) == ([True, False], [True, False])
    assert np.isnan(found.cpu_request_cores).tolist() == [True, False]
    assert (found.largest_node_cores[0], found.largest_node_bytes[0]) == (8, GIB)
    assert np.isnan(current_of(rows, []).largest_node_cores).all()


def test_a_profile_is_aligned_to_rows_by_key() -> None:
    rows = rows_of(inventory(workload("a"), workload("b"), workload("new")))
    given = samples_of([chunk([("uid-a", "app", "p"), ("uid-b", "app", "p")], noise(1, series=2))], rows[:2])
    profile = fold(empty_profile(workload_index(rows[:2])), given)

    found = align_profile(profile, [("uid-b", "app"), ("uid-a", "app")], rows)

    np.testing.assert_array_equal(found.cpu.top[:2], profile.cpu.top[[1, 0]])
    assert found.steps.sum(axis=1).tolist() == [PER_DAY, PER_DAY, 0]


def test_a_table_comes_back_from_its_bytes() -> None:
    scaler = Autoscaler("a", 1, 9, cpu_utilization=80.0)
    rows = rows_of(inventory(workload("a", autoscaler=scaler), workload("größe", Container("app", heap_bytes=1e9))))
    given = table(rows, chunk([("uid-a", "app", "p"), ("uid-größe", "app", "p")], noise(7, series=2)))

    found = unpack_table(pack_table(given))

    assert list(found.rows) == list(given.rows)
    assert found.rows[1].name == "größe"
    assert (found.window, found.source) == (UsageWindow(MONDAY, MONDAY + 7 * DAY, 300), "samples")
    for name, column in given.columns.items():
        np.testing.assert_array_equal(found.columns[name], column)
    assert pack_table(found) == pack_table(given)


def test_other_bytes_are_no_table() -> None:
    from upid.engine.arrays import pack

    with pytest.raises(ValueError, match="no table"):
        unpack_table(pack({}, {}))


def test_importing_sizing_brings_no_numpy() -> None:
    import subprocess
    import sys

    code = "import sys, upid.services.sizing, upid.services.entries; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_cron_jobs_runs_are_counted_and_a_deployments_are_not() -> None:
    cpu = np.full((2, 3 * 288), np.nan)
    cpu[:, 10::288] = 0.5
    rows = rows_of(inventory(workload("nightly", kind="CronJob", replicas=0), workload("web")))

    found = table(rows, chunk([("uid-nightly", "app", "p"), ("uid-web", "app", "p")], cpu, memory_bytes=(cpu * 1e8).astype(np.float32)))

    assert found.columns["evidence_runs"].tolist() == [3, 0]
    assert found.columns["evidence_effective_samples"][0] == 3
    assert found.columns["status"].tolist() == [0, 2]
