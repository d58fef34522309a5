"""Families beside CPU and memory in the pipeline: stored once, by who owns them, and never at the cost of CPU and memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from worlds.collection import ALICE, START, STEP, World, level, workload

from upid.domain.errors import AppError, RefusedError, UnavailableError
from upid.domain.inventory import Claim
from upid.ports.usage_history import HistoryScope, MetricChunk, SeriesKey
from upid.ports.usage_rollups import RollupScope
from upid.services import collection_plans
from upid.services.collectors import CollectorSettings

HOUR, DAY = 3600, 86400
WEB, LEDGER = "uid-shop-Deployment-web", "uid-bank-Deployment-ledger"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World.at(tmp_path, workload("bank", "ledger"), workload("shop", "web", replicas=2))
    claims = (Claim("bank", "data-ledger-0", LEDGER, 1e10), Claim("bank", "left-over"))
    made.cluster.listed = replace(made.cluster.listed, claims=claims)
    return made


def chunks(world: World, cluster_id: str, family: str) -> list[MetricChunk]:
    return list(world.services.history.read_family(HistoryScope("default", cluster_id, 0), family, start=0, end=2.0**40))


def steps(found: list[MetricChunk]) -> list[int]:
    """The moments of all steps, in the order of the chunks."""
    return [moment for chunk in found for moment in range(chunk.start, chunk.end, STEP)]


def test_each_family_is_stored_by_the_workload_that_owns_its_series(world: World) -> None:
    cluster_id = world.register()
    view = world.collect(cluster_id, history_seconds=HOUR)

    (network,), (storage,) = chunks(world, cluster_id, "network"), chunks(world, cluster_id, "storage")
    moments = START - HOUR + STEP * np.arange(12)
    assert network.keys == [SeriesKey(LEDGER, "", "ledger-0"), SeriesKey(WEB, "", "web-0"), SeriesKey(WEB, "", "web-1")]
    np.testing.assert_array_equal(network.samples["network_receive_bytes_per_second"][1], level("web-0", moments).astype(np.float32))
    assert storage.keys == [SeriesKey(LEDGER, "", "", "data-ledger-0")]
    assert view["result"]["families"] == {
        "memory_detail": {"state": "absent", "samples": 0}, "network": {"state": "collected", "samples": 3 * 12},
        "filesystem": {"state": "absent", "samples": 0}, "storage": {"state": "collected", "samples": 2 * 12}, "heap": {"state": "absent", "samples": 0},
    }  # fmt: skip
    assert (view["status"], view["result"]["samples"]) == ("succeeded", 3 * 12 * 2)


def test_a_first_collection_goes_back_a_day_for_most_and_all_the_way_for_volumes_and_resident_memory(world: World) -> None:
    world.cluster.detailed = True
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=3 * DAY)

    assert steps(chunks(world, cluster_id, "network")) == list(range(START - DAY, START, STEP))
    for family in ("storage", "memory_detail"):
        assert steps(chunks(world, cluster_id, family)) == list(range(START - 3 * DAY, START, STEP))


def reach_back(world: World, cluster_id: str, seconds: int) -> None:
    """Let the first collection go so far back for families."""
    collector = world.services.collectors.list("default")[0][0]["id"]
    world.services.collectors.replace(ALICE, collector, CollectorSettings(families_history_seconds=seconds))


@pytest.mark.parametrize(("asked", "found"), [(6 * HOUR, 6 * HOUR), (2 * DAY, 2 * DAY), (9 * DAY, 3 * DAY)])
def test_the_first_collection_goes_back_as_far_as_the_collector_says(world: World, asked: int, found: int) -> None:
    cluster_id = world.register()
    reach_back(world, cluster_id, asked)
    world.collect(cluster_id, history_seconds=3 * DAY)

    assert steps(chunks(world, cluster_id, "network")) == list(range(START - found, START, STEP))


def test_a_first_collection_in_several_parts_keeps_to_its_beginning_in_all_of_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection_plans, "MOST_ITEMS", 1)  # a window at a time
    cluster_id = world.register()
    for _ in range(4):
        world.collect(cluster_id, history_seconds=3 * DAY)

    assert steps(chunks(world, cluster_id, "network")) == list(range(START - DAY, START, STEP))


def test_a_late_collection_catches_up_for_every_family(world: World) -> None:
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=2 * HOUR)
    world.clock.moment += 3 * DAY
    world.collect(cluster_id)

    assert steps(chunks(world, cluster_id, "network")) == list(range(START - 2 * HOUR, START + 3 * DAY, STEP))


def test_every_task_done_twice_stores_every_sample_once(world: World) -> None:
    cluster_id = world.register()
    world.run(world.start(cluster_id, history_seconds=2 * DAY), times=2)
    assert steps(chunks(world, cluster_id, "storage")) == list(range(START - 2 * DAY, START, STEP))


def test_a_process_that_dies_between_two_families_appends_each_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster_id = world.register()
    collection_id, append = world.start(cluster_id, history_seconds=2 * HOUR), world.services.history.append

    def dying(scope: HistoryScope, chunk: MetricChunk) -> bool:
        if getattr(chunk, "family", "") == "storage":
            raise KeyboardInterrupt
        return append(scope, chunk)

    monkeypatch.setattr(world.services.history, "append", dying)
    with pytest.raises(KeyboardInterrupt):
        world.run(collection_id)
    monkeypatch.setattr(world.services.history, "append", append)
    world.run(collection_id)

    for family in ("network", "storage"):
        assert steps(chunks(world, cluster_id, family)) == list(range(START - 2 * HOUR, START, STEP))


def test_a_shard_that_folds_again_behind_a_joined_day_appends_nothing_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=2 * HOUR)
    scope = HistoryScope("default", cluster_id, 0)
    for _ in range(3):
        world.clock.moment += HOUR
        world.collect(cluster_id)
    world.services.history.compact(scope, before=START + 2 * DAY)
    cluster = world.services.cluster_records.get("default", cluster_id).body
    world.services.cluster_records.change("default", cluster_id, lambda body: body | {"watermark": cluster["watermark"] - HOUR})

    assert world.collect(cluster_id)["status"] == "succeeded"
    assert steps(chunks(world, cluster_id, "network")) == list(range(START - 2 * HOUR, START + 3 * HOUR, STEP))


def test_a_family_that_is_refused_is_an_error_by_name_and_leaves_the_watermark_to_the_others(world: World) -> None:
    cluster_id = world.register()
    world.cluster.deaf_to = "network"
    view = world.collect(cluster_id, history_seconds=2 * HOUR)

    (error,) = view["errors"]
    assert (view["status"], error["code"], error["subject"]) == ("partial", "family_refused", "network, 2 of 2 answers")
    assert "Prometheus refuses network." in error["detail"]
    assert view["result"]["families"]["network"]["state"] == "refused"
    assert world.services.cluster_records.get("default", cluster_id).body["watermark"] == START
    assert steps(chunks(world, cluster_id, "storage")) == list(range(START - 2 * HOUR, START, STEP))


def gaps(world: World, cluster_id: str) -> list[tuple[int, int]]:
    body = world.services.cluster_records.get("default", cluster_id).body
    return [(gap["start"], gap["end"]) for gap in body["family_gaps"]]


def test_a_family_that_was_refused_is_filled_in_later_and_told_until_then(world: World) -> None:
    cluster_id = world.register()
    world.cluster.deaf_to = "network"
    world.collect(cluster_id, history_seconds=HOUR)
    assert gaps(world, cluster_id) == [(START - HOUR, START)]
    world.cluster.deaf_to = ""
    world.clock.moment += 2 * STEP
    world.collect(cluster_id)
    assert steps(chunks(world, cluster_id, "network")) == [START, START + STEP]

    world.clock.moment += 2 * STEP
    view = world.collect(cluster_id)

    assert view["status"] == "succeeded"
    assert steps(chunks(world, cluster_id, "network")) == list(range(START - HOUR, START + 4 * STEP, STEP))
    assert gaps(world, cluster_id) == []
    moments = START - HOUR + STEP * np.arange(12)
    values = np.concatenate([chunk.samples["network_receive_bytes_per_second"] for chunk in chunks(world, cluster_id, "network")], axis=1)
    np.testing.assert_array_equal(values[0, :12], level("ledger-0", moments).astype(np.float32))


def test_a_family_that_stays_refused_is_asked_for_in_smaller_pieces_and_holds_nothing_up(world: World) -> None:
    cluster_id = world.register()
    world.cluster.deaf_to = "network"
    for _ in range(4):
        view = world.collect(cluster_id, history_seconds=2 * DAY)
        world.clock.moment += HOUR

    until = START + 3 * HOUR
    assert world.services.cluster_records.get("default", cluster_id).body["watermark"] == until
    assert gaps(world, cluster_id) == [(START - DAY, until)]
    asked = [end - start for family, start, end in world.cluster.measured if (family, start) == ("network", START - DAY)]
    assert asked[-3:] == [6 * HOUR, 3 * HOUR, 90 * 60]
    assert [error["code"] for error in view["errors"]] == ["family_refused"]


def test_every_task_done_twice_fills_a_gap_once(world: World) -> None:
    cluster_id = world.register()
    world.cluster.deaf_to = "network"
    world.collect(cluster_id, history_seconds=HOUR)
    world.cluster.deaf_to = ""
    world.clock.moment += HOUR
    world.run(world.start(cluster_id), times=2)

    assert steps(chunks(world, cluster_id, "network")) == list(range(START - HOUR, START + HOUR, STEP))
    assert gaps(world, cluster_id) == []


def test_a_group_that_was_refused_is_filled_into_the_windows_of_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection_plans, "NAMESPACES_PER_GROUP", 1)
    cluster_id, families = world.register(), type(world.cluster).families
    monkeypatch.setattr(type(world.cluster), "families", lambda self, namespaces, names, window: families(replace(self, deaf_to="network" * ("bank" in namespaces)), namespaces, names, window))  # fmt: skip
    world.collect(cluster_id, history_seconds=HOUR)
    assert {key.workload_uid for chunk in chunks(world, cluster_id, "network") for key in chunk.keys} == {WEB}
    monkeypatch.setattr(type(world.cluster), "families", families)
    world.clock.moment += HOUR
    world.collect(cluster_id)

    found = chunks(world, cluster_id, "network")
    assert steps(found) == list(range(START - HOUR, START + HOUR, STEP))
    assert [{key.workload_uid for key in chunk.keys} for chunk in found] == [{WEB, LEDGER}] * 2
    assert gaps(world, cluster_id) == []


def test_a_gap_stays_while_the_store_takes_nothing_late_and_while_the_source_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster_id = world.register()
    world.cluster.deaf_to = "network"
    world.collect(cluster_id, history_seconds=HOUR)
    world.cluster.deaf_to = ""
    world.clock.moment += HOUR

    def away(scope: HistoryScope, chunk: MetricChunk) -> None:
        raise UnavailableError("The store is away.")

    with monkeypatch.context() as patched:
        patched.setattr(world.services.history, "fill", away)
        assert world.collect(cluster_id)["status"] == "succeeded"
        assert gaps(world, cluster_id) == [(START - HOUR, START)]
    world.clock.moment += HOUR
    world.collect(cluster_id)

    assert gaps(world, cluster_id) == []
    assert steps(chunks(world, cluster_id, "network"))[:12] == list(range(START - HOUR, START, STEP))


@pytest.mark.parametrize(("fault", "tries"), [(RefusedError, 1), (UnavailableError, 0)])
def test_a_source_that_refuses_all_is_asked_later_and_one_that_is_away_at_once(world: World, fault: type[AppError], tries: int) -> None:
    cluster_id = world.register()
    world.cluster.deaf_to = "network"
    world.collect(cluster_id, history_seconds=HOUR)
    world.cluster.down, world.cluster.fault = {"bank", "shop"}, fault
    world.clock.moment += HOUR

    assert world.collect(cluster_id)["status"] == "failed"

    (gap,) = world.services.cluster_records.get("default", cluster_id).body["family_gaps"]
    assert (gap["start"], gap["end"], gap["tries"]) == (START - HOUR, START, tries)
    assert gap["retry_at"] == (START + HOUR if tries else START) + 900


def test_a_day_that_may_still_be_filled_in_waits_for_its_longer_steps(world: World) -> None:
    cluster_id = world.register()
    world.cluster.deaf_to = "network"
    world.collect(cluster_id, history_seconds=2 * DAY)
    world.cluster.deaf_to = ""
    world.clock.moment += STEP
    world.collect(cluster_id)
    world.services.downsampling.downsample("default", cluster_id)
    scopes = {family: RollupScope("default", cluster_id, 0, family, DAY) for family in ("network", "storage")}
    assert world.services.rollups.until(scopes["network"]) is None
    assert world.services.rollups.until(scopes["storage"]) == START // DAY * DAY

    for _ in range(6):
        world.clock.moment += 6 * HOUR
        world.collect(cluster_id)
    world.services.downsampling.downsample("default", cluster_id)

    assert gaps(world, cluster_id) == []
    assert world.services.rollups.until(scopes["network"]) == world.services.rollups.until(scopes["storage"])


def test_a_deleted_clusters_families_go_with_it(world: World) -> None:
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=2 * HOUR)
    world.services.history.delete_cluster("default", cluster_id)
    assert chunks(world, cluster_id, "network") == []
