"""What a collection keeps of who was where: of the inventory and of the source, once, and nothing for a cluster that went meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from worlds.collection import ALICE, START, World, inventory, workload

from upid.ports.metrics_source import PodOwner, PodPlace
from upid.services.rosters import Rosters, Stay

HOUR, DAY = 3600, 86400
DB = workload("shop", "db", kind="StatefulSet")


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World.at(tmp_path, DB)
    listed = inventory(DB)
    world.cluster.listed = replace(listed, pods=tuple(replace(pod, created_at=START - 600.0) for pod in listed.pods))
    world.cluster.places = (PodPlace("shop", "db-0", "uid-before", "node-7"), PodPlace("shop", "db-9", "uid-gone", "node-8"))
    world.cluster.owned = tuple(PodOwner("shop", "Pod", f"db-{number}", "StatefulSet", "db") for number in (0, 9))
    return world


def rosters(world: World) -> dict[str, bytes]:
    return {name: world.services.blobs.get(name) for name in world.services.blobs.names("t/default/clusters/") if "/rosters/" in name}


def test_living_pods_come_from_the_inventory_and_those_gone_from_the_source(world: World) -> None:
    cluster_id = world.register()
    assert world.collect(cluster_id, history_seconds=HOUR)["status"] == "succeeded"

    found = Rosters(world.services.blobs).read("default", cluster_id, start=START - HOUR, end=START)
    assert found.stays == {
        Stay(DB.uid, "db-0", START - 600, "node-1"), Stay(DB.uid, "db-0", START - HOUR, "node-7"), Stay(DB.uid, "db-9", START - HOUR, "node-8"),
    }  # fmt: skip


def test_every_task_done_twice_leaves_the_same_bytes(world: World, tmp_path: Path) -> None:
    cluster_id = world.register()
    world.run(world.start(cluster_id, history_seconds=HOUR))
    once = rosters(world)
    world.clock.moment += 60
    again = World.at(tmp_path / "again", DB)
    again.cluster = again.services.kubernetes = again.services.metrics_sources = world.cluster  # type: ignore[assignment] # the fake
    again.run(again.start(again.register(), history_seconds=HOUR), times=2)

    assert len(once) == 1
    assert list(rosters(again).values()) == list(once.values())


def test_a_cluster_deleted_while_its_collection_ends_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster_id = world.register()
    add = Rosters.add

    def deletes_first(found: Rosters, *what: Any) -> None:
        world.services.clusters.delete(ALICE, cluster_id)
        add(found, *what)
        assert rosters(world)

    monkeypatch.setattr(Rosters, "add", deletes_first)
    world.run(world.start(cluster_id, history_seconds=HOUR))

    assert list(world.services.blobs.names("t/default/")) == []
