"""A registered cluster whose usage was collected, for tests of what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from functional.client import Client
from functional.test_clusters import told
from functional.test_collections import run
from worlds.collection import STEP, FakeCluster, SetClock, inventory, sample, workload

from upid.bootstrap import Services
from upid.domain.times import parse_time
from upid.ports.metrics_source import PodContainer


@dataclass(frozen=True)
class Collected:
    """A cluster of `shop/web` (two pods), `shop/cart` and `bank/ledger`, collected over the hours before `end`."""

    cluster_id: str
    cluster: FakeCluster
    end: int

    def cpu(self, *pods: tuple[str, str], hours: float = 24) -> Any:
        """The CPU samples of containers `main` of these (namespace, pod), shape (pods, steps), as the source has them. [cores]"""
        moments = np.arange(self.end - int(hours * 3600), self.end, STEP)
        return np.stack([sample(PodContainer(namespace, pod, "main"), moments) for namespace, pod in pods]).astype(np.float32)


def collected(client: Client, services: Services, history: str = "24h", names: Sequence[str] = ("web", "cart")) -> Collected:
    """Register a cluster and collect it up to now."""
    parts = [workload("shop", name, replicas=2 if name == "web" else 1) for name in names]
    cluster = FakeCluster(inventory(*parts, workload("bank", "ledger")))
    clock = SetClock(services.clock.now() // 86400 * 86400 + 43200)  # records expire by the real clock: the day must be today
    for name, port in {"kubernetes": cluster, "metrics_sources": cluster, "clock": clock}.items():
        setattr(services, name, port)
    cluster_id = str(client.post("/clusters", told()).expect(201)["id"])
    run(services, client.post("/metrics/collect", {"cluster_id": cluster_id, "history": history}).expect(202)["id"])
    watermark = client.get(f"/clusters/{cluster_id}").expect(200)["watermark"]
    return Collected(cluster_id, cluster, int(parse_time(watermark)))
