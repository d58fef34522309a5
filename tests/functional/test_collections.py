"""Collections over HTTP: started with 202, read until they ended. The workflow's tasks are done by hand here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from functional.client import Client
from functional.test_clusters import told
from worlds.collection import FakeCluster, SetClock, inventory, workload

from upid.bootstrap import Services


@pytest.fixture
def cluster(services: Services) -> FakeCluster:
    """The cluster behind every access, so that nothing is reached over the network."""
    fake = FakeCluster(inventory(workload("shop", "web", replicas=2), workload("bank", "ledger")))
    for name, port in {"kubernetes": fake, "metrics_sources": fake}.items():
        setattr(services, name, port)
    return fake


@pytest.fixture
def cluster_id(cluster: FakeCluster, client: Client) -> str:
    return str(client.post("/clusters", told()).expect(201)["id"])


def run(services: Services, collection_id: str) -> None:
    """Do the tasks of a collection as its state machine does."""
    plan = services.collecting.plan("default", collection_id)
    collected = [services.collecting.collect("default", collection_id, item) for item in plan["items"]]
    folded = [services.collecting.fold("default", collection_id, shard) for shard in plan["shards"]]
    services.completing.complete("default", collection_id, collected, folded)


def test_a_collection_is_202_with_a_location_that_answers(client: Client, cluster_id: str) -> None:
    answer = client.post("/metrics/collect", {"cluster_id": cluster_id, "history": "2h"})

    body = answer.expect(202)
    assert answer.header("location") == f"/api/v1/metrics/collect/{body['id']}"
    assert client.get(answer.header("location")).expect(200) == body
    assert (body["status"], body["progress"], body["errors"], body["result"]) == ("queued", 0.0, [], None)
    assert body["request"] == {"cluster_id": cluster_id, "history_seconds": 7200, "step_seconds": 300}


def test_a_collection_that_ended_tells_its_figures(client: Client, services: Services, cluster_id: str) -> None:
    collection_id = client.post("/metrics/collect", {"cluster_id": cluster_id, "history": "2h"}).expect(202)["id"]

    run(services, collection_id)

    body = client.get(f"/metrics/collect/{collection_id}").expect(200)
    assert (body["status"], body["progress"]) == ("succeeded", 1.0)
    # 3 pods of a container, 24 steps, CPU and memory.
    assert (body["result"]["samples"], body["result"]["series"], body["result"]["containers"]) == (144, 3, 2)
    assert client.get(f"/clusters/{cluster_id}").expect(200)["watermark"] == body["result"]["watermark"]


def test_status_lists_every_cluster_by_pages(client: Client, services: Services, cluster_id: str) -> None:
    other = client.post("/clusters", told(name="other")).expect(201)["id"]
    run(services, client.post("/metrics/collect", {"cluster_id": cluster_id}).expect(202)["id"])

    first = client.get("/metrics/status", query={"limit": 1}).expect(200)
    second = client.get("/metrics/status", query={"limit": 1, "cursor": first["next_cursor"]}).expect(200)

    assert [(row["cluster_id"], row["status"]) for row in first["items"] + second["items"]] == [(cluster_id, "succeeded"), (other, None)]
    assert 0 <= first["items"][0]["lag_seconds"] < 600
    assert client.get("/metrics/status", query={"cluster_id": other}).expect(200)["items"] == second["items"]
    client.get("/metrics/status", query={"cluster_id": "cl_none"}).problem(404, "not-found")


def test_asking_twice_gives_the_running_collection_or_a_409_that_names_it(client: Client, cluster_id: str) -> None:
    first = client.post("/metrics/collect", {"cluster_id": cluster_id}).expect(202)

    assert client.post("/metrics/collect", {"cluster_id": cluster_id}).expect(202)["id"] == first["id"]
    problem = client.post("/metrics/collect", {"cluster_id": cluster_id, "history": "36h"}).problem(409, "collection-running")
    assert problem["collection_id"] == first["id"]


def test_another_step_than_the_clusters_is_409(client: Client, services: Services, cluster_id: str) -> None:
    run(services, client.post("/metrics/collect", {"cluster_id": cluster_id, "history": "2h"}).expect(202)["id"])

    assert (
        client.post("/metrics/collect", {"cluster_id": cluster_id, "step_seconds": 60}).problem(409, "step-conflict")["step_seconds"] == 300
    )


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"history": "a week"}, "#/history"), ({"history": "94d"}, "#/history"), ({"history": "1m"}, "#/history"), ({"history": 7}, "#/history"),
        ({"step_seconds": 0}, "#/step_seconds"), ({"step_seconds": -300}, "#/step_seconds"), ({"step_seconds": 301}, "#/step_seconds"),
        ({"step_seconds": "5m"}, "#/step_seconds"), ({"tenant": "other"}, "#/tenant"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_422_with_a_pointer(client: Client, cluster_id: str, asked: dict[str, Any], wrong: str) -> None:
    problem = client.post("/metrics/collect", {"cluster_id": cluster_id, **asked}).problem(422, "invalid-request")

    assert [fault["pointer"] for fault in problem["errors"]] == [wrong]


@pytest.mark.parametrize("cluster_id", ["cl_01HZZZZZZZZZZZZZZZZZZZZZZZ", "nobody", "../../x", "col_01HZZZZZZZZZZZZZZZZZZZZZZZ"])
def test_a_cluster_that_is_not_there_is_404(client: Client, cluster_id: str) -> None:
    assert client.post("/metrics/collect", {"cluster_id": cluster_id}).problem(404, "not-found")["id"] == cluster_id


def test_the_same_key_starts_one_collection(client: Client, services: Services, cluster_id: str) -> None:
    asked = {"cluster_id": cluster_id, "history": "2h"}
    first = client.post("/metrics/collect", asked, headers={"Idempotency-Key": "k"}).expect(202)["id"]
    run(services, first)

    assert client.post("/metrics/collect", asked, headers={"Idempotency-Key": "k"}).expect(202)["id"] == first


def test_deleting_a_cluster_removes_all_that_was_collected(client: Client, services: Services, cluster_id: str, tmp_path: Path) -> None:
    collection_id = client.post("/metrics/collect", {"cluster_id": cluster_id, "history": "2h"}).expect(202)["id"]
    run(services, collection_id)

    client.delete(f"/clusters/{cluster_id}").expect(204)

    assert list(services.blobs.names("t/")) == []
    assert client.get(f"/metrics/collect/{collection_id}").expect(200)["status"] == "succeeded"
    client.get("/metrics/status", query={"cluster_id": cluster_id}).problem(404, "not-found")


def test_lag_is_counted_from_the_watermark(services: Services, cluster: FakeCluster, client: Client) -> None:
    services.clock = clock = SetClock(services.clock.now() // 300 * 300)  # near the clock that the records expire by
    cluster_id = client.post("/clusters", told()).expect(201)["id"]
    run(services, client.post("/metrics/collect", {"cluster_id": cluster_id, "history": "2h"}).expect(202)["id"])
    clock.moment += 61.5

    assert client.get("/metrics/status").expect(200)["items"][0]["lag_seconds"] == 61.5
