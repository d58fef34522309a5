"""Analyses and recommendations over the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from functional.client import Answer, Client
from worlds.analysis import CONTAINERS, SHOP, run
from worlds.collection import FakeCluster, FakeWorkflows, SetClock, World, inventory

from upid.bootstrap import Services

GROUP = "/optimization"


@pytest.fixture
def world(services: Services) -> World:
    """The platform with a cluster of six containers behind it, its workflows run by hand."""
    cluster, clock, workflows = FakeCluster(inventory(*SHOP)), SetClock(), FakeWorkflows()
    replaced = {"clock": clock, "kubernetes": cluster, "metrics_sources": cluster, "workflows": workflows}
    for name, port in replaced.items():
        setattr(services, name, port)
    return World(services, clock, cluster, workflows)


@pytest.fixture
def api(world: World, client: Client) -> Client:
    """A client of that platform."""
    return client


@pytest.fixture
def cluster_id(world: World) -> str:
    """The cluster, collected once."""
    found = world.register()
    assert world.collect(found)["status"] == "succeeded"
    return found


def analyzed(api: Client, world: World, cluster_id: str, path: str = "/analyze", **asked: Any) -> str:
    """Start an analysis over the API, do its tasks, and return its id."""
    world.clock.moment += 1
    analysis_id = str(api.post(f"{GROUP}{path}", {"cluster_id": cluster_id, **asked}).expect(202)["id"])
    run(world, analysis_id)
    return analysis_id


def listed(api: Client, cluster_id: str, **query: Any) -> Any:
    return api.get(f"{GROUP}/recommendations/{cluster_id}", query).expect(200)


def one(api: Client, cluster_id: str, **query: Any) -> Any:
    """A recommendation that changes something."""
    return listed(api, cluster_id, status="recommended", limit=1, **query)["items"][0]


class TestAnalyze:
    def test_answers_202_with_the_place_of_the_analysis(self, api: Client, cluster_id: str) -> None:
        answer = api.post(f"{GROUP}/analyze", {"cluster_id": cluster_id, "strategy": "max-savings"})
        body = answer.expect(202)

        assert answer.header("location") == f"/api/v1{GROUP}/analysis/{body['id']}"
        found = api.get(answer.header("location")).expect(200)
        assert found == body
        assert (body["status"], body["progress"], body["errors"], body["request"]["strategy"]) == ("queued", 0.0, [], "max-savings")

    def test_ends_with_the_totals_of_every_container(self, api: Client, world: World, cluster_id: str) -> None:
        found = api.get(f"{GROUP}/analysis/{analyzed(api, world, cluster_id)}").expect(200)

        totals = found["summary"]
        assert (found["status"], found["progress"], found["ended_at"] is None) == ("succeeded", 1.0, False)
        assert (totals["workloads"], totals["containers"]) == (len(SHOP), CONTAINERS)
        assert totals["recommended"] + totals["unchanged"] + totals["withheld"] == CONTAINERS
        assert sum(totals["withheld_by_code"].values()) == totals["withheld"]

    def test_of_a_cluster_that_was_not_collected_is_409(self, api: Client, world: World) -> None:
        assert api.post(f"{GROUP}/analyze", {"cluster_id": world.register()}).problem(409, "nothing-collected")["status"] == 409

    def test_of_no_cluster_is_404(self, api: Client, world: World) -> None:
        assert api.post(f"{GROUP}/analyze", {"cluster_id": "cl_" + "0" * 26}).problem(404, "not-found")["status"] == 404

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, "#/cluster_id"), ({"cluster_id": 7}, "#/cluster_id"), ({"cluster_id": "cl_1", "strategy": "bold"}, "#/strategy"),
            ({"cluster_id": "cl_1", "namespaces": "shop"}, "#/namespaces"), ({"cluster_id": "cl_1", "namespaces": [""]}, "#/namespaces/0"),
            ({"cluster_id": "cl_1", "allowed_time_above": 1.5}, "#/allowed_time_above"), ({"cluster_id": "cl_1", "nodes": []}, "#/nodes"),
            ({"cluster_id": "cl_1", "allowed_time_above": 0}, "#/allowed_time_above"),
        ],
    )  # fmt: skip
    def test_tells_what_is_wrong_with_a_request(self, api: Client, body: Any, pointer: str) -> None:
        problem = api.post(f"{GROUP}/analyze", body).problem(422, "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == [pointer]

    def test_with_the_same_idempotency_key_is_one_analysis(self, api: Client, world: World, cluster_id: str) -> None:
        first, second = (
            api.post(f"{GROUP}/analyze", {"cluster_id": cluster_id}, headers={"Idempotency-Key": "k"}).expect(202) for _ in range(2)
        )
        assert first["id"] == second["id"]

    def test_of_namespaces_names_those_that_are_not_there(self, api: Client, world: World, cluster_id: str) -> None:
        found = api.get(f"{GROUP}/analysis/{analyzed(api, world, cluster_id, namespaces=['data', 'gone'])}").expect(200)

        assert (found["status"], found["summary"]["containers"]) == ("partial", 1)
        assert [(error["code"], error["subject"]) for error in found["errors"]] == [("not_found", "gone")]


class TestBatch:
    @pytest.mark.parametrize("path", ["/analyze/batch", "/recommendations/bulk-generate"])
    def test_is_one_parent_of_an_analysis_each(self, api: Client, world: World, cluster_id: str, path: str) -> None:
        other = world.register("staging")
        world.collect(other)
        body = (
            {"cluster_ids": [cluster_id, other]} if "bulk" in path else {"requests": [{"cluster_id": each} for each in (cluster_id, other)]}
        )
        answer = api.post(f"{GROUP}{path}", body)
        parent = answer.expect(202)
        for part in parent["analyses"]:
            run(world, part["id"])

        found = api.get(answer.header("location")).expect(200)

        assert (found["kind"], found["status"], found["progress"]) == ("batch", "succeeded", 1.0)
        assert [part["cluster_id"] for part in found["analyses"]] == [cluster_id, other]
        assert [part["summary"]["containers"] for part in found["analyses"]] == [CONTAINERS, CONTAINERS]

    def test_of_nothing_or_too_much_is_422(self, api: Client) -> None:
        assert api.post(f"{GROUP}/analyze/batch", {"requests": []}).problem(422, "invalid-request")["status"] == 422
        assert (
            api.post(f"{GROUP}/recommendations/bulk-generate", {"cluster_ids": ["cl_1"] * 51}).problem(422, "invalid-request")["status"]
            == 422
        )


class TestDeepAnalysis:
    def test_has_exact_evidence_and_what_each_knob_would_give(self, api: Client, world: World, cluster_id: str) -> None:
        chosen = [{"namespace": "shop", "kind": "Deployment", "name": "api"}]
        analysis_id = analyzed(api, world, cluster_id, "/deep-analysis", workloads=chosen, compare=[0.001, 0.01, 0.1])

        found = api.get(f"{GROUP}/analysis/{analysis_id}").expect(200)

        assert (found["status"], found["summary"]["containers"]) == ("succeeded", 1)
        assert [each["allowed_time_above"] for each in found["trade_offs"]] == [0.001, 0.01, 0.1]
        requests = [each["cpu_request_cores"] for each in found["trade_offs"]]
        assert requests == sorted(requests, reverse=True)
        assert any(each["on_frontier"] for each in found["trade_offs"])
        (entry,) = listed(api, cluster_id, analysis_id=analysis_id)["items"]
        assert (entry["name"], entry["evidence"]["source"]) == ("api", "samples")

    def test_of_some_workloads_leaves_the_clusters_latest_as_it_is(self, api: Client, world: World, cluster_id: str) -> None:
        whole = analyzed(api, world, cluster_id)
        analyzed(api, world, cluster_id, "/deep-analysis", workloads=[{"namespace": "data", "kind": "StatefulSet", "name": "db"}])

        assert api.get(f"{GROUP}/analyze/{cluster_id}/summary").expect(200)["analysis_id"] == whole

    def test_names_a_workload_that_is_not_there(self, api: Client, world: World, cluster_id: str) -> None:
        gone = {"namespace": "shop", "kind": "StatefulSet", "name": "api"}
        found = api.get(f"{GROUP}/analysis/{analyzed(api, world, cluster_id, '/deep-analysis', workloads=[gone])}").expect(200)

        assert (found["status"], found["summary"]["containers"]) == ("partial", 0)
        assert [error["subject"] for error in found["errors"]] == ["shop/StatefulSet/api"]


class TestSummary:
    def test_is_that_of_the_latest_analysis(self, api: Client, world: World, cluster_id: str) -> None:
        analyzed(api, world, cluster_id)
        latest = analyzed(api, world, cluster_id, strategy="max-savings")

        body = api.get(f"{GROUP}/analyze/{cluster_id}/summary").expect(200)
        assert {"recommended", "advised", "savings_usd_per_month"} <= set(body["scaling"])
        assert body["storage"]["claims"] == 0
        assert body["total_savings_usd_per_month"] == pytest.approx(
            body["savings_usd_per_month"] + body["scaling"]["savings_usd_per_month"]
        )

        assert (body["cluster_id"], body["analysis_id"], body["status"], body["containers"]) == (
            cluster_id,
            latest,
            "succeeded",
            CONTAINERS,
        )
        assert body["savings_usd_per_month"] >= sum(each["savings_usd_per_month"] for each in body["top_savings"][:1])

    def test_before_the_first_analysis_is_404(self, api: Client, cluster_id: str) -> None:
        assert api.get(f"{GROUP}/analyze/{cluster_id}/summary").problem(404, "not-analyzed")["status"] == 404


class TestRecommendations:
    def test_lists_every_container_once(self, api: Client, world: World, cluster_id: str) -> None:
        analysis_id = analyzed(api, world, cluster_id)

        items = listed(api, cluster_id, sort="name")["items"]

        expected = sorted((w.namespace, w.name, w.kind, c.name) for w in SHOP for c in w.containers)
        assert [(each["namespace"], each["name"], each["kind"], each["container"]) for each in items] == expected
        assert {each["analysis_id"] for each in items} == {analysis_id}
        assert {each["cluster_id"] for each in items} == {cluster_id}
        assert {each["review"] for each in items} == {"open"}

    def test_reads_one_by_its_id_as_the_list_has_it(self, api: Client, world: World, cluster_id: str) -> None:
        analyzed(api, world, cluster_id)

        for item in listed(api, cluster_id)["items"]:
            answer = api.get(f"{GROUP}/recommendations/{item['id']}")
            assert answer.expect(200) == item
            assert answer.header("etag")

    def test_has_the_members_that_the_document_tells(self, api: Client, world: World, cluster_id: str) -> None:
        analyzed(api, world, cluster_id)
        schemas = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text("utf-8"))["components"]["schemas"]
        told = {name: set(schemas[name]["properties"]) for name in ("RecommendationOut", "EvidenceOut", "ScalingOut", "RiskOut")}

        for item in listed(api, cluster_id)["items"]:
            assert set(item) >= {"role", "current", "recommended", "evidence", "reasons", "rules", "storage", "scaling"}
            assert set(item) <= told["RecommendationOut"]
            assert set(item["evidence"]) >= told["EvidenceOut"]
            assert (set(item["scaling"]), set(item["risk"])) == (told["ScalingOut"], told["RiskOut"])

    def test_are_listed_by_what_changes(self, api: Client, world: World, cluster_id: str) -> None:
        analyzed(api, world, cluster_id)

        # Nothing here has an autoscaler or a volume.
        found = {
            what: [item["status"] for item in listed(api, cluster_id, changes=what)["items"]] for what in ("requests", "scaling", "storage")
        }

        assert set(found["requests"]) == {"recommended"}
        assert (found["scaling"], found["storage"]) == ([], [])

    def test_shows_only_the_fields_asked_for(self, api: Client, world: World, cluster_id: str) -> None:
        analyzed(api, world, cluster_id)

        items = listed(api, cluster_id, fields="name,savings_usd_per_month")["items"]

        assert {tuple(each) for each in items} == {("id", "name", "savings_usd_per_month")}
        assert api.get(f"{GROUP}/recommendations/{cluster_id}", {"fields": "password"}).problem(422, "invalid-request")["status"] == 422

    @pytest.mark.parametrize("identifier", ["rec_", "rec_" + "0" * 34, "cl_" + "0" * 26, "nonsense", "%2e%2e", "rec_" + "Z" * 34])
    def test_what_is_not_there_is_404(self, api: Client, identifier: str) -> None:
        assert api.get(f"{GROUP}/recommendations/{identifier}").problem(404, "not-found")["status"] == 404

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [({"limit": 0}, "?limit"), ({"limit": 5000}, "?limit"), ({"sort": "price"}, "?sort"), ({"status": "fine"}, "?status"), ({"changes": "all"}, "?changes"), ({"page": 2}, "?page"),
         ({"min_savings": "much"}, "?min_savings"), ({"min_savings": "nan"}, "?min_savings"), ({"cursor": "%%%"}, "?cursor"), ({"cursor": "aGVsbG8"}, "?cursor")],
    )  # fmt: skip
    def test_tells_what_is_wrong_with_a_query(self, api: Client, world: World, cluster_id: str, query: Any, pointer: str) -> None:
        analyzed(api, world, cluster_id)
        problem = api.get(f"{GROUP}/recommendations/{cluster_id}", query).problem(422, "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == [pointer]

    def test_before_the_first_analysis_is_404(self, api: Client, cluster_id: str) -> None:
        assert api.get(f"{GROUP}/recommendations/{cluster_id}").problem(404, "not-analyzed")["status"] == 404


class TestReview:
    def test_is_kept_with_comment_and_reviewer(self, api: Client, world: World, cluster_id: str) -> None:
        analyzed(api, world, cluster_id)
        found = one(api, cluster_id)

        body = api.put(f"{GROUP}/recommendations/{found['id']}/status", {"review": "approved", "comment": "Looks right."}).expect(200)

        assert (body["review"], body["review_comment"], body["reviewed_by"]) == ("approved", "Looks right.", "admin")
        assert {k: v for k, v in body.items() if "review" not in k} == {k: v for k, v in found.items() if "review" not in k}
        assert api.get(f"{GROUP}/recommendations/{found['id']}").expect(200) == body
        assert [each["id"] for each in listed(api, cluster_id, review="approved")["items"]] == [found["id"]]

    def test_that_may_not_follow_is_409(self, api: Client, world: World, cluster_id: str) -> None:
        analyzed(api, world, cluster_id)
        path = f"{GROUP}/recommendations/{one(api, cluster_id)['id']}/status"

        assert api.put(path, {"review": "applied"}).problem(409, "transition")["review"] == "open"

    def test_needs_the_tag_that_was_read_where_one_is_sent(self, api: Client, world: World, cluster_id: str) -> None:
        analyzed(api, world, cluster_id)
        path = f"{GROUP}/recommendations/{one(api, cluster_id)['id']}"
        tag = api.get(path).header("etag")
        answer = api.put(f"{path}/status", {"review": "rejected"}, headers={"If-Match": tag})
        answer.expect(200)

        assert api.put(f"{path}/status", {"review": "open"}, headers={"If-Match": tag}).problem(412, "version-conflict")["status"] == 412
        api.put(f"{path}/status", {"review": "open"}, headers={"If-Match": answer.header("etag")}).expect(200)

    def test_of_no_change_cannot_be_approved(self, api: Client, world: World) -> None:
        cluster_id = world.register("young")
        world.collect(cluster_id, history_seconds=600)
        analyzed(api, world, cluster_id)
        found = listed(api, cluster_id, status="withheld")["items"][0]

        answer = api.put(f"{GROUP}/recommendations/{found['id']}/status", {"review": "approved"})

        assert answer.problem(409, "nothing-to-approve")["detail"] == "This one is withheld: there is no change to approve."

    @pytest.mark.parametrize(
        "body", [{}, {"review": "fine"}, {"review": "open", "comment": "x" * 2001}, {"review": "open", "by": "me"}, [1]]
    )
    def test_that_is_none_is_422(self, api: Client, world: World, cluster_id: str, body: Any) -> None:
        analyzed(api, world, cluster_id)
        assert (
            api.put(f"{GROUP}/recommendations/{one(api, cluster_id)['id']}/status", body).problem(422, "invalid-request")["status"] == 422
        )


class TestSimulate:
    def test_counts_current_recommended_and_asked_values_alike(self, api: Client, world: World, cluster_id: str) -> None:
        analyzed(api, world, cluster_id)
        found = one(api, cluster_id)

        body = api.post(f"{GROUP}/recommendations/{found['id']}/simulate", {"cpu_request_cores": 0.0001, "memory_limit_bytes": 1.0}).expect(
            200
        )

        assert (body["source"], body["current"]["values"], body["recommended"]["values"]) == (
            "history",
            found["current"],
            found["recommended"],
        )
        assert body["simulated"]["values"] == found["current"] | {"cpu_request_cores": 0.0001, "memory_limit_bytes": 1.0}
        assert (body["simulated"]["cpu_time_above_request"], body["simulated"]["memory_time_above_limit"]) == (1.0, 1.0)
        assert body["simulated"]["oom_kills"] == body["pods"] == found["replicas"]
        assert body["recommended"]["savings_usd_per_month"] == pytest.approx(found["savings_usd_per_month"], rel=1e-6)
        assert body["current"]["savings_usd_per_month"] == 0

    @pytest.mark.parametrize("body", [{"cpu_request_cores": -1}, {"memory_limit_bytes": "1Gi"}, {"cpu": 1}, {"cpu_limit_cores": 1e300}])
    def test_tells_what_is_wrong_with_values(self, api: Client, world: World, cluster_id: str, body: Any) -> None:
        analyzed(api, world, cluster_id)
        assert (
            api.post(f"{GROUP}/recommendations/{one(api, cluster_id)['id']}/simulate", body).problem(422, "invalid-request")["status"]
            == 422
        )


ROUTES = (
    ("POST", "/analyze"), ("POST", "/analyze/batch"), ("POST", "/deep-analysis"), ("GET", "/analysis/an_1"), ("GET", "/analyze/cl_1/summary"),
    ("POST", "/recommendations/generate"), ("POST", "/recommendations/bulk-generate"), ("GET", "/recommendations/cl_1"),
    ("PUT", "/recommendations/rec_1/status"), ("POST", "/recommendations/rec_1/simulate"),
)  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_needs_a_caller_with_its_permission(api: Client, method: str, path: str) -> None:
    def send(client: Client) -> Answer:
        return client.send(method, f"{GROUP}{path}", body={} if method != "GET" else None)

    assert send(api.anonymous()).problem(401, "unauthenticated")["status"] == 401
    assert send(api.as_user("clusters:read")).problem(403, "forbidden")["permission"] in {
        f"{noun}:{verb}" for noun in ("analyses", "recommendations") for verb in ("read", "write")
    }


def test_generate_makes_the_recommendations_anew(api: Client, world: World, cluster_id: str) -> None:
    first = analyzed(api, world, cluster_id)
    old = listed(api, cluster_id)["items"][0]
    second = analyzed(api, world, cluster_id, "/recommendations/generate", strategy="development")

    assert {each["analysis_id"] for each in listed(api, cluster_id)["items"]} == {second}
    assert {each["review"] for each in listed(api, cluster_id, analysis_id=first)["items"]} == {"superseded"}
    answer = api.put(f"{GROUP}/recommendations/{old['id']}/status", {"review": "approved"})
    assert answer.problem(409, "transition")["review"] == "superseded"
