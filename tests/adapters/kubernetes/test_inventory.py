from __future__ import annotations

from adapters.kubernetes.playing import (
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    JOBS,
    NODES,
    OLD_SCALERS,
    PODS,
    REPLICA_SETS,
    SCALERS,
    STATEFUL_SETS,
    Api,
    asking,
    box,
    named,
    pod,
    workload,
)

from upid.domain.inventory import Autoscaler, Container, Inventory, Node, Resources, Workload

GIB = 2**30


def only(inventory: Inventory, kind: str) -> Workload:
    found = [w for w in inventory.workloads if w.kind == kind]
    assert len(found) == 1
    return found[0]


def test_a_deployment_has_its_containers_with_their_roles_and_resources(api: Api) -> None:
    inits = [box("wait"), box("mesh", restartPolicy="Always", **asking("100m"))]
    api.add(DEPLOYMENTS, workload("shop", "web", box("app", **asking("250m", "1Gi", "2", "1.5Gi")), replicas=3, inits=inits))

    found = only(api.inventory(), "Deployment")

    assert (found.namespace, found.name, found.uid, found.replicas, found.created_at) == ("shop", "web", "uid-web", 3, 1767323045.0)
    assert found.containers == (
        Container("app", Resources(0.25, 2.0, GIB, 1.5 * GIB), "main", "registry.local/app:1"),
        Container("wait", Resources(), "init", "registry.local/wait:1"),
        Container("mesh", Resources(0.1), "sidecar", "registry.local/mesh:1"),
    )


def test_every_kind_counts_its_replicas_in_its_own_way(api: Api) -> None:
    api.add(STATEFUL_SETS, workload("a", "db"))  # replicas left out are one
    api.add(DAEMON_SETS, workload("a", "agent") | {"status": {"desiredNumberScheduled": 7, "numberReady": 6}})
    api.add(JOBS, workload("a", "import", parallelism=4))
    api.add(REPLICA_SETS, workload("a", "alone", replicas=0))
    api.add(PODS, pod("a", "shell"))

    inventory = api.inventory()

    assert {w.kind: w.replicas for w in inventory.workloads} == {"StatefulSet": 1, "DaemonSet": 7, "Job": 4, "ReplicaSet": 0, "Pod": 1}
    assert only(inventory, "DaemonSet").ready_replicas == 6


def test_a_replica_set_of_a_deployment_is_a_link_and_no_workload(api: Api) -> None:
    api.add(DEPLOYMENTS, workload("a", "web", replicas=2))
    api.add(REPLICA_SETS, workload("a", "web-1", owner=("Deployment", "web")), workload("a", "web-2", owner=("Deployment", "web")))
    api.add(PODS, pod("a", "web-2-x", ("ReplicaSet", "web-2"), "node-2"), pod("a", "web-2-y", ("ReplicaSet", "web-2")))

    inventory = api.inventory()

    assert [w.kind for w in inventory.workloads] == ["Deployment"]
    assert inventory.replica_sets == (("a", "web-1", "uid-web"), ("a", "web-2", "uid-web"))
    assert [(p.name, p.workload_uid, p.phase) for p in inventory.pods] == [
        ("web-2-x", "uid-web", "Running"),
        ("web-2-y", "uid-web", "Running"),
    ]
    assert inventory.workloads[0].node_names == ("node-1", "node-2")


def test_a_replica_set_that_an_unknown_kind_owns_is_a_workload(api: Api) -> None:
    api.add(REPLICA_SETS, workload("a", "canary", owner=("Rollout", "web"), replicas=2))

    assert only(api.inventory(), "ReplicaSet").name == "canary"


def test_jobs_of_a_cron_job_fold_into_it(api: Api) -> None:
    cron = named("a", "nightly") | {"spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [box("work")]}}}}}}
    api.add(CRON_JOBS, cron)
    api.add(JOBS, workload("a", "nightly-1", owner=("CronJob", "nightly")), workload("a", "nightly-2", owner=("CronJob", "nightly")))
    api.add(PODS, pod("a", "nightly-1-x", ("Job", "nightly-1"), phase="Succeeded"), pod("a", "nightly-2-x", ("Job", "nightly-2")))

    inventory = api.inventory()

    assert [(w.kind, w.name, w.replicas, w.containers[0].name) for w in inventory.workloads] == [("CronJob", "nightly", 1, "work")]
    assert {p.workload_uid for p in inventory.pods} == {"uid-nightly"}
    assert inventory.jobs == (("a", "nightly-1", "uid-nightly"), ("a", "nightly-2", "uid-nightly"))


def test_pods_of_an_operators_own_kind_make_one_workload_of_that_kind(api: Api) -> None:
    newest = pod("a", "pg-2", ("Cluster", "pg"), creationTimestamp="2026-05-01T00:00:00Z")
    newest["spec"]["containers"] = [box("postgres", **asking("2"))]
    api.add(PODS, pod("a", "pg-1", ("Cluster", "pg")), newest)

    found = only(api.inventory(), "Cluster")

    assert (found.name, found.uid, found.replicas, found.created_at) == ("pg", "uid-pg", 2, 0.0)
    assert found.containers[0].resources.cpu_request_cores == 2.0


def test_a_static_pods_mirror_stands_by_itself(api: Api) -> None:
    api.add(PODS, pod("kube-system", "etcd-1", ("Node", "node-1")))

    inventory = api.inventory()

    assert (only(inventory, "Pod").name, inventory.pods[0].workload_uid) == ("etcd-1", "uid-etcd-1")


def test_a_pod_whose_owner_is_no_controller_stands_by_itself(api: Api) -> None:
    body = pod("a", "loose")
    body["metadata"]["ownerReferences"] = [{"kind": "ConfigMap", "name": "x", "uid": "y"}]
    api.add(PODS, body)

    assert only(api.inventory(), "Pod").name == "loose"


def test_autoscalers_stand_at_what_they_scale(api: Api) -> None:
    metrics = [
        {"type": "Resource", "resource": {"name": name, "target": {"averageUtilization": share}}}
        for name, share in (("cpu", 60), ("memory", 80))
    ]
    target = {"kind": "Deployment", "name": "web"}
    api.add(DEPLOYMENTS, workload("a", "web"), workload("b", "web"))
    api.add(SCALERS, named("a", "scaler") | {"spec": {"scaleTargetRef": target, "maxReplicas": 9, "metrics": metrics}})

    first, second = api.inventory().workloads

    assert first.autoscaler == Autoscaler("scaler", 1, 9, 60.0, 80.0)
    assert second.autoscaler is None


def test_an_autoscaler_that_something_keeps_as_it_is_tells_what_does(api: Api) -> None:
    api.add(DEPLOYMENTS, workload("a", "web"))
    scaler = named("a", "keda-hpa-web") | {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 9}}
    scaler["metadata"]["ownerReferences"] = [{"kind": "ScaledObject", "name": "web", "uid": "y", "controller": True}]
    api.add(SCALERS, scaler)

    assert only(api.inventory(), "Deployment").autoscaler == Autoscaler("keda-hpa-web", 1, 9, managed_by="ScaledObject/web")


def test_an_old_server_tells_its_autoscalers_in_the_first_version(api: Api) -> None:
    del api.lists[SCALERS]
    spec = {
        "scaleTargetRef": {"kind": "Deployment", "name": "web"},
        "minReplicas": 2,
        "maxReplicas": 4,
        "targetCPUUtilizationPercentage": 75,
    }
    api.add(DEPLOYMENTS, workload("a", "web"))
    api.add(OLD_SCALERS, named("a", "scaler") | {"spec": spec})

    assert only(api.inventory(), "Deployment").autoscaler == Autoscaler("scaler", 2, 4, 75.0, None)


def test_nodes_tell_what_they_can_give_and_what_their_price_depends_on(api: Api) -> None:
    labels = {
        "node.kubernetes.io/instance-type": "m6i.large",
        "topology.kubernetes.io/region": "eu-west-1",
        "eks.amazonaws.com/capacityType": "ON_DEMAND",
    }
    status = {"allocatable": {"cpu": "1930m", "memory": "7Gi"}, "capacity": {"cpu": "2", "memory": "8Gi"}}
    api.add(
        NODES,
        named("", "n1", labels=labels) | {"status": status},
        named("", "n2") | {"status": {"capacity": {"cpu": "4", "memory": "1Ki"}}},
    )

    assert api.inventory().nodes == (
        Node("n1", "uid-n1", 1.93, 7.0 * GIB, "m6i.large", "eu-west-1", "on-demand"),
        Node("n2", "uid-n2", 4.0, 1024.0),
    )


def test_the_inventory_is_sorted_and_tells_version_and_namespaces(api: Api) -> None:
    api.add(DEPLOYMENTS, workload("b", "x"), workload("a", "z"), workload("a", "y"))

    inventory = api.inventory()

    assert [(w.namespace, w.name) for w in inventory.workloads] == [("a", "y"), ("a", "z"), ("b", "x")]
    assert (inventory.server_version, inventory.namespaces, inventory.unreadable) == ("v1.33.0", ("a", "b", "default"), ())


def test_an_empty_cluster_is_an_empty_inventory(api: Api) -> None:
    inventory = api.inventory()

    assert (inventory.workloads, inventory.pods, inventory.nodes, inventory.unreadable) == ((), (), (), ())


def test_declared_ports_are_kept_and_what_is_no_number_is_left_out(api: Api) -> None:
    ports = [{"containerPort": 8080}, {"containerPort": "web"}, {"name": "x"}, {"containerPort": 9090}]
    api.add(DEPLOYMENTS, workload("shop", "web", box("app", ports=ports), replicas=1))
    assert only(api.inventory(), "Deployment").containers[0].ports == (8080, 9090)
