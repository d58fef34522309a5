"""Circuits of clusters: recorded where they change, told as events, shown in health."""

from __future__ import annotations

from functional.client import Client
from functional.clusters.test_state import register
from outside.serving import Reply, serving

from upid.bootstrap import Services
from upid.demo.server import DemoServer


def kinds(services: Services) -> list[str]:
    return [entry.event.type for entry in services.events.read("default") if entry.event.type.startswith("circuit.")]


def test_a_broken_cluster_opens_its_circuit_which_is_told_and_shown(client: Client, services: Services, demo: DemoServer) -> None:
    with serving(lambda _: Reply({}, 500)) as url:
        cluster_id = register(client, url, demo)
        for _ in range(3):
            client.get(f"/clusters/{cluster_id}/pods", query={"live": "true"}).problem(503, "cluster-unavailable")
        refused = client.get(f"/clusters/{cluster_id}/pods", query={"live": "true"})

    assert int(refused.header("retry-after")) <= 15
    assert refused.problem(503, "cluster-unavailable")["retry_after_seconds"] <= 15
    health = client.get(f"/clusters/{cluster_id}/health").expect(200)
    assert (health["state"], health["parts"][0]["state"]) == ("unhealthy", "unhealthy")
    assert [(circuit["system"], circuit["state"], circuit["failures"]) for circuit in health["circuits"]] == [("kubernetes", "open", 5)]
    assert kinds(services) == ["circuit.opened"]


def test_new_access_begins_with_a_new_circuit(client: Client, services: Services, demo: DemoServer) -> None:
    with serving(lambda _: Reply({}, 500)) as url:
        cluster_id = register(client, url, demo)
        for _ in range(3):
            client.get(f"/clusters/{cluster_id}/pods", query={"live": "true"})
    metrics = {"kind": "prometheus", "url": "http://127.0.0.1:9"}

    client.put(f"/clusters/{cluster_id}", {"name": "mended", "kubeconfig": demo.kubeconfig(), "metrics": metrics}).expect(200)

    assert client.get(f"/clusters/{cluster_id}/pods", query={"live": "true"}).expect(200)["items"]
    assert client.get(f"/clusters/{cluster_id}/health").expect(200)["circuits"] == []


def test_a_deleted_cluster_leaves_no_circuit(client: Client, services: Services, demo: DemoServer) -> None:
    cluster_id = register(client, "http://127.0.0.1:9", demo)
    for _ in range(4):
        client.get(f"/clusters/{cluster_id}/nodes", query={"live": "true"})
    assert services.circuits.of("default", cluster_id)

    client.delete(f"/clusters/{cluster_id}").expect(204)
    services.circuits.changed(f"{cluster_id}/kubernetes", "open", 5, "late")

    assert services.circuits.of("default", cluster_id) == []
