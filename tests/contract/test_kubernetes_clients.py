"""What holds of every adapter of the port `Kubernetes`, on a cluster that has every kind of workload."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from upid.adapters.kubernetes.client import ApiServers
from upid.demo.server import KUBERNETES, DemoCluster, DemoServer, Identity
from upid.domain.clusters import ClusterAccess
from upid.domain.errors import InvalidError, InvalidRequestError, NotFoundError, UnauthenticatedError, UnavailableError
from upid.domain.inventory import Inventory
from upid.domain.objects import KINDS, SURVEYED, ObjectKind, Permission, place
from upid.ports.kubernetes import Kubernetes, KubernetesClients

ANCHOR = 1_790_000_400 // 3600 * 3600


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    made = DemoServer(DemoCluster(Identity("good", ANCHOR), clock=lambda: ANCHOR + 1800.0))
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture(scope="module", params=[ApiServers(), ApiServers(page=7)], ids=["http", "http, small pages"])
def clients(request: pytest.FixtureRequest) -> KubernetesClients:
    found: KubernetesClients = request.param
    return found


@pytest.fixture(scope="module")
def cluster(clients: KubernetesClients, server: DemoServer) -> Kubernetes:
    return clients.open(ClusterAccess(kubeconfig=server.kubeconfig()))


@pytest.fixture(scope="module")
def whole(cluster: Kubernetes) -> Inventory:
    return cluster.inventory()


def test_it_tells_its_context_and_version(cluster: Kubernetes) -> None:
    assert (cluster.context, cluster.version()) == ("demo", "v1.31.2-eks-demo")


def test_reading_twice_gives_the_same(cluster: Kubernetes, whole: Inventory) -> None:
    assert cluster.inventory() == whole


def test_every_kind_of_workload_is_there_with_its_containers(whole: Inventory) -> None:
    kinds = {workload.kind for workload in whole.workloads}

    assert kinds == {"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet", "Pod", "Cluster"}
    assert all(workload.containers and workload.created_at >= 0 for workload in whole.workloads)
    assert {container.role for workload in whole.workloads for container in workload.containers} == {"main", "sidecar", "init"}
    assert sum(container.heap_bytes is not None for workload in whole.workloads for container in workload.containers) > 5


def test_identities_are_unique_and_every_pod_belongs_to_a_workload(whole: Inventory) -> None:
    uids = [workload.uid for workload in whole.workloads]

    assert len(set(uids)) == len(uids)
    assert len({pod.uid for pod in whole.pods}) == len(whole.pods)
    assert {pod.workload_uid for pod in whole.pods} <= set(uids)
    assert {top for _, _, top in (*whole.replica_sets, *whole.jobs)} <= set(uids)


def test_replicas_are_the_pods_that_live(whole: Inventory) -> None:
    live = [pod.workload_uid for pod in whole.pods if pod.phase == "Running"]

    for workload in whole.workloads:
        if workload.kind != "Job":  # what ended keeps its parallelism
            assert workload.replicas == live.count(workload.uid), workload.name
        assert len(workload.node_names) == live.count(workload.uid)


def test_nodes_are_those_that_pods_run_on_and_tell_their_price(whole: Inventory) -> None:
    assert {pod.node_name for pod in whole.pods} <= {node.name for node in whole.nodes}
    assert all(node.instance_type and node.region and node.capacity_type for node in whole.nodes)


def test_a_namespace_by_itself_is_its_part_of_the_whole(cluster: Kubernetes, whole: Inventory) -> None:
    part = cluster.inventory(namespaces=["payments"])

    assert part.workloads == tuple(w for w in whole.workloads if w.namespace == "payments")
    assert part.pods == tuple(p for p in whole.pods if p.namespace == "payments")
    assert part.namespaces == ("payments",)


def test_a_selector_leaves_the_workloads_that_have_its_labels(cluster: Kubernetes, whole: Inventory) -> None:
    part = cluster.inventory(selector="app.kubernetes.io/name=api,app.kubernetes.io/part-of!=staging")

    assert [(w.namespace, w.name) for w in part.workloads] == [("payments", "api"), ("shop", "api")]
    assert part.pods == tuple(p for p in whole.pods if p.workload_uid in {w.uid for w in part.workloads})


def test_what_is_not_there_or_not_right_is_an_error_of_its_kind(
    clients: KubernetesClients, cluster: Kubernetes, server: DemoServer
) -> None:
    with pytest.raises(NotFoundError):
        cluster.inventory(namespaces=["nowhere"])
    with pytest.raises(InvalidError):
        cluster.inventory(selector="((")
    with pytest.raises(UnauthenticatedError):
        clients.open(ClusterAccess(server=f"{server.url}{KUBERNETES}", token="stale")).inventory()
    with pytest.raises(UnavailableError):
        clients.open(ClusterAccess(server=f"{server.url}/elsewhere", token="good")).version()
    with pytest.raises(InvalidRequestError):
        clients.open(ClusterAccess(kubeconfig=server.kubeconfig().replace("token: good", "exec: {command: sh}")))


@pytest.mark.parametrize("kind", KINDS)
def test_pages_hold_every_object_once_in_order(cluster: Kubernetes, kind: ObjectKind) -> None:
    if kind == "rollouts":
        with pytest.raises(NotFoundError):
            cluster.objects(kind)
        return
    whole = cluster.objects(kind, limit=500)
    names, after = [], None
    while True:
        page = cluster.objects(kind, limit=6, after=after)
        names += [place(row) for row in page.rows]
        after = page.after
        if after is None:
            break

    assert names == [place(row) for row in whole.rows] == sorted(names)
    assert (whole.after, whole.malformed) == (None, 0)


def test_an_observation_is_the_inventory_with_every_surveyed_row(cluster: Kubernetes, whole: Inventory) -> None:
    inventory, survey = cluster.observe()

    assert inventory == whole
    assert (set(survey.rows), survey.missing) == (set(SURVEYED), {})
    assert [row["uid"] for row in survey.rows["pods"]] == [pod.uid for pod in whole.pods]
    assert [row["name"] for row in survey.rows["nodes"]] == [node.name for node in whole.nodes]


def test_it_tells_what_is_allowed_and_what_it_serves(cluster: Kubernetes, server: DemoServer) -> None:
    assert cluster.allows(Permission("", "pods", "list"))
    assert not cluster.allows(Permission("", "pods", "delete"))
    assert cluster.serves("apps/v1", "deployments")
    assert not cluster.serves("v1", "pods/resize")
    assert not cluster.serves("argoproj.io/v1alpha1", "rollouts")
    assert (cluster.connection().server, cluster.connection().tls) == (f"{server.url}{KUBERNETES}", "")
