"""Analyses as clients ask for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from worlds.analysis import TENANT
from worlds.collection import ALICE, MALLORY, World

from upid.domain.errors import NotFoundError
from upid.services.analyses import AnalysisRequest, NotAnalyzedError, NothingCollectedError, WorkloadRef
from upid.services.idempotency import IdempotencyKeyReusedError
from upid.services.work import WorkLog


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.at(tmp_path)


def registered(world: World, name: str = "production", *, shards: int | None = 2) -> str:
    """A cluster that looks as if it was collected in so many shards."""
    cluster_id = world.register(name)
    world.services.cluster_records.change(TENANT, cluster_id, lambda body: body | {"shards": shards})
    return cluster_id


def started(world: World, cluster_id: str, **asked: Any) -> dict[str, Any]:
    return world.services.analyses.start(ALICE, AnalysisRequest(cluster_id, **asked))


def ended(world: World, analysis_id: str, status: Any, **result: Any) -> None:
    WorkLog("analyses", world.services.records, world.clock).end(TENANT, analysis_id, status, result=result)


def test_a_start_gives_a_queued_analysis_and_a_durable_execution(world: World) -> None:
    cluster_id = registered(world)

    view = started(world, cluster_id, namespaces=("shop",), workloads=(WorkloadRef("shop", "Deployment", "api"),))

    assert (view["status"], view["progress"], view["cluster_id"], view["kind"]) == ("queued", 0.0, cluster_id, "analysis")
    payload = world.workflows.payloads[view["id"]]
    assert payload["request"]["workloads"] == [{"namespace": "shop", "kind": "Deployment", "name": "api"}]
    assert (payload["tenant"], payload["analysis_id"], payload["cluster_id"], payload["actor"]) == (
        TENANT,
        view["id"],
        cluster_id,
        "usr_alice",
    )


def test_a_start_leaves_one_event_that_names_who_asked(world: World) -> None:
    analysis_id = started(world, registered(world))["id"]

    (event,) = [e.event for e in world.services.events.read(TENANT) if e.event.type == "analysis.started"]

    assert (event.subject, event.actor, event.data["source"]) == (analysis_id, "usr_alice", "profiles")


def test_a_cluster_that_was_never_collected_cannot_be_analyzed(world: World) -> None:
    with pytest.raises(NothingCollectedError, match="start a collection first"):
        started(world, registered(world, shards=None))


def test_a_cluster_of_another_tenant_is_not_there(world: World) -> None:
    cluster_id = registered(world)

    with pytest.raises(NotFoundError):
        world.services.analyses.start(MALLORY, AnalysisRequest(cluster_id))
    assert world.workflows.payloads == {}


def test_an_analysis_of_another_tenant_is_not_there(world: World) -> None:
    analysis_id = started(world, registered(world))["id"]

    with pytest.raises(NotFoundError):
        world.services.analyses.view("other", analysis_id)


@pytest.mark.parametrize("identifier", ["", "an_", "cl_01BENCH0000000000000000000", "an_01BENCH000000000000000000/..", "x" * 5000])
def test_what_is_no_id_is_not_found(world: World, identifier: str) -> None:
    with pytest.raises(NotFoundError):
        world.services.analyses.view(TENANT, identifier)


def test_where_the_process_dies_before_the_record_the_first_task_makes_it_good(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster_id = registered(world)
    monkeypatch.setattr(type(world.services.analyses), "create", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        started(world, cluster_id)
    monkeypatch.undo()
    ((analysis_id, payload),) = world.workflows.payloads.items()

    world.services.analyzing.plan(TENANT, analysis_id, payload["request"], payload["actor"])

    view = world.services.analyses.view(TENANT, analysis_id)
    assert (view["status"], view["cluster_id"]) == ("running", cluster_id)


def test_planning_twice_leaves_one_event_and_one_record(world: World) -> None:
    analysis_id = started(world, registered(world))["id"]
    request = world.workflows.payloads[analysis_id]["request"]

    plans = [world.services.analyzing.plan(TENANT, analysis_id, request, "usr_alice") for _ in range(2)]

    assert plans == [{"shards": [0, 1]}] * 2
    assert [e.event.type for e in world.services.events.read(TENANT)].count("analysis.started") == 1


@pytest.mark.parametrize(
    ("status", "ends"), [("FAILED", ("failed", "FAILED")), ("TIMED_OUT", ("failed", "TIMED_OUT")), ("ABORTED", ("cancelled", "cancelled"))]
)
def test_an_execution_that_ended_without_a_word_ends_the_analysis_once(world: World, status: Any, ends: tuple[str, str]) -> None:
    analysis_id = started(world, registered(world))["id"]
    world.workflows.executions[analysis_id] = replace(world.workflows.executions[analysis_id], status=status)

    views = [world.services.analyses.view(TENANT, analysis_id) for _ in range(2)]

    assert [(view["status"], view["errors"][0]["code"]) for view in views] == [ends] * 2
    assert [e.event.type for e in world.services.events.read(TENANT)].count("analysis.failed") == 1


class TestIdempotencyKey:
    def test_sent_twice_starts_once(self, world: World) -> None:
        request = AnalysisRequest(registered(world))
        first, second = (world.services.analyses.start(ALICE, request, idempotency_key="k1") for _ in range(2))

        assert first["id"] == second["id"]
        assert len(world.workflows.payloads) == 1

    def test_with_another_request_is_refused(self, world: World) -> None:
        request = AnalysisRequest(registered(world))
        world.services.analyses.start(ALICE, request, idempotency_key="k1")

        with pytest.raises(IdempotencyKeyReusedError):
            world.services.analyses.start(ALICE, replace(request, strategy="max-savings"), idempotency_key="k1")

    def test_goes_on_where_the_first_time_died(self, world: World) -> None:
        request = AnalysisRequest(registered(world))
        world.workflows.deaf = True
        with pytest.raises(KeyboardInterrupt):
            world.services.analyses.start(ALICE, request, idempotency_key="k1")
        world.workflows.deaf = False

        view = world.services.analyses.start(ALICE, request, idempotency_key="k1")

        assert list(world.workflows.payloads) == [view["id"]]

    def test_of_a_batch_starts_each_part_once(self, world: World) -> None:
        requests = [AnalysisRequest(registered(world)), AnalysisRequest(registered(world, "staging"))]
        first, second = (world.services.analyses.start_batch(ALICE, requests, idempotency_key="k1") for _ in range(2))

        assert first == second
        assert len(world.workflows.payloads) == 2


class TestBatch:
    def test_lists_its_parts_in_order(self, world: World) -> None:
        clusters = [registered(world), registered(world, "staging")]
        view = world.services.analyses.start_batch(ALICE, [AnalysisRequest(each) for each in clusters])

        assert (view["kind"], view["status"], view["progress"], view["cluster_id"]) == ("batch", "queued", 0.0, None)
        assert [part["cluster_id"] for part in view["analyses"]] == clusters
        assert world.services.analyses.view(TENANT, view["id"]) == view

    def test_starts_nothing_where_a_cluster_is_not_there(self, world: World) -> None:
        with pytest.raises(NotFoundError):
            world.services.analyses.start_batch(ALICE, [AnalysisRequest(registered(world)), AnalysisRequest("cl_" + "0" * 26)])
        assert world.workflows.payloads == {}

    @pytest.mark.parametrize(
        ("ends", "status", "progress"),
        [
            (["succeeded", None], "running", 0.5), (["succeeded", "succeeded"], "succeeded", 1.0), (["failed", "failed"], "failed", 1.0),
            (["succeeded", "failed"], "partial", 1.0), (["partial", "succeeded"], "partial", 1.0), ([None, None], "queued", 0.0),
        ],
    )  # fmt: skip
    def test_stands_as_its_parts_do(self, world: World, ends: list[Any], status: str, progress: float) -> None:
        requests = [AnalysisRequest(registered(world)), AnalysisRequest(registered(world, "staging"))]
        view = world.services.analyses.start_batch(ALICE, requests)
        for part, end in zip(view["analyses"], ends, strict=True):
            if end:
                ended(world, part["id"], end)

        view = world.services.analyses.view(TENANT, view["id"])

        assert (view["status"], view["progress"]) == (status, progress)
        assert (view["ended_at"] is None) == (status in {"running", "queued"})

    def test_names_the_cluster_of_each_error(self, world: World) -> None:
        cluster_id = registered(world)
        view = world.services.analyses.start_batch(ALICE, [AnalysisRequest(cluster_id)])
        error = {"Error": "ValueError", "Cause": "The profile is damaged."}
        world.services.completing.fail(TENANT, "analyses", view["analyses"][0]["id"], error)

        (told,) = world.services.analyses.view(TENANT, view["id"])["errors"]

        assert told == {"code": "ValueError", "detail": "The profile is damaged.", "subject": cluster_id}


class TestSummary:
    def test_needs_an_analysis(self, world: World) -> None:
        with pytest.raises(NotAnalyzedError):
            world.services.analyses.summary(TENANT, registered(world))

    def test_needs_the_cluster(self, world: World) -> None:
        with pytest.raises(NotFoundError):
            world.services.analyses.summary("other", registered(world))
