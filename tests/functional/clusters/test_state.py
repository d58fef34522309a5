"""How clusters stand, over HTTP: validated item by item, their health, status and metrics."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from functional.client import Client
from functional.clusters.conftest import every
from outside.serving import Reply, Request, serving

from upid.bootstrap import Services
from upid.demo.server import KUBERNETES, PROMETHEUS, DemoServer


def outcomes(body: dict[str, Any]) -> dict[str, str]:
    return {check["check"]: check["outcome"] for check in body["checks"]}


def register(client: Client, server: str, demo: DemoServer, token: str = "demo-token", metrics: str = PROMETHEUS) -> str:
    body = {"name": server, "server": server, "token": token, "metrics": {"kind": "prometheus", "url": f"{demo.url}{metrics}"}}
    return str(client.post("/clusters", body).expect(201)["id"])


def test_a_cluster_is_validated_item_by_item(client: Client, registered: str) -> None:
    body = client.post(f"/clusters/{registered}/validate").expect(200)

    found = outcomes(body)
    assert (body["usable"], body["can_apply"]) == (True, True)
    assert {name: found[name] for name in ("reachable", "tls", "version", "metrics", "in_place_resize")} == {
        "reachable": "passed", "tls": "warning", "version": "passed", "metrics": "passed", "in_place_resize": "warning",
    }  # fmt: skip
    assert found["permission:list pods"] == found["permission:patch deployments.apps"] == "passed"
    assert found["permission:patch pods/resize"] == "warning"
    assert all(check["remedy"] for check in body["checks"] if check["outcome"] in {"warning", "failed"})


def test_the_manifests_allow_what_is_checked_and_no_more(client: Client, registered: str) -> None:
    body = client.post(f"/clusters/{registered}/validate").expect(200)

    for name, manifest in body["manifests"].items():
        role = next(part for part in yaml.safe_load_all(manifest) if part["kind"] == "ClusterRole")
        allowed = {(g, r, v) for rule in role["rules"] for g in rule["apiGroups"] for r in rule["resources"] for v in rule["verbs"]}
        checked = {check["check"].removeprefix("permission:") for check in body["checks"] if check["check"].startswith("permission:")}
        named = {f"{v} {r}.{g}".rstrip(".") for g, r, v in allowed if v != "get"}
        assert named == {check for check in checked - {"list secrets"} if name == "with_apply" or check.startswith("list")}
        assert not [resource for _, resource, _ in allowed if resource in {"secrets", "*"}]
        assert {v for _, _, v in allowed} == ({"get", "list", "patch"} if name == "with_apply" else {"list"})


def test_a_cluster_that_is_not_there_is_told_and_the_rest_skipped(client: Client, demo: DemoServer) -> None:
    cluster_id = register(client, "http://127.0.0.1:9", demo)

    body = client.post(f"/clusters/{cluster_id}/validate").expect(200)

    assert outcomes(body)["reachable"] == "failed"
    assert outcomes(body)["permissions"] == "skipped"
    assert outcomes(body)["metrics"] == "passed"
    assert (body["usable"], body["can_apply"]) == (False, False)


def test_refused_credentials_and_a_missing_source_are_told(client: Client, demo: DemoServer) -> None:
    cluster_id = register(client, f"{demo.url}{KUBERNETES}", demo, token="stale", metrics="/elsewhere")

    body = client.post(f"/clusters/{cluster_id}/validate").expect(200)

    assert (outcomes(body)["reachable"], outcomes(body)["metrics"], body["usable"]) == ("failed", "failed", False)
    assert "credentials" in body["checks"][0]["detail"]


def refusing(request: Request) -> Reply:
    """An API server of a later version that allows listing pods alone."""
    if request.path == "/version":
        return Reply({"gitVersion": "v1.34.1"})
    if request.path == "/api/v1":
        return Reply({"kind": "APIResourceList", "resources": [{"name": "pods"}, {"name": "pods/resize"}]})
    if request.path.endswith("/selfsubjectaccessreviews"):
        wanted = request.json["spec"]["resourceAttributes"]
        return Reply({"status": {"allowed": (wanted["verb"], wanted["resource"]) == ("list", "pods")}}, 201)
    return Reply({"kind": "Status", "message": "pods is forbidden"}, 403)


def test_what_is_not_allowed_fails_where_it_is_needed_and_warns_elsewhere(client: Client, demo: DemoServer) -> None:
    with serving(refusing) as url:
        body = client.post(f"/clusters/{register(client, url, demo)}/validate").expect(200)

    found = outcomes(body)
    assert (found["permission:list pods"], found["permission:list nodes"], found["permission:list services"]) == (
        "passed",
        "failed",
        "warning",
    )
    assert (found["in_place_resize"], body["usable"], body["can_apply"]) == ("passed", False, False)


def test_what_the_cluster_refuses_is_no_refusal_of_the_caller(client: Client, demo: DemoServer) -> None:
    with serving(refusing) as url:
        forbidden = client.get(f"/clusters/{register(client, url, demo)}/pods", query={"live": "true"})
    stale = register(client, f"{demo.url}{KUBERNETES}", demo, token="stale")

    assert "pods is forbidden" in forbidden.problem(503, "access-refused")["detail"]
    client.get(f"/clusters/{stale}/pods", query={"live": "true"}).problem(503, "access-refused")
    client.get(f"/clusters/{stale}/status", query={"live": "true"}).problem(503, "access-refused")


def test_status_tells_what_was_seen_and_how_collection_stands(client: Client, observed: str) -> None:
    body = client.get(f"/clusters/{observed}/status").expect(200)

    assert (body["server_version"], body["source"], body["unreadable"]) == ("v1.31.2-eks-demo", "snapshot", [])
    assert body["counts"]["pods"] == len(every(client, f"/clusters/{observed}/pods"))
    assert body["collection"]["status"] == "running"
    assert client.get(f"/clusters/{observed}/status", query={"live": "true"}).expect(200)["age_seconds"] == 0


def test_health_is_that_of_the_worst_part(client: Client, observed: str, demo: DemoServer) -> None:
    body = client.get(f"/clusters/{observed}/health").expect(200)
    live = client.get(f"/clusters/{observed}/health", query={"live": "true"}).expect(200)
    dead = client.get(f"/clusters/{register(client, 'http://127.0.0.1:9', demo)}/health", query={"live": "true"}).expect(200)

    states = {part["name"]: part["state"] for part in body["parts"]}
    assert states == {
        "kubernetes": "healthy",
        "metrics": "healthy",
        "collection": "unknown",
        "nodes": "healthy",
        "pods": "healthy",
        "history": "healthy",
    }
    assert (body["state"], live["state"], body["circuits"]) == ("unknown", "unknown", [])
    assert (dead["state"], dead["parts"][0]["state"]) == ("unhealthy", "unhealthy")


@pytest.mark.parametrize("live", ["false", "true"])
def test_health_tells_why_the_last_collection_failed(client: Client, services: Services, registered: str, live: str) -> None:
    collection = client.post("/metrics/collect", {"cluster_id": registered}).expect(202)["id"]
    services.completing.fail("default", "collections", collection, {"Error": "NoAnswerError", "Cause": "The API server cannot be reached."})

    body = client.get(f"/clusters/{registered}/health", query={"live": live}).expect(200)

    part = next(part for part in body["parts"] if part["name"] == "collection")
    assert (body["state"], part["state"]) == ("unhealthy", "unhealthy")
    assert part["detail"] == "The last collection failed: The API server cannot be reached."


@pytest.mark.parametrize("mode", [{}, {"live": "true"}], ids=["snapshot", "live"])
def test_metrics_add_up_what_nodes_give_and_pods_ask_for(client: Client, observed: str, mode: dict[str, str]) -> None:
    body = client.get(f"/clusters/{observed}/metrics", query=mode).expect(200)

    nodes, pods = (every(client, f"/clusters/{observed}/{kind}", **mode) for kind in ("nodes", "pods"))
    asked = [pod["memory_request_bytes"] or 0 for pod in pods if pod["phase"] == "Running"]
    assert body["nodes"] == len(nodes)
    assert body["cpu"]["allocatable"] == pytest.approx(sum(node["cpu_cores"] for node in nodes))
    assert body["memory"]["requested"] == pytest.approx(sum(asked))
    assert body["memory"]["requested"] == pytest.approx(sum(part["memory_request_bytes"] for part in body["namespaces"]))
    assert 0 < body["cpu"]["used"] < body["cpu"]["allocatable"]


def test_metrics_wait_for_the_first_collection(client: Client, registered: str) -> None:
    assert client.get(f"/clusters/{registered}/metrics").problem(409, "not-observed")["id"] == registered


@pytest.mark.parametrize("what", ["health", "status", "metrics"])
def test_a_caller_needs_the_permission_and_the_cluster(client: Client, observed: str, what: str) -> None:
    client.anonymous().get(f"/clusters/{observed}/{what}").problem(401, "unauthenticated")
    client.as_user("clusters:write").get(f"/clusters/{observed}/{what}").problem(403, "forbidden")
    client.get(f"/clusters/cl_nobodys/{what}").problem(404, "not-found")
    client.get(f"/clusters/{observed}/{what}", query={"live": 7}).problem(422, "invalid-request")
    assert client.as_user("clusters:read").get(f"/clusters/{observed}/{what}").expect(200)


def test_validating_needs_the_permission_to_write(client: Client, observed: str) -> None:
    assert client.as_user("clusters:read").post(f"/clusters/{observed}/validate").problem(403, "forbidden")
    assert client.post("/clusters/cl_nobodys/validate").problem(404, "not-found")
