"""Whose usage a series is: from pods to workloads along their owners, never by the shape of a name.

A pod belongs to the workload at the end of its owner chain: as the API has it where the pod still lives, else as kube-state-metrics told it
(`kube_pod_owner`, `kube_replicaset_owner`, `kube_job_owner`). A workload that was deleted and made again under its name has a new uid: what was measured
before it was made is not its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.domain.inventory import Inventory
from upid.ports.metrics_source import FamilyUsage, Metered, NamespaceUsage, PodContainer, PodOwner, PodPlace, UsageBlock, Window
from upid.ports.usage_history import MetricChunk, SeriesKey, UsageChunk
from upid.services.rosters import Stay

LONGEST_CHAIN: Final = 8  # a chain that is longer runs in a circle

_Object = tuple[str, str, str]


@dataclass(slots=True)
class Owners:
    """Finds the workload of a pod. Objects are (namespace, kind, name)."""

    uid_of: dict[_Object, str]
    owner_of: dict[_Object, _Object] = field(default_factory=dict)
    claims: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, inventory: Inventory, links: Iterable[PodOwner]) -> Owners:
        """Return what the API lists, with the links that metrics add for what is gone; the API's word counts where both have one."""
        known = {w.uid for w in inventory.workloads}
        uid_of: dict[_Object, str] = {(w.namespace, w.kind, w.name): w.uid for w in inventory.workloads}
        uid_of |= {(namespace, "ReplicaSet", name): uid for namespace, name, uid in inventory.replica_sets if uid in known}
        uid_of |= {(namespace, "Job", name): uid for namespace, name, uid in inventory.jobs if uid in known}
        # A live pod of a workload that was not selected stays known, so that no older owner of its name gets its usage.
        uid_of |= {(pod.namespace, "Pod", pod.name): pod.workload_uid for pod in inventory.pods}
        owner_of = {(link.namespace, link.kind, link.name): (link.namespace, link.owner_kind, link.owner_name) for link in links}
        claims = {(claim.namespace, claim.name): claim.workload_uid for claim in inventory.claims}
        return cls(uid_of, owner_of, claims)

    def owner_of_series(self, of: Metered) -> str | None:
        """Return the uid of the workload that a series of a family belongs to: by its pod, or by who mounts its volume."""
        return self.claims.get((of.namespace, of.volume)) if of.volume else self.workload_of(of.namespace, of.pod)

    def workload_of(self, namespace: str, pod: str) -> str | None:
        """Return the uid of the workload that owns a pod, None where nobody knows it."""
        thing: _Object | None = (namespace, "Pod", pod)
        for _ in range(LONGEST_CHAIN):
            if thing is None:
                return None
            if thing in self.uid_of:
                return self.uid_of[thing]
            thing = self.owner_of.get(thing)
        return None


def attribute(usage: NamespaceUsage, inventory: Inventory) -> UsageChunk:
    """Return the usage of the inventory's workloads: one series per pod and container, sorted by (workload uid, container, pod).

    Series of pods that nobody in the inventory owns are left out, and so are samples from before their workload was made. A CPU rate of zero where
    memory has no sample is no sample: the container did not run. Arrays as UsageChunk states them.
    """
    owners = Owners.of(inventory, usage.owners)
    events = usage.events
    seen = {*usage.cpu_cores.keys, *usage.memory_bytes.keys, *events.oom_kills, *events.restarts}
    created = {w.uid: w.created_at for w in inventory.workloads}
    found = {key: uid for key in seen if (uid := owners.workload_of(key.namespace, key.pod)) in created}
    order = sorted((SeriesKey(uid, key.container, key.pod), key) for key, uid in found.items() if uid is not None)
    keys = [key for _, key in order]
    cpu, memory, throttled = (_aligned(block, keys, usage.window) for block in (usage.cpu_cores, usage.memory_bytes, usage.throttled))
    cpu[(cpu == 0) & np.isnan(memory)] = np.nan
    first = _first_steps([created[series.workload_uid] for series, _ in order], memory, cpu, usage.window)
    for values in (cpu, memory, throttled):
        values[np.arange(usage.window.steps)[None, :] < first[:, None]] = np.nan
    return UsageChunk(
        [series for series, _ in order], usage.window.start, usage.window.step_seconds, cpu, memory, throttled,
        _counts(events.oom_kills, keys), _counts(events.restarts, keys),
        np.array([events.oom_limit_bytes.get(key, np.nan) for key in keys], dtype=np.float64),
    )  # fmt: skip


def stays_of_gone(places: Iterable[PodPlace], window: Window, owners: Owners, inventory: Inventory) -> Iterator[Stay]:
    """Yield where pods of the inventory's workloads were in a window that are gone by now.

    When they came nobody tells, so they count from the window's begin; that says something only of a pod that was made again under its name within
    the window or later, or not at all, and that was on one node. A source may name pods of shortly before the window too.
    """
    known, live = {w.uid for w in inventory.workloads}, {(pod.namespace, pod.name): pod for pod in inventory.pods}
    nodes: dict[tuple[str, str], set[str]] = {}
    for place in places:
        now = live.get((place.namespace, place.pod))
        if now is None or (now.uid != place.uid and now.created_at > window.start):
            nodes.setdefault((place.namespace, place.pod), set()).add(place.node)
    for (namespace, pod), found in sorted(nodes.items()):
        uid = owners.workload_of(namespace, pod)
        if uid in known and uid is not None and len(found) == 1:
            yield Stay(uid, pod, float(window.start), *found)


def attribute_family(usage: FamilyUsage, window: Window, owners: Owners, inventory: Inventory) -> MetricChunk:
    """Return what a family has of the inventory's workloads, sorted by (workload uid, container, pod, volume).

    What nobody in the inventory owns is left out, and so are samples from before the workload was made.
    """
    created = {w.uid: w.created_at for w in inventory.workloads}
    found = {of: uid for of in usage.keys if (uid := owners.owner_of_series(of)) in created}
    order = sorted((SeriesKey(uid, of.container, of.pod, of.volume), of) for of, uid in found.items() if uid is not None)
    place = {of: row for row, of in enumerate(usage.keys)}
    rows = np.array([place[of] for _, of in order], np.int64)
    made = np.floor((np.array([created[key.workload_uid] for key, _ in order]) - window.start) / window.step_seconds)
    early = np.arange(window.steps)[None, :] < made[:, None]
    samples = {metric: np.where(early, np.float32(np.nan), values[rows]) for metric, values in usage.samples.items()}
    return MetricChunk(usage.family, [key for key, _ in order], window.start, window.end, window.step_seconds, samples)


def _aligned(block: UsageBlock, keys: Sequence[PodContainer], window: Window) -> NDArray[np.float32]:
    """Return the block's rows in the order of `keys`, NaN for those that it does not have, shape (keys, steps)."""
    values = np.full((len(keys), window.steps), np.nan, dtype=np.float32)
    place = {key: i for i, key in enumerate(block.keys)}
    there = [i for i, key in enumerate(keys) if key in place]
    if there and block.places is None:
        values[there] = block.values[[place[keys[i]] for i in there]]
    elif there:
        for i in there:
            first, samples = block.stretch(place[keys[i]])
            values[i, first : first + len(samples)] = samples
    return values


def _first_steps(created: Sequence[float], memory: NDArray[np.float32], cpu: NDArray[np.float32], window: Window) -> NDArray[np.int64]:
    """Return the first step that counts for each series: the one its workload was made in, or the next where the series is older than that."""
    made = np.floor((np.array(created, dtype=np.float64) - window.start) / window.step_seconds)
    made = np.clip(made, 0, window.steps).astype(np.int64)
    has = ~np.isnan(memory) | ~np.isnan(cpu)
    oldest = np.where(has.any(axis=1), has.argmax(axis=1), window.steps)
    return made + (oldest < made)


def _counts(events: Mapping[PodContainer, int], keys: Sequence[PodContainer]) -> NDArray[np.int32]:
    return np.array([events.get(key, 0) for key in keys], dtype=np.int32)
