"""Stored chunks brought onto longer steps."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.rollups import coarser, rolled
from upid.ports.usage_history import MetricChunk, UsageChunk
from upid.ports.usage_rollups import RollupChunk

Chunk = UsageChunk | MetricChunk


def rolled_up(chunks: Iterable[Chunk], *, start: int, end: int, stored_seconds: int, step_seconds: int) -> RollupChunk:
    """Return the samples of [start, end), on the steps of a rollup; chunks on other steps than `stored_seconds` are passed over.

    Raises
    ------
    ValueError
        Where the window is no whole number of steps, or the steps of stored ones.
    """
    found = [chunk for chunk in chunks if chunk.step_seconds == stored_seconds]
    keys = list(dict.fromkeys(key for chunk in found for key in chunk.keys))
    place = {key: row for row, key in enumerate(keys)}
    shape = (len(keys), (end - start) // stored_seconds)
    whole: dict[str, NDArray[np.float32]] = {}
    for chunk in found:
        rows = np.array([place[key] for key in chunk.keys], np.int64)
        _put(chunk, rows, whole, shape, start)
    metrics = {name: rolled(values, step_seconds // stored_seconds) for name, values in whole.items()}
    return RollupChunk(keys, start, end, step_seconds, metrics)


def coarsened(chunk: RollupChunk, step_seconds: int) -> RollupChunk:
    """Return a chunk on longer steps; ValueError where they are no multiple of its own."""
    factor = step_seconds // chunk.step_seconds
    return RollupChunk(chunk.keys, chunk.start, chunk.end, step_seconds, {n: coarser(r, factor) for n, r in chunk.metrics.items()})


def _put(chunk: Chunk, rows: NDArray[np.int64], whole: dict[str, NDArray[np.float32]], shape: tuple[int, int], start: int) -> None:
    """Put the samples of a chunk that fall into the window where they belong."""
    shift = (chunk.start - start) // chunk.step_seconds
    for name, values in samples_of(chunk).items():
        first, last = max(shift, 0), min(shift + values.shape[1], shape[1])
        if first < last and not np.isnan(values).all():
            into = whole.setdefault(name, np.full(shape, np.nan, np.float32))
            into[rows, first:last] = values[:, first - shift : last - shift]


def samples_of(chunk: Chunk) -> dict[str, NDArray[np.float32]]:
    """Return a chunk's samples by metric."""
    if isinstance(chunk, MetricChunk):
        return dict(chunk.samples)
    return {"cpu_cores": chunk.cpu_cores, "memory_bytes": chunk.memory_bytes, "throttled": chunk.throttled}
