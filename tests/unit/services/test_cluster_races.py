"""Requests that come at once: one wins, the others hear of it, nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from worlds.collection import ALICE, World, registration, workload

from upid.domain.errors import AppError, VersionConflictError
from upid.services.clusters import ClusterFilter

AT_ONCE = 8


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.at(tmp_path, workload("shop", "web"))


def at_once(act: Callable[[int], Any]) -> list[Any]:
    """Do something in eight threads at the same moment, and return what each gave or the name of its error."""
    barrier = Barrier(AT_ONCE)

    def one(number: int) -> Any:
        barrier.wait()
        try:
            return act(number)
        except AppError as error:
            return type(error).__name__

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def test_one_of_many_gets_the_name(world: World) -> None:
    answers = at_once(lambda _: world.register("production"))

    assert sorted(answer == "ClusterNameTakenError" for answer in answers) == [False] + [True] * (AT_ONCE - 1)
    assert len(world.services.clusters.list(ALICE, ClusterFilter())[0]) == 1


def test_one_key_sent_many_times_at_once_registers_once(world: World) -> None:
    answers = at_once(lambda _: world.services.clusters.register(ALICE, registration(), idempotency_key="k")["id"])

    assert len(set(answers)) == 1
    assert len(world.services.events.read("default")) == 1


def test_many_starts_at_once_are_one_collection(world: World) -> None:
    cluster_id = world.register()

    answers = at_once(lambda _: world.start(cluster_id))

    assert len(set(answers)) == 1
    assert list(world.workflows.executions) == answers[:1]


def test_changes_at_once_are_all_made_one_after_the_other(world: World) -> None:
    cluster_id = world.register()

    at_once(lambda n: world.services.clusters.replace(ALICE, cluster_id, registration(region=f"r{n}")))

    assert world.services.clusters.get(ALICE, cluster_id)["version"] == 1 + AT_ONCE


def test_of_many_with_the_same_etag_one_is_made(world: World) -> None:
    cluster_id = world.register()

    answers = at_once(lambda n: world.services.clusters.replace(ALICE, cluster_id, registration(region=f"r{n}"), if_match=1)["version"])

    assert sorted(answers, key=str) == [2] + ["VersionConflictError"] * (AT_ONCE - 1)


def test_changes_of_the_record_by_tasks_are_all_kept(world: World) -> None:
    cluster_id = world.register()

    at_once(lambda n: world.services.cluster_records.change("default", cluster_id, lambda body: body | {"gaps": [*body["gaps"], n]}))

    assert sorted(world.services.cluster_records.get("default", cluster_id).body["gaps"]) == list(range(AT_ONCE))


def test_a_record_that_never_stands_still_is_a_conflict(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster_id = world.register()

    def conflicts(*_: Any, **__: Any) -> None:
        raise VersionConflictError("Somebody else was faster.")

    monkeypatch.setattr(type(world.services.records), "transact", conflicts)
    for act in (
        lambda: world.services.clusters.replace(ALICE, cluster_id, registration()),
        lambda: world.services.clusters.delete(ALICE, cluster_id),
        lambda: world.start(cluster_id),
        lambda: world.services.cluster_records.change("default", cluster_id, lambda body: body | {"shards": 1}),
    ):
        with pytest.raises(VersionConflictError):
            act()
