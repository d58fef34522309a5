"""A collected cluster behind the platform, and a client of it."""

from __future__ import annotations

import pytest
from functional.client import Client
from worlds.analysis import SHOP
from worlds.collection import FakeCluster, FakeWorkflows, SetClock, World, inventory

from upid.bootstrap import Services


@pytest.fixture
def world(services: Services) -> World:
    """The platform with a cluster of six containers behind it."""
    cluster, clock, workflows = FakeCluster(inventory(*SHOP)), SetClock(), FakeWorkflows()
    replaced = {"clock": clock, "kubernetes": cluster, "metrics_sources": cluster, "workflows": workflows}
    for name, port in replaced.items():
        setattr(services, name, port)
    return World(services, clock, cluster, workflows)


@pytest.fixture
def api(world: World, client: Client) -> Client:
    """A client of that platform."""
    return client


@pytest.fixture
def cluster_id(world: World) -> str:
    """The cluster, collected once."""
    found = world.register()
    assert world.collect(found)["status"] == "succeeded"
    return found
