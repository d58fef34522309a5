"""A cluster with a week of stored usage that a test knows by formula."""

from __future__ import annotations

import numpy as np
from worlds.collection import inventory, registration, workload

from upid.bootstrap import Services
from upid.domain.identity import Caller
from upid.ports.usage_history import HistoryScope, SeriesKey, UsageChunk
from upid.services.snapshots import Snapshot, Snapshots

NOWHERE = "cl_01HZZZZZZZZZZZZZZZZZZZZZZZ"
ADMIN = Caller("usr_admin", "admin", "default", ("*",))
START = 1_760_000_000 // 604800 * 604800  # a Thursday, 00:00 UTC
STEP = 300
WEEK = 7 * 86400 // STEP
PARTS = (workload("shop", "api"), workload("shop", "db", replicas=2), workload("jobs", "batch"))


def usage_of(name: str, steps: np.ndarray) -> np.ndarray:
    """CPU of a pod at steps of five minutes since START. [cores]"""
    hours = steps * STEP // 3600
    return {
        "api": 2 + np.sin(2 * np.pi * hours / 24),  # three at six in the morning
        "db": np.full(len(steps), 0.5),
        "batch": 0.5 + hours / 100,
    }[name]


def cluster_of(services: Services) -> str:
    """Register a cluster and return its id."""
    return str(services.clusters.register(ADMIN, registration())["id"])


def stored(services: Services, steps: int = WEEK, **spans: tuple[int, int]) -> str:
    """Register a cluster that has `steps` of usage, and return its id. `spans`: workloads of a core that were there from one step up to another alone."""
    cluster_id = cluster_of(services)
    append(services, cluster_id, 0, steps, **spans)
    found = inventory(*PARTS, *(workload("late", name) for name in spans))
    Snapshots(services.blobs).save("default", cluster_id, Snapshot(START + steps * STEP, found), 1)
    return cluster_id


def append(services: Services, cluster_id: str, begin: int, end: int, **spans: tuple[int, int]) -> None:
    """Add the usage of steps [begin, end), and move the watermark."""
    pods, steps = [(part, n) for part in PARTS for n in range(part.replicas)], np.arange(begin, end)
    rows = [usage_of(part.name, steps) for part, _ in pods]
    rows += [np.where((steps >= first) & (steps < last), 1.0, np.nan) for first, last in spans.values()]
    pods += [(workload("late", name), 0) for name in spans]
    cpu = np.stack(rows).astype(np.float32)
    none = np.zeros(len(pods), np.int32)
    keys = [SeriesKey(part.uid, "main", f"{part.name}-{n}") for part, n in pods]
    chunk = UsageChunk(keys, START + begin * STEP, STEP, cpu, cpu * 2**30, cpu * 0, none, none, np.full(len(pods), np.nan))
    services.history.append(HistoryScope("default", cluster_id, 0), chunk)
    told = {"watermark": START + end * STEP, "shards": 1, "step_seconds": STEP}
    services.cluster_records.change("default", cluster_id, lambda body: body | told)
