"""Many short chunks as one long one: what a schedule that collects every few minutes leaves behind is joined by the day."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, TypeVar

import numpy as np

from upid.ports.usage_history import MetricChunk, SeriesKey, UsageChunk

SAMPLES: Final = ("cpu_cores", "memory_bytes", "throttled")
Chunk = TypeVar("Chunk", UsageChunk, MetricChunk)


def joined(chunks: Sequence[Chunk]) -> Chunk:
    """Return one chunk with the samples of all, which follow each other in time on one grid; steps between them have no sample, events add up.

    Raises
    ------
    ValueError
        Where steps differ, grids do not line up, or chunks overlap.
    """
    start, step = chunks[0].start, chunks[0].step_seconds
    if any(chunk.step_seconds != step or (chunk.start - start) % step for chunk in chunks):
        raise ValueError("Chunks of different grids cannot be joined.")
    if any(after.start < before.end for before, after in pairwise(chunks)):
        raise ValueError("Chunks that overlap cannot be joined.")
    keys = list(dict.fromkeys(key for chunk in chunks for key in chunk.keys))
    place = {key: position for position, key in enumerate(keys)}
    return _metrics(chunks, place) if isinstance(chunks[0], MetricChunk) else _usage(chunks, place)


def _metrics(chunks: Sequence[MetricChunk], place: dict[SeriesKey, int]) -> MetricChunk:
    start, end, step = chunks[0].start, chunks[-1].end, chunks[0].step_seconds
    names = dict.fromkeys(name for chunk in chunks for name in chunk.samples)
    samples = {name: np.full((len(place), (end - start) // step), np.nan, np.float32) for name in names}
    for chunk in chunks:
        rows = np.array([place[key] for key in chunk.keys], np.int64)
        steps = slice((chunk.start - start) // step, (chunk.end - start) // step)
        for name, values in chunk.samples.items():
            samples[name][rows, steps] = values
    return MetricChunk(chunks[0].family, list(place), start, end, step, samples)


def _usage(chunks: Sequence[UsageChunk], place: dict[SeriesKey, int]) -> UsageChunk:
    start, end, step = chunks[0].start, chunks[-1].end, chunks[0].step_seconds
    keys = list(place)
    columns: dict[str, Any] = {name: np.full((len(keys), (end - start) // step), np.nan, np.float32) for name in SAMPLES}
    columns |= {name: np.zeros(len(keys), np.int32) for name in ("oom_kills", "restarts")}
    columns["oom_limit_bytes"] = np.full(len(keys), np.nan)
    for chunk in chunks:
        rows = np.array([place[key] for key in chunk.keys], np.int64)
        _put(columns, chunk, rows, (chunk.start - start) // step)
    return UsageChunk(keys=keys, start=start, step_seconds=step, **columns)


def _put(columns: dict[str, Any], chunk: UsageChunk, rows: Any, offset: int) -> None:
    for name in SAMPLES:
        values = getattr(chunk, name)
        columns[name][rows, offset : offset + values.shape[1]] = values
    for name in ("oom_kills", "restarts"):
        columns[name][rows] += getattr(chunk, name)
    columns["oom_limit_bytes"][rows] = np.fmax(columns["oom_limit_bytes"][rows], chunk.oom_limit_bytes)
