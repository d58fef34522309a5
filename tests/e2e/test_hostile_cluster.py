"""Clusters that fail under the running platform: every collection ends, says what was wrong, and takes nothing away that was there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from outside.cluster import APPS, TOKEN, Cluster, container, refusal
from outside.metrics import Metrics
from outside.serving import Reply, Request, serving

from upid.bootstrap import build_services
from upid.runtime.server import PlatformServer

PASSWORD = "an admin's password"
HTML = Reply(b"<html>log in</html>", 200, {"Content-Type": "text/html"})
ENDED = {"succeeded", "partial", "failed", "cancelled"}
WAIT_SECONDS = 60.0


class Api:
    """The platform's API over HTTP."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v1"
        self._pool = urllib3.PoolManager(retries=False, timeout=30)
        self._headers: dict[str, str] = {}
        grant = self.call("POST", "/auth/login", {"username": "admin", "password": PASSWORD})
        self._headers = {"authorization": f"Bearer {grant['access_token']}"}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._pool.request(method, self._url + path, json=body, headers={"content-type": "application/json"} | self._headers)
        assert answer.status < 300, answer.data
        return answer.json()

    def cluster(self, name: str, server: str, prometheus: str, token: str = TOKEN) -> str:
        body = {"name": name, "server": server, "token": token, "metrics": {"kind": "prometheus", "url": prometheus}}
        return str(self.call("POST", "/clusters", body)["id"])

    def ended(self, path: str, body: Any) -> Any:
        """Start a piece of work and return it when it has ended."""
        place = {"/metrics/collect": "/metrics/collect", "/optimization/analyze": "/optimization/analysis"}[path]
        work, deadline = self.call("POST", path, body), time.monotonic() + WAIT_SECONDS
        while work["status"] not in ENDED:
            assert time.monotonic() < deadline, work
            time.sleep(0.05)
            work = self.call("GET", f"{place}/{work['id']}")
        return work

    def collect(self, cluster_id: str) -> Any:
        return self.ended("/metrics/collect", {"cluster_id": cluster_id, "history": "1d", "step_seconds": 900})

    def recommendations(self, cluster_id: str) -> list[dict[str, Any]]:
        return list(self.call("GET", f"/optimization/recommendations/{cluster_id}")["items"])


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A running platform with one worker."""
    home = tmp_path_factory.mktemp("platform")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "UPID_HOME": str(home),
            "PORT": "0",
            "UPID_SCHEDULES": "off",
            "UPID_WORKERS": "1",
            "UPID_ADMIN_PASSWORD": PASSWORD,
        }.items():
            patch.setenv(name, value)
        build_services.cache_clear()
        with PlatformServer(build_services().settings) as server:
            yield Api(server.url)
        build_services.cache_clear()


class Town:
    """A cluster with a Deployment in each of two namespaces, and its metrics."""

    def __init__(self) -> None:
        self.cluster = Cluster().namespace("shop", "bank")
        self.metrics = Metrics()
        for namespace in ("shop", "bank"):
            self.cluster.deployment(namespace, "web", [container(cpu="4", memory="8Gi")], pods=[f"{namespace}-web-1"])
            self.metrics.usage(namespace, f"{namespace}-web-1", "app", lambda _: 0.2, lambda _: 2.0**30)


@pytest.fixture
def town() -> Town:
    return Town()


def test_a_cluster_that_is_well_is_collected_and_analyzed(api: Api, town: Town) -> None:
    with serving(town.cluster.answer) as server, serving(town.metrics.answer) as prometheus:
        cluster_id = api.cluster("well", server, prometheus)
        work = api.collect(cluster_id)
        assert (work["status"], work["errors"], work["progress"]) == ("succeeded", [], 1.0)
        assert api.ended("/optimization/analyze", {"cluster_id": cluster_id})["status"] == "succeeded"
    found = {(e["namespace"], e["status"]): e["evidence"]["cpu_cores"]["p95"] for e in api.recommendations(cluster_id)}
    assert found == {("bank", "recommended"): pytest.approx(0.2, rel=0.02), ("shop", "recommended"): pytest.approx(0.2, rel=0.02)}


def test_an_expired_token_fails_the_collection_with_a_clear_error_and_shows_no_secret(api: Api, town: Town) -> None:
    with serving(town.cluster.answer) as server, serving(town.metrics.answer) as prometheus:
        work = api.collect(api.cluster("expired", server, prometheus, token="s3cr3t-and-expired"))
    assert work["status"] == "failed"
    assert "credentials" in str(work["errors"])
    assert "s3cr3t" not in str(work)


def test_a_prometheus_that_serves_html_fails_the_collection_and_says_so(api: Api, town: Town) -> None:
    with serving(town.cluster.answer) as server, serving(lambda _: HTML) as prometheus:
        work = api.collect(api.cluster("html", server, prometheus))
    assert work["status"] == "failed"
    assert "HTML" in str(work["errors"])


def test_one_namespace_that_cannot_be_read_leaves_the_other_collected(api: Api, town: Town) -> None:
    def failing(request: Request) -> Reply:
        refused = "bank" in request.param("query") and "query_range" in request.path
        return Reply({"status": "error", "error": "too many samples"}, 422) if refused else town.metrics.answer(request)

    with serving(town.cluster.answer) as server, serving(failing) as prometheus:
        cluster_id = api.cluster("half", server, prometheus)
        work = api.collect(cluster_id)
        assert work["status"] == "partial"
        assert any("bank" in error["subject"] for error in work["errors"])
        api.ended("/optimization/analyze", {"cluster_id": cluster_id})
    found = {e["namespace"]: (e["status"], e["withheld_code"]) for e in api.recommendations(cluster_id)}
    assert found["shop"] == ("recommended", None)
    assert found["bank"][0] == "withheld"


def test_a_kind_that_may_not_be_read_makes_the_collection_partial(api: Api, town: Town) -> None:
    town.cluster.overrides[f"{APPS}/statefulsets"] = refusal(403, "statefulsets.apps is forbidden")
    with serving(town.cluster.answer) as server, serving(town.metrics.answer) as prometheus:
        work = api.collect(api.cluster("forbidden", server, prometheus))
    assert work["status"] == "partial"
    assert "statefulsets" in str(work["errors"])


def test_a_cluster_that_vanishes_keeps_the_recommendations_that_were_made(api: Api, town: Town) -> None:
    with serving(town.cluster.answer) as server, serving(town.metrics.answer) as prometheus:
        cluster_id = api.cluster("vanishing", server, prometheus)
        assert api.collect(cluster_id)["status"] == "succeeded"
        api.ended("/optimization/analyze", {"cluster_id": cluster_id})
        before = api.recommendations(cluster_id)
    work = api.collect(cluster_id)
    assert work["status"] == "failed"
    assert work["errors"]
    assert api.recommendations(cluster_id) == before


def test_a_workload_that_vanishes_and_one_that_is_new_are_told_apart(api: Api, town: Town) -> None:
    with serving(town.cluster.answer) as server, serving(town.metrics.answer) as prometheus:
        cluster_id = api.cluster("changing", server, prometheus)
        api.collect(cluster_id)
        for kind in ("deployments", "replicasets", "pods"):
            town.cluster.objects[kind] = [o for o in town.cluster.objects[kind] if o["metadata"]["namespace"] != "bank"]
        town.cluster.objects["namespaces"] = [o for o in town.cluster.objects["namespaces"] if o["metadata"]["name"] != "bank"]
        town.cluster.deployment("shop", "new", [container()], pods=["new-1"])
        assert api.collect(cluster_id)["status"] == "succeeded"
        api.ended("/optimization/analyze", {"cluster_id": cluster_id})
    found = {(e["namespace"], e["name"]): e["status"] for e in api.recommendations(cluster_id)}
    assert found == {("shop", "web"): "recommended", ("shop", "new"): "withheld"}
