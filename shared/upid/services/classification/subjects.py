"""Workloads of a cluster as they are classified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upid.domain.inventory import Workload
from upid.engine.classification.cycles import Cycles, cycles
from upid.engine.rules.features import daily_means
from upid.services.classification.model import Subject
from upid.services.features import ShardFeatures

Floats = NDArray[np.float64]


def subjects_of(shard: ShardFeatures) -> Iterator[Subject]:
    """Yield the workloads of a shard, in the order of its rows.

    Use over request is of all containers that have both, init containers left out; variation, growth and cycles are of the container that uses most CPU.
    """
    profile = shard.loaded.profile
    found = cycles(
        profile.cpu_hourly.mean.astype(np.float64), profile.cpu_hourly.past_mean.astype(np.float64), daily_means(profile.cpu_daily)
    )
    rows: dict[str, list[int]] = {}
    for index, row in enumerate(shard.rows):
        rows.setdefault(row.uid, []).append(index)
    for own in rows.values():
        main = [index for index in own if shard.rows[index].role != "init"] or own
        yield _subject(shard, shard.workloads[own[0]], main, found)


def _subject(shard: ShardFeatures, workload: Workload, rows: Sequence[int], found: Cycles) -> Subject:
    used = np.nan_to_num(_values(shard, "cpu.mean")[rows])
    most = rows[int(np.argmax(used))]
    figures = {name: _figure(_values(shard, f"cpu.{name}")[most]) for name in ("variation", "growth_per_week", "trend_weight")}
    strengths = {name: _figure(getattr(found, name)[most]) for name in ("daily", "weekly", "monthly")}
    containers = [container for container in workload.containers if container.role != "init"]
    return Subject(
        name=workload.name, namespace=workload.namespace, kind=workload.kind, uid=workload.uid, cpu_utilization=_ratio(shard, "cpu", rows),
        memory_utilization=_ratio(shard, "memory", rows), replicas=workload.replicas, autoscaled=workload.autoscaler is not None,
        cpu_request_cores=_total(shard, "cpu.request", rows), memory_request_bytes=_total(shard, "memory.request", rows),
        cpu_cores=_total(shard, "cpu.mean", rows), memory_bytes=_total(shard, "memory.mean", rows),
        images=tuple(container.image for container in containers), ports=tuple(port for container in containers for port in container.ports),
        containers=tuple(container.name for container in containers), hours=_figure(_values(shard, "samples.hours")[most]), **figures, **strengths,
    )  # fmt: skip


def _values(shard: ShardFeatures, name: str) -> Floats:
    column = shard.features.columns[name]
    return np.where(column.errors, np.nan, column.values.astype(np.float64))


def _figure(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def _total(shard: ShardFeatures, name: str, rows: Sequence[int]) -> float | None:
    values = _values(shard, name)[rows]
    return None if np.isnan(values).all() else float(np.nansum(values))


def _ratio(shard: ShardFeatures, metric: str, rows: Sequence[int]) -> float | None:
    used, request = _values(shard, f"{metric}.mean")[rows], _values(shard, f"{metric}.request")[rows]
    known = ~np.isnan(used) & (request > 0)
    return float(used[known].sum() / request[known].sum()) if known.any() else None
