"""What is remembered of circuits, for every process to see."""

from __future__ import annotations

from pathlib import Path

import pytest
from worlds.collection import World, workload


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.at(tmp_path, workload("shop", "web"))


def told(world: World) -> list[tuple[str, str]]:
    events = [entry.event for entry in world.services.events.read("default")]
    return [(event.type, event.subject) for event in events if event.type.startswith("circuit.")]


def test_each_change_is_recorded_with_its_event(world: World) -> None:
    cluster_id = world.register()
    for state in ("open", "half_open", "closed"):
        world.services.circuits.changed(f"{cluster_id}/kubernetes", state, 5, "refused")

    (found,) = world.services.circuits.of("default", cluster_id)
    assert (found["system"], found["state"], found["failures"]) == ("kubernetes", "closed", 5)
    assert told(world) == [(f"circuit.{verb}", cluster_id) for verb in ("opened", "half_opened", "closed")]


def test_what_another_process_told_already_is_not_told_again(world: World) -> None:
    cluster_id = world.register()
    for _ in range(3):
        world.services.circuits.changed(f"{cluster_id}/metrics", "open", 5, "refused")

    assert told(world) == [("circuit.opened", cluster_id)]


def test_a_circuit_of_no_registered_cluster_is_nobodys(world: World) -> None:
    world.services.circuits.changed("cl_nobodys/kubernetes", "open", 5, "refused")

    assert told(world) == []
    assert world.services.circuits.of("default", "cl_nobodys") == []


def test_a_tenant_sees_its_own_circuits_alone(world: World) -> None:
    cluster_id = world.register()
    world.services.circuits.changed(f"{cluster_id}/kubernetes", "open", 5, "refused")

    assert world.services.circuits.of("other", cluster_id) == []
