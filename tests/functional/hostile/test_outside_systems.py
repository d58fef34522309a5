"""API servers and Prometheus as they should not answer: each is one clear message, and never a result that hides it."""

from __future__ import annotations

import pytest
from outside.cluster import APPS, container, refusal
from outside.scanning import World
from outside.serving import Reply, Request, serving

HTML = Reply(b"<!doctype html><html><body>Please log in</body></html>", 200, {"Content-Type": "text/html"})
LOGIN = Reply(b"", 302, {"Location": "https://login.example/start"})
LISTS = ("deployments", "replicasets", "statefulsets", "daemonsets")


def test_a_world_that_is_well_gives_a_recommendation(world: World) -> None:
    outcome = world.run()
    assert outcome.status == 0, outcome.err
    entry = outcome.entry("web")
    assert entry["status"] == "recommended"
    assert (entry["evidence"]["pods"], entry["evidence"]["cpu_cores"]["p99"]) == (2, pytest.approx(0.2))


def test_an_expired_token_is_called_unauthenticated(world: World) -> None:
    world.run(kubeconfig=world.kubeconfig(world.cluster.kubeconfig(world.api_url, token="expired"))).assert_refused(1, "credentials")


def test_a_caller_without_rights_is_told_so(world: World) -> None:
    for path in (
        "/api/v1/namespaces",
        "/api/v1/pods",
        "/api/v1/nodes",
        "/apis/batch/v1/jobs",
        "/apis/batch/v1/cronjobs",
        *(f"{APPS}/{kind}" for kind in LISTS),
    ):
        world.cluster.overrides[path] = refusal(403, 'User "reader" cannot list resource')
    world.run().assert_refused(1, 'User "reader" cannot list resource')


@pytest.mark.parametrize(
    "reply", [HTML, Reply([]), Reply("text"), Reply(b""), Reply(b'{"items": ['), Reply(b"\xff\xfe"), LOGIN, Reply({}, 404)]
)
def test_what_is_no_kubernetes_api_is_called_so(world: World, reply: Reply) -> None:
    with serving(lambda _: reply) as url:
        world.run(kubeconfig=world.kubeconfig(world.cluster.kubeconfig(url))).assert_refused(1, "Kubernetes")


def test_plain_http_where_tls_is_expected_is_told(world: World) -> None:
    url = world.api_url.replace("http://", "https://")
    world.run(kubeconfig=world.kubeconfig(world.cluster.kubeconfig(url))).assert_refused(1, url)


def test_a_kind_that_may_not_be_read_is_named_and_the_rest_is_done(world: World) -> None:
    world.cluster.overrides[f"{APPS}/statefulsets"] = refusal(403, "statefulsets.apps is forbidden")
    outcome = world.run()
    assert outcome.status == 3
    assert "statefulsets" in outcome.err
    assert outcome.entry("web")["status"] == "recommended"
    assert any("statefulsets" in error["subject"] for error in outcome.document["summary"]["errors"])


def test_a_kind_that_the_server_does_not_know_is_no_error(world: World) -> None:
    world.cluster.overrides["/apis/batch/v1/cronjobs"] = refusal(404, "the server could not find the requested resource")
    outcome = world.run()
    assert (outcome.status, outcome.err) == (0, "")


@pytest.mark.parametrize("broken", ["spec", "containers", "quantity", "name"])
def test_one_malformed_object_is_named_and_the_rest_is_done(world: World, broken: str) -> None:
    world.cluster.deployment("shop", "bad", [container(cpu="many" if broken == "quantity" else "1")], pods=[])
    body = world.cluster.objects["deployments"][-1]
    match broken:
        case "spec":
            body["spec"] = None
        case "containers":
            body["spec"]["template"]["spec"]["containers"] = {"name": "app"}
        case "name":
            del body["metadata"]["name"]
    outcome = world.run()
    assert outcome.status == 3
    assert "shop/bad" in outcome.err or (broken == "name" and "shop" in outcome.err)
    assert outcome.entry("web")["status"] == "recommended"


@pytest.mark.parametrize("replicas", ["many", -1, 2**31, 10**30, [1], {"a": 1}])
def test_a_count_that_is_none_makes_the_workload_unreadable(world: World, replicas: object) -> None:
    world.cluster.deployment("shop", "bad", [container()], pods=[])
    world.cluster.objects["deployments"][-1]["spec"]["replicas"] = replicas
    outcome = world.run()
    assert outcome.status == 3
    assert "shop/bad" in outcome.err
    assert outcome.entry("web")["status"] == "recommended"


def test_a_request_of_any_size_can_be_written_down(world: World) -> None:
    world.cluster.deployment("shop", "vast", [container(cpu="1e999999999", memory="1" + "0" * 300)], pods=[])
    outcome = world.run()
    assert outcome.status == 0
    assert outcome.entry("vast")["current"]["memory_request_bytes"] == 2**63 - 1024


@pytest.mark.parametrize("metadata", [None, [], ["a"], "text", {}, {"name": "x", "ownerReferences": 5}])
def test_a_malformed_namespace_is_named_and_the_rest_is_done(world: World, metadata: object) -> None:
    world.cluster.objects["namespaces"].append({"metadata": metadata})
    outcome = world.run()
    assert outcome.status == 3
    assert "Namespace" in outcome.err
    assert outcome.entry("web")["status"] == "recommended"


def test_a_namespace_that_does_not_exist_is_named(world: World) -> None:
    world.run("--namespace", "shop", "--namespace", "nowhere").assert_refused(1, "nowhere")


def test_a_namespace_that_vanishes_in_the_middle_does_not_disturb_the_others(world: World) -> None:
    world.cluster.namespace("doomed")
    world.web("doomed", "late", pods=1)
    gone = refusal(404, 'namespaces "doomed" not found')
    world.cluster.overrides |= {f"{APPS}/namespaces/doomed/{kind}": gone for kind in LISTS}
    world.metrics.series = [one for one in world.metrics.series if one[1]["namespace"] != "doomed"]
    outcome = world.run("--namespace", "shop", "--namespace", "doomed")
    assert outcome.status in {0, 3}
    assert "Traceback" not in outcome.err
    assert outcome.entry("web")["status"] == "recommended"
    late = [e for e in outcome.document["recommendations"] if e["namespace"] == "doomed"]
    assert all(e["status"] == "withheld" and e["withheld_code"] for e in late)


NOT_PROMETHEUS = {
    "HTML": HTML, "a log-in": LOGIN, "nothing": Reply(b""), "a list": Reply([]), "text": Reply("ok"), "another document": Reply({"hello": 1}),
    "half a document": Reply(b'{"status": "success", "data": ['), "an error page": Reply(b"<html>", 404), "a refusal": Reply({"status": "error", "error": "no"}, 400),
    "a null": Reply({"status": "success", "data": None}), "no such metric": Reply({"status": "success", "data": []}),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_PROMETHEUS)
def test_what_is_no_prometheus_is_called_so(world: World, case: str) -> None:
    with serving(lambda _: NOT_PROMETHEUS[case]) as world.prometheus_url:
        world.run().assert_refused(1, world.prometheus_url)


@pytest.mark.parametrize("status", [401, 403])
def test_a_prometheus_that_refuses_the_credentials_is_named(world: World, status: int) -> None:
    with serving(lambda _: Reply(b"no", status)) as world.prometheus_url:
        world.run().assert_refused(1, world.prometheus_url, str(status))


@pytest.mark.parametrize(
    "reply",
    [HTML, Reply({"status": "error", "errorType": "execution", "error": "too many samples"}, 422), Reply([]), Reply({"status": "success"})],
)
def test_a_prometheus_whose_queries_all_fail_is_an_error_and_no_empty_result(world: World, reply: Reply) -> None:
    world.metrics.overrides["/api/v1/query_range"] = reply
    world.run().assert_refused(1)


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"status": "success", "data": {}}),
        Reply({"status": "success", "data": {"resultType": "vector", "result": [{}]}}),
        Reply({"status": "success", "data": None}),
    ],
)
def test_instant_answers_of_another_form_are_an_error_and_no_traceback(world: World, reply: Reply) -> None:
    world.metrics.overrides["/api/v1/query"] = reply
    world.run().assert_refused(1)


def test_warnings_of_prometheus_are_told(world: World) -> None:
    plain = world.metrics.answer

    def warning(request: Request) -> Reply:
        reply = plain(request)
        return Reply(reply.body | {"warnings": ["store gateway 2 did not answer"]}) if "query_range" in request.path else reply

    with serving(warning) as world.prometheus_url:
        outcome = world.run()
    assert outcome.status == 0
    assert "store gateway 2 did not answer" in outcome.err
    assert any("store gateway 2" in text for text in outcome.document["summary"]["warnings"])
