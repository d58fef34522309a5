"""A cluster of a chosen size with stored usage, made without going through a collection: outside of what is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from upid.bootstrap import Services
from upid.cli.benching.identity import CLUSTER, TENANT
from upid.cli.benching.usage import END, MIB, Size, usage_of
from upid.domain.inventory import Container, Inventory, Node, Pod, Resources, Workload
from upid.ports.records import Key
from upid.ports.usage_history import HistoryScope, SeriesKey, UsageChunk
from upid.services.profiles import Profiles, folded, grown
from upid.services.rosters import DAY_SECONDS, Rosters
from upid.services.shards import shard_count, shard_of
from upid.services.sizing import rows_of
from upid.services.snapshots import Snapshot, Snapshots

PODS_PER_NODE: Final = 100


Show = Callable[[str, int, int], None]


def make_days(services: Services, size: Size, *, show: Show | None = None) -> None:
    """Store a cluster's record, who was there, and its samples as scheduled collections leave them: by the day. A tenth of the pods move each day."""
    inventory, shards = inventory_of(size.containers), shard_count(size.containers)
    for shard, workloads in enumerate(_by_shard(inventory, shards)):
        if show:
            show("Making data", shard, shards)
        chunk = _chunk(size, workloads, np.random.default_rng(shard))
        for day in range(size.days):
            services.history.append(HistoryScope(TENANT, CLUSTER, shard), _day_of(chunk, day))
        rows = rows_of(replace(inventory, workloads=tuple(workloads)))
        Profiles(services.blobs).save(TENANT, CLUSTER, shard, grown(None, rows, float(END)))
    begin, rosters = END - size.days * DAY_SECONDS, Rosters(services.blobs)
    for moment in (begin, *range(begin + DAY_SECONDS - 1, END, DAY_SECONDS)):
        listed = replace(inventory, pods=tuple(_pods(inventory, begin, moment)))
        rosters.keep(TENANT, CLUSTER, listed, start=moment, end=moment)
    told = {"id": CLUSTER, "shards": shards, "watermark": END, "step_seconds": size.step_seconds}
    services.records.put(Key(f"t#{TENANT}#clusters", CLUSTER), told)


def _pods(inventory: Inventory, begin: int, moment: int) -> Iterator[Pod]:
    """Yield the pods at a moment: each on a node of its own number, and from noon of one of ten days on the next one."""
    nodes = [node.name for node in inventory.nodes]
    for number, each in enumerate(inventory.workloads):
        moved = begin + number % 10 * DAY_SECONDS + DAY_SECONDS // 2
        node, since = (number + 1, moved) if moment >= moved else (number, begin - 10 * DAY_SECONDS)
        yield Pod(each.namespace, f"{each.name}-0", f"{each.uid}-{since}", each.uid, nodes[node % len(nodes)], "Running", float(since))


def _by_shard(inventory: Inventory, shards: int) -> list[list[Workload]]:
    parts: list[list[Workload]] = [[] for _ in range(shards)]
    for workload in inventory.workloads:
        parts[shard_of(workload.namespace, workload.kind, workload.name, workload.uid, shards)].append(workload)
    return parts


def one_step(keys: list[SeriesKey], start: int, size: Size) -> UsageChunk:
    """Return one step of the containers of these keys."""
    random = np.random.default_rng(start)
    cpu, memory = (random.random((len(keys), 1), np.float32) for _ in range(2))
    none = np.zeros(len(keys), np.int32)
    return UsageChunk(keys, start, size.step_seconds, cpu, memory, np.full_like(cpu, np.nan), none, none, np.full(len(keys), np.nan))


def _day_of(chunk: UsageChunk, day: int) -> UsageChunk:
    steps = 86400 // chunk.step_seconds
    part = slice(day * steps, (day + 1) * steps)
    return replace(
        chunk, start=chunk.start + day * 86400, cpu_cores=chunk.cpu_cores[:, part], memory_bytes=chunk.memory_bytes[:, part],
        throttled=chunk.throttled[:, part],
    )  # fmt: skip


def make(services: Services, size: Size, *, history: bool, show: Show | None = None) -> None:
    """Store a cluster's record, inventory and profiles of this size, and its samples where `history` is asked for; `show` is told how far it is."""
    inventory = inventory_of(size.containers)
    shards = shard_count(size.containers)
    Snapshots(services.blobs).save(TENANT, CLUSTER, Snapshot(float(END), inventory), shards)
    for shard, workloads in enumerate(_by_shard(inventory, shards)):
        if show:
            show("Making data", shard, shards)
        _shard(services, size, shard, workloads, history=history)
    body = {
        "id": CLUSTER, "name": "bench", "shards": shards, "watermark": END, "history_seconds": size.days * 86400,
        "step_seconds": size.step_seconds, "last_collection_id": None, "latest_analysis_id": None,
    }  # fmt: skip
    services.records.put(Key(f"t#{TENANT}#clusters", CLUSTER), body)


def _shard(services: Services, size: Size, shard: int, workloads: list[Workload], *, history: bool) -> None:
    chunk = _chunk(size, workloads, np.random.default_rng(shard))
    rows = rows_of(Inventory(tuple(workloads), (), (), ()))
    Profiles(services.blobs).save(TENANT, CLUSTER, shard, folded(grown(None, rows, float(END)), [chunk]))
    if history:
        services.history.append(HistoryScope(TENANT, CLUSTER, shard), chunk)


def inventory_of(containers: int) -> Inventory:
    """Return an inventory of so many workloads of one container each."""
    nodes = [Node(f"node-{i}", f"node-{i}", 16.0, 64 * 2.0**30, "m5.4xlarge", "us-east-1") for i in range(-(-containers // PODS_PER_NODE))]
    resources = Resources(0.5, 1.0, 512 * MIB, 1024 * MIB)
    workloads = [
        Workload(
            f"team-{i % 50}", "Deployment", f"service-{i}", f"uid-{i:06d}", 1, (Container("app", resources),),
            created_at=float(END - 90 * 86400), node_names=(nodes[i // PODS_PER_NODE].name,),
        )
        for i in range(containers)
    ]  # fmt: skip
    return Inventory(tuple(workloads), (), tuple(nodes), tuple(sorted({workload.namespace for workload in workloads})))


def _chunk(size: Size, workloads: list[Workload], rng: np.random.Generator) -> UsageChunk:
    rows = len(workloads)
    keys = [SeriesKey(workload.uid, "app", f"{workload.name}-0") for workload in workloads]
    cpu, memory = usage_of(size, rows, rng)
    nothing = np.zeros(rows, np.int32)
    return UsageChunk(
        keys,
        END - size.days * 86400,
        size.step_seconds,
        cpu,
        memory,
        np.full_like(cpu, np.nan),
        nothing,
        nothing.copy(),
        np.full(rows, np.nan),
    )
