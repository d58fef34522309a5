"""Recommendations listed, reviewed and simulated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from worlds.analysis import TENANT, analyze, collected, listed
from worlds.collection import ALICE, MALLORY, World, workload

from upid.domain.errors import InvalidRequestError, NotFoundError, VersionConflictError
from upid.domain.ids import PREFIXES, recommendation_place
from upid.domain.recommendations import NEXT_REVIEWS, REVIEWS, may_follow
from upid.ports.usage_history import HistoryScope
from upid.services.recommendation_queries import NothingToApproveError, RecommendationQuery, Sort, TransitionError

MANY = tuple(
    workload(f"ns-{i % 5}", f"app-{i}", kind=("Deployment", "StatefulSet")[i % 2], replicas=1 + i % 2) for i in range(1300)
)  # two shards
NAMES = frozenset((w.namespace, w.kind, w.name) for w in MANY)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, str]:
    """A cluster of two shards with one analysis; tests of it only read."""
    world, cluster_id = collected(tmp_path_factory.mktemp("many"), *MANY, history_seconds=86400)
    analyze(world, cluster_id)
    return world, cluster_id


@pytest.fixture
def one(tmp_path: Path) -> tuple[World, str]:
    """A world and a recommendation that changes something."""
    world, cluster_id = collected(tmp_path)
    analyze(world, cluster_id)
    return world, listed(world, cluster_id, status="recommended").entries[0]["id"]


def paged(world: World, cluster_id: str, **asked: Any) -> list[dict[str, Any]]:
    """All pages of a list, one after the other."""
    entries, cursor = [], None
    while True:
        page = listed(world, cluster_id, cursor=cursor, **asked)
        entries += page.entries
        cursor = page.after
        if cursor is None:
            return entries


class TestList:
    @pytest.mark.parametrize("sort", get_args(Sort))
    @pytest.mark.parametrize("limit", [97, 1000])
    def test_pages_have_everything_once_in_order(self, many: tuple[World, str], sort: Sort, limit: int) -> None:
        entries = paged(*many, sort=sort, limit=limit)

        assert len({entry["id"] for entry in entries}) == len(entries) == len(MANY)
        keys = {"savings": "savings_usd_per_month", "confidence": "confidence", "name": "namespace"}
        column = keys.get(sort.removeprefix("-"))
        told = [entry[column] if column else entry["risk"]["score"] for entry in entries]
        known = [value for value in told if value is not None]
        assert known == sorted(known, reverse=sort.startswith("-"))
        assert told[: len(known)] == known

    def test_a_last_page_that_is_full_has_no_cursor(self, many: tuple[World, str]) -> None:
        page = listed(*many, limit=len(MANY))
        assert (len(page.entries), page.after) == (len(MANY), None)

    @pytest.mark.parametrize(
        ("asked", "holds"),
        [
            ({"namespace": "ns-3"}, lambda e: e["namespace"] == "ns-3"), ({"kind": "StatefulSet"}, lambda e: e["kind"] == "StatefulSet"),
            ({"name": "app-7"}, lambda e: e["name"] == "app-7"), ({"status": "recommended"}, lambda e: e["status"] == "recommended"),
            ({"status": "withheld"}, lambda e: e["status"] == "withheld"), ({"min_savings": 10.0}, lambda e: (e["savings_usd_per_month"] or 0) >= 10),
            ({"namespace": "ns-1", "kind": "Deployment"}, lambda e: (e["namespace"], e["kind"]) == ("ns-1", "Deployment")),
            ({"review": "approved"}, lambda e: False), ({"review": "open"}, lambda e: True), ({"name": "app"}, lambda e: False),
        ],
    )  # fmt: skip
    def test_filters_are_those_of_the_entries(self, many: tuple[World, str], asked: dict[str, Any], holds: Any) -> None:
        everything = paged(*many, sort="name", limit=1000)
        assert paged(*many, sort="name", limit=53, **asked) == [entry for entry in everything if holds(entry)]

    def test_a_cursor_goes_on_in_the_analysis_that_it_began_in(self, tmp_path: Path) -> None:
        world, cluster_id = collected(tmp_path)
        first = analyze(world, cluster_id)["id"]
        page = listed(world, cluster_id, limit=2)
        analyze(world, cluster_id)

        following = listed(world, cluster_id, limit=100, cursor=page.after).entries

        assert {entry["analysis_id"] for entry in following} == {first}
        assert len({entry["id"] for entry in page.entries + following}) == 6

    def test_a_review_in_between_moves_no_page(self, tmp_path: Path) -> None:
        world, cluster_id = collected(tmp_path)
        analyze(world, cluster_id)
        page = listed(world, cluster_id, limit=3, review="open")
        world.services.recommendations.review(ALICE, page.entries[2]["id"], "rejected", "")

        following = listed(world, cluster_id, limit=3, review="open", cursor=page.after)

        assert len({entry["id"] for entry in page.entries + following.entries}) == 6

    @pytest.mark.parametrize("cursor", ["x", "rec_", "an_" + "0" * 26])
    def test_what_is_no_cursor_is_refused(self, many: tuple[World, str], cursor: str) -> None:
        with pytest.raises(InvalidRequestError):
            listed(*many, cursor=cursor)

    def test_a_cursor_or_analysis_of_another_cluster_is_not_found(self, tmp_path: Path) -> None:
        world, cluster_id = collected(tmp_path)
        analysis_id = analyze(world, cluster_id)["id"]
        other = world.register("staging")
        cursor = listed(world, cluster_id, limit=1).after

        for asked in ({"cursor": cursor}, {"analysis_id": analysis_id}):
            with pytest.raises(NotFoundError):
                listed(world, other, **asked)

    def test_a_row_that_is_not_there_is_no_place_to_go_on(self, many: tuple[World, str]) -> None:
        world, cluster_id = many
        entry = listed(world, cluster_id, limit=1).entries[0]["id"]
        with pytest.raises(NotFoundError):
            listed(world, cluster_id, cursor=entry[:-4] + "ZZZZ")


class TestOne:
    def test_of_another_tenant_is_not_there(self, one: tuple[World, str]) -> None:
        world, recommendation_id = one
        service = world.services.recommendations
        for call in (
            lambda: service.get("other", recommendation_id),
            lambda: service.review(MALLORY, recommendation_id, "approved", ""),
            lambda: service.simulate("other", recommendation_id, {}),
        ):
            with pytest.raises(NotFoundError):
                call()

    def test_that_is_superseded_says_so_unless_it_was_reviewed(self, tmp_path: Path) -> None:
        world, cluster_id = collected(tmp_path)
        analyze(world, cluster_id)
        kept, left = (entry["id"] for entry in listed(world, cluster_id, status="recommended").entries[:2])
        service = world.services.recommendations
        tag = service.get(TENANT, left).etag
        service.review(ALICE, kept, "approved", "")
        analyze(world, cluster_id)

        assert service.get(TENANT, kept).entry["review"] == "approved"
        assert service.get(TENANT, left).entry["review"] == "superseded"
        assert service.get(TENANT, left).etag != tag

    def test_a_row_behind_the_last_is_not_found(self, one: tuple[World, str]) -> None:
        world, recommendation_id = one
        with pytest.raises(NotFoundError):
            world.services.recommendations.get(TENANT, recommendation_id[:-4] + "ZZZZ")


class TestReview:
    def test_leaves_an_event_that_names_who_and_from_what(self, one: tuple[World, str]) -> None:
        world, recommendation_id = one
        world.services.recommendations.review(ALICE, recommendation_id, "approved", "Fine.")

        event = world.services.events.read(TENANT, limit=1000)[-1].event
        assert (event.type, event.subject, event.actor) == ("recommendation.reviewed", recommendation_id, "usr_alice")
        assert (event.data["from"], event.data["to"], event.data["comment"]) == ("open", "approved", "Fine.")

    def test_refused_leaves_nothing(self, one: tuple[World, str]) -> None:
        world, recommendation_id = one
        before = (world.services.recommendations.get(TENANT, recommendation_id), len(world.services.events.read(TENANT, limit=1000)))

        with pytest.raises(TransitionError):
            world.services.recommendations.review(ALICE, recommendation_id, "reverted", "")
        with pytest.raises(VersionConflictError):
            world.services.recommendations.review(ALICE, recommendation_id, "approved", "", if_match='"7-open"')

        assert (
            world.services.recommendations.get(TENANT, recommendation_id),
            len(world.services.events.read(TENANT, limit=1000)),
        ) == before

    def test_goes_the_whole_way_of_a_change(self, one: tuple[World, str]) -> None:
        world, recommendation_id = one
        for review in ("approved", "deploying", "applied", "reverted", "open", "rejected", "superseded"):
            found = world.services.recommendations.review(ALICE, recommendation_id, review, "")  # type: ignore[arg-type]  # a review by name
            assert found.entry["review"] == review
        with pytest.raises(TransitionError):
            world.services.recommendations.review(ALICE, recommendation_id, "open", "")

    def test_the_same_again_changes_the_comment(self, one: tuple[World, str]) -> None:
        world, recommendation_id = one
        for comment in ("First.", "Second."):
            found = world.services.recommendations.review(ALICE, recommendation_id, "approved", comment)
        assert found.entry["review_comment"] == "Second."

    def test_of_two_at_once_both_count_and_none_is_lost(self, one: tuple[World, str], monkeypatch: pytest.MonkeyPatch) -> None:
        world, recommendation_id = one
        service, raced = world.services.recommendations, []
        reviewed = type(service)._reviewed

        def race(self: Any, *told: Any) -> Any:
            if not raced:
                raced.append(True)
                service.review(MALLORY_HERE, recommendation_id, "approved", "I was faster.")
            return reviewed(self, *told)

        monkeypatch.setattr(type(service), "_reviewed", race)
        found = service.review(ALICE, recommendation_id, "rejected", "No.")

        assert (found.entry["review"], found.etag) == ("rejected", '"2-rejected"')
        told = [e.event.data["from"] for e in world.services.events.read(TENANT, limit=1000) if e.event.type == "recommendation.reviewed"]
        assert told == ["open", "approved"]

    def test_of_no_change_cannot_be_an_approval(self, tmp_path: Path) -> None:
        world, cluster_id = collected(tmp_path, workload("shop", "new"), history_seconds=600)
        analyze(world, cluster_id)
        (entry,) = listed(world, cluster_id).entries

        assert (entry["status"], entry["withheld_code"]) == ("withheld", "not_enough_data")
        with pytest.raises(NothingToApproveError):
            world.services.recommendations.review(ALICE, entry["id"], "approved", "")

    def test_transitions_lead_only_to_reviews_and_never_out_of_superseded(self) -> None:
        assert set(NEXT_REVIEWS) == set(REVIEWS)
        assert not any(may_follow("superseded", review) for review in REVIEWS)
        assert not any(may_follow(review, review) for review in REVIEWS)


MALLORY_HERE = replace(MALLORY, tenant=TENANT)


class TestSimulate:
    def test_without_history_counts_over_the_profile(self, one: tuple[World, str]) -> None:
        world, recommendation_id = one
        by_history = world.services.recommendations.simulate(TENANT, recommendation_id, {"cpu_limit_cores": 0.3})
        world.services.history.delete_cluster(TENANT, by_history["cluster_id"])

        by_profile = world.services.recommendations.simulate(TENANT, recommendation_id, {"cpu_limit_cores": 0.3})

        assert (by_history["source"], by_profile["source"]) == ("history", "profile")
        assert by_profile["simulated"]["throttled_time"] == pytest.approx(by_history["simulated"]["throttled_time"], abs=0.2)
        assert (by_profile["simulated"]["oom_kills"], by_history["simulated"]["oom_kills"]) == (None, 0)
        assert by_profile["simulated"]["usd_per_month"] == by_history["simulated"]["usd_per_month"]

    def test_of_a_container_that_nobody_knows_any_more_is_not_found(self, one: tuple[World, str]) -> None:
        world, recommendation_id = one
        place = recommendation_place(recommendation_id)
        assert place is not None
        cluster_id = world.services.recommendations.get(TENANT, recommendation_id).entry["cluster_id"]
        world.services.history.delete_cluster(TENANT, cluster_id)
        world.services.blobs.delete(f"t/{TENANT}/clusters/{cluster_id}/profiles/0000.bin")

        with pytest.raises(NotFoundError):
            world.services.recommendations.simulate(TENANT, recommendation_id, {})

    def test_leaves_what_is_not_given_as_it_is_now(self, one: tuple[World, str]) -> None:
        world, recommendation_id = one
        told = world.services.recommendations.simulate(TENANT, recommendation_id, {"memory_limit_bytes": None})

        assert told["simulated"] == told["current"]

    def test_counts_pods_and_samples_of_this_container_alone(self, one: tuple[World, str]) -> None:
        world, recommendation_id = one
        entry = world.services.recommendations.get(TENANT, recommendation_id).entry
        told = world.services.recommendations.simulate(TENANT, recommendation_id, {})

        assert told["pods"] == entry["replicas"]
        assert told["samples"] == entry["replicas"] * 7 * 288


def test_ids_tell_where_a_recommendation_lies(one: tuple[World, str]) -> None:
    world, recommendation_id = one
    place = recommendation_place(recommendation_id)
    assert place is not None
    assert place.analysis_id.startswith(PREFIXES["analysis"])
    scope = HistoryScope(TENANT, world.services.recommendations.get(TENANT, recommendation_id).entry["cluster_id"], place.shard)
    assert list(world.services.history.read(scope, start=0, end=world.clock.moment))


def test_a_query_without_wishes_asks_for_the_highest_savings() -> None:
    assert (RecommendationQuery().sort, RecommendationQuery().limit) == ("-savings", 100)
