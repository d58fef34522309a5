"""Rows, chunks, nodes and prices as the arrays that the engine reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from upid.domain.inventory import Node
from upid.engine.rightsizing.current import CurrentResources, PriceColumns
from upid.engine.rightsizing.replicas import ReplicasNow
from upid.engine.usage.figures import Evidence
from upid.engine.usage.samples import Samples
from upid.ports.prices import Prices
from upid.ports.usage_history import SeriesKey, UsageChunk
from upid.services.sizing import ContainerRow

Floats = NDArray[np.float64]
BATCH_KINDS = frozenset({"Job", "CronJob"})
FIXED_KINDS = BATCH_KINDS | {"DaemonSet", "Pod"}  # nobody chooses how many pods there are


def gather(chunks: Sequence[UsageChunk], rows: Sequence[ContainerRow], workload: NDArray[np.int64]) -> Samples:
    """Return the chunks' samples on the smallest grid that holds them all; `workload`: index of each row's workload.

    ValueError where steps differ or grids do not line up.
    """
    row_of = {row.key: i for i, row in enumerate(rows)}
    samples = _gathered(chunks, row_of, workload)
    return replace(samples, is_batch=np.array([row.kind in BATCH_KINDS for row in rows], dtype=bool))


def _gathered(chunks: Sequence[UsageChunk], row_of: Mapping[tuple[str, str], int], workload: NDArray[np.int64]) -> Samples:
    start, end, step = _grid(chunks)
    series: dict[SeriesKey, int] = {}
    owners: list[int] = []
    picks = [_pick(chunk, row_of, series, owners) for chunk in chunks]
    row = np.array(owners, dtype=np.int64)
    pods = np.fromiter((crc32(key.pod.encode()) >> 1 for key in series), dtype=np.int64, count=len(series))  # one more fits into 32 bits
    if len(chunks) == 1 and len(picks[0][0]) == len(chunks[0].keys):
        return replace(_whole(chunks[0], row, workload), pod_keys=pods)
    samples = replace(_blank(start, step, (len(row), (end - start) // step), row, workload), pod_keys=pods)
    for chunk, (source, target) in zip(chunks, picks, strict=True):
        _place(samples, chunk, source, target)
    return samples


def _grid(chunks: Sequence[UsageChunk]) -> tuple[int, int, int]:
    if not chunks:
        return 0, 0, 1
    step, start = chunks[0].step_seconds, min(chunk.start for chunk in chunks)
    if any(chunk.step_seconds != step or (chunk.start - start) % step for chunk in chunks):
        raise ValueError("Chunks of different steps or grids cannot be read together.")
    return start, max(chunk.end for chunk in chunks), step


def _pick(
    chunk: UsageChunk, row_of: Mapping[tuple[str, str], int], series: dict[SeriesKey, int], rows: list[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which series of the chunk are of a row, and which series of all they are; new ones are added to `series` and `rows`."""
    source: list[int] = []
    target: list[int] = []
    for i, key in enumerate(chunk.keys):
        row = row_of.get((key[0], key[1]))
        if row is None:
            continue
        place = series.setdefault(SeriesKey(*key), len(series))
        if place == len(rows):
            rows.append(row)
        source.append(i)
        target.append(place)
    return np.array(source, dtype=np.int64), np.array(target, dtype=np.int64)


def _whole(chunk: UsageChunk, row: NDArray[np.int64], workload: NDArray[np.int64]) -> Samples:
    return Samples(
        chunk.start, chunk.step_seconds, chunk.cpu_cores, chunk.memory_bytes, chunk.throttled, chunk.oom_kills, chunk.restarts,
        chunk.oom_limit_bytes, row, workload,
    )  # fmt: skip


def _blank(start: int, step: int, shape: tuple[int, int], row: NDArray[np.int64], workload: NDArray[np.int64]) -> Samples:
    cpu, memory, throttled = (np.full(shape, np.nan, dtype=np.float32) for _ in range(3))
    kills, restarts = np.zeros(shape[0], dtype=np.int32), np.zeros(shape[0], dtype=np.int32)
    return Samples(start, step, cpu, memory, throttled, kills, restarts, np.full(shape[0], np.nan), row, workload)


def _place(samples: Samples, chunk: UsageChunk, source: NDArray[np.int64], target: NDArray[np.int64]) -> None:
    begin = (chunk.start - samples.start) // samples.step_seconds
    steps = slice(begin, begin + chunk.cpu_cores.shape[1])
    for into, values in (
        (samples.cpu_cores, chunk.cpu_cores),
        (samples.memory_bytes, chunk.memory_bytes),
        (samples.throttled, chunk.throttled),
    ):
        chosen = values[source]
        into[target, steps] = np.where(np.isnan(chosen), into[target, steps], chosen)
    samples.oom_kills[target] += chunk.oom_kills[source].astype(np.int32)
    samples.restarts[target] += chunk.restarts[source].astype(np.int32)
    samples.oom_limit_bytes[target] = np.fmax(samples.oom_limit_bytes[target], chunk.oom_limit_bytes[source])


def _column(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def current_of(rows: Sequence[ContainerRow], nodes: Sequence[Node]) -> CurrentResources:
    """Return what the rows have now, and what the largest node could give (NaN without nodes)."""
    resources = [row.resources for row in rows]
    scalers = [row.autoscaler for row in rows]
    count = len(rows)
    return CurrentResources(
        cpu_request_cores=_column([r.cpu_request_cores for r in resources]),
        cpu_limit_cores=_column([r.cpu_limit_cores for r in resources]),
        memory_request_bytes=_column([r.memory_request_bytes for r in resources]),
        memory_limit_bytes=_column([r.memory_limit_bytes for r in resources]),
        heap_bytes=_column([row.heap_bytes for row in rows]),
        replicas=np.array([row.replicas for row in rows], dtype=np.int64),
        is_init=np.array([row.role == "init" for row in rows], dtype=bool),
        scaled_on_cpu=np.array([s is not None and s.cpu_utilization is not None for s in scalers], dtype=bool),
        scaled_on_memory=np.array([s is not None and s.memory_utilization is not None for s in scalers], dtype=bool),
        is_batch=np.array([row.kind in BATCH_KINDS for row in rows], dtype=bool),
        largest_node_cores=np.full(count, max((node.cpu_cores for node in nodes), default=np.nan)),
        shares_pod=np.array([row.shares_pod for row in rows], dtype=bool),
        largest_node_bytes=np.full(count, max((node.memory_bytes for node in nodes), default=np.nan)),
    )


def replicas_of(rows: Sequence[ContainerRow], workload: NDArray[np.int64], now: CurrentResources) -> ReplicasNow:
    """Return what scales each workload now, shape (workloads,); `workload`: the index of each row's, as `workload_index` gives it."""
    place = np.unique(workload, return_index=True)[1]
    first = [rows[i] for i in place]
    scalers = [row.autoscaler for row in first]
    running = np.array([row.role != "init" for row in rows], dtype=bool)

    def _per_pod(request: Floats) -> Floats:
        total: Floats = np.bincount(workload, weights=np.where(running, request, 0.0), minlength=len(first)).astype(np.float64)
        return total

    return ReplicasNow(
        replicas=now.replicas[place], minimum=_column([s and s.min_replicas for s in scalers]),
        maximum=_column([s and s.max_replicas for s in scalers]), cpu_target=_column([s and s.cpu_utilization for s in scalers]) / 100,
        memory_target=_column([s and s.memory_utilization for s in scalers]) / 100, cpu_request_cores=_per_pod(now.cpu_request_cores),
        memory_request_bytes=_per_pod(now.memory_request_bytes), is_fixed=np.array([row.kind in FIXED_KINDS for row in first], dtype=bool),
        is_stateful=np.array([row.kind == "StatefulSet" for row in first], dtype=bool),
        largest_node_cores=now.largest_node_cores[place],
    )  # fmt: skip


def prices_of(rows: Sequence[ContainerRow], nodes: Sequence[Node], prices: Prices) -> PriceColumns:
    """Return the mean price of the nodes that each row's pods run on; the mean of all nodes where that is not known, the default rates without nodes."""
    of_node = {node.name: prices.of_node(node.instance_type, node.region, node.capacity_type) for node in nodes}
    rates = {name: np.array([p.cpu_usd_per_core_hour, p.memory_usd_per_gib_hour]) for name, p in of_node.items()}
    default = prices.of_node("", "", "")
    fallback = (
        np.mean(list(rates.values()), axis=0) if rates else np.array([default.cpu_usd_per_core_hour, default.memory_usd_per_gib_hour])
    )
    mean: dict[tuple[str, ...], NDArray[np.float64]] = {(): fallback}
    for names in {row.node_names for row in rows}:
        known = [rates[name] for name in names if name in rates]
        mean[names] = np.mean(known, axis=0) if known else fallback
    columns = np.array([mean[row.node_names] for row in rows], dtype=np.float64).reshape(-1, 2)
    return PriceColumns(columns[:, 0], columns[:, 1])


def evidence_columns(evidence: Evidence) -> dict[str, NDArray[Any]]:
    """Return evidence as the table's columns, `evidence_` before each name."""
    columns: dict[str, NDArray[Any]] = {
        f"evidence_{metric}_{figure.name}": getattr(spread, figure.name)
        for metric, spread in (("cpu_cores", evidence.cpu), ("memory_bytes", evidence.memory))
        for figure in fields(spread)
    }
    plain = (
        "cpu_samples",
        "memory_samples",
        "samples",
        "effective_samples",
        "pods",
        "coverage",
        "throttled_fraction",
        "oom_kills",
        "restarts",
    )
    return columns | {f"evidence_{name}": getattr(evidence, name) for name in plain}
