from __future__ import annotations

import numpy as np
import pytest

from upid.domain.inventory import Container, Inventory, Pod, Workload
from upid.ports.metrics_source import ContainerEvents, NamespaceUsage, PodContainer, PodOwner, PodPlace, UsageBlock, Window
from upid.ports.usage_history import SeriesKey, UsageChunk
from upid.services.attribution import Owners, attribute, stays_of_gone

NAN = float("nan")
WINDOW = Window(3000, 4200, 300)
STEPS = 4


def workload(name: str = "api", kind: str = "Deployment", namespace: str = "shop", created_at: float = 0.0) -> Workload:
    return Workload(namespace, kind, name, f"uid-{namespace}-{kind}-{name}", 1, (Container("app"),), created_at=created_at)


def inventory(*workloads: Workload, pods: tuple[Pod, ...] = (), **links: tuple[tuple[str, str, str], ...]) -> Inventory:
    return Inventory(workloads, pods, (), ("shop",), **links)


def block(**rows: list[float]) -> UsageBlock:
    """Rows by pod of the namespace `shop`, container `app`; `_` in a name stands for `-`."""
    keys = [PodContainer("shop", pod.replace("_", "-"), "app") for pod in rows]
    return UsageBlock(keys, np.array(list(rows.values()), dtype=float).reshape(len(rows), STEPS))


def attributed(
    listed: Inventory, *owners: PodOwner, cpu: UsageBlock | None = None, memory: UsageBlock | None = None, **more: object
) -> UsageChunk:
    parts = {"throttled": block(), "events": ContainerEvents({}, {}, {})} | more
    usage = NamespaceUsage(("shop",), WINDOW, cpu or block(), memory or block(), owners=owners, **parts)  # type: ignore[arg-type] # parts by name
    return attribute(usage, listed)


def uids(chunk: UsageChunk) -> list[tuple[str, str]]:
    return [(key.pod, key.workload_uid) for key in chunk.keys]


ROW = [1.0, 2.0, 3.0, 4.0]


def test_a_live_pod_belongs_to_the_workload_that_the_api_says() -> None:
    listed = inventory(workload(), pods=(Pod("shop", "x", "u", "uid-shop-Deployment-api"),))

    assert uids(attributed(listed, memory=block(x=ROW))) == [("x", "uid-shop-Deployment-api")]


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "Job"])
def test_a_gone_pod_belongs_to_its_owner_by_kind_and_name(kind: str) -> None:
    listed = inventory(workload("db", kind), workload("db"))

    assert uids(attributed(listed, PodOwner("shop", "Pod", "db-0", kind, "db"), memory=block(db_0=ROW))) == [
        ("db-0", f"uid-shop-{kind}-db")
    ]


@pytest.mark.parametrize(("link", "kind"), [("ReplicaSet", "Deployment"), ("Job", "CronJob")])
def test_a_chain_goes_on_by_metrics_where_its_middle_is_gone(link: str, kind: str) -> None:
    listed = inventory(workload("api", kind))
    chain = (PodOwner("shop", "Pod", "x", link, "api-1"), PodOwner("shop", link, "api-1", kind, "api"))

    assert uids(attributed(listed, *chain, memory=block(x=ROW))) == [("x", f"uid-shop-{kind}-api")]


def test_the_apis_word_about_a_replica_set_counts_before_the_metrics() -> None:
    listed = inventory(workload("api"), workload("web"), replica_sets=(("shop", "set-1", "uid-shop-Deployment-web"),))
    chain = (PodOwner("shop", "Pod", "x", "ReplicaSet", "set-1"), PodOwner("shop", "ReplicaSet", "set-1", "Deployment", "api"))

    assert uids(attributed(listed, *chain, memory=block(x=ROW))) == [("x", "uid-shop-Deployment-web")]


def test_a_name_that_begins_alike_owns_nothing() -> None:
    listed = inventory(workload("api"), workload("api-gateway"))

    assert uids(attributed(listed, memory=block(api_gateway_1=ROW, api_1=ROW))) == []


def test_the_same_name_in_another_namespace_owns_nothing() -> None:
    listed = inventory(workload("api", "StatefulSet", namespace="test"))

    assert uids(attributed(listed, PodOwner("shop", "Pod", "api-0", "StatefulSet", "api"), memory=block(api_0=ROW))) == []


def test_a_pod_of_a_workload_that_was_not_selected_is_left_out() -> None:
    listed = inventory(workload("api", "StatefulSet"), pods=(Pod("shop", "api-0", "u", "uid-other"),))

    assert uids(attributed(listed, PodOwner("shop", "Pod", "api-0", "StatefulSet", "api"), memory=block(api_0=ROW))) == []


def test_a_chain_in_a_circle_ends() -> None:
    circle = (PodOwner("shop", "Pod", "x", "A", "a"), PodOwner("shop", "A", "a", "B", "b"), PodOwner("shop", "B", "b", "A", "a"))

    assert uids(attributed(inventory(workload()), *circle, memory=block(x=ROW))) == []


def test_families_and_events_are_aligned_on_all_their_series() -> None:
    owners = [PodOwner("shop", "Pod", pod, "Deployment", "api") for pod in ("a", "b", "c")]
    c = PodContainer("shop", "c", "app")
    events = ContainerEvents({c: 2}, {c: 3}, {c: 512.0})

    chunk = attributed(inventory(workload()), *owners, cpu=block(b=ROW), memory=block(a=ROW), throttled=block(b=[0.5] * 4), events=events)

    uid = "uid-shop-Deployment-api"
    assert chunk.keys == [SeriesKey(uid, "app", "a"), SeriesKey(uid, "app", "b"), SeriesKey(uid, "app", "c")]
    np.testing.assert_array_equal(chunk.memory_bytes, [ROW, [NAN] * 4, [NAN] * 4])
    np.testing.assert_array_equal(chunk.cpu_cores, [[NAN] * 4, ROW, [NAN] * 4])
    np.testing.assert_array_equal(chunk.throttled[1], [0.5] * 4)
    assert (chunk.oom_kills.tolist(), chunk.restarts.tolist()) == ([0, 0, 2], [0, 0, 3])
    np.testing.assert_array_equal(chunk.oom_limit_bytes, [NAN, NAN, 512.0])
    assert (chunk.start, chunk.end, chunk.cpu_cores.dtype) == (3000, 4200, np.float32)


def test_no_cpu_where_nothing_is_in_memory_is_no_sample() -> None:
    owner = PodOwner("shop", "Pod", "x", "Deployment", "api")

    chunk = attributed(inventory(workload()), owner, cpu=block(x=[0.0, 0.0, 0.5, 0.0]), memory=block(x=[NAN, 9.0, NAN, NAN]))

    np.testing.assert_array_equal(chunk.cpu_cores, [[NAN, 0.0, 0.5, NAN]])


@pytest.mark.parametrize(
    ("created_at", "memory", "left"),
    [
        (3000.0, ROW, ROW),
        (3700.0, [NAN, NAN, 3.0, 4.0], [NAN, NAN, 3.0, 4.0]),  # made within its first step
        (3700.0, ROW, [NAN, NAN, NAN, 4.0]),  # something of this name was there before: the shared step is not its own
        (9999.0, ROW, [NAN, NAN, NAN, NAN]),
    ],
)
def test_what_was_before_the_workload_is_not_its_own(created_at: float, memory: list[float], left: list[float]) -> None:
    owner = PodOwner("shop", "Pod", "db-0", "StatefulSet", "db")

    chunk = attributed(
        inventory(workload("db", "StatefulSet", created_at=created_at)), owner, cpu=block(db_0=memory), memory=block(db_0=memory)
    )

    np.testing.assert_array_equal(chunk.memory_bytes, [left])
    np.testing.assert_array_equal(chunk.cpu_cores, [left])


def test_nothing_is_an_empty_chunk() -> None:
    chunk = attributed(inventory(workload()))

    assert (len(chunk.keys), chunk.cpu_cores.shape, chunk.oom_kills.shape) == (0, (0, 4), (0,))


def places_of(*places: PodPlace, live: tuple[Pod, ...] = ()) -> list[tuple[str, float, str]]:
    """What is told of pods that are gone: name, since when, node."""
    listed = inventory(workload("api", "StatefulSet"), pods=live)
    links = [PodOwner("shop", "Pod", f"api-{number}", "StatefulSet", "api") for number in range(2)]
    return [(stay.pod, stay.since, stay.node) for stay in stays_of_gone(places, WINDOW, Owners.of(listed, links), listed)]


def at(pod: str, node: str, uid: str = "u-old") -> PodPlace:
    return PodPlace("shop", pod, uid, node)


def test_a_pod_that_is_gone_was_where_the_source_says_from_the_begin_of_the_window() -> None:
    assert places_of(at("api-0", "a"), at("api-1", "b"), at("strange", "c")) == [("api-0", WINDOW.start, "a"), ("api-1", WINDOW.start, "b")]


def test_the_pod_that_lives_is_left_to_the_api_and_the_one_before_it_counts_where_it_can_have_been_in_the_window() -> None:
    uid = "uid-shop-StatefulSet-api"
    young, old = (Pod("shop", "api-0", "u-new", uid, "b", "Running", WINDOW.start + moment) for moment in (60.0, -60.0))

    assert places_of(at("api-0", "a"), at("api-0", "b", "u-new"), live=(young,)) == [("api-0", WINDOW.start, "a")]
    assert places_of(at("api-0", "a"), at("api-0", "b", "u-new"), live=(old,)) == []


def test_of_two_pods_of_a_name_that_are_gone_on_two_nodes_nobody_knows_which_came_first() -> None:
    assert places_of(at("api-0", "a", "u-1"), at("api-0", "c", "u-2")) == []
    assert places_of(at("api-0", "a", "u-1"), at("api-0", "a", "u-2")) == [("api-0", WINDOW.start, "a")]
