"""A cluster of 1.34, with everything that newer servers add, scanned and collected from: nothing of it is dropped, nothing is an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from functional.client import Client
from functional.clusters.conftest import look
from outside.cluster import TOKEN
from outside.metrics import Metrics
from outside.scanning import GIB, opened
from outside.serving import serving
from outside.shapes import cluster_of_shapes

from upid.bootstrap import Services

CONTAINERS = 12  # of all workloads, init containers and sidecars included


def test_a_scan_has_an_entry_for_every_container(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, capsys, monkeypatch) as world:
        world.cluster.objects = cluster_of_shapes().objects
        world.metrics = Metrics()
        for container, memory in (("app", GIB / 4), ("mesh", GIB / 16), ("tail", GIB / 64)):
            world.metrics.usage("shop", "web-7c5ddbdf54-abcde", container, lambda _: 0.1, lambda _, memory=memory: memory)
        with serving(world.metrics.answer) as world.prometheus_url:
            done = world.run()

    assert done.status == 0, done.err
    entries = {(entry["name"], entry["container"]): entry for entry in done.document["recommendations"]}
    assert len(entries) == CONTAINERS
    assert {entries["web", name]["status"] for name in ("app", "mesh", "tail")} <= {"recommended", "unchanged"}
    assert entries["web", "migrate"]["withheld_code"] == "init_container"
    assert {entries["whole", name]["withheld_code"] for name in ("one", "two")} == {"pod_level_resources"}
    assert entries["agent", "agent"]["current"]["cpu_request_cores"] == 0.2
    assert (entries["web", "app"]["replicas"], entries["report", "report"]["replicas"]) == (3, 0)


def test_a_collection_shows_what_is_there(client: Client, services: Services) -> None:
    with serving(cluster_of_shapes().answer) as url:
        body = {"name": "new", "server": url, "token": TOKEN, "metrics": {"kind": "prometheus", "url": "http://127.0.0.1:9"}}
        cluster_id = client.post("/clusters", body).expect(201)["id"]
        look(client, services, cluster_id)
        live = {
            kind: client.get(f"/clusters/{cluster_id}/{kind}", query={"live": "true"}).expect(200) for kind in ("pods", "nodes", "secrets")
        }

    status = client.get(f"/clusters/{cluster_id}/status").expect(200)
    assert (status["server_version"], status["unreadable"]) == ("v1.34.1", [])
    seen = {kind: client.get(f"/clusters/{cluster_id}/{kind}").expect(200)["items"] for kind in live}
    assert {kind: len(items) for kind, items in seen.items()} == {"pods": 7, "nodes": 1, "secrets": 1}
    for kind, page in live.items():
        assert page["malformed"] == 0
        assert [row["uid"] for row in sorted(page["items"], key=lambda row: row["name"])] == [row["uid"] for row in seen[kind]]
    assert [row["reason"] for row in seen["pods"] if row["resize"] == "deferred"] == [""]
    health = client.get(f"/clusters/{cluster_id}/health").expect(200)
    assert [part["detail"] for part in health["parts"] if part["name"] == "pods"] == [
        "2 of 7 pods failed or are held back: shop/web-7c5ddbdf54-klmno, shop/web-7c5ddbdf54-pqrst."
    ]
