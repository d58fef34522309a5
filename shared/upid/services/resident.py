"""What containers hold resident, apart from the page cache that their working set counts too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.domain.inventory import Inventory
from upid.engine.usage.profile import UsageProfile
from upid.engine.usage.resident import add_resident, until_day
from upid.engine.usage.resident_bins import ResidentSeries
from upid.ports.metrics_source import NamespaceUsage
from upid.ports.usage_history import MetricChunk
from upid.services.attribution import Owners, attribute_family
from upid.services.sizing import ContainerRow

RESIDENT: Final = "memory_rss_bytes"
Floats = NDArray[np.float32]


def resident_series(rows: Sequence[ContainerRow], chunks: Iterable[MetricChunk]) -> list[ResidentSeries]:
    """Return what chunks of family `memory_detail` tell of the resident sets of these rows, one part for each chunk that has any."""
    place = {row.key: i for i, row in enumerate(rows)}
    return [
        ResidentSeries(chunk.start, chunk.step_seconds, values, row)
        for chunk in chunks
        for values, row in _of_rows(chunk, place)
    ]  # fmt: skip


def _of_rows(chunk: MetricChunk, place: Mapping[tuple[str, str], int]) -> Iterator[tuple[Floats, NDArray[np.int64]]]:
    """Yield the resident sets that a chunk has of rows, shape (series, steps), and the row of each series, once where it has any."""
    values = chunk.samples.get(RESIDENT)
    series = [(i, row) for i, key in enumerate(chunk.keys) if (row := place.get((key.workload_uid, key.container))) is not None]
    if values is not None and series:
        source, row = np.array(series, dtype=np.int64).T
        yield values[source], row


def told_until(profile: UsageProfile, moment: float) -> UsageProfile:
    """Return the profile without what it was told of the UTC day of `moment` [s since the epoch] and of those behind it, so that they are read again."""
    return replace(profile, resident=until_day(profile.resident, int(moment // 86400), profile.first_day))


def with_resident(profile: UsageProfile, rows: Sequence[ContainerRow], chunks: Iterable[MetricChunk]) -> UsageProfile:
    """Return the profile with what chunks of family `memory_detail` tell from where it was told last to the end of what is folded.

    A second time changes nothing: no step that begins before `resident.until` counts again, also where no chunk has a series of these rows. Without
    a chunk it is the very same profile.
    """
    place = {row.key: i for i, row in enumerate(rows)}
    resident, told = profile.resident, False
    for chunk in chunks:
        told = True
        time = chunk.start + chunk.step_seconds * np.arange(chunk.steps)
        steps = np.flatnonzero((time >= profile.resident.until) & (time < profile.folded_until))
        for values, row in _of_rows(chunk, place):
            resident = add_resident(resident, row, values[:, steps], time[steps] // 86400 - profile.first_day)
    return replace(profile, resident=replace(resident, until=profile.folded_until)) if told else profile


def asked_resident(usage: NamespaceUsage, inventory: Inventory, rows: Sequence[ContainerRow]) -> list[ResidentSeries]:
    """Return what was resident of these rows by usage that it was asked for with; nothing where the source does not tell."""
    if usage.resident is None:
        return []
    window = replace(usage.window, step_seconds=usage.resident_step_seconds)
    return resident_series(rows, [attribute_family(usage.resident, window, Owners.of(inventory, usage.owners), inventory)])
