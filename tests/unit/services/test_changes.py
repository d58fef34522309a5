"""What is told of two surveys: by uid, and by version or content's hash, never by what an object holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from worlds.collection import World, workload

from upid.domain.errors import NotFoundError
from upid.domain.events import TYPES
from upid.services.changes import BORN_AND_GONE, NOUNS, UPDATES, changes
from upid.services.observing import MANY, event_id
from upid.services.surveys import Surveys


def row(name: str, **more: Any) -> dict[str, Any]:
    return {"namespace": "shop", "name": name, "uid": f"uid-{name}", "labels": {}, "created_at": None, "resource_version": "1"} | more


def pod(name: str, **more: Any) -> dict[str, Any]:
    told = {"phase": "Running", "reason": "", "node": "n1", "restarts": 0, "cpu_request_cores": 1.0, "memory_request_bytes": None}
    return row(name, **told | more)


def node(name: str, **more: Any) -> dict[str, Any]:
    return row(name, schedulable=True, **more)


def deployment(name: str = "web", **more: Any) -> dict[str, Any]:
    return row(name, **{"replicas": 2, "revision": "1", "images": ["a:1"], "generation": 1} | more)


def service(**more: Any) -> dict[str, Any]:
    return row("web", **{"type": "ClusterIP", "ports": [], "selector": {}, "external_name": "", "cluster_ip": "10.0.0.1"} | more)


def configmap(digest: str = "a", *keys: str) -> dict[str, Any]:
    return row("web", content_hash=digest, keys=[{"name": key, "size_bytes": 1} for key in keys])


def told(kind: str, before: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(change.kind, change.row["name"], dict(change.told)) for change in changes({kind: before}, {kind: now})]


@pytest.mark.parametrize(
    ("kind", "before", "now", "expected"),
    [
        ("nodes", [node("a")], [node("a"), node("b")], [("node.added", "b", {})]),
        ("nodes", [node("a")], [], [("node.removed", "a", {})]),
        ("nodes", [node("a")], [node("a") | {"schedulable": False}], [("node.cordoned", "a", {})]),
        ("nodes", [node("a") | {"schedulable": False}], [node("a")], []),
        ("pods", [], [pod("a")], [("pod.created", "a", {})]),
        ("pods", [pod("a")], [], [("pod.deleted", "a", {})]),
        ("pods", [pod("a")], [pod("a", resource_version="9")], []),
        ("pods", [pod("a")], [pod("a", phase="Failed", reason="Evicted")], [("pod.failed", "a", {"reason": "Evicted", "node": "n1"})]),
        ("pods", [pod("a")], [pod("a", restarts=2)], [("pod.updated", "a", {"restarts": {"from": 0, "to": 2}})]),
        ("pods", [], [pod("a", phase="Failed")], [("pod.created", "a", {}), ("pod.failed", "a", {"reason": "", "node": "n1"})]),
        ("pods", [pod("a", phase="Failed")], [pod("a", phase="Failed")], []),
        ("deployments", [deployment()], [deployment(replicas=5, generation=2)], [("deployment.scaled", "web", {"from": 2, "to": 5})]),
        (
            "deployments", [deployment()], [deployment(revision="2", generation=2, images=["a:2"])],
            [("deployment.updated", "web", {"revision": "2", "images": ["a:2"]})],
        ),
        ("deployments", [deployment()], [deployment(generation=2)], [("deployment.updated", "web", {"generation": 2})]),
        ("deployments", [], [deployment()], []),
        ("services", [service()], [service(type="LoadBalancer")], [("service.updated", "web", {"changed": ["type"]})]),
        ("services", [service()], [], [("service.deleted", "web", {})]),
        ("services", [], [service()], [("service.created", "web", {})]),
        ("configmaps", [configmap("a", "x")], [configmap("b", "y")], [("configmap.changed", "web", {"keys_added": ["y"], "keys_removed": ["x"]})]),
        ("configmaps", [configmap()], [configmap() | {"resource_version": "9"}], []),
        ("secrets", [row("s")], [row("s", resource_version="2")], [("secret.rotated", "s", {"resource_version": "2"})]),
        ("secrets", [row("s")], [row("s")], []),
    ],
)  # fmt: skip
def test_what_changed_is_told_by_its_name(kind: str, before: Any, now: Any, expected: Any) -> None:
    assert told(kind, before, now) == expected


def test_one_of_the_same_name_is_another_object() -> None:
    assert [kind for kind, _, _ in told("pods", [pod("a")], [pod("a", uid="new")])] == ["pod.created", "pod.deleted"]


def test_a_kind_that_could_not_be_read_tells_nothing() -> None:
    assert list(changes({"pods": [pod("a")]}, {})) == list(changes({}, {"pods": [pod("a")]})) == []


def test_every_event_that_can_be_raised_is_known() -> None:
    verbs = {noun: {verb for verb, _ in UPDATES[noun]} | set(BORN_AND_GONE.get(noun, ())) for noun in NOUNS.values()}

    assert {f"{noun}.{verb}" for noun, found in verbs.items() for verb in found} <= TYPES


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.at(tmp_path, workload("shop", "web"))


def raised(world: World) -> list[tuple[str, dict[str, Any]]]:
    events = [entry.event for entry in world.services.events.read("default", limit=1000)]
    return [(event.type, dict(event.data)) for event in events if event.type.partition(".")[0] in set(NOUNS.values())]


def plan(world: World, cluster_id: str, *, times: int = 1) -> str:
    world.clock.moment += 600
    collection_id = world.start(cluster_id)
    for _ in range(times):
        world.services.collecting.plan("default", collection_id)
    world.services.completing.fail("default", "collections", collection_id, {"Error": "Stopped"})
    return collection_id


def test_the_first_collection_tells_nothing_and_the_next_what_changed(world: World) -> None:
    cluster_id = world.register()
    world.cluster.rows = {"pods": [pod("a")], "nodes": [node("n1")]}
    plan(world, cluster_id)
    assert raised(world) == []
    world.cluster.rows = {"pods": [pod("b")], "nodes": [node("n1")]}

    collection_id = plan(world, cluster_id)

    about = {"cluster_id": cluster_id, "collection_id": collection_id, "namespace": "shop"}
    assert raised(world) == [
        ("pod.created", about | {"name": "b", "uid": "uid-b"}),
        ("pod.deleted", about | {"name": "a", "uid": "uid-a"}),
    ]


def test_many_of_a_kind_are_one_event_with_its_list_by_reference(world: World) -> None:
    cluster_id = world.register()
    world.cluster.rows = {"pods": []}
    plan(world, cluster_id)
    world.cluster.rows = {"pods": [pod(f"p{n:04}") for n in range(MANY + 1)]}

    collection_id = plan(world, cluster_id)

    ((kind, data),) = raised(world)
    listed = world.services.observing.listed("default", cluster_id, data)
    assert (kind, data["count"], data["collection_id"]) == ("pod.created", MANY + 1, collection_id)
    assert [item["name"] for item in listed] == [f"p{n:04}" for n in range(MANY + 1)]
    with pytest.raises(NotFoundError):
        world.services.observing.listed("other", cluster_id, data)


def test_a_task_done_twice_tells_of_everything_once(world: World) -> None:
    cluster_id = world.register()
    world.cluster.rows = {"secrets": [row("s")]}
    plan(world, cluster_id)
    world.cluster.rows = {"secrets": [row("s", resource_version="2")]}
    services = world.services
    collection_id = world.start(cluster_id) if world.clock.moment else ""
    for _ in range(2):  # the process died between the events and the plan
        services.observing.keep("default", cluster_id, collection_id, world.clock.moment, world.cluster.observe())

    assert [kind for kind, _ in raised(world)] == ["secret.rotated"]
    assert event_id(collection_id, "a", "b") == event_id(collection_id, "a", "b") != event_id(collection_id, "a", "c")


def test_only_the_latest_survey_stays(world: World) -> None:
    cluster_id = world.register()
    for _ in range(3):
        last = plan(world, cluster_id)

    names = [name.partition("/surveys/")[2] for name in world.services.blobs.names("t/default/clusters/") if "/surveys/" in name]
    assert names == [f"{last}/workloads.json", "index.json"]
    index = Surveys(world.services.blobs).latest("default", cluster_id)
    assert orjson.loads(orjson.dumps(index))["counts"] == {"workloads": 1}
