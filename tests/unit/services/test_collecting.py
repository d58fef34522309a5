"""The pipeline: what is collected is stored once, folded once, and no hole is passed silently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worlds.collection import ALICE, START, STEP, FakeCluster, World, inventory, sample, workload

from upid.domain.errors import NotFoundError
from upid.domain.inventory import Unreadable
from upid.engine.usage.storage import to_arrays
from upid.ports.blobs import Blobs
from upid.ports.metrics_source import PodContainer
from upid.ports.usage_history import HistoryScope, UsageChunk
from upid.ports.workflows import Execution
from upid.services.collecting import SupersededError
from upid.services.profiles import Profiles, RowKey, rebuild
from upid.services.sizing import rows_of

HOUR = 3600


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.at(tmp_path, workload("bank", "ledger"), workload("shop", "web", replicas=2, containers=("main", "mesh")))


def history(world: World, cluster_id: str, shard: int = 0) -> list[UsageChunk]:
    return list(world.services.history.read(HistoryScope("default", cluster_id, shard), start=0, end=2.0**40))


def stored(world: World) -> dict[str, bytes]:
    blobs = world.services.blobs
    return {name: blobs.get(name) for name in blobs.names("t/")}


def watermark(world: World, cluster_id: str) -> int | None:
    found: int | None = world.services.cluster_records.get("default", cluster_id).body["watermark"]
    return found


def slow_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every namespace a group of its own."""
    monkeypatch.setattr("upid.services.collection_plans.NAMESPACES_PER_GROUP", 1)


def test_the_first_collection_brings_the_whole_history(world: World) -> None:
    cluster_id = world.register()

    view = world.collect(cluster_id, history_seconds=2 * HOUR)

    # 5 containers of pods, 24 steps, CPU and memory.
    assert (view["status"], view["progress"], view["errors"]) == ("succeeded", 1.0, [])
    assert view["result"]["samples"] == 5 * 24 * 2
    assert {name: view["result"][name] for name in ("series", "workloads", "containers", "namespaces")} == {
        "series": 5, "workloads": 2, "containers": 3, "namespaces": 2,
    }  # fmt: skip
    assert watermark(world, cluster_id) == START
    assert [(chunk.start, chunk.end) for chunk in history(world, cluster_id)] == [(START - 2 * HOUR, START - HOUR), (START - HOUR, START)]


def test_the_history_holds_what_the_source_measured(world: World) -> None:
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=HOUR)

    (chunk,) = history(world, cluster_id)

    for key, values in zip(chunk.keys, chunk.cpu_cores, strict=True):
        namespace = "shop" if "shop" in key.workload_uid else "bank"
        expected = sample(PodContainer(namespace, key.pod, key.container), START - HOUR + STEP * np.arange(12))
        np.testing.assert_allclose(values, expected, rtol=1e-6)


def test_the_next_collection_goes_on_where_the_last_ended(world: World) -> None:
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=HOUR)
    world.clock.moment += 2 * STEP + 17

    view = world.collect(cluster_id, history_seconds=HOUR)

    assert view["result"]["samples"] == 5 * 2 * 2
    assert watermark(world, cluster_id) == START + 2 * STEP
    assert [(chunk.start, chunk.end) for chunk in history(world, cluster_id)] == [(START - HOUR, START), (START, START + 2 * STEP)]


def test_every_task_done_twice_stores_the_same_bytes_as_done_once(world: World, tmp_path: Path) -> None:
    other = World.at(tmp_path / "other", *world.cluster.listed.workloads)
    blobs = []
    for each, times in ((world, 1), (other, 3)):
        cluster_id = each.register()
        collection_id = each.start(cluster_id, history_seconds=HOUR)
        each.run(collection_id, times=times)
        found = {
            name.partition(cluster_id)[2].replace(collection_id, "col"): data.replace(collection_id.encode(), b"col")
            for name, data in stored(each).items()
        }
        blobs.append(found)
        kinds = [entry.event.type for entry in each.services.events.read("default")]
        assert kinds == ["cluster.registered", "collection.started", "collection.completed"]

    assert blobs[0] == blobs[1]


def test_nothing_intermediate_stays(world: World) -> None:
    world.collect(world.register())

    assert not [name for name in stored(world) if "/collections/" in name]


def test_a_profile_equals_the_one_made_from_the_history(world: World) -> None:
    cluster_id = world.register()
    for _ in range(3):
        world.collect(cluster_id, history_seconds=HOUR)
        world.clock.moment += HOUR

    profile = Profiles(world.services.blobs).load("default", cluster_id, 0)

    again = rebuild(history(world, cluster_id), profile.rows)
    assert_same(profile.profile, again)


def test_a_pod_that_starts_between_two_collections_is_seen_to_start(world: World) -> None:
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=HOUR)
    world.cluster.listed = inventory(*world.cluster.listed.workloads, workload("shop", "late"))
    for _ in range(4):
        world.clock.moment += STEP
        world.collect(cluster_id)

    found = Profiles(world.services.blobs).load("default", cluster_id, 0)

    started = {key.name: peak for key, peak in zip(found.keys, found.profile.startup_cpu_cores, strict=True) if not np.isnan(peak)}
    # The first ten minutes of a pod are its first two steps of five.
    first_two = sample(PodContainer("shop", "late-0", "main"), START + STEP * np.arange(2)).max()
    assert started == pytest.approx({"late": first_two}, rel=1e-6)
    assert [found.keys[row].name for row in found.profile.startups.index] == ["late"]
    assert found.profile.startups.cpu.days.sum() == 2
    assert_same(found.profile, rebuild(history(world, cluster_id), found.rows))


def test_what_a_schedule_collects_piece_by_piece_is_kept_by_the_day(world: World) -> None:
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=HOUR, step_seconds=HOUR)
    for _ in range(48):
        world.clock.moment += HOUR
        world.collect(cluster_id)

    chunks, found = history(world, cluster_id), Profiles(world.services.blobs).load("default", cluster_id, 0)

    # From midnight: one day, one more day, and an hour of the third.
    assert [(chunk.start - START) // HOUR for chunk in chunks] == [-1, 23, 47]
    assert sum(int(np.isfinite(chunk.cpu_cores).sum()) for chunk in chunks) == 49 * 5
    again = rebuild(chunks, found.rows)
    np.testing.assert_array_equal(again.cpu_daily.count, found.profile.cpu_daily.count)
    np.testing.assert_allclose(again.cpu_daily.total, found.profile.cpu_daily.total, rtol=1e-12)


def test_rows_are_every_container_and_know_which_they_are(world: World) -> None:
    cluster_id = world.register()
    world.collect(cluster_id)

    keys = Profiles(world.services.blobs).load("default", cluster_id, 0).keys

    assert keys == tuple(sorted(RowKey.of(row) for row in rows_of(world.cluster.listed)))


def test_new_rows_appear_and_gone_rows_stay_for_thirty_days(world: World) -> None:
    cluster_id, profiles = world.register(), Profiles(world.services.blobs)
    world.collect(cluster_id, history_seconds=HOUR)
    before = profiles.load("default", cluster_id, 0)
    world.cluster.listed = inventory(workload("shop", "web", replicas=2, containers=("main", "mesh")), workload("shop", "api"))

    world.clock.moment += HOUR
    world.collect(cluster_id)
    after = profiles.load("default", cluster_id, 0)

    assert {key.name for key in after.keys} == {"ledger", "web", "api"}
    ledger = [list(found.keys).index(next(key for key in found.keys if key.name == "ledger")) for found in (before, after)]
    assert after.profile.last_seen[ledger[1]] == before.profile.last_seen[ledger[0]] == START
    world.clock.moment += 31 * 86400
    world.collect(cluster_id)
    assert {key.name for key in profiles.load("default", cluster_id, 0).keys} == {"web", "api"}


def test_a_workload_made_again_under_its_name_is_another_row(world: World) -> None:
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=HOUR)
    world.cluster.listed = inventory(workload("bank", "ledger", uid="second-life"))
    world.clock.moment += HOUR

    world.collect(cluster_id)

    keys = Profiles(world.services.blobs).load("default", cluster_id, 0).keys
    assert [key.uid for key in keys if key.name == "ledger"] == ["second-life", "uid-bank-Deployment-ledger"]


def test_a_workload_scaled_to_zero_keeps_its_history_and_goes_on_with_it(world: World) -> None:
    cluster_id, profiles = world.register(), Profiles(world.services.blobs)
    world.collect(cluster_id, history_seconds=HOUR)
    before = samples_of(world, cluster_id, "web")
    for replicas, grows in ((0, False), (2, True)):
        world.cluster.listed = inventory(workload("shop", "web", replicas=replicas), workload("bank", "ledger"))
        world.clock.moment += HOUR
        world.collect(cluster_id)
        after = samples_of(world, cluster_id, "web")
        assert (after > before, after < before) == (grows, False)
        before = after

    keys = profiles.load("default", cluster_id, 0).keys
    assert {key.uid for key in keys if key.name == "web"} == {"uid-shop-Deployment-web"}


def test_a_workload_under_a_new_name_begins_anew_beside_the_old_one(world: World) -> None:
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=HOUR)
    old = samples_of(world, cluster_id, "ledger")
    world.cluster.listed = inventory(workload("bank", "book"))
    world.clock.moment += HOUR
    world.collect(cluster_id)

    assert samples_of(world, cluster_id, "ledger") == old
    assert 0 < samples_of(world, cluster_id, "book") <= HOUR // STEP


def samples_of(world: World, cluster_id: str, name: str) -> int:
    """Return how many CPU samples the stored history has of a workload's first pod."""
    found = 0
    for chunk in history(world, cluster_id):
        rows = [at for at, key in enumerate(chunk.keys) if key.pod == f"{name}-0"]
        found += int(np.isfinite(chunk.cpu_cores[rows]).sum())
    return found


def test_shards_are_decided_once_and_hold_whole_workloads(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upid.services.shards.CONTAINERS_PER_SHARD", 1)
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=HOUR)
    monkeypatch.undo()
    world.clock.moment += HOUR
    world.collect(cluster_id)

    body = world.services.cluster_records.get("default", cluster_id).body
    profiles = [Profiles(world.services.blobs).load("default", cluster_id, shard) for shard in range(4)]

    assert body["shards"] == 4
    assert sorted(key for found in profiles for key in found.keys) == sorted(RowKey.of(row) for row in rows_of(world.cluster.listed))
    assert all(found.profile.folded_until == START + HOUR for found in profiles)


# ---------------------------------------------------------------- holes


def test_a_group_that_fails_is_named_and_the_watermark_stays_in_front_of_the_hole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_groups(monkeypatch)
    cluster_id = world.register()
    world.cluster.down = {"shop"}

    view = world.collect(cluster_id, history_seconds=HOUR)

    (error,) = view["errors"]
    assert (view["status"], error["code"], error["subject"]) == ("partial", "UnavailableError", "namespaces shop")
    assert "asked for again" in error["detail"]
    assert watermark(world, cluster_id) is None
    assert history(world, cluster_id) == []


def test_the_next_collection_closes_the_hole_for_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_groups(monkeypatch)
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=HOUR)
    world.cluster.down = {"shop"}
    world.clock.moment += HOUR
    assert world.collect(cluster_id)["status"] == "partial"
    assert watermark(world, cluster_id) == START
    world.cluster.down = set()
    world.clock.moment += HOUR

    view = world.collect(cluster_id)

    assert (view["status"], view["result"]["samples"]) == ("succeeded", 5 * 24 * 2)
    assert watermark(world, cluster_id) == START + 2 * HOUR
    assert_whole(world, cluster_id, START - HOUR, START + 2 * HOUR)


def test_windows_in_front_of_a_hole_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_groups(monkeypatch)
    fails_from(world.cluster, monkeypatch, START - HOUR)
    cluster_id = world.register()

    view = world.collect(cluster_id, history_seconds=25 * HOUR)

    assert view["status"] == "partial"
    assert (view["result"]["windows"], view["result"]["windows_planned"]) == (1, 2)
    assert watermark(world, cluster_id) == START - HOUR


def test_a_hole_that_stays_is_folded_as_a_named_gap_by_the_fourth_collection(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_groups(monkeypatch)
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=HOUR)
    world.cluster.down = {"shop"}
    marks = []
    for _ in range(4):
        world.clock.moment += STEP
        view = world.collect(cluster_id)
        marks.append(watermark(world, cluster_id))

    assert marks == [START, START, START, START + 4 * STEP]
    assert view["status"] == "partial"
    assert "folded without it" in view["errors"][0]["detail"]
    (gap,) = world.services.collections.status(ALICE)[0][0]["gaps"]
    assert gap["namespaces"] == ["shop"]


def test_behind_a_gap_one_collection_waits_again_before_the_next_is_accepted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_groups(monkeypatch)
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=HOUR)
    world.cluster.down = {"shop"}
    marks = []
    for _ in range(8):
        world.clock.moment += STEP
        world.collect(cluster_id)
        marks.append((watermark(world, cluster_id) - START) // STEP)

    assert marks == [0, 0, 0, 4, 4, 6, 6, 8]
    (gap,) = world.services.cluster_records.get("default", cluster_id).body["gaps"]
    assert gap == {"namespaces": ["shop"], "start": START, "end": START + 8 * STEP}


def test_a_source_that_gives_nothing_fails_the_collection_and_passes_nothing(world: World) -> None:
    cluster_id = world.register()
    world.cluster.down = {"shop", "bank"}
    for _ in range(6):
        view = world.collect(cluster_id, history_seconds=HOUR)

    assert (view["status"], watermark(world, cluster_id)) == ("failed", None)
    assert world.services.events.read("default")[-1].event.type == "collection.failed"
    world.cluster.down = set()
    assert world.collect(cluster_id, history_seconds=HOUR)["status"] == "succeeded"


# ---------------------------------------------------------------- shards that fail, processes that die


def test_a_shard_that_fails_is_named_and_the_others_do_not_fold_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upid.services.shards.CONTAINERS_PER_SHARD", 1)
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=HOUR)
    world.clock.moment += HOUR
    with monkeypatch.context() as patched:
        fails_to_save(patched, shard=2)
        view = world.collect(cluster_id)
    assert (view["status"], [error["subject"] for error in view["errors"]]) == ("partial", ["shard 2"])
    assert watermark(world, cluster_id) == START

    world.clock.moment += HOUR
    assert world.collect(cluster_id)["status"] == "succeeded"

    assert watermark(world, cluster_id) == START + 2 * HOUR
    for shard in range(4):
        profile = Profiles(world.services.blobs).load("default", cluster_id, shard)
        assert profile.profile.folded_until == START + 2 * HOUR
        assert_same(profile.profile, rebuild(history(world, cluster_id, shard), profile.rows))
    assert_whole(world, cluster_id, START - HOUR, START + 2 * HOUR, shards=4)


def test_a_process_that_dies_between_history_and_profile_folds_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster_id = world.register()
    collection_id = world.start(cluster_id, history_seconds=HOUR)
    tasks = world.services.collecting
    tasks.plan("default", collection_id)
    tasks.collect("default", collection_id, 0)
    with monkeypatch.context() as patched:
        fails_to_save(patched, shard=0)
        with pytest.raises(OSError, match="disk"):
            tasks.fold("default", collection_id, 0)
    assert len(history(world, cluster_id)) == 1

    world.run(collection_id)

    profile = Profiles(world.services.blobs).load("default", cluster_id, 0)
    assert_same(profile.profile, rebuild(history(world, cluster_id), profile.rows))


def test_a_damaged_profile_is_made_again_from_the_history(world: World) -> None:
    cluster_id, profiles = world.register(), Profiles(world.services.blobs)
    world.collect(cluster_id, history_seconds=HOUR)
    world.services.blobs.put(profiles.name("default", cluster_id, 0), b"garbage")
    world.clock.moment += HOUR

    assert world.collect(cluster_id)["status"] == "succeeded"

    profile = profiles.load("default", cluster_id, 0)
    assert (profile.profile.folded_from, profile.profile.folded_until) == (START - HOUR, START + HOUR)
    assert_same(profile.profile, rebuild(history(world, cluster_id), profile.rows))


def test_a_collection_that_fails_as_a_whole_leaves_the_cluster_able_to_go_on(world: World) -> None:
    cluster_id = world.register()
    first = world.start(cluster_id, history_seconds=HOUR)
    world.services.collecting.plan("default", first)

    world.services.completing.fail("default", "collections", first, {"Error": "States.Timeout", "Cause": '{"errorMessage": "too long"}'})

    view = world.services.collections.view("default", first)
    assert (view["status"], view["errors"]) == ("failed", [{"code": "States.Timeout", "detail": "too long", "subject": ""}])
    world.clock.moment += HOUR
    assert world.collect(cluster_id)["status"] == "succeeded"
    assert_whole(world, cluster_id, START - HOUR, START + HOUR)


def test_an_analysis_that_fails_is_recorded_as_such(world: World) -> None:
    log_key = world.services.analyses.log.queued("default", "an_1", {"cluster_id": "cl_1"})
    world.services.records.transact([log_key])

    for _ in range(2):
        world.services.completing.fail("default", "analyses", "an_1", {"Error": "ValueError", "Cause": "plain words"})

    assert world.services.analyses.log.view("default", "an_1")["errors"] == [{"code": "ValueError", "detail": "plain words", "subject": ""}]
    assert [entry.event.type for entry in world.services.events.read("default")] == ["analysis.failed"]


class Counted:
    """Blobs that count what is read of them."""

    def __init__(self, inner: Blobs) -> None:
        self.inner = inner
        self.read: Counter[str] = Counter()

    def get(self, name: str) -> bytes:
        self.read[name] += 1
        return self.inner.get(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def test_what_was_collected_is_read_once_when_a_collection_ends(world: World) -> None:
    collection_id = world.start(world.register(), history_seconds=3 * HOUR)
    tasks, counted = world.services.collecting, Counted(world.services.blobs)
    plan = tasks.plan("default", collection_id)
    collected = [tasks.collect("default", collection_id, item) for item in plan["items"]]
    folded = [tasks.fold("default", collection_id, shard) for shard in plan["shards"]]

    replace(world.services.completing, blobs=counted).complete("default", collection_id, collected, folded)

    assert {count for name, count in counted.read.items() if name.endswith("done.json")} == {1}


@pytest.mark.parametrize(
    ("execution", "status", "error"),
    [
        (Execution("analyze-cluster", "an_1", "TIMED_OUT"), "failed", ("TIMED_OUT", "The execution ended as TIMED_OUT before its end was recorded.")),
        (Execution("analyze-cluster", "an_1", "FAILED", None, "States.DataLimitExceeded", "Too long."), "failed", ("States.DataLimitExceeded", "Too long.")),
        (Execution("analyze-cluster", "an_1", "ABORTED", cause="Enough."), "cancelled", ("cancelled", "Enough.")),
    ],
)  # fmt: skip
def test_work_whose_execution_is_over_ends_with_it_once(world: World, execution: Execution, status: str, error: tuple[str, str]) -> None:
    world.services.records.transact([world.services.analyses.log.queued("default", "an_1", {"cluster_id": "cl_1"})])

    answers = [world.services.completing.lose("default", execution) for _ in range(2)]

    view = world.services.analyses.log.view("default", "an_1")
    assert answers == [{"status": status}] * 2
    assert (view["status"], view["errors"]) == (status, [{"code": error[0], "detail": error[1], "subject": ""}])
    assert [entry.event.type for entry in world.services.events.read("default")] == ["analysis.failed"]


def test_work_that_was_recorded_stays_as_it_is_when_its_execution_ends(world: World) -> None:
    cluster_id = world.register()
    ended = world.collect(cluster_id, history_seconds=HOUR)

    answer = world.services.completing.lose("default", Execution("collect-usage", ended["id"], "FAILED", None, "CollectionFailed"))

    assert answer == {"status": "succeeded"}
    assert world.services.collections.view("default", ended["id"]) == ended


def test_an_execution_whose_work_is_not_kept_any_more_is_no_error(world: World) -> None:
    assert world.services.completing.lose("default", Execution("aggregate-usage", "ag_1", "TIMED_OUT")) == {"status": "gone"}


def test_a_cluster_deleted_in_between_leaves_nothing(world: World) -> None:
    cluster_id = world.register()
    collection_id = world.start(cluster_id, history_seconds=HOUR)
    tasks = world.services.collecting
    tasks.plan("default", collection_id)
    tasks.collect("default", collection_id, 0)
    tasks.fold("default", collection_id, 0)

    world.services.clusters.delete(ALICE, cluster_id)

    with pytest.raises(NotFoundError):
        tasks.fold("default", collection_id, 0)
    assert world.services.completing.complete("default", collection_id, [], []) == {"status": "cancelled"}
    assert stored(world) == {}


def test_a_shard_written_while_the_cluster_was_deleted_is_removed_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster_id = world.register()
    collection_id = world.start(cluster_id, history_seconds=HOUR)
    world.services.collecting.plan("default", collection_id)
    world.services.collecting.collect("default", collection_id, 0)
    save = Profiles.save

    def deletes_first(profiles: Profiles, *where: Any) -> None:
        world.services.clusters.delete(ALICE, cluster_id)
        save(profiles, *where)

    monkeypatch.setattr(Profiles, "save", deletes_first)
    with pytest.raises(NotFoundError):
        world.services.collecting.fold("default", collection_id, 0)
    assert stored(world) == {}


def test_what_was_measured_while_the_cluster_was_deleted_is_removed_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster_id = world.register()
    collection_id = world.start(cluster_id, history_seconds=HOUR)
    world.services.collecting.plan("default", collection_id)
    usage = world.cluster.usage

    def deletes_first(groups: Any, window: Any) -> Iterator[Any]:
        world.services.clusters.delete(ALICE, cluster_id)
        return usage(groups, window)

    monkeypatch.setattr(world.cluster, "usage", deletes_first)
    with pytest.raises(NotFoundError):
        world.services.collecting.collect("default", collection_id, 0)
    assert stored(world) == {}


# ---------------------------------------------------------------- odd clusters


def test_a_cluster_without_workloads_is_collected_up_to_now(world: World) -> None:
    world.cluster.listed = inventory()
    cluster_id = world.register()

    view = world.collect(cluster_id)

    assert (view["status"], view["result"]["samples"]) == ("succeeded", 0)
    assert watermark(world, cluster_id) == START


def test_what_the_inventory_could_not_read_is_named(world: World) -> None:
    world.cluster.listed = replace(world.cluster.listed, unreadable=(Unreadable("statefulsets", "403 Forbidden"),))

    view = world.collect(world.register(), history_seconds=HOUR)

    assert view["status"] == "partial"
    assert view["errors"] == [{"code": "inventory_unreadable", "detail": "403 Forbidden", "subject": "statefulsets"}]


def test_what_the_source_says_of_its_answers_is_told_once_with_how_often(world: World) -> None:
    world.cluster.warnings = ("Prometheus warns: a store did not answer",)

    view = world.collect(world.register(), history_seconds=2 * HOUR)

    assert (view["status"], view["errors"]) == ("succeeded", [])
    assert view["result"]["warnings"] == ["Prometheus warns: a store did not answer (2 of 2 answers)"]


def test_progress_grows_with_the_parts_that_are_done(world: World) -> None:
    collection_id = world.start(world.register(), history_seconds=HOUR)
    tasks, shown = world.services.collecting, []
    for act in (lambda: tasks.plan("default", collection_id), lambda: tasks.collect("default", collection_id, 0)):
        act()
        shown.append(world.services.collections.view("default", collection_id)["progress"])

    assert shown == [0.25, 0.5]


# ---------------------------------------------------------------- what the tests share


def assert_same(a: Any, b: Any) -> None:
    """Hold that two profiles are equal in every array."""
    (arrays, meta), (others, others_meta) = to_arrays(a), to_arrays(b)
    assert (meta, list(arrays)) == (others_meta, list(others))
    for name, values in arrays.items():
        np.testing.assert_array_equal(values, others[name], err_msg=name)


def assert_whole(world: World, cluster_id: str, start: int, end: int, shards: int = 1) -> None:
    """Hold that every series of the cluster has every step of [start, end) in the history once."""
    seen: dict[tuple[str, str], list[int]] = {}
    for shard in range(shards):
        for chunk in history(world, cluster_id, shard):
            for key in chunk.keys:
                seen.setdefault((key.pod, key.container), []).extend(range(chunk.start, chunk.end, STEP))
    assert len(seen) == 5
    assert all(moments == list(range(start, end, STEP)) for moments in seen.values())


def fails_to_save(monkeypatch: pytest.MonkeyPatch, shard: int) -> None:
    """Make the disk full for one shard's profile."""
    save = Profiles.save

    def saves(profiles: Profiles, tenant: str, cluster_id: str, number: int, *rest: Any) -> None:
        if number == shard:
            raise OSError("disk full")
        save(profiles, tenant, cluster_id, number, *rest)

    monkeypatch.setattr(Profiles, "save", saves)


def fails_from(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    """Make the source fail for namespace shop in windows from this moment on."""
    usage = cluster.usage

    def answers(groups: Any, window: Any) -> Iterator[Any]:
        cluster.down = {"shop"} if window.start >= moment else set()
        return usage(groups, window)

    monkeypatch.setattr(cluster, "usage", answers)


@pytest.mark.parametrize("how", ["ended", "overtaken"])
def test_a_task_of_a_collection_that_is_over_writes_no_usage(world: World, how: str) -> None:
    cluster_id = world.register()
    collection_id = world.start(cluster_id, history_seconds=HOUR)
    tasks, clusters = world.services.collecting, world.services.cluster_records
    for item in tasks.plan("default", collection_id)["items"]:
        tasks.collect("default", collection_id, item)
    if how == "ended":
        tasks.log.end("default", collection_id, "failed", result={}, errors=[])
    else:
        clusters.change("default", cluster_id, lambda body: body | {"last_collection_id": "col_another"})

    with pytest.raises(SupersededError):
        tasks.fold("default", collection_id, 0)

    assert history(world, cluster_id) == []
    assert Profiles(world.services.blobs).load_or_none("default", cluster_id, 0) is None


def test_a_clock_that_was_set_back_is_told(world: World) -> None:
    cluster_id = world.register()
    now = world.clock.moment
    world.clock.moment = now + 30 * 24 * HOUR
    assert world.collect(cluster_id, history_seconds=7200)["result"]["warnings"] == []
    world.clock.moment = now

    ended = world.collect(cluster_id)

    assert ended["result"]["samples"] == 0
    (warning,) = ended["result"]["warnings"]
    assert "a clock was set back" in warning
    assert "is collected up to 2023-12-14" in warning
