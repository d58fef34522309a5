"""Ids of another tenant are as if they did not exist, and ids of another kind never reach a wrong record."""

from __future__ import annotations

from typing import Any

import pytest
from functional.client import Client

from upid.domain.ids import recommendation_id

CLUSTER: dict[str, Any] = {
    "name": "production", "server": "https://127.0.0.1:1", "token": "t", "metrics": {"kind": "prometheus", "url": "http://127.0.0.1:1"},
}  # fmt: skip


@pytest.fixture
def cluster_id(client: Client) -> str:
    """A cluster of the default tenant."""
    return str(client.post("/clusters", CLUSTER).expect(201)["id"])


@pytest.fixture
def stranger(client: Client) -> Client:
    """Somebody of another tenant who may do everything there."""
    client.services.identity.create_user("stranger", "a password", ["*"], tenant="other")
    return client.named("stranger")


def calls_of(cluster_id: str, collection_id: str) -> list[tuple[str, str, Any]]:
    return [
        ("GET", f"/clusters/{cluster_id}", None),
        ("PUT", f"/clusters/{cluster_id}", CLUSTER),
        ("DELETE", f"/clusters/{cluster_id}", None),
        ("POST", "/metrics/collect", {"cluster_id": cluster_id}),
        ("GET", f"/metrics/collect/{collection_id}", None),
        ("POST", "/optimization/analyze", {"cluster_id": cluster_id}),
        ("POST", "/optimization/deep-analysis", {"cluster_id": cluster_id}),
        ("POST", "/optimization/recommendations/generate", {"cluster_id": cluster_id}),
        ("GET", f"/optimization/analyze/{cluster_id}/summary", None),
        ("GET", f"/optimization/recommendations/{cluster_id}", None),
    ]


def test_what_belongs_to_another_tenant_is_not_there(client: Client, stranger: Client, cluster_id: str) -> None:
    collection_id = client.post("/metrics/collect", {"cluster_id": cluster_id}).expect(202)["id"]
    for method, path, body in calls_of(cluster_id, collection_id):
        assert stranger.send(method, path, body=body).problem(404, "not-found"), (method, path)
    assert client.get(f"/clusters/{cluster_id}").expect(200)["name"] == "production"


def test_lists_hold_nothing_of_another_tenant(client: Client, stranger: Client, cluster_id: str) -> None:
    assert stranger.get("/clusters").expect(200)["items"] == []
    assert stranger.get("/metrics/status").expect(200)["items"] == []
    assert stranger.get("/clusters", {"name": "production"}).expect(200)["items"] == []


def test_a_name_that_another_tenant_has_is_free(stranger: Client, cluster_id: str) -> None:
    assert stranger.post("/clusters", CLUSTER).expect(201)["id"] != cluster_id


def test_a_key_that_another_tenant_used_starts_something_new(client: Client, stranger: Client) -> None:
    first, second = (who.post("/clusters", CLUSTER, headers={"Idempotency-Key": "k"}).expect(201)["id"] for who in (client, stranger))
    assert first != second


def test_ids_of_another_kind_are_not_found(client: Client, cluster_id: str) -> None:
    collection_id = client.post("/metrics/collect", {"cluster_id": cluster_id}).expect(202)["id"]
    for method, path, body in calls_of(collection_id, cluster_id):
        assert client.send(method, path, body=body).status in {404, 422}, (method, path)


@pytest.mark.parametrize("analysis", ["an_01HZZZZZZZZZZZZZZZZZZZZZZZ", "an_00000000000000000000000000"])
@pytest.mark.parametrize("place", [(0, 0), (2**20 - 1, 2**20 - 1)])
def test_a_made_up_recommendation_is_not_found(client: Client, analysis: str, place: tuple[int, int]) -> None:
    identifier = recommendation_id(analysis, *place)
    assert client.get(f"/optimization/recommendations/{identifier}").problem(404, "not-found")
    assert client.put(f"/optimization/recommendations/{identifier}/status", {"review": "approved"}).problem(404, "not-found")
    assert client.post(f"/optimization/recommendations/{identifier}/simulate", {}).problem(404, "not-found")
