"""What containers hold resident, apart from the page cache that their working set counts too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.profile import UsageProfile
from upid.engine.usage.resident import COVERED, add_resident
from upid.ports.usage_history import MetricChunk
from upid.services.sizing import ContainerRow

RESIDENT: Final = "memory_rss_bytes"
Floats = NDArray[np.float64]


def resident_peaks(rows: Sequence[ContainerRow], chunks: Iterable[MetricChunk], memory_samples: NDArray[np.int64]) -> Floats:
    """Return the largest resident set of any pod of each row by chunks of family `memory_detail`, shape (rows,). [bytes].

    NaN where fewer than COVERED as many samples as of the working set, `memory_samples`, are there: then nobody knows what the rest held.
    """
    place = {row.key: i for i, row in enumerate(rows)}
    peak, count = np.full(len(rows), np.nan), np.zeros(len(rows))
    for chunk in chunks:
        values = chunk.samples.get(RESIDENT)
        series = [(i, row) for i, key in enumerate(chunk.keys) if (row := place.get((key.workload_uid, key.container))) is not None]
        if values is None or not series:
            continue
        source, row = np.array(series, dtype=np.int64).T
        np.fmax.at(peak, row, np.fmax.reduce(values[source], axis=1, initial=np.nan))
        np.add.at(count, row, (~np.isnan(values[source])).sum(axis=1))
    return np.where((count > 0) & (count >= COVERED * memory_samples), peak, np.nan)


def with_resident(profile: UsageProfile, rows: Sequence[ContainerRow], chunks: Iterable[MetricChunk]) -> UsageProfile:
    """Return the profile with what chunks of family `memory_detail` tell from where it was told last to the end of what is folded.

    A second time changes nothing: no step that begins before `resident.until` counts again, also where no chunk has a series of these rows. Without
    a chunk it is the very same profile.
    """
    place = {row.key: i for i, row in enumerate(rows)}
    resident, told = profile.resident, False
    for chunk in chunks:
        told, values = True, chunk.samples.get(RESIDENT)
        series = [(i, row) for i, key in enumerate(chunk.keys) if (row := place.get((key.workload_uid, key.container))) is not None]
        if values is None or not series:
            continue
        source, row = np.array(series, dtype=np.int64).T
        time = chunk.start + chunk.step_seconds * np.arange(chunk.steps)
        steps = np.flatnonzero((time >= profile.resident.until) & (time < profile.folded_until))
        resident = add_resident(resident, row, values[np.ix_(source, steps)], time[steps] // 86400 - profile.first_day)
    return replace(profile, resident=replace(resident, until=profile.folded_until)) if told else profile
