"""Starting collections: one at a time, started once, never stuck."""

from __future__ import annotations

from pathlib import Path

import pytest
from worlds.collection import ALICE, MALLORY, START, STEP, World, registration, workload

from upid.domain.errors import InvalidRequestError, NotFoundError
from upid.ports.workflows import Execution
from upid.services.collections import CollectionRequest, CollectionRunningError, StepConflictError
from upid.services.idempotency import IdempotencyKeyReusedError


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.at(tmp_path, workload("shop", "web"))


def test_a_collection_is_queued_with_its_defaults_and_one_execution(world: World) -> None:
    cluster_id = world.register()

    view = world.services.collections.start(ALICE, CollectionRequest(cluster_id))

    assert (view["status"], view["progress"], view["errors"], view["cluster_id"]) == ("queued", 0.0, [], cluster_id)
    assert view["request"] == {"cluster_id": cluster_id, "history_seconds": 7 * 86400, "step_seconds": 300}
    assert world.workflows.payloads[view["id"]] == {"tenant": "default", "collection_id": view["id"], "cluster_id": cluster_id}


def test_asking_again_while_one_runs_answers_the_running_one(world: World) -> None:
    cluster_id = world.register()

    first = world.start(cluster_id, history_seconds=3600)

    assert world.start(cluster_id) == first
    assert world.start(cluster_id, history_seconds=3600, step_seconds=300) == first
    assert len(world.workflows.executions) == 1


def test_asking_for_something_else_while_one_runs_is_a_conflict_that_names_it(world: World) -> None:
    cluster_id = world.register()
    first = world.start(cluster_id)

    with pytest.raises(CollectionRunningError) as refused:
        world.start(cluster_id, history_seconds=3600)
    assert refused.value.members["collection_id"] == first


def test_another_tenant_can_neither_start_nor_see_it(world: World) -> None:
    cluster_id = world.register()
    collection_id = world.start(cluster_id)

    with pytest.raises(NotFoundError):
        world.services.collections.start(MALLORY, CollectionRequest(cluster_id))
    with pytest.raises(NotFoundError):
        world.services.collections.view("other", collection_id)
    with pytest.raises(NotFoundError):
        world.services.collections.view("default", "no id")


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"step_seconds": 7}, "#/step_seconds"), ({"step_seconds": 700}, "#/step_seconds"), ({"step_seconds": 7200}, "#/step_seconds"),
        ({"history_seconds": 60}, "#/history"), ({"history_seconds": 94 * 86400}, "#/history"), ({"history_seconds": 0}, "#/history"),
    ],
)  # fmt: skip
def test_a_step_or_history_out_of_range_is_pointed_to(world: World, asked: dict[str, int], wrong: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        world.start(world.register(), **asked)

    assert [fault["pointer"] for fault in refused.value.members["errors"]] == [wrong]


def test_the_first_collection_decides_the_step(world: World) -> None:
    cluster_id = world.register()
    world.collect(cluster_id, step_seconds=600)
    world.clock.moment += 3600

    with pytest.raises(StepConflictError) as refused:
        world.start(cluster_id, step_seconds=300)
    assert refused.value.members["step_seconds"] == 600
    assert world.collect(cluster_id)["request"]["step_seconds"] == 600


def test_a_collection_whose_process_died_before_the_execution_is_started_by_the_next_call(world: World) -> None:
    cluster_id = world.register()
    world.workflows.deaf = True
    with pytest.raises(KeyboardInterrupt):
        world.start(cluster_id)
    world.workflows.deaf = False

    collection_id = world.start(cluster_id)

    assert list(world.workflows.executions) == [collection_id]


def test_a_collection_whose_execution_ended_unrecorded_does_not_block_the_cluster(world: World) -> None:
    cluster_id = world.register()
    first = world.start(cluster_id)
    world.workflows.executions[first] = Execution("collect-usage", first, "TIMED_OUT")

    second = world.start(cluster_id)

    ended = world.services.collections.view("default", first)
    assert second != first
    assert (ended["status"], ended["errors"][0]["code"]) == ("failed", "TIMED_OUT")


def test_the_same_key_starts_one_collection_even_after_it_ended(world: World) -> None:
    cluster_id = world.register()
    request = CollectionRequest(cluster_id)
    first = world.services.collections.start(ALICE, request, idempotency_key="k")["id"]
    world.run(first)
    world.clock.moment += 3600

    assert world.services.collections.start(ALICE, request, idempotency_key="k")["id"] == first
    with pytest.raises(IdempotencyKeyReusedError):
        world.services.collections.start(ALICE, CollectionRequest(cluster_id, 3600), idempotency_key="k")


def test_status_tells_each_clusters_watermark_lag_and_last_collection(world: World) -> None:
    first, second = world.register("a"), world.register("b")
    collected = world.collect(first, history_seconds=3600)
    world.clock.moment += 100

    page, after = world.services.collections.status(ALICE)

    assert after is None
    assert [(row["cluster_id"], row["status"], row["lag_seconds"]) for row in page] == [(first, "succeeded", 100.0), (second, None, None)]
    assert page[0]["samples"] == collected["result"]["samples"] == 2 * 3600 // STEP
    assert world.services.collections.status(ALICE, cluster_id=second)[0] == [page[1]]


def test_the_schedule_starts_one_collection_for_each_cluster_that_is_due(world: World) -> None:
    first, second = world.register("a"), world.services.clusters.register(MALLORY, registration())["id"]

    assert world.services.schedule.start_collections() == {"started": [first, second], "purged": [], "failed": []}
    assert world.services.schedule.start_collections() == {"started": [], "purged": [], "failed": []}
    assert len(world.workflows.executions) == 2


def test_the_schedule_waits_for_a_whole_step(world: World) -> None:
    cluster_id = world.register()
    world.collect(cluster_id)

    world.clock.moment = START + STEP - 1
    assert world.services.schedule.start_collections()["started"] == []
    world.clock.moment = START + STEP
    assert world.services.schedule.start_collections()["started"] == [cluster_id]


def test_the_schedule_starts_what_a_dead_process_left_queued(world: World) -> None:
    cluster_id = world.register()
    world.workflows.deaf = True
    with pytest.raises(KeyboardInterrupt):
        world.start(cluster_id)
    world.workflows.deaf = False

    world.services.schedule.start_collections()

    assert len(world.workflows.executions) == 1


def test_the_schedule_goes_on_with_a_deletion_that_was_cut_short(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster_id = world.register()
    world.collect(cluster_id)

    def dies(_prefix: str) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(world.services.blobs, "delete_all", dies)
    with pytest.raises(KeyboardInterrupt):
        world.services.clusters.delete(ALICE, cluster_id)
    monkeypatch.undo()
    assert list(world.services.blobs.names("t/default/clusters/"))

    assert world.services.schedule.start_collections()["purged"] == [cluster_id]
    assert list(world.services.blobs.names("t/default/clusters/")) == []
    assert world.services.schedule.start_collections()["purged"] == []


def test_a_collection_is_forgotten_after_ninety_days_and_the_cluster_goes_on(world: World) -> None:
    cluster_id = world.register()
    first = world.collect(cluster_id, history_seconds=3600)["id"]

    world.clock.moment += 91 * 86400

    with pytest.raises(NotFoundError):
        world.services.collections.view("default", first)
    assert world.services.collections.status(ALICE)[0][0]["status"] is None
    assert world.collect(cluster_id)["status"] == "succeeded"
