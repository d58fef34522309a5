"""The tasks of an analysis: done twice, in part, from profiles and from history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from worlds.analysis import CONTAINERS, SHOP, TENANT, analyze, collected, listed, run, start
from worlds.collection import ALICE, World, workload

from upid.domain.errors import NotFoundError
from upid.domain.ids import recommendation_place
from upid.domain.inventory import Unreadable
from upid.services.analyses import WorkloadRef
from upid.services.cluster_records import blob_prefix
from upid.services.shard_results import stored_summary, table_name

MANY = tuple(workload(f"ns-{i % 5}", f"app-{i}") for i in range(1300))  # two shards


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, str]:
    """A cluster of two shards, collected for a day; tests of it leave its data as it is."""
    return collected(tmp_path_factory.mktemp("many"), *MANY, history_seconds=86400)


def blobs(world: World, analysis_id: str) -> dict[str, bytes]:
    return {name: world.services.blobs.get(name) for name in world.services.blobs.names(f"t/{TENANT}/analyses/{analysis_id}/")}


def events(world: World, analysis_id: str) -> list[str]:
    return [stored.event.type for stored in world.services.events.read(TENANT, limit=1000) if stored.event.subject == analysis_id]


class TestTasksDoneTwice:
    def test_leave_the_same_bytes_and_the_same_end(self, many: tuple[World, str]) -> None:
        world, cluster_id = many
        once, twice = start(world, cluster_id), start(world, cluster_id)

        first, second = run(world, once), run(world, twice, times=2)

        assert first["summary"]["savings_usd_per_month"] == second["summary"]["savings_usd_per_month"]
        tables = [{name[-8:]: data for name, data in blobs(world, each).items() if name.endswith(".bin")} for each in (once, twice)]
        assert tables[0] == tables[1]
        assert events(world, twice) == events(world, once)
        assert events(world, once) == ["analysis.started", *["recommendation.generated"] * 2, "analysis.completed"]

    def test_behind_a_death_between_the_two_blobs_keep_what_was_written(self, tmp_path: Path) -> None:
        world, cluster_id = collected(tmp_path)
        analysis_id = start(world, cluster_id)
        run(world, analysis_id)
        before = blobs(world, analysis_id)
        world.services.blobs.delete(next(name for name in before if name.endswith(".json")))
        world.clock.moment += 86400
        world.collect(cluster_id)  # the profile has moved on

        world.services.analyzing.analyze(TENANT, analysis_id, 0)

        after = blobs(world, analysis_id)
        table = table_name(TENANT, analysis_id, 0)
        assert after[table] == before[table]
        assert {**stored(world, analysis_id), "seconds": 0} == {**orjson_of(before), "seconds": 0}

    def test_after_the_end_change_nothing(self, many: tuple[World, str]) -> None:
        world, cluster_id = many
        analysis_id = start(world, cluster_id)
        ended = run(world, analysis_id)

        assert run(world, analysis_id, broken={0: ValueError("late")}) == ended


def stored(world: World, analysis_id: str) -> dict[str, Any]:
    found = stored_summary(world.services.blobs, TENANT, analysis_id, 0)
    assert found is not None
    return found


def orjson_of(found: dict[str, bytes]) -> dict[str, Any]:
    import orjson

    return dict(orjson.loads(next(data for name, data in found.items() if name.endswith(".json"))))


class TestPartOfIt:
    def test_a_failed_shard_is_named_and_the_rest_is_there(self, many: tuple[World, str]) -> None:
        world, cluster_id = many
        view = run(world, start(world, cluster_id), broken={1: ValueError("The profile is damaged.")})

        assert (view["status"], view["progress"]) == ("partial", 1.0)
        assert view["errors"] == [{"code": "ValueError", "detail": "The profile is damaged.", "subject": "shard 1"}]
        assert 0 < view["summary"]["containers"] < len(MANY)
        page = listed(world, cluster_id, limit=1000)
        assert len(page.entries) == view["summary"]["containers"]
        assert {place.shard for entry in page.entries if (place := recommendation_place(entry["id"]))} == {0}

    def test_where_every_shard_fails_the_latest_stays(self, many: tuple[World, str]) -> None:
        world, cluster_id = many
        before = analyze(world, cluster_id)["id"]
        view = run(world, start(world, cluster_id), broken={0: KeyError("x"), 1: KeyError("y")})

        assert (view["status"], view["summary"], len(view["errors"])) == ("failed", None, 2)
        assert events(world, view["id"])[-1] == "analysis.failed"
        assert world.services.analyses.summary(TENANT, cluster_id)["analysis_id"] == before

    def test_a_damaged_profile_fails_its_shard_alone(self, tmp_path: Path) -> None:
        world, cluster_id = collected(tmp_path, *MANY, history_seconds=86400)
        world.services.blobs.put(f"{blob_prefix(TENANT, cluster_id)}profiles/0001.bin", b"no profile")
        analysis_id = start(world, cluster_id)
        payload = world.workflows.payloads[analysis_id]
        world.services.analyzing.plan(TENANT, analysis_id, payload["request"], payload["actor"])

        with pytest.raises(ValueError, match="packed arrays"):
            world.services.analyzing.analyze(TENANT, analysis_id, 1)
        assert world.services.analyzing.analyze(TENANT, analysis_id, 0) == {"shard": 0}

    def test_what_the_collection_could_not_read_is_named(self, tmp_path: Path) -> None:
        world = World.at(tmp_path, *SHOP)
        world.cluster.listed = replace(world.cluster.listed, unreadable=(Unreadable("namespace secret", "forbidden"),))
        cluster_id = world.register()
        world.collect(cluster_id)

        view = analyze(world, cluster_id)

        assert view["status"] == "partial"
        assert view["errors"] == [{"code": "inventory_unreadable", "detail": "forbidden", "subject": "namespace secret"}]

    def test_progress_grows_with_each_shard(self, many: tuple[World, str]) -> None:
        world, cluster_id = many
        analysis_id = start(world, cluster_id)
        tasks, seen = world.services.analyzing, []
        tasks.plan(TENANT, analysis_id, world.workflows.payloads[analysis_id]["request"], "system")
        for shard in (0, 0, 1):
            tasks.analyze(TENANT, analysis_id, shard)
            seen.append(world.services.analyses.view(TENANT, analysis_id)["progress"])

        assert seen == [0.5, 0.5, 1.0]


class TestSelection:
    def test_of_a_namespace_leaves_the_others_out(self, tmp_path: Path) -> None:
        world, cluster_id = collected(tmp_path)
        view = analyze(world, cluster_id, namespaces=("shop",))

        entries = listed(world, cluster_id, analysis_id=view["id"]).entries
        assert {entry["namespace"] for entry in entries} == {"shop"}
        assert len(entries) == view["summary"]["containers"] == 4

    def test_of_a_workload_never_takes_one_of_a_like_name(self, tmp_path: Path) -> None:
        world, cluster_id = collected(tmp_path)
        view = analyze(world, cluster_id, workloads=(WorkloadRef("shop", "Deployment", "api"),))

        assert [entry["name"] for entry in listed(world, cluster_id, analysis_id=view["id"]).entries] == ["api"]

    def test_does_not_become_the_clusters_latest(self, tmp_path: Path) -> None:
        world, cluster_id = collected(tmp_path)
        whole = analyze(world, cluster_id)["id"]
        analyze(world, cluster_id, namespaces=("shop",))

        assert {entry["analysis_id"] for entry in listed(world, cluster_id).entries} == {whole}


def test_an_older_analysis_that_ends_later_does_not_become_the_latest(tmp_path: Path) -> None:
    world, cluster_id = collected(tmp_path)
    older = start(world, cluster_id)
    world.clock.moment += 1
    younger = start(world, cluster_id)

    run(world, younger)
    run(world, older)

    assert world.services.analyses.summary(TENANT, cluster_id)["analysis_id"] == younger


def test_history_and_profiles_give_the_same_verdicts_over_the_same_window(tmp_path: Path) -> None:
    world, cluster_id = collected(tmp_path)
    found = [
        listed(world, cluster_id, analysis_id=analyze(world, cluster_id, source=source)["id"], sort="name")
        for source in ("profiles", "history")
    ]

    for by_profile, by_history in zip(*(page.entries for page in found), strict=True):
        assert by_profile["recommended"] == by_history["recommended"]
        assert (by_profile["evidence"]["source"], by_history["evidence"]["source"]) == ("profile", "samples")
        assert by_profile["evidence"]["cpu_cores"]["p95"] == pytest.approx(by_history["evidence"]["cpu_cores"]["p95"], rel=0.016)


def test_a_cluster_without_containers_has_an_analysis_of_nothing(tmp_path: Path) -> None:
    world = World.at(tmp_path)
    cluster_id = world.register()
    world.collect(cluster_id)

    view = analyze(world, cluster_id)

    assert (view["status"], view["summary"]["containers"]) == ("succeeded", 0)
    assert listed(world, cluster_id).entries == []


def test_a_cluster_that_goes_meanwhile_fails_the_analysis_and_not_more(tmp_path: Path) -> None:
    world, cluster_id = collected(tmp_path)
    analysis_id = start(world, cluster_id)
    world.services.cluster_records.records.delete(world.services.cluster_records.get(TENANT, cluster_id).key)

    with pytest.raises(NotFoundError):
        run(world, analysis_id)


def test_a_deleted_cluster_leaves_no_tables_reviews_or_running_analyses(tmp_path: Path) -> None:
    world, cluster_id = collected(tmp_path)
    view = analyze(world, cluster_id)
    entry = listed(world, cluster_id, status="recommended").entries[0]
    world.services.recommendations.review(ALICE, entry["id"], "approved", "")
    waiting = start(world, cluster_id)

    world.services.clusters.delete(ALICE, cluster_id)

    assert blobs(world, view["id"]) == {}
    assert world.services.records.query(f"t#{TENANT}#reviews").items == ()
    assert world.services.analyses.view(TENANT, waiting)["status"] == "cancelled"
    assert world.services.analyses.view(TENANT, view["id"])["status"] == "succeeded"
    with pytest.raises(NotFoundError):
        world.services.recommendations.get(TENANT, entry["id"])


def test_every_container_has_a_recommendation_that_can_be_read_by_id(tmp_path: Path) -> None:
    world, cluster_id = collected(tmp_path)
    analyze(world, cluster_id)

    entries = listed(world, cluster_id).entries

    assert len({entry["id"] for entry in entries}) == CONTAINERS
    for entry in entries:
        assert world.services.recommendations.get(TENANT, entry["id"]).entry == entry
