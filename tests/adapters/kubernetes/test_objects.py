"""What is shown of a cluster, from objects as an API server of 1.33 lists them."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from adapters.kubernetes.playing import (
    NODES,
    PODS,
    REPLICA_SETS,
    Api,
    box,
    named,
    pod,
    refusal,
    workload,
)
from outside.serving import Reply

from upid.adapters.kubernetes.errors import ApiServerError, ListExpiredError
from upid.adapters.kubernetes.paths import LISTS
from upid.domain.errors import ForbiddenError, InvalidError, NotFoundError
from upid.domain.objects import ObjectKind, Permission

SECRETS, CONFIG_MAPS, SERVICES = "/api/v1/secrets", "/api/v1/configmaps", "/api/v1/services"
ROLLOUTS = "/apis/argoproj.io/v1alpha1/rollouts"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

NODE: dict[str, Any] = {
    "metadata": {
        "name": "ip-10-0-1-7", "uid": "n-1", "resourceVersion": "81", "creationTimestamp": "2026-01-02T03:04:05Z",
        "labels": {"node.kubernetes.io/instance-type": "m6i.large", "topology.kubernetes.io/zone": "eu-central-1a", "karpenter.sh/capacity-type": "spot"},
    },
    "spec": {"unschedulable": True, "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": "2026-01-02T03:04:05Z"}]},
    "status": {
        "capacity": {"cpu": "2", "memory": "8Gi", "pods": "29"}, "allocatable": {"cpu": "1930m", "memory": "7291Mi", "pods": "29"},
        "conditions": [{"type": "MemoryPressure", "status": "True"}, {"type": "DiskPressure", "status": "False"}, {"type": "Ready", "status": "True"}],
        "nodeInfo": {"kubeletVersion": "v1.33.1", "architecture": "arm64", "osImage": "Bottlerocket"},
    },
}  # fmt: skip
POD: dict[str, Any] = {
    "metadata": {
        "namespace": "shop", "name": "web-1", "uid": "p-1", "resourceVersion": "90", "creationTimestamp": "2026-01-02T03:04:05Z", "labels": {"app": "web"},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d", "uid": "rs-1", "controller": True}],
    },
    "spec": {
        "nodeName": "n1", "containers": [
            {"name": "app", "resources": {"requests": {"cpu": "250m", "memory": "64Mi"}}}, {"name": "side", "resources": {"requests": {"cpu": "1"}}}, {"name": "free"},
        ],
    },
    "status": {
        "phase": "Running", "qosClass": "Burstable", "containerStatuses": [
            {"name": "app", "ready": True, "restartCount": 3, "state": {"running": {}}},
            {"name": "side", "ready": False, "restartCount": 9, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
        ],
    },
}  # fmt: skip


def shown(api: Api, kind: Any, **query: Any) -> list[dict[str, Any]]:
    with api.opened() as server:
        return [dict(row) for row in server.objects(kind, **query).rows]


def test_a_node_tells_what_it_gives_and_how_it_is(api: Api) -> None:
    api.add(NODES, NODE)

    (row,) = shown(api, "nodes")

    assert (row["cpu_cores"], row["memory_bytes"], row["pods"]) == (1.93, 7291 * 2**20, 29)
    assert (row["ready"], row["schedulable"], row["pressures"]) == (True, False, ["MemoryPressure"])
    assert row["taints"] == ["node.kubernetes.io/unschedulable:NoSchedule"]
    assert (row["instance_type"], row["zone"], row["capacity_type"]) == ("m6i.large", "eu-central-1a", "spot")


def test_a_pod_tells_its_owner_its_restarts_and_what_holds_it_back(api: Api) -> None:
    api.add(PODS, POD)

    (row,) = shown(api, "pods")

    assert row["owner"] == {"kind": "ReplicaSet", "name": "web-5d", "uid": "rs-1"}
    assert (row["containers"], row["ready_containers"], row["restarts"], row["reason"]) == (3, 1, 12, "CrashLoopBackOff")
    assert (row["cpu_request_cores"], row["memory_request_bytes"]) == (1.25, 64 * 2**20)


@pytest.mark.parametrize("value", [b"", b"a", b"ab", b"abc", b"hunter2-hunter2"])
def test_a_secret_is_its_type_and_sizes_and_no_value(api: Api, value: bytes) -> None:
    text = base64.b64encode(value).decode()
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": '{"data":{"password":"aHVudGVyMg=="}}'}
    api.add(
        SECRETS,
        named("shop", "db", annotations=annotations) | {"type": "kubernetes.io/basic-auth", "data": {"password": text, "user": "dQ=="}},
    )

    (row,) = shown(api, "secrets")

    assert (row["type"], row["keys"], row["size_bytes"]) == ("kubernetes.io/basic-auth", 2, len(value) + 1)
    assert row.keys() == {"namespace", "name", "uid", "created_at", "labels", "resource_version", "type", "keys", "size_bytes", "immutable"}
    assert "aHVudGVyMg" not in orjson.dumps(row).decode()


def test_a_configmap_is_its_keys_and_a_hash_of_what_it_holds(api: Api) -> None:
    plain, binary = {"b": "ü", "a": "xyz"}, {"c": "AAEC"}
    api.add(
        CONFIG_MAPS,
        named("shop", "one") | {"data": plain, "binaryData": binary},
        named("shop", "same", resourceVersion="9") | {"data": plain, "binaryData": binary},
    )
    api.add(CONFIG_MAPS, named("shop", "other") | {"data": {**plain, "a": "xyy"}, "binaryData": binary}, named("shop", "none"))

    one, same, other, none = shown(api, "configmaps")

    assert one["keys"] == [{"name": "a", "size_bytes": 3}, {"name": "b", "size_bytes": 2}, {"name": "c", "size_bytes": 3}]
    assert one["content_hash"] == same["content_hash"] != other["content_hash"]
    assert (none["keys"], none["size_bytes"]) == ([], 0)


def test_services_without_ports_or_selector_are_shown(api: Api) -> None:
    api.add(SERVICES, named("shop", "out") | {"spec": {"type": "ExternalName", "externalName": "db.example"}})
    api.add(
        SERVICES, named("shop", "web") | {"spec": {"clusterIP": "None", "ports": [{"port": 80, "targetPort": "http", "protocol": "TCP"}]}}
    )

    out, web = shown(api, "services")

    assert (out["type"], out["external_name"], out["ports"]) == ("ExternalName", "db.example", [])
    assert web["ports"] == [{"name": "", "port": 80, "protocol": "TCP", "target": "http"}]


def test_what_is_malformed_is_left_out_and_counted(api: Api) -> None:
    api.add(PODS, pod("shop", "good"), {"metadata": {"uid": "no name"}}, pod("shop", "odd") | {"spec": {"containers": "none"}})

    with api.opened() as server:
        page = server.objects("pods")

    assert ([row["name"] for row in page.rows], page.malformed) == (["good"], 2)


def test_pages_go_on_where_the_server_says(api: Api) -> None:
    api.add(PODS, *(pod("shop", f"p{n}") for n in range(5)))

    with api.opened() as server:
        first = server.objects("pods", namespace="shop", selector="app=web", limit=3)
        second = server.objects("pods", namespace="shop", selector="app=web", limit=3, after=first.after)

    assert [row["name"] for page in (first, second) for row in page.rows] == ["p0", "p1", "p2", "p3", "p4"]
    assert second.after is None
    assert {request.param("labelSelector") for request in api.asked} == {"app=web"}


def test_an_expired_page_goes_on_with_what_the_server_offers(api: Api) -> None:
    api.add(PODS, *(pod("shop", f"p{n}") for n in range(5)))
    api.stumbles[PODS] = [Reply({"kind": "Status", "code": 410, "reason": "Expired", "metadata": {"continue": "3"}}, 410)]

    with api.opened() as server:
        page = server.objects("pods", limit=3, after="stale")

    assert [row["name"] for row in page.rows] == ["p3", "p4"]


def test_what_the_server_does_not_answer_is_an_error_of_its_kind(api: Api) -> None:
    api.always = {PODS: refusal(410), NODES: refusal(403), SECRETS: refusal(400), SERVICES: Reply(b"<html>")}

    with api.opened() as server:
        for kind, error in (("pods", ListExpiredError), ("nodes", ForbiddenError), ("secrets", InvalidError), ("services", ApiServerError)):
            with pytest.raises(error):
                server.objects(kind)
        with pytest.raises(NotFoundError):
            server.objects("rollouts")


def test_an_observation_is_the_inventory_with_its_rows(api: Api) -> None:
    api.add(PODS, POD, pod("shop", "bare"))
    api.add(NODES, NODE)
    api.add(CONFIG_MAPS, named("shop", "b"), named("shop", "a"))
    api.always[SECRETS] = refusal(403, "secrets is forbidden")

    with api.opened(page=1) as server:
        inventory, survey = server.observe()
        assert server.inventory() == inventory

    assert [row["name"] for row in survey.rows["pods"]] == ["bare", "web-1"]
    assert [row["name"] for row in survey.rows["configmaps"]] == ["a", "b"]
    assert survey.missing == {"secrets": "The Kubernetes API refuses: secrets is forbidden", "services": "", "nodemetrics": ""}
    assert inventory.unreadable == ()


def test_reviews_ask_for_a_subresource_apart(api: Api) -> None:
    api.always[REVIEWS] = Reply({"status": {"allowed": True, "reason": "RBAC"}}, 201)

    with api.opened() as server:
        assert server.allows(Permission("", "pods/resize", "patch"))

    assert api.asked[-1].json["spec"]["resourceAttributes"] == {"group": "", "resource": "pods", "subresource": "resize", "verb": "patch"}


@pytest.mark.parametrize("answer", [Reply({}), Reply({"status": {"allowed": "yes"}}), Reply({"status": []})])
def test_an_answer_that_is_no_review_is_told(api: Api, answer: Reply) -> None:
    api.always[REVIEWS] = answer

    with api.opened() as server, pytest.raises(ApiServerError, match="does not tell what it allows"):
        server.allows(Permission("", "pods", "list"))


def test_resources_are_found_by_discovery(api: Api) -> None:
    api.always["/api/v1"] = Reply({"resources": [{"name": "pods"}, {"name": "pods/resize"}, None]})

    with api.opened() as server:
        assert (server.serves("v1", "pods/resize"), server.serves("v1", "nodes"), server.serves("apps/v9", "pods")) == (True, False, False)


@pytest.mark.parametrize(
    ("kind", "spec", "status", "figures"),
    [
        ("jobs", {"parallelism": 4}, {"active": 3, "ready": 2}, (4, 2)),
        ("cronjobs", {}, {"active": [{"kind": "Job", "name": "a"}]}, (None, 1)),
        ("daemonsets", {}, {"desiredNumberScheduled": 5, "numberReady": 4}, (5, 4)),
        ("statefulsets", {"replicas": 0}, {"replicas": 0}, (0, 0)),
        ("replicasets", {}, {"readyReplicas": 1}, (1, 1)),
    ],
)
def test_each_kind_tells_its_replicas_in_its_own_way(api: Api, kind: ObjectKind, spec: Any, status: Any, figures: Any) -> None:
    api.add(LISTS[kind].path(), named("shop", "one") | {"spec": spec, "status": status})

    (row,) = shown(api, kind)

    assert (row["replicas"], row["ready_replicas"]) == figures


def test_rollouts_are_workloads_that_own_their_replica_sets(api: Api) -> None:
    api.add(ROLLOUTS, workload("shop", "canary", replicas=3))
    api.add(REPLICA_SETS, workload("shop", "canary-1", owner=("Rollout", "canary")))
    api.add(PODS, pod("shop", "canary-1-a", owner=("ReplicaSet", "canary-1")))

    inventory = api.inventory()

    assert [(w.kind, w.name, w.replicas) for w in inventory.workloads] == [("Rollout", "canary", 3)]
    assert [p.workload_uid for p in inventory.pods] == ["uid-canary"]
    assert inventory.replica_sets == (("shop", "canary-1", "uid-canary"),)


def test_rollouts_that_may_not_be_listed_leave_their_replica_sets_and_are_told(api: Api) -> None:
    api.add(REPLICA_SETS, workload("shop", "canary-1", owner=("Rollout", "canary")))
    api.always = {ROLLOUTS: refusal(403, "rollouts is forbidden"), "/apis/argoproj.io/v1alpha1": Reply({"resources": []})}

    inventory = api.inventory()

    assert [(w.kind, w.name) for w in inventory.workloads] == [("ReplicaSet", "canary-1")]
    assert [part.what for part in inventory.unreadable] == ["rollouts"]


def test_a_refusal_of_rollouts_that_nobody_installed_is_no_fault(api: Api) -> None:
    api.always = {ROLLOUTS: refusal(403)}
    api.add(PODS, pod("shop", "bare", labels={}) | {"spec": {"containers": [box()]}})

    assert api.inventory().unreadable == ()


def test_a_rollout_of_a_deployments_template_has_the_containers_of_its_newest_replica_set(api: Api) -> None:
    rollout = named("shop", "canary") | {
        "spec": {"replicas": 2, "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "canary"}}
    }
    api.add(ROLLOUTS, rollout, named("shop", "young") | {"spec": rollout["spec"]})
    api.add(REPLICA_SETS, workload("shop", "canary-1", box("old"), owner=("Rollout", "canary")))
    newer = workload("shop", "canary-2", box("new"), owner=("Rollout", "canary"))
    newer["metadata"]["creationTimestamp"] = "2026-02-02T03:04:05Z"
    api.add(REPLICA_SETS, newer)

    found = {w.name: [container.name for container in w.containers] for w in api.inventory().workloads}

    assert found == {"canary": ["new"], "young": []}
    assert api.inventory().unreadable == ()
