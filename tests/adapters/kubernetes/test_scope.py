from __future__ import annotations

import pytest
from adapters.kubernetes.playing import (
    CRON_JOBS,
    DEPLOYMENTS,
    JOBS,
    NAMESPACES,
    PODS,
    REPLICA_SETS,
    Api,
    box,
    named,
    pod,
    refusal,
    workload,
)

from upid.domain.errors import InvalidError, NotFoundError


def test_only_the_named_namespaces_are_read(api: Api) -> None:
    api.add(DEPLOYMENTS, workload("a", "one"), workload("b", "two"), workload("c", "three"))

    inventory = api.inventory(namespaces=["c", "a"])

    assert [w.name for w in inventory.workloads] == ["one", "three"]
    assert inventory.namespaces == ("a", "c")
    assert api.times(DEPLOYMENTS) == 0
    assert api.times("/apis/apps/v1/namespaces/a/deployments") == 1


def test_a_namespace_that_does_not_exist_is_not_found(api: Api) -> None:
    with pytest.raises(NotFoundError, match="There is no namespace 'ghost' in the cluster"):
        api.inventory(namespaces=["default", "ghost"])


def test_where_namespaces_may_not_be_listed_the_named_ones_are_looked_at(api: Api) -> None:
    api.always[NAMESPACES] = refusal(403)
    api.always[f"{NAMESPACES}/a"] = refusal(403)
    api.add(DEPLOYMENTS, workload("a", "one"))

    inventory = api.inventory(namespaces=["a"])

    assert ([w.name for w in inventory.workloads], inventory.namespaces, inventory.unreadable) == (["one"], ("a",), ())
    with pytest.raises(NotFoundError):
        api.inventory(namespaces=["ghost"])


def test_a_selector_means_the_labels_of_workloads_and_keeps_their_pods(api: Api) -> None:
    api.add(DEPLOYMENTS, workload("a", "web", labels={"tier": "front"}), workload("a", "db", labels={"tier": "back"}))
    api.add(REPLICA_SETS, workload("a", "web-1", owner=("Deployment", "web")), workload("a", "db-1", owner=("Deployment", "db")))
    api.add(PODS, pod("a", "web-1-x", ("ReplicaSet", "web-1")), pod("a", "db-1-x", ("ReplicaSet", "db-1")))

    inventory = api.inventory(selector="tier=front")

    assert [w.name for w in inventory.workloads] == ["web"]
    assert [p.name for p in inventory.pods] == ["web-1-x"]


def test_a_selected_cron_job_keeps_pods_whose_job_has_no_labels(api: Api) -> None:
    spec = {"jobTemplate": {"spec": {"template": {"spec": {"containers": [box()]}}}}}
    api.add(CRON_JOBS, named("a", "nightly", labels={"app": "n"}) | {"spec": spec})
    api.add(JOBS, workload("a", "nightly-1", owner=("CronJob", "nightly")), workload("a", "other"))
    api.add(PODS, pod("a", "nightly-1-x", ("Job", "nightly-1")))

    inventory = api.inventory(selector="app in (n, m)")

    assert [(w.kind, w.replicas) for w in inventory.workloads] == [("CronJob", 1)]
    assert len(inventory.pods) == 1


def test_a_selector_that_is_none_is_refused_before_anything_is_asked(api: Api) -> None:
    with pytest.raises(InvalidError, match="is no label selector"):
        api.inventory(selector="app=(web")
    assert api.asked == []


def test_a_namespace_that_vanishes_in_the_middle_is_empty_and_no_failure(api: Api) -> None:
    api.always[NAMESPACES] = refusal(403)
    api.always[f"{NAMESPACES}/gone"] = refusal(403)

    assert api.inventory(namespaces=["gone"]).workloads == ()
