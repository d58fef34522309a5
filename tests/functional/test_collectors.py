"""Collectors over HTTP: made with their cluster, listed, changed, stopped and started, run, and their health."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from functional.client import Client
from functional.collected import Collected, collected
from functional.test_clusters import told
from functional.test_collections import run
from worlds.collection import SetClock, level

from upid.bootstrap import Services
from upid.domain.metrics import FAMILIES, REASONS
from upid.domain.times import parse_time
from upid.domain.work import WorkError


@pytest.fixture
def seen(client: Client, services: Services) -> Collected:
    return collected(client, services, history="2h")


@pytest.fixture
def collector(client: Client, seen: Collected) -> dict[str, Any]:
    (found,) = client.get("/metrics/collectors").expect(200)["items"]
    return dict(found)


def path(collector: dict[str, Any], rest: str = "") -> str:
    return f"/metrics/collectors/{collector['id']}{rest}"


def scheduled(services: Services, seconds: float) -> list[str]:
    """Let so much time pass and return what the schedule starts then."""
    assert isinstance(services.clock, SetClock)
    services.clock.moment += seconds
    return services.schedule.start_collections()["started"]


def test_registering_a_cluster_creates_its_collector(client: Client, seen: Collected, collector: dict[str, Any]) -> None:
    assert (collector["cluster_id"], collector["state"], collector["interval_seconds"], collector["history_seconds"]) == (
        seen.cluster_id, "running", 300, 7 * 86400,
    )  # fmt: skip
    assert collector["source"]["url"].startswith("https://prometheus.example")
    assert client.get(path(collector)).expect(200) == collector


def test_collectors_go_by_pages(client: Client, collector: dict[str, Any]) -> None:
    second = client.post("/clusters", told(name="second")).expect(201)["id"]
    first = client.get("/metrics/collectors", query={"limit": 1}).expect(200)
    rest = client.get("/metrics/collectors", query={"limit": 1, "cursor": first["next_cursor"]}).expect(200)

    assert [item["cluster_id"] for item in first["items"] + rest["items"]] == [collector["cluster_id"], second]


def test_the_schedule_leaves_a_stopped_collector_alone_until_it_is_started(
    client: Client, services: Services, collector: dict[str, Any]
) -> None:
    assert client.post(path(collector, "/stop")).expect(200)["state"] == "stopped"
    assert scheduled(services, 600) == []
    assert client.get(path(collector, "/health")).expect(200)["status"] == "stopped"

    assert client.post(path(collector, "/start")).expect(200)["state"] == "running"
    assert scheduled(services, 0) == [collector["cluster_id"]]


def test_the_schedule_keeps_to_the_interval(client: Client, services: Services, collector: dict[str, Any]) -> None:
    changed = client.put(path(collector), {"interval": "30m", "history": "1d"}).expect(200)

    assert (changed["interval_seconds"], changed["history_seconds"], changed["created_at"]) == (1800, 86400, collector["created_at"])
    assert changed["families_history_seconds"] == 86400
    assert client.put(path(collector), {"interval": "30m", "families_history": "14d"}).expect(200)["families_history_seconds"] == 14 * 86400
    assert scheduled(services, 1799) == []
    assert scheduled(services, 1) == [collector["cluster_id"]]


def test_the_first_collection_goes_as_far_back_as_the_collector_says(client: Client, services: Services, collector: dict[str, Any]) -> None:
    new = client.post("/clusters", told(name="new")).expect(201)["id"]
    client.put(f"/metrics/collectors/ct_{new.removeprefix('cl_')}", {"history": "3h"}).expect(200)

    assert new in scheduled(services, 0)
    started = client.get("/metrics/status", query={"cluster_id": new}).expect(200)["items"][0]["collection_id"]
    assert client.get(f"/metrics/collect/{started}").expect(200)["request"]["history_seconds"] == 10800


def test_run_now_collects_whatever_the_state(client: Client, services: Services, seen: Collected, collector: dict[str, Any]) -> None:
    client.post(path(collector, "/stop")).expect(200)
    assert isinstance(services.clock, SetClock)
    services.clock.moment += 900
    answer = client.post(path(collector, "/run"))
    started = answer.expect(202)

    assert answer.header("location") == f"/api/v1/metrics/collect/{started['id']}"
    assert client.post(path(collector, "/run")).expect(202)["id"] == started["id"]
    run(services, started["id"])
    assert client.get(path(collector, "/health")).expect(200)["lag_seconds"] == 0.0


def test_a_first_collection_that_failed_goes_as_far_back_when_it_is_tried_again(client: Client, services: Services) -> None:
    new = client.post("/clusters", told(name="new")).expect(201)["id"]
    collector = client.put(f"/metrics/collectors/ct_{new.removeprefix('cl_')}", {"history": "3h"}).expect(200)
    first = client.post(path(collector, "/run")).expect(202)
    services.collections.log.end("default", first["id"], "failed", result={}, errors=[WorkError("NoAnswerError", "It is gone.")])

    again = client.post(path(collector, "/run")).expect(202)

    assert again["id"] != first["id"]
    assert again["request"]["history_seconds"] == 10800


def test_run_now_finds_what_runs_with_another_history(client: Client) -> None:
    new = client.post("/clusters", told(name="new")).expect(201)["id"]
    running = client.post("/metrics/collect", {"cluster_id": new, "history": "2h"}).expect(202)

    assert client.post(f"/metrics/collectors/ct_{new.removeprefix('cl_')}/run").expect(202)["id"] == running["id"]


def test_a_deleted_collector_collects_no_more_and_can_be_made_again(client: Client, services: Services, collector: dict[str, Any]) -> None:
    client.delete(path(collector)).expect(204)

    client.get(path(collector)).problem(404, "not-found")
    client.delete(path(collector)).problem(404, "not-found")
    assert client.get("/metrics/collectors").expect(200)["items"] == []
    assert scheduled(services, 3600) == []
    made = client.post("/metrics/collectors", {"cluster_id": collector["cluster_id"], "interval": "10m"})
    assert made.expect(201)["interval_seconds"] == 600
    assert client.get(made.header("location")).expect(200) == made.json
    assert scheduled(services, 0) == [collector["cluster_id"]]


def test_a_cluster_has_one_collector(client: Client, collector: dict[str, Any]) -> None:
    problem = client.post("/metrics/collectors", {"cluster_id": collector["cluster_id"]}).problem(409, "collector-exists")

    assert problem["id"] == collector["id"]
    client.post("/metrics/collectors", {"cluster_id": "cl_none"}).problem(404, "not-found")


def test_health_tells_lag_rate_and_the_last_error(client: Client, services: Services, seen: Collected, collector: dict[str, Any]) -> None:
    health = client.get(path(collector, "/health")).expect(200)
    assert (health["status"], health["lag_seconds"], health["last_error"], health["samples"]) == ("healthy", 0.0, None, 4 * 24 * 2)

    seen.cluster.down = {"shop", "bank"}
    started = scheduled(services, 1500)
    assert started == [collector["cluster_id"]]
    collection = client.get("/metrics/status").expect(200)["items"][0]["collection_id"]
    services.completing.fail("default", "collections", collection, {"Error": "UnavailableError", "Cause": "Prometheus does not answer."})

    health = client.get(path(collector, "/health")).expect(200)
    assert (health["status"], health["lag_intervals"], health["collection_id"]) == ("failing", 5.0, collection)
    assert health["last_error"] == {"code": "UnavailableError", "detail": "Prometheus does not answer.", "subject": ""}


def test_health_of_a_cluster_that_was_never_collected_is_waiting(client: Client, collector: dict[str, Any]) -> None:
    new = client.post("/clusters", told(name="new")).expect(201)["id"]

    health = client.get(f"/metrics/collectors/ct_{new.removeprefix('cl_')}/health").expect(200)
    assert (health["status"], health["watermark"], health["samples_per_second"]) == ("waiting", None, None)


def test_what_a_source_refused_of_a_family_is_told_until_it_is_filled_in(
    client: Client, seen: Collected, collector: dict[str, Any]
) -> None:
    cluster, services = seen.cluster, client.services
    assert isinstance(services.clock, SetClock)
    cluster.deaf_to = "network"
    services.clock.moment += 600
    run(services, client.post("/metrics/collect", {"cluster_id": collector["cluster_id"]}).expect(202)["id"])

    health = client.get(path(collector, "/health")).expect(200)
    (gap,) = health["family_gaps"]
    assert (health["status"], gap["family"], gap["reason"], gap["tries"]) == ("degraded", "network", "Prometheus refuses network.", 0)
    assert parse_time(gap["end"]) - parse_time(gap["start"]) == 600
    assert parse_time(gap["next_try_at"]) - parse_time(gap["end"]) == 900

    cluster.deaf_to = ""
    services.clock.moment += 900
    run(services, client.post("/metrics/collect", {"cluster_id": collector["cluster_id"]}).expect(202)["id"])
    again = client.get(path(collector, "/health")).expect(200)
    assert (again["status"], again["family_gaps"]) == ("healthy", [])


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [({"interval": "1s"}, "#/interval"), ({"interval": "2d"}, "#/interval"), ({"interval": "soon"}, "#/interval"), ({"history": "100d"}, "#/history"),
     ({"families_history": "100d"}, "#/families_history"), ({"families_history": "1s"}, "#/families_history"),
     ({"state": "paused"}, "#/state"), ({"families": ["cpu"]}, "#/families/0")],
)  # fmt: skip
def test_what_cannot_be_right_is_422_with_a_pointer(client: Client, collector: dict[str, Any], asked: dict[str, Any], pointer: str) -> None:
    problem = client.put(path(collector), asked).problem(422, "invalid-request")

    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


def test_collectors_of_another_tenant_are_not_there(client: Client, services: Services, collector: dict[str, Any]) -> None:
    from worlds.collection import MALLORY

    from upid.domain.errors import NotFoundError

    with pytest.raises(NotFoundError):
        services.collectors.get(MALLORY.tenant, collector["id"])
    assert services.collectors.list(MALLORY.tenant) == ([], None)


def test_a_deleted_cluster_takes_its_collector_along(client: Client, collector: dict[str, Any]) -> None:
    client.delete(f"/clusters/{collector['cluster_id']}").expect(204)

    client.get(path(collector)).problem(404, "not-found")


def test_health_counts_what_was_missing_and_what_was_dropped(
    client: Client, services: Services, seen: Collected, collector: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(key: Any, moments: Any) -> Any:
        values = np.full(len(moments), 0.5)
        values[1] = np.nan if key.pod == "web-0" else 1000.0  # the node has 8 cores and 32 GiB
        return values

    assert client.get(path(collector, "/health")).expect(200)["quality"] == dict.fromkeys((*REASONS, "dropped", "repaired"), 0)
    monkeypatch.setattr("worlds.collection.sample", spoiled)
    assert isinstance(services.clock, SetClock)
    services.clock.moment += 1500
    run(services, client.post(path(collector, "/run")).expect(202)["id"])

    quality = client.get(path(collector, "/health")).expect(200)["quality"]
    # Of four pods one misses a step and three are beyond the node in it, in CPU and in memory alike.
    assert (quality["missing"], quality["impossible"]) == (2, 6)
    history = client.get(
        f"/metrics/history/{seen.cluster_id}", query={"window": "25m", "step": "5m", "group_by": "", "metric": "cpu_cores"}
    ).expect(200)
    assert history["series"][0]["values"] == [2.0, None, 2.0, 2.0, 2.0]


def test_a_collector_names_its_families_and_health_tells_what_came_of_each(
    client: Client, services: Services, seen: Collected, collector: dict[str, Any]
) -> None:
    always = ["cpu", "memory", "throttling", "restarts", "oom_kills"]
    assert collector["families"] == [*always, *(family for family in FAMILIES if family != "service")]
    body = {"families": ["storage", "network"]}
    assert client.put(path(collector), body).expect(200)["families"] == [*always, "network", "storage"]
    assert isinstance(services.clock, SetClock)
    services.clock.moment += 600
    run(services, client.post(path(collector, "/run")).expect(202)["id"])

    health = client.get(path(collector, "/health")).expect(200)
    assert health["families"] == {"network": {"state": "collected", "samples": 8}, "storage": {"state": "absent", "samples": 0}}
    assert {family for family, start, _ in seen.cluster.measured if start >= seen.end} == {"network", "storage"}


def test_queries_of_a_collector_are_kept_and_shown(client: Client, collector: dict[str, Any]) -> None:
    query = {"namespace": "shop", "kind": "Deployment", "workload": "web", "metric": "latency_seconds", "query": "sum(up)"}
    assert client.put(path(collector), {"queries": [query]}).expect(200)["queries"] == [query]
    assert "service" in client.get(path(collector)).expect(200)["families"]

    for wrong, pointer in (
        (query | {"query": "sum(up", "metric": "queue_depth"}, "#/queries/1/query"),
        (query, "#/queries/1"),
        (query | {"metric": "mood"}, "#/queries/1/metric"),
    ):
        problem = client.put(path(collector), {"queries": [query, wrong]}).problem(422, "invalid-request")
        assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
    client.put(path(collector), {"queries": [query] * 51}).problem(422, "invalid-request")


def test_health_names_a_query_that_failed_and_goes_on_with_the_rest(
    client: Client, services: Services, seen: Collected, collector: dict[str, Any]
) -> None:
    common = {"namespace": "shop", "kind": "Deployment", "workload": "web"}
    queries = [common | {"metric": "queue_depth", "query": "level x"}, common | {"metric": "latency_seconds", "query": "bad"}]
    client.put(path(collector), {"queries": queries}).expect(200)
    assert isinstance(services.clock, SetClock)
    services.clock.moment += 600
    run(services, client.post(path(collector, "/run")).expect(202)["id"])

    health = client.get(path(collector, "/health")).expect(200)
    assert health["families"]["service"] == {"state": "collected", "samples": 2}
    assert health["errors"] == [
        {"code": "query_failed", "detail": "Prometheus refuses bad.", "subject": "latency_seconds of shop/Deployment/web, 1 answers"}
    ]
    history = client.get(
        f"/metrics/history/{seen.cluster_id}", query={"metric": "queue_depth", "group_by": "workload", "window": "10m", "step": "5m"}
    )
    moments = np.arange(seen.end, seen.end + 600, 300)
    assert history.expect(200)["series"][0]["values"] == list(level("level x", moments))
