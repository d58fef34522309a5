"""The fresh process of `upid bench store`: one task, behind the start of Python and the imports.

Run as `python -m upid.cli.benching.store_tasks TASK NUMBER`, with UPID_HOME naming the data; prints JSON.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import orjson

from upid.bootstrap import Services, build_services
from upid.cli.benching.data import inventory_of, one_step
from upid.cli.benching.identity import CLUSTER, TENANT
from upid.cli.benching.usage import END, Size
from upid.cli.benching.years import METRICS, YEAR, uid_of
from upid.ports.usage_history import HistoryScope
from upid.services.shards import shard_count, shard_of
from upid.services.usage_requests import Span, UsageQuery

WRITTEN_AT: Final = END + 86400


def main() -> None:
    """Do the task, and print what it took and what it found."""
    task, number = sys.argv[1], int(sys.argv[2])
    services = build_services()
    do: Callable[[], Any] = {"read": read, "write": write, "year": year, "nodes": nodes}[task](services, number)
    begun, cpu = time.perf_counter(), time.process_time()
    found = do()
    seconds = {"seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time() - cpu}
    sys.stdout.buffer.write(orjson.dumps({name: round(value, 6) for name, value in seconds.items()} | found))


def read(services: Services, days: int) -> Callable[[], Any]:
    """Read every sample of CPU and memory, and add them up: what was read is looked at."""
    shards = services.cluster_records.get(TENANT, CLUSTER).body["shards"]
    history = services.history

    def do() -> dict[str, Any]:
        samples, total = 0, 0.0
        for shard in range(shards):
            for chunk in history.read(HistoryScope(TENANT, CLUSTER, shard), start=END - days * 86400, end=END):
                samples += chunk.cpu_cores.size + chunk.memory_bytes.size
                total += float(chunk.cpu_cores.sum(dtype=np.float64)) + float(chunk.memory_bytes.sum(dtype=np.float64))
        return {"samples": samples, "mean": total / samples}

    return do


def write(services: Services, containers: int) -> Callable[[], Any]:
    """Append one step of every container, shard by shard, each forced to the disk."""
    shards = shard_count(containers)
    parts: list[list[int]] = [[] for _ in range(shards)]
    for number, each in enumerate(inventory_of(containers).workloads):
        parts[shard_of(each.namespace, each.kind, each.name, each.uid, shards)].append(number)
    chunks = [one_step([uid_of(number) for number in part], WRITTEN_AT, Size(containers, 1, 300)) for part in parts]
    history, cluster = services.history, f"{CLUSTER}-{time.time_ns()}"

    def do() -> dict[str, Any]:
        written = sum(history.append(HistoryScope(TENANT, cluster, shard), chunk) for shard, chunk in enumerate(chunks))
        return {"chunks": written, "series": containers}

    return do


def year(services: Services, number: int) -> Callable[[], Any]:
    """Read the daily figures of one container over a year."""
    rollups, wanted = services.rollups, {uid_of(number).workload_uid}

    def do() -> dict[str, Any]:
        chunks = list(rollups.read(YEAR, METRICS, start=0, end=4e9, workload_uids=wanted))
        return {"values": sum(chunk.metrics[metric].mean.size for chunk in chunks for metric in METRICS), "chunks": len(chunks)}

    return do


def nodes(services: Services, days: int) -> Callable[[], Any]:
    """Answer CPU and memory of every node, hour by hour."""
    usage, query = services.usage, UsageQuery(CLUSTER, span=Span(window=f"{days}d"), group_by=("node",), step="1h", top=None)

    def do() -> dict[str, Any]:
        answer = usage.query(TENANT, query)
        return {
            "groups": answer["groups"],
            "values": sum(len(series["values"]) for series in answer["series"]),
            "warnings": answer["warnings"],
        }

    return do


if __name__ == "__main__":
    main()
