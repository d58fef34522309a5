from __future__ import annotations

from typing import Any

import pytest
from unit.demo.small import ANCHOR, DAY, NOW, TOKEN, kubernetes, vector

from upid.demo.server import DemoCluster, Identity
from upid.domain.quantities import parse_quantity

PODS = "/api/v1/pods"


def names(path: str, **query: Any) -> list[str]:
    status, body = kubernetes(path, **query)
    assert status == 200, body
    return [item["metadata"]["name"] for item in body["items"]]


def test_without_the_token_nothing_is_shown() -> None:
    status, body = kubernetes("/version", token="wrong")

    assert (status, body["kind"], body["reason"]) == (401, "Status", "Unauthorized")


def test_every_list_has_its_kind_and_version() -> None:
    for path, kind, version in (
        (PODS, "PodList", "v1"),
        ("/apis/apps/v1/deployments", "DeploymentList", "apps/v1"),
        ("/apis/batch/v1/cronjobs", "CronJobList", "batch/v1"),
        ("/apis/autoscaling/v2/horizontalpodautoscalers", "HorizontalPodAutoscalerList", "autoscaling/v2"),
        ("/api/v1/limitranges", "LimitRangeList", "v1"),
    ):
        status, body = kubernetes(path)
        assert (status, body["kind"], body["apiVersion"]) == (200, kind, version)


def test_pages_add_up_to_the_whole_list() -> None:
    pages, query = [], {"limit": 40}
    while True:
        _, body = kubernetes(PODS, **query)
        pages.append([item["metadata"]["uid"] for item in body["items"]])
        if not body["metadata"].get("continue"):
            break
        query = {"limit": 40, "continue": body["metadata"]["continue"]}

    _, whole = kubernetes(PODS)
    assert [uid for page in pages for uid in page] == [item["metadata"]["uid"] for item in whole["items"]]
    assert {len(page) for page in pages[:-1]} == {40}


def test_lists_are_narrowed_by_namespace_and_label() -> None:
    assert set(names("/apis/apps/v1/namespaces/staging/deployments")) == {"api", "checkout", "ledger", "load-test", "storefront"}
    assert names("/apis/apps/v1/deployments", labelSelector="app.kubernetes.io/name=api-gateway") == ["api-gateway"]
    assert names("/apis/apps/v1/namespaces/nowhere/deployments") == []


def test_one_object_is_shown_by_name() -> None:
    status, body = kubernetes("/apis/apps/v1/namespaces/shop/deployments/api")

    assert (status, body["kind"], body["metadata"]["namespace"]) == (200, "Deployment", "shop")
    assert kubernetes("/apis/apps/v1/namespaces/shop/deployments/nobody")[0] == 404


@pytest.mark.parametrize("path", ["/apis/apps/v1/toads", "/apis/example.com/v1/deployments", "/nothing", "/api/v1/namespaces/shop/nodes"])
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert kubernetes(path)[0] == 404


def test_a_bad_selector_is_a_bad_request() -> None:
    assert kubernetes(PODS, labelSelector="a=(b")[0] == 400


def test_a_replica_set_from_before_a_rollout_is_kept_empty_and_older_ones_are_gone() -> None:
    _, body = kubernetes("/apis/apps/v1/namespaces/shop/replicasets", labelSelector="app.kubernetes.io/name=api")
    in_metrics = {
        dict(labels)["replicaset"]
        for labels in vector("last_over_time(kube_replicaset_owner{namespace='shop',owner_name='api'}[7d])", ANCHOR)
    }

    assert sorted(item["spec"]["replicas"] for item in body["items"]) == [0, 4]
    assert len(in_metrics) == 3


def test_pods_that_run_in_the_metrics_are_those_that_the_api_shows() -> None:
    _, body = kubernetes(PODS)
    running = {item["metadata"]["name"] for item in body["items"] if item["status"]["phase"] == "Running"}

    assert running == {dict(labels)["pod"] for labels in vector("kube_pod_status_phase{phase='Running'}", NOW)} - ended_just_now()


def ended_just_now() -> set[str]:
    """Return pods of which the last scrape is still within Prometheus' lookback."""
    return {dict(labels)["pod"] for labels in vector("kube_pod_owner")} - {
        dict(labels)["pod"] for labels in vector("last_over_time(kube_pod_owner[1m])")
    }


def test_finished_jobs_are_kept_with_their_pods_up_to_the_history_limit() -> None:
    _, jobs = kubernetes("/apis/batch/v1/namespaces/payments/jobs", labelSelector="app.kubernetes.io/name=reconcile")
    done = [job for job in jobs["items"] if job["status"].get("succeeded")]
    _, pods = kubernetes("/api/v1/namespaces/payments/pods", labelSelector="app.kubernetes.io/name=reconcile")

    assert len(done) == 3
    assert sum(pod["status"]["phase"] == "Succeeded" for pod in pods["items"]) == 3


def test_a_killed_container_shows_its_restarts() -> None:
    _, body = kubernetes("/api/v1/namespaces/data/pods", labelSelector="app.kubernetes.io/name=tagger")
    status = body["items"][0]["status"]["containerStatuses"][0]

    assert status["restartCount"] > 20
    assert status["lastState"]["terminated"]["reason"] == "OOMKilled"


def test_the_next_day_brings_new_jobs_and_keeps_the_rest() -> None:
    moment = [NOW]
    cluster = DemoCluster(Identity(TOKEN, ANCHOR), clock=lambda: moment[0])
    before = {item["metadata"]["uid"] for item in kubernetes("/apis/apps/v1/deployments", of=cluster)[1]["items"]}
    jobs = {item["metadata"]["name"] for item in kubernetes("/apis/batch/v1/jobs", of=cluster)[1]["items"]}
    moment[0] += 3 * DAY

    assert {item["metadata"]["uid"] for item in kubernetes("/apis/apps/v1/deployments", of=cluster)[1]["items"]} == before
    assert {item["metadata"]["name"] for item in kubernetes("/apis/batch/v1/jobs", of=cluster)[1]["items"]} != jobs
    assert kubernetes("/apis/batch/v1/jobs", of=cluster)[1]["items"]


def test_metrics_server_and_the_prometheus_tell_the_same_use() -> None:
    pods = {item["metadata"]["name"]: item for item in kubernetes("/apis/metrics.k8s.io/v1beta1/pods")[1]["items"]}
    nodes = {item["metadata"]["name"]: item["usage"] for item in kubernetes("/apis/metrics.k8s.io/v1beta1/nodes")[1]["items"]}
    on = {item["metadata"]["name"]: item["spec"]["nodeName"] for item in kubernetes("/api/v1/pods")[1]["items"]}
    told = vector('container_memory_working_set_bytes{container!=""}')
    by_node: dict[str, float] = {}
    for labels, value in told.items():
        series = dict(labels)
        used = {entry["name"]: entry["usage"] for entry in pods[series["pod"]]["containers"]}
        assert parse_quantity(used[series["container"]]["memory"]) == pytest.approx(value, rel=0.1)
        node = on[series["pod"]]
        by_node[node] = by_node.get(node, 0.0) + parse_quantity(used[series["container"]]["memory"])

    assert {name: parse_quantity(usage["memory"]) - (700 << 20) for name, usage in nodes.items()} == pytest.approx(by_node, rel=1e-3)
    cores = sum(parse_quantity(entry["usage"]["cpu"]) for item in pods.values() for entry in item["containers"])
    assert sum(parse_quantity(usage["cpu"]) - 0.12 for usage in nodes.values()) == pytest.approx(cores, rel=1e-6)
