"""What queries of a collector give of workloads: rate of requests, errors, latency, length of queues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from upid.domain.inventory import Inventory
from upid.domain.metrics import SERVICE, ServiceQuery
from upid.ports.metrics_source import MetricsSource, Window
from upid.ports.usage_history import MetricChunk, SeriesKey


@dataclass(frozen=True, slots=True)
class Measured:
    """What queries gave. problems: what is wrong with a query's answer, as (what it measures, why)."""

    chunk: MetricChunk
    problems: tuple[tuple[str, str], ...] = ()
    quality: Counter[str] = field(default_factory=Counter)


def measure(source: MetricsSource, queries: Sequence[ServiceQuery], window: Window, inventory: Inventory) -> Measured:
    """Return what each query gives in a window, by workload; a query for a workload that is not in the inventory is not asked, and named."""
    uids = {(w.namespace, w.kind, w.name): w.uid for w in inventory.workloads}
    known = [query for query in queries if (query.namespace, query.kind, query.workload) in uids]
    problems = [(query.subject, "The cluster has no such workload.") for query in queries if query not in known]
    keys = [SeriesKey(uid, "", "") for uid in sorted({uids[query.namespace, query.kind, query.workload] for query in known})]
    place, samples, quality = {key.workload_uid: row for row, key in enumerate(keys)}, dict[str, Any](), Counter[str]()
    for query, found in zip(known, source.evaluate([query.query for query in known], window), strict=True):
        table = samples.setdefault(query.metric, np.full((len(keys), window.steps), np.nan, np.float32))
        table[place[uids[query.namespace, query.kind, query.workload]]] = found.values
        quality.update(found.faults)
        problems += [(query.subject, found.problem)] if found.problem else []
    chunk = MetricChunk(SERVICE, keys, window.start, window.end, window.step_seconds, samples)
    return Measured(chunk, tuple(problems), quality)
