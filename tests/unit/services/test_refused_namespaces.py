"""A namespace that the metrics source refuses for good is a named gap at once; the rest of its group is collected."""

from __future__ import annotations

from pathlib import Path

import pytest
from worlds.collection import START, World, workload

from upid.domain.errors import RefusedError, UnavailableError
from upid.ports.usage_history import HistoryScope

HOUR = 3600


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A cluster whose namespaces are one group; what fails is refused."""
    made = World.at(tmp_path, workload("bank", "ledger"), workload("shop", "web"))
    made.cluster.fault = RefusedError
    return made


def test_the_others_are_collected_and_the_watermark_moves(world: World) -> None:
    cluster_id = world.register()
    world.cluster.down = {"shop"}
    view = world.collect(cluster_id, history_seconds=HOUR)
    assert (view["status"], view["result"]["series"]) == ("partial", 1)
    record = world.services.cluster_records.get("default", cluster_id).body
    assert (record["watermark"], record["stalled"]["count"]) == (START, 0)
    (chunk,) = world.services.history.read(HistoryScope("default", cluster_id, 0), start=0, end=2.0**40)
    assert [key.pod for key in chunk.keys] == ["ledger-0"]


def test_it_is_named_with_the_reason_and_remembered_as_a_gap(world: World) -> None:
    cluster_id = world.register()
    world.cluster.down = {"shop"}
    (error,) = world.collect(cluster_id, history_seconds=HOUR)["errors"]
    assert (error["code"], error["subject"]) == ("UsageUnreadable", "namespaces shop")
    assert "Prometheus does not answer for shop." in error["detail"]
    gaps = world.services.cluster_records.get("default", cluster_id).body["gaps"]
    assert gaps == [{"namespaces": ["shop"], "start": START - HOUR, "end": START}]


def test_when_it_answers_again_it_goes_on_from_there(world: World) -> None:
    cluster_id = world.register()
    world.cluster.down = {"shop"}
    world.collect(cluster_id, history_seconds=HOUR)
    world.cluster.down = set()
    world.clock.moment += HOUR
    view = world.collect(cluster_id)
    assert (view["status"], view["result"]["series"]) == ("succeeded", 2)


def test_where_everything_is_refused_nothing_is_passed(world: World) -> None:
    cluster_id = world.register()
    world.cluster.down = {"bank", "shop"}
    view = world.collect(cluster_id, history_seconds=HOUR)
    assert view["status"] == "failed"
    assert world.services.cluster_records.get("default", cluster_id).body["watermark"] is None


def test_one_that_fails_again_and_again_is_given_up_by_the_fourth_collection_and_the_others_are_not(world: World) -> None:
    cluster_id = world.register()
    world.cluster.fault, world.cluster.down = UnavailableError, {"shop"}
    assert [world.collect(cluster_id, history_seconds=HOUR)["status"] for _ in range(4)] == ["failed", "failed", "failed", "partial"]
    record = world.services.cluster_records.get("default", cluster_id).body
    assert (record["watermark"], record["gaps"][0]["namespaces"]) == (START, ["shop"])


def test_a_source_that_is_down_for_long_never_makes_a_gap(world: World) -> None:
    cluster_id = world.register()
    world.cluster.fault, world.cluster.down = UnavailableError, {"bank", "shop"}
    assert {world.collect(cluster_id, history_seconds=HOUR)["status"] for _ in range(6)} == {"failed"}
    world.cluster.down = set()
    view = world.collect(cluster_id, history_seconds=HOUR)
    assert (view["status"], view["result"]["series"]) == ("succeeded", 2)
    assert world.services.cluster_records.get("default", cluster_id).body["gaps"] == []
