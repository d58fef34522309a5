"""The demo cluster over HTTP, registered with the platform and looked at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from functional.client import Client

from upid.bootstrap import Services
from upid.demo.server import PROMETHEUS, DemoCluster, DemoServer, Identity


@pytest.fixture(scope="session")
def demo() -> Iterator[DemoServer]:
    made = DemoServer(DemoCluster(Identity("demo-token", int(time.time()) // 86400 * 86400 - 86400)))
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def registered(client: Client, demo: DemoServer) -> str:
    """A cluster that is registered, and never collected from."""
    body = {"name": "demo", "kubeconfig": demo.kubeconfig(), "metrics": {"kind": "prometheus", "url": f"{demo.url}{PROMETHEUS}"}}
    return str(client.post("/clusters", body).expect(201)["id"])


@pytest.fixture
def observed(client: Client, services: Services, registered: str) -> str:
    """A cluster whose inventory was read once."""
    look(client, services, registered)
    return registered


def look(client: Client, services: Services, cluster_id: str) -> str:
    """Do the first task of a collection, which reads the inventory, and return the collection's id."""
    collection_id = str(client.post("/metrics/collect", {"cluster_id": cluster_id, "history": "1h"}).expect(202)["id"])
    services.collecting.plan("default", collection_id)
    return collection_id


def every(client: Client, path: str, **query: Any) -> list[dict[str, Any]]:
    """Return the items of all pages of a list."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(path, query={**query, **cursor}).expect(200)
        assert len(page["items"]) <= query.get("limit", 100)
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = {"cursor": page["next_cursor"]}
