from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from unit.demo.small import ANCHOR, DAY

from upid.demo.plan import Plan, PlannedPod, Scale
from upid.demo.planning import plan
from upid.demo.specs import CPU_SHAPES, MEMORY_SHAPES


def planned(pods: int = 150, until: int = ANCHOR + DAY) -> Plan:
    return plan(Scale(7, pods, ANCHOR, until))


def live(of: Plan, moment: int = ANCHOR) -> list[PlannedPod]:
    return [pod for pod in of.pods if pod.start <= moment < pod.end]


def test_the_usual_cluster_has_about_60_workloads_and_150_pods_of_every_kind() -> None:
    usual = planned()

    assert 55 <= len(usual.workloads) <= 70
    assert 130 <= len(live(usual)) <= 200
    kinds = {workload.spec.kind for workload in usual.workloads}
    assert kinds >= {"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet", "Pod"}


def test_every_shape_of_use_has_a_workload() -> None:
    containers = [container for workload in planned().workloads for container in workload.spec.containers]

    assert {container.cpu for container in containers} == set(CPU_SHAPES)
    assert {container.memory for container in containers} == set(MEMORY_SHAPES)
    assert {container.role for container in containers} == {"main", "sidecar", "init"}
    assert any(not container.cpu_request and not container.memory_request for container in containers)


@pytest.mark.parametrize("pods", [1, 20, 600, 3000])
def test_another_size_has_about_as_many_pods(pods: int) -> None:
    count = len(live(planned(pods)))

    assert 0.8 * pods <= count <= 1.2 * pods + 15


def test_the_same_scale_is_the_same_cluster() -> None:
    first, second = planned(), planned()

    assert (first.pods, first.runs, first.nodes) == (second.pods, second.runs, second.nodes)


def test_a_later_end_adds_pods_and_changes_none_that_were_there() -> None:
    before = {pod.uid: (pod.name, pod.start, pod.end) for pod in planned().pods}
    after = {pod.uid: (pod.name, pod.start, pod.end) for pod in planned(until=ANCHOR + 3 * DAY).pods}

    assert before.items() <= after.items()
    assert len(after) > len(before)


def test_names_and_uids_are_nobody_elses() -> None:
    whole = planned(1500)

    assert max(Counter(pod.uid for pod in whole.pods).values()) == 1
    assert max(Counter((pod.workload.spec.namespace, pod.name) for pod in whole.pods).values()) == 1
    assert max(Counter(run.id for run in whole.runs).values()) == 1


def test_a_rollout_in_the_window_replaced_the_pods_of_an_older_replica_set() -> None:
    gone = {
        pod.owner[1]
        for pod in planned().pods
        if pod.owner and pod.owner[0] == "ReplicaSet" and ANCHOR - 7 * DAY < pod.end < ANCHOR - 3600 and not pod.workload.spec.hpa
    }

    assert len(gone) >= 3


def test_runs_of_a_killed_container_follow_one_another() -> None:
    runs = [run for run in planned().runs if run.pod.workload.spec.name == "fraud"]
    by_pod: dict[str, list[tuple[int, int]]] = {}
    for run in runs:
        by_pod.setdefault(run.pod.uid, []).append((run.start, run.end))

    assert all(len(spans) > 3 for spans in by_pod.values())
    assert all(first[1] == second[0] for spans in by_pod.values() for first, second in pairwise(spans))


def test_requests_fit_the_nodes() -> None:
    whole = planned()
    cores = sum(node.cpu_cores for node in whole.nodes)

    assert {node.instance_type for node in whole.nodes} >= {"m6i.4xlarge", "m6i.2xlarge"}
    assert cores > 100
