"""A group of namespaces asked of a metrics source: together, or one by one where the source refuses them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from upid.domain.errors import RefusedError, UnavailableError
from upid.domain.inventory import Inventory
from upid.ports.metrics_source import MetricsSource, Window
from upid.ports.usage_history import UsageChunk
from upid.services import chunks
from upid.services.attribution import attribute


@dataclass(frozen=True, slots=True)
class Asked:
    """What a source told of a group. `refused`: the namespaces that could not be had even alone, as (namespace, reason)."""

    chunk: UsageChunk
    warnings: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()


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
    return Asked(attribute(usage, inventory), usage.warnings)


def _one_by_one(
    source: MetricsSource, namespaces: Sequence[str], window: Window, inventory: Inventory, given_up: type[UnavailableError]
) -> Asked:
    parts = [chunks.empty(window.start, window.end, window.step_seconds)]
    warnings: list[str] = []
    refused: list[tuple[str, str]] = []
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
    return Asked(chunks.join(parts), tuple(dict.fromkeys(warnings)), tuple(refused))
