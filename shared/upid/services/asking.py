"""A group of namespaces asked of a metrics source: together, or one by one where the source refuses them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.domain.errors import RefusedError, UnavailableError
from upid.domain.inventory import Inventory
from upid.domain.metrics import SERVICE, ServiceQuery, metrics_of
from upid.engine.usage.quality import ended_early, holes, possible
from upid.ports.metrics_source import MetricsSource, Window
from upid.ports.usage_history import MetricChunk, SeriesKey, UsageChunk
from upid.services import chunks, family_chunks
from upid.services.attribution import Owners, attribute, attribute_family, stays_of_gone
from upid.services.rosters import Stay
from upid.services.service_queries import measure

OF_MEMORY: Final = (*metrics_of("memory_detail"), *metrics_of("heap"))
# What grows slowly is told by a long history, and days whose resident sets nobody knows count by the working set.
WHOLE: Final = frozenset({"storage", "memory_detail"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a source told of a group. `refused`: the namespaces that could not be had even alone, as (namespace, reason).

    quality: what was wrong with samples, by reason. families: what there was of each family that was asked for; none of one that the source does not have.
    unanswered: families that the source refused, as (family, reason). problems: what was wrong with a query of the collector, as (what, reason).
    stays: where pods were that are gone by now, as far as the source tells.
    """

    chunk: UsageChunk
    warnings: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()
    quality: Counter[str] = field(default_factory=Counter)
    families: tuple[MetricChunk, ...] = ()
    unanswered: tuple[tuple[str, str], ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    stays: tuple[Stay, ...] = ()


@dataclass(frozen=True, slots=True)
class Families:
    """Which families beside CPU and memory are asked for, and from when on [s since the epoch]; those in WHOLE have no such beginning.

    queries: what `service` is measured by.
    """

    names: tuple[str, ...] = ()
    since: int = 0
    queries: tuple[ServiceQuery, ...] = ()

    def parts(self, window: Window) -> Iterator[tuple[Window, list[str]]]:
        """Yield what to ask for in a window: the part of it, whole steps, and the families that are wanted of that part."""
        later, asked = self.later(window), [name for name in self.names if name != SERVICE]
        whole = [name for name in asked if name in WHOLE or later == window]
        for part, names in ((window, whole), (later, [name for name in asked if name not in whole])):
            if names and part.steps > 0:
                yield part, names

    def later(self, window: Window) -> Window:
        """Return the whole steps of a window that are wanted of families with a beginning; none where it lies before."""
        step = window.step_seconds
        return replace(window, start=max(window.start, -(-self.since // step) * step))

    def of(self, namespaces: Sequence[str]) -> list[ServiceQuery]:
        """Return the queries of workloads in these namespaces."""
        return [query for query in self.queries if query.namespace in namespaces] if SERVICE in self.names else []


NO_FAMILIES: Final = Families()


def ask(
    source: MetricsSource, namespaces: Sequence[str], window: Window, inventory: Inventory, *, families: Families = NO_FAMILIES, patient: bool = True
) -> Asked:  # fmt: skip
    """Return the usage of a group in a window; UnavailableError where no namespace of it could be had, or where the source fails.

    What a source refuses it refuses tomorrow too: waiting would help nobody, so one namespace does not hold up its group. A failure in passing does,
    as long as we are `patient`.
    """
    given_up = RefusedError if patient else UnavailableError
    try:
        (usage,) = source.usage([namespaces], window)
    except given_up:
        if len(namespaces) < 2:
            raise
        return _one_by_one(source, namespaces, window, inventory, families, given_up)
    chunk, quality = inspected(attribute(usage, inventory), inventory)
    resets, warnings = _resets(source, namespaces, window)
    owners = Owners.of(inventory, usage.owners)
    stays = tuple(stays_of_gone(usage.places, window, owners, inventory))
    asked = Asked(chunk, (*usage.warnings, *warnings), quality=quality + Counter(usage.faults) + resets, stays=stays)
    asked = _with_families(asked, source, namespaces, owners, inventory, list(families.parts(window)), given_up)
    return _with_queries(asked, source, families.of(namespaces), families.later(window), inventory)


def _with_queries(asked: Asked, source: MetricsSource, queries: Sequence[ServiceQuery], window: Window, inventory: Inventory) -> Asked:
    """Return what was asked with what the collector's own queries give."""
    if not queries or window.steps <= 0:
        return asked
    found = measure(source, queries, window, inventory)
    kept = (*asked.families, found.chunk) if found.chunk.keys else asked.families
    return replace(asked, families=kept, problems=found.problems, quality=asked.quality + found.quality)


def _resets(source: MetricsSource, namespaces: Sequence[str], window: Window) -> tuple[Counter[str], list[str]]:
    """Return how many counters began again; a source that will not tell is told of, and holds nothing up."""
    try:
        return Counter(counter_resets=source.resets(namespaces, window)), []
    except UnavailableError as error:
        return Counter(), [f"Whether counters began again is not known: {error.detail}"]


def _with_families(  # noqa: PLR0917 as ask
    asked: Asked, source: MetricsSource, namespaces: Sequence[str], owners: Owners, inventory: Inventory, parts: Sequence[tuple[Window, list[str]]],
    given_up: type[UnavailableError],
) -> Asked:  # fmt: skip
    """Return what was asked with the families of the same namespaces; one that is given up does not take CPU and memory with it."""
    kept, warnings, unanswered, quality = list[MetricChunk](), list(asked.warnings), list[tuple[str, str]](), asked.quality
    for window, names in parts:
        left = list(names)
        try:
            for found in source.families(namespaces, names, window):
                left.remove(found.family)
                chunk, faults = inspected_family(attribute_family(found, window, owners, inventory), inventory)
                quality = quality + faults + Counter(found.faults)
                warnings += found.warnings
                kept += [chunk] if chunk.keys else []
                unanswered += [(found.family, found.refused)] if found.refused else []
        except given_up as error:
            unanswered += [(family, error.detail) for family in left]
    return replace(asked, warnings=tuple(dict.fromkeys(warnings)), quality=quality, families=tuple(kept), unanswered=tuple(unanswered))


def inspected_family(chunk: MetricChunk, inventory: Inventory) -> tuple[MetricChunk, Counter[str]]:
    """Return a family's chunk without samples that cannot be, and how many these (`impossible`) and the holes between samples (`missing`) are.

    No process holds more memory than its node has, and a volume that holds more than it can is no volume's own figure.
    """
    memory = _most(chunk.keys, inventory, "memory_bytes")
    most = {"volume_used_bytes": chunk.samples.get("volume_capacity_bytes", np.nan)} | dict.fromkeys(OF_MEMORY, memory)
    found = {name: possible(values, most.get(name, np.nan)) for name, values in chunk.samples.items()}
    counted = Counter(missing=sum(map(holes, chunk.samples.values())), impossible=sum(beyond for _, beyond in found.values()))
    return replace(chunk, samples={name: values for name, (values, _) in found.items()}), counted


def inspected(chunk: UsageChunk, inventory: Inventory) -> tuple[UsageChunk, Counter[str]]:
    """Return a chunk without samples that its node cannot give (`impossible`), and how many these are.

    Also how many holes lie between samples (`missing`), and how many series ended though their pod runs on (`ended_early`).
    """
    running = {(pod.workload_uid, pod.name): pod for pod in inventory.pods if pod.phase == "Running"}
    ending = {(w.uid, container.name) for w in inventory.workloads for container in w.containers if container.role == "init"}
    goes_on = [(key.workload_uid, key.pod) in running and (key.workload_uid, key.container) not in ending for key in chunk.keys]
    cpu, beyond_cpu = possible(chunk.cpu_cores, _most(chunk.keys, inventory, "cpu_cores"))
    memory, beyond_memory = possible(chunk.memory_bytes, _most(chunk.keys, inventory, "memory_bytes"))
    counted = Counter(
        missing=holes(chunk.cpu_cores) + holes(chunk.memory_bytes), impossible=beyond_cpu + beyond_memory,
        ended_early=int(np.count_nonzero(ended_early(chunk.memory_bytes) & np.array(goes_on, bool))),
    )  # fmt: skip
    return replace(chunk, cpu_cores=cpu, memory_bytes=memory), counted


def _most(keys: Sequence[SeriesKey], inventory: Inventory, resource: str) -> NDArray[np.float64]:
    """Return what the node of each series' pod can give, the largest node's where that is not known, NaN without any node; shape (series, 1)."""
    of_node = {node.name: float(getattr(node, resource)) for node in inventory.nodes}
    largest = max(of_node.values(), default=float("nan"))
    node_of = {(pod.workload_uid, pod.name): pod.node_name for pod in inventory.pods}
    return np.array([of_node.get(node_of.get((key.workload_uid, key.pod), ""), largest) for key in keys]).reshape(-1, 1)


def _one_by_one(  # noqa: PLR0917 as ask
    source: MetricsSource, namespaces: Sequence[str], window: Window, inventory: Inventory, families: Families, given_up: type[UnavailableError]
) -> Asked:  # fmt: skip
    found_families: list[MetricChunk] = []
    unanswered: list[tuple[str, str]] = []
    problems: list[tuple[str, str]] = []
    stays: list[Stay] = []
    parts = [chunks.empty(window.start, window.end, window.step_seconds)]
    warnings: list[str] = []
    refused: list[tuple[str, str]] = []
    quality: Counter[str] = Counter()
    for namespace in namespaces:
        try:
            found = ask(source, [namespace], window, inventory, families=families)
        except given_up as error:
            refused.append((namespace, error.detail))
            if len(refused) == len(namespaces):
                raise
        else:
            parts.append(found.chunk)
            warnings += found.warnings
            quality += found.quality
            found_families += found.families
            unanswered += found.unanswered
            problems += found.problems
            stays += found.stays
    names = dict.fromkeys(part.family for part in found_families)
    joined = tuple(family_chunks.join([part for part in found_families if part.family == name]) for name in names)
    return Asked(
        chunks.join(parts),
        tuple(dict.fromkeys(warnings)),
        tuple(refused),
        quality,
        joined,
        tuple(dict.fromkeys(unanswered)),
        tuple(problems),
        tuple(stays),
    )
