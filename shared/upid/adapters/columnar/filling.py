"""A family's samples that come late: which stored windows they fall into, and those windows with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from upid.adapters.columnar.windows import W
from upid.ports.usage_history import MetricChunk


def pieces(chunk: MetricChunk, windows: Sequence[W]) -> Iterator[tuple[W | None, MetricChunk]]:
    """Yield a chunk cut at the windows that are stored, oldest first, each piece with the window that holds it; None where none does.

    `windows` do not overlap each other; those outside of the chunk count for nothing.
    """
    moment = chunk.start
    for window in windows:
        if window.end <= moment or window.start >= chunk.end:
            continue
        if moment < window.start:
            yield None, _cut(chunk, moment, window.start)
        yield window, _cut(chunk, max(moment, window.start), min(window.end, chunk.end))
        moment = window.end
    if moment < chunk.end:
        yield None, _cut(chunk, moment, chunk.end)


def overlaid(stored: MetricChunk, late: MetricChunk) -> MetricChunk:
    """Return a stored chunk with late samples from within its window; where both have one, the late one counts. ValueError for another grid."""
    first, beyond = divmod(late.start - stored.start, stored.step_seconds)
    if beyond or late.step_seconds != stored.step_seconds or first < 0 or late.end > stored.end:
        raise ValueError("Late samples must lie within the window that they are for, on its grid.")
    keys = list(dict.fromkeys([*stored.keys, *late.keys]))
    place = {key: row for row, key in enumerate(keys)}
    rows = np.array([place[key] for key in late.keys], np.int64)
    steps = slice(first, first + late.steps)
    samples = {}
    for name in dict.fromkeys([*stored.samples, *late.samples]):
        values = np.full((len(keys), stored.steps), np.nan, np.float32)
        if name in stored.samples:
            values[: len(stored.keys)] = stored.samples[name]
        if name in late.samples:
            new = late.samples[name]
            values[rows, steps] = np.where(np.isnan(new), values[rows, steps], new)
        samples[name] = values
    return replace(stored, keys=keys, samples=samples)


def _cut(chunk: MetricChunk, start: int, end: int) -> MetricChunk:
    first, last = (start - chunk.start) // chunk.step_seconds, (end - chunk.start) // chunk.step_seconds
    return replace(chunk, start=start, end=end, samples={name: values[:, first:last] for name, values in chunk.samples.items()})
