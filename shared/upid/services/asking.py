"""A group of namespaces asked of a metrics source: together, or one by one where the source refuses them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from upid.domain.errors import RefusedError, UnavailableError
from upid.domain.inventory import Inventory
from upid.engine.usage.quality import holes, possible
from upid.ports.metrics_source import MetricsSource, Window
from upid.ports.usage_history import UsageChunk
from upid.services import chunks
from upid.services.attribution import attribute


@dataclass(frozen=True, slots=True)
class Asked:
    """What a source told of a group. `refused`: the namespaces that could not be had even alone, as (namespace, reason). quality: samples that were missing or dropped, by reason."""

    chunk: UsageChunk
    warnings: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()
    quality: Counter[str] = field(default_factory=Counter)


def ask(source: MetricsSource, namespaces: Sequence[str], window: Window, inventory: Inventory, *, patient: bool = True) -> Asked:
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
        return _one_by_one(source, namespaces, window, inventory, given_up)
    chunk, quality = inspected(attribute(usage, inventory), inventory)
    return Asked(chunk, usage.warnings, quality=quality + Counter(negative=usage.negative, duplicates=usage.duplicates))


def inspected(chunk: UsageChunk, inventory: Inventory) -> tuple[UsageChunk, Counter[str]]:
    """Return a chunk without samples that no node could give, and how many these (`impossible`) and the holes between samples (`missing`) are."""
    cores = max((node.cpu_cores for node in inventory.nodes), default=float("nan"))
    size = max((node.memory_bytes for node in inventory.nodes), default=float("nan"))
    missing = holes(chunk.cpu_cores) + holes(chunk.memory_bytes)
    cpu, beyond_cpu = possible(chunk.cpu_cores, cores)
    memory, beyond_memory = possible(chunk.memory_bytes, size)
    return replace(chunk, cpu_cores=cpu, memory_bytes=memory), Counter(missing=missing, impossible=beyond_cpu + beyond_memory)


def _one_by_one(
    source: MetricsSource, namespaces: Sequence[str], window: Window, inventory: Inventory, given_up: type[UnavailableError]
) -> Asked:
    parts = [chunks.empty(window.start, window.end, window.step_seconds)]
    warnings: list[str] = []
    refused: list[tuple[str, str]] = []
    quality: Counter[str] = Counter()
    for namespace in namespaces:
        try:
            found = ask(source, [namespace], window, inventory)
        except given_up as error:
            refused.append((namespace, error.detail))
            if len(refused) == len(namespaces):
                raise
        else:
            parts.append(found.chunk)
            warnings += found.warnings
            quality += found.quality
    return Asked(chunks.join(parts), tuple(dict.fromkeys(warnings)), tuple(refused), quality)
