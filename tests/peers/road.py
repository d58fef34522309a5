"""The road from an inventory and metrics to entries, by the product's public functions, and short ways to make both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upid.adapters.pricing.table import BundledPrices
from upid.domain.inventory import Container, Inventory, Pod, Resources, Workload
from upid.engine.rightsizing.options import Options
from upid.engine.usage.evidence import exact_evidence
from upid.engine.usage.folding import fold
from upid.engine.usage.profile import empty_profile
from upid.ports.metrics_source import ContainerEvents, NamespaceUsage, PodContainer, PodOwner, UsageBlock, Window
from upid.services.attribution import attribute
from upid.services.entries import entries
from upid.services.sizing import UsageWindow, assess_rows, rows_of, samples_of, workload_index

STEP = 300
WEEK = Window(1_700_006_400, 1_700_006_400 + 7 * 86_400, STEP)  # 2,016 steps; begins at midnight UTC
GIB = 2.0**30
MIB = 2.0**20

Identity = tuple[str, str, str]
Figures = NDArray[np.float64]
Usage = Mapping[tuple[str, str, str], tuple[Figures, Figures]]  # (namespace, pod, container) -> CPU [cores] and memory [bytes] at each step


def flat(value: float, window: Window = WEEK) -> Figures:
    """Return the same value at every step."""
    return np.full(window.steps, value)


def workload(
    namespace: str,
    name: str,
    *containers: Container,
    replicas: int = 1,
    uid: str = "",
    kind: str = "Deployment",
) -> Workload:
    """Return a workload; a container named `app` that asks for 4 cores and 8 GiB where none is given."""
    asked = Resources(cpu_request_cores=4.0, memory_request_bytes=8 * GIB)
    return Workload(namespace, kind, name, uid or f"uid-{namespace}-{name}", replicas, containers or (Container("app", asked),))


def pods_of(owner: Workload, *names: str) -> tuple[Pod, ...]:
    """Return live pods of a workload."""
    return tuple(Pod(owner.namespace, name, f"uid-{owner.uid}-{name}", owner.uid) for name in names)


def inventory(workloads: Sequence[Workload], pods: Sequence[Pod] = (), replica_sets: Sequence[tuple[str, str, str]] = ()) -> Inventory:
    """Return what a cluster lists."""
    names = tuple(sorted({w.namespace for w in workloads}))
    return Inventory(tuple(workloads), tuple(pods), (), names, replica_sets=tuple(replica_sets))


def measured(usage: Usage, owners: Sequence[PodOwner] = (), window: Window = WEEK) -> NamespaceUsage:
    """Return usage as a metrics source tells it, without throttling or events."""
    keys = [PodContainer(*key) for key in usage]
    cpu, memory = (np.array([figures[i] for figures in usage.values()]).reshape(len(keys), window.steps) for i in (0, 1))
    none = UsageBlock([], np.empty((0, window.steps)))
    namespaces = tuple(sorted({key.namespace for key in keys}))
    return NamespaceUsage(namespaces, window, UsageBlock(keys, cpu), UsageBlock(keys, memory), none, ContainerEvents({}, {}, {}), owners)


def recommend(listed: Inventory, usage: NamespaceUsage, options: Options | None = None) -> dict[Identity, dict[str, Any]]:
    """Return the entries that a scan would print, by namespace, workload and container."""
    rows = rows_of(listed)
    samples = samples_of([attribute(usage, listed)], rows)
    profile = fold(empty_profile(workload_index(rows)), samples)
    window = UsageWindow(usage.window.start, usage.window.end, usage.window.step_seconds)
    table = assess_rows(
        rows,
        profile,
        exact_evidence(samples),
        prices=BundledPrices(),
        nodes=listed.nodes,
        options=options or Options(),
        window=window,
    )
    return {(e["namespace"], e["name"], e["container"]): e for e in entries(table)}
