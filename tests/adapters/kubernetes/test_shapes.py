"""Objects as an API server of 1.34 gives them, through the inventory and through the rows that are shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from outside.cluster import TOKEN, Cluster
from outside.serving import serving
from outside.shapes import UID, cluster_of_shapes

from upid.adapters.kubernetes.client import ApiServers
from upid.adapters.kubernetes.pod_rows import requested
from upid.domain.clusters import ClusterAccess
from upid.domain.inventory import Workload
from upid.domain.quantities import parse_quantity
from upid.ports.kubernetes import Observation

GIB = 2.0**30


@pytest.fixture(scope="module")
def shapes() -> Cluster:
    return cluster_of_shapes()


@pytest.fixture(scope="module")
def seen(shapes: Cluster) -> Iterator[Observation]:
    with serving(shapes.answer) as url:
        yield ApiServers().open(ClusterAccess(server=url, token=TOKEN)).observe()


def workload(seen: Observation, kind: str, name: str) -> Workload:
    (found,) = [found for found in seen.inventory.workloads if (found.kind, found.name) == (kind, name)]
    return found


def pods(seen: Observation) -> dict[str, Any]:
    return {row["name"].rpartition("-")[2]: row for row in seen.survey.rows["pods"]}


def test_every_workload_is_there_and_nothing_is_unreadable(seen: Observation) -> None:
    assert [(found.kind, found.name) for found in seen.inventory.workloads] == [
        ("CronJob", "report"), ("DaemonSet", "agent"), ("Deployment", "web"), ("Deployment", "whole"), ("Pod", "kube-proxy-ip-10-0-1-17"),
        ("Pod", "whole-1"), ("StatefulSet", "db"),
    ]  # fmt: skip
    assert seen.inventory.unreadable == ()
    assert seen.inventory.namespaces == ("leaving", "shop")


def test_containers_have_their_roles_and_resources(seen: Observation) -> None:
    web = workload(seen, "Deployment", "web")
    figures = {
        c.name: (c.role, c.resources.cpu_request_cores, c.resources.memory_request_bytes, c.resources.memory_limit_bytes)
        for c in web.containers
    }

    assert figures == {
        "app": ("main", 0.5, GIB, 1.5 * GIB), "tail": ("main", None, None, None), "migrate": ("init", 1.0, GIB, None),
        "mesh": ("sidecar", 0.1, 128 * 2.0**20, 256 * 2.0**20),
    }  # fmt: skip
    assert {c.name: c.heap_bytes for c in web.containers}["app"] == 512 * 2.0**20
    assert web.autoscaler is not None
    assert (web.autoscaler.cpu_utilization, web.autoscaler.memory_utilization) == (70.0, None)


def test_what_is_set_for_a_whole_pod_is_told_of_its_containers(seen: Observation) -> None:
    shared = {f"{w.kind}/{w.name}" for w in seen.inventory.workloads if any(c.shares_pod for c in w.containers)}

    assert shared == {"Deployment/whole", "Pod/whole-1"}
    assert all(container.shares_pod for container in workload(seen, "Deployment", "whole").containers)


def test_a_limit_alone_is_a_request_too(seen: Observation) -> None:
    (agent,) = workload(seen, "DaemonSet", "agent").containers

    assert (agent.resources.cpu_request_cores, agent.resources.memory_request_bytes) == (0.2, 100 * 2.0**20)


def test_what_is_missing_reads_as_kubernetes_means_it(seen: Observation) -> None:
    found = [workload(seen, kind, name) for kind, name in (("Deployment", "whole"), ("DaemonSet", "agent"), ("CronJob", "report"))]

    assert [(one.replicas, one.ready_replicas) for one in found] == [(1, 0), (0, 0), (0, None)]
    assert workload(seen, "StatefulSet", "db").labels == ()


def test_pods_belong_to_their_workload_by_uid_whatever_they_are_up_to(seen: Observation) -> None:
    web = [pod for pod in seen.inventory.pods if pod.workload_uid == f"{UID}100"]

    assert len(web) == 5
    assert seen.inventory.jobs == (("shop", "report-28333440", f"{UID}140"),)


def test_pods_are_told_as_kubectl_tells_them(seen: Observation) -> None:
    rows = pods(seen)

    assert {name: (row["phase"], row["reason"]) for name, row in rows.items() if name in {"abcde", "fghij", "klmno", "pqrst", "uvwxy"}} == {
        "abcde": ("Running", ""), "fghij": ("Running", "Terminating"), "klmno": ("Pending", "Init:CrashLoopBackOff"),
        "pqrst": ("Failed", "Evicted"), "uvwxy": ("Pending", ""),
    }  # fmt: skip
    assert (rows["abcde"]["containers"], rows["abcde"]["ready_containers"], rows["abcde"]["restarts"]) == (3, 3, 4)
    assert {name: row["resize"] for name, row in rows.items() if row["resize"]} == {"abcde": "deferred", "1": "infeasible"}


def test_a_pod_asks_for_what_the_scheduler_counts(seen: Observation) -> None:
    rows = pods(seen)

    assert rows["abcde"]["cpu_request_cores"] == pytest.approx(1.0 + 0.05)  # the migration's core and the overhead
    assert rows["abcde"]["memory_request_bytes"] == GIB + (128 + 64) * 2.0**20  # the app beside its sidecar, and the overhead
    assert (rows["1"]["cpu_request_cores"], rows["1"]["memory_request_bytes"]) == (2.0, 2 * GIB)
    assert (rows["17"]["cpu_request_cores"], rows["17"]["memory_request_bytes"]) == (0.1, None)


@pytest.mark.parametrize(
    ("inits", "expected"),
    [
        ([], 3.0),
        ([("1", False)], 3.0),
        ([("4", False)], 4.0),
        ([("1", True)], 4.0),
        ([("1", True), ("4", False)], 5.0),  # the sidecar runs beside the init container behind it
        ([("4", False), ("1", True)], 4.0),
    ],
)
def test_the_start_of_a_pod_counts_where_it_needs_more(inits: list[tuple[str, bool]], expected: float) -> None:
    boxes = [{"resources": {"requests": {"cpu": cpu}}} | ({"restartPolicy": "Always"} if stays else {}) for cpu, stays in inits]
    spec = {"containers": [{"resources": {"requests": {"cpu": "1"}}}, {"resources": {"requests": {"cpu": "2"}}}], "initContainers": boxes}

    assert requested(spec, "cpu") == expected


def test_nodes_and_the_rest_are_shown(seen: Observation) -> None:
    (node,) = seen.survey.rows["nodes"]
    assert (node["ready"], node["pressures"], node["capacity_type"]) == (True, ["MemoryPressure"], "spot")
    assert node["taints"] == ["node.kubernetes.io/memory-pressure:NoSchedule"]
    assert node["memory_bytes"] == parse_quantity("15226644Ki")
    assert [row["phase"] for row in seen.survey.rows["namespaces"]] == ["Terminating", "Active"]
    assert {row["name"]: row["available_replicas"] for row in seen.survey.rows["deployments"]} == {"web": 2, "whole": 0}
    shown = str(seen)
    assert "managedFields" not in shown
    assert not [value for value in ("bm8gY2VydGlmaWNhdGU=", "no certificate", "bm8ga2V5", "no key", "a: 1") if value in shown]
