"""Aggregations over HTTP: stored with 202, computed by their state machine, read until their cluster goes."""

from __future__ import annotations

from typing import Any

import pytest
from functional.client import Client
from functional.collected import Collected, collected
from functional.test_clusters import told
from worlds.collection import MALLORY, SetClock

from upid.bootstrap import Services
from upid.domain.errors import NotFoundError


@pytest.fixture
def seen(client: Client, services: Services) -> Collected:
    return collected(client, services, history="6h")


def asked(seen: Collected, **more: Any) -> dict[str, Any]:
    return {"cluster_id": seen.cluster_id, "window": "6h", "step": "1h", "aggregation": "p95", "group_by": ["workload"], **more}


def test_an_aggregation_is_202_with_a_location_that_answers(client: Client, seen: Collected) -> None:
    answer = client.post("/metrics/aggregate", asked(seen))

    body = answer.expect(202)
    assert answer.header("location") == f"/api/v1/metrics/aggregate/{body['id']}"
    assert client.get(answer.header("location")).expect(200) == body
    assert (body["status"], body["progress"], body["result"], body["cluster_id"]) == ("queued", 0.0, None, seen.cluster_id)


def test_its_answer_is_that_of_the_query_when_it_was_asked(client: Client, services: Services, seen: Collected) -> None:
    expected = client.post("/metrics/history/query", asked(seen)).expect(200)
    made = client.post("/metrics/aggregate", asked(seen)).expect(202)["id"]
    assert isinstance(services.clock, SetClock)
    services.clock.moment += 1800

    for _ in range(2):
        assert services.aggregations.compute("default", made) == {"status": "succeeded"}

    body = client.get(f"/metrics/aggregate/{made}").expect(200)
    assert (body["status"], body["progress"], body["errors"]) == ("succeeded", 1.0, [])
    assert body["result"] == expected


def test_the_workflow_is_started_once_and_its_failure_is_told(client: Client, services: Services, seen: Collected) -> None:
    made = client.post("/metrics/aggregate", asked(seen)).expect(202)["id"]
    assert services.workflows.describe("aggregate-usage", made).status == "RUNNING"

    services.completing.fail("default", "aggregations", made, {"Error": "DamagedChunkError", "Cause": "The stored usage is damaged."})

    body = client.get(f"/metrics/aggregate/{made}").expect(200)
    assert (body["status"], body["result"]) == ("failed", None)
    assert body["errors"] == [{"code": "DamagedChunkError", "detail": "The stored usage is damaged.", "subject": ""}]
    assert services.aggregations.compute("default", made) == {"status": "failed"}


def test_an_answer_goes_with_its_cluster(client: Client, services: Services, seen: Collected) -> None:
    made = client.post("/metrics/aggregate", asked(seen)).expect(202)["id"]
    late = client.post("/metrics/aggregate", asked(seen)).expect(202)["id"]
    services.aggregations.compute("default", made)
    client.delete(f"/clusters/{seen.cluster_id}").expect(204)

    with pytest.raises(NotFoundError):
        services.aggregations.compute("default", late)
    client.get(f"/metrics/aggregate/{made}").problem(404, "not-found")
    assert list(services.blobs.names("t/")) == []


def test_another_tenant_does_not_see_it(client: Client, services: Services, seen: Collected) -> None:
    made = client.post("/metrics/aggregate", asked(seen)).expect(202)["id"]

    with pytest.raises(NotFoundError):
        services.aggregations.view(MALLORY.tenant, made)


def test_what_cannot_be_computed_is_refused_at_once(client: Client, seen: Collected) -> None:
    new = client.post("/clusters", told(name="new")).expect(201)["id"]

    assert client.post("/metrics/aggregate", asked(seen, step="7m")).problem(422, "invalid-request")["errors"][0]["pointer"] == "#/step"
    assert client.post("/metrics/aggregate", asked(seen, aggregation="avg")).problem(422, "invalid-request")
    assert client.post("/metrics/aggregate", asked(seen, cluster_id=new)).problem(409, "nothing-collected")
    assert client.post("/metrics/aggregate", asked(seen, cluster_id="cl_none")).problem(404, "not-found")
