"""Snapshots come back as they were stored, whole and by shard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from worlds.collection import START, inventory, workload

from upid.adapters.directory.blobs import open_blobs
from upid.domain.errors import NotFoundError
from upid.domain.inventory import Autoscaler, Claim, Container, Inventory, Resources, Unreadable, Workload
from upid.services.shards import shard_of
from upid.services.snapshots import Snapshot, Snapshots


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(open_blobs(tmp_path, START))


@pytest.fixture
def listed() -> Inventory:
    rich = replace(
        workload("shop", "wéb", replicas=3),
        containers=(Container("main", Resources(0.1, None, 1e9, 2.0**31), "main", "img", 5e8), Container("mesh", Resources(), "sidecar")),
        created_at=12.5, labels=(("app", "web"),), autoscaler=Autoscaler("hpa", 1, 9, 70.0), node_names=("node-1", "node-1"), ready_replicas=2,
    )  # fmt: skip
    whole = inventory(rich, *[workload("bank", f"db-{n}") for n in range(20)])
    links = (("shop", "web-1", rich.uid),)
    return replace(whole, unreadable=(Unreadable("jobs", "403"),), replica_sets=links, jobs=links, server_version="v1.33.1")


def test_a_snapshot_comes_back_equal(snapshots: Snapshots, listed: Inventory) -> None:
    snapshots.save("default", "cl_1", Snapshot(START + 0.25, listed), 4)

    assert snapshots.load("default", "cl_1") == Snapshot(START + 0.25, listed)


def test_the_shards_hold_every_workload_once_and_all_nodes(snapshots: Snapshots, listed: Inventory) -> None:
    snapshots.save("default", "cl_1", Snapshot(START, listed), 4)

    parts = [snapshots.load_shard("default", "cl_1", shard).inventory for shard in range(4)]

    found = [w for part in parts for w in part.workloads]
    assert sorted(found, key=lambda w: w.name) == sorted(listed.workloads, key=lambda w: w.name)
    assert all(part.nodes == listed.nodes and part.namespaces == listed.namespaces for part in parts)
    assert all(shard_of(w.namespace, w.kind, w.name, w.uid, 4) == shard for shard, part in enumerate(parts) for w in part.workloads)


def test_there_is_no_snapshot_before_the_first(snapshots: Snapshots) -> None:
    with pytest.raises(NotFoundError):
        snapshots.load("default", "cl_1")
    with pytest.raises(NotFoundError):
        snapshots.load_shard("default", "cl_1", 0)


def test_a_shards_part_has_the_claims_of_its_workloads_alone(snapshots: Snapshots) -> None:
    one, two = (Workload("a", "StatefulSet", name, f"uid-{name}", 1, ()) for name in ("db", "queue"))
    claims = (Claim("a", "data-db-0", "uid-db", 1e10), Claim("a", "data-queue-0", "uid-queue"), Claim("a", "left-over"))
    snapshots.save("default", "cl_1", Snapshot(1.0, Inventory((one, two), (), (), ("a",), claims=claims)), 8)

    assert snapshots.load("default", "cl_1").inventory.claims == claims
    shard = shard_of("a", "StatefulSet", "db", "uid-db", 8)
    assert [claim.name for claim in snapshots.load_shard("default", "cl_1", shard).inventory.claims] == ["data-db-0"]
