"""Usage chunks as the tasks of a collection hand them on: as bytes, split by shard, joined over namespaces, cut at a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from upid.engine.arrays import pack, unpack
from upid.ports.usage_history import SeriesKey, UsageChunk

SAMPLES: Final = ("cpu_cores", "memory_bytes", "throttled")
EVENTS: Final = ("oom_kills", "restarts", "oom_limit_bytes")


def encode(chunk: UsageChunk) -> bytes:
    """Return a chunk as bytes; the same chunk gives the same bytes."""
    meta = {"keys": [list(key) for key in chunk.keys], "start": chunk.start, "step_seconds": chunk.step_seconds}
    return pack({name: getattr(chunk, name) for name in SAMPLES + EVENTS}, meta)


def decode(data: bytes) -> UsageChunk:
    """Return the chunk that `encode` made `data` from; ValueError for anything else."""
    arrays, meta = unpack(data)
    columns = {name: arrays[name] for name in SAMPLES + EVENTS}
    return UsageChunk(keys=[SeriesKey(*key) for key in meta["keys"]], start=meta["start"], step_seconds=meta["step_seconds"], **columns)


def empty(start: int, end: int, step_seconds: int) -> UsageChunk:
    """Return a chunk of [start, end) without a series."""
    samples = np.empty((0, (end - start) // step_seconds), np.float32)
    events = np.empty(0, np.int32)
    return UsageChunk((), start, step_seconds, samples, samples, samples, events, events, np.empty(0, np.float64))


def take(chunk: UsageChunk, series: Sequence[int]) -> UsageChunk:
    """Return the chunk with these series alone, in this order."""
    index = np.asarray(series, np.int64)
    return replace(chunk, keys=[chunk.keys[i] for i in series], **{name: getattr(chunk, name)[index] for name in SAMPLES + EVENTS})


def split(chunk: UsageChunk, shard: Callable[[SeriesKey], int]) -> Iterator[tuple[int, UsageChunk]]:
    """Yield each shard that has a series and its part of the chunk, in the order of the shards."""
    places: dict[int, list[int]] = {}
    for position, key in enumerate(chunk.keys):
        places.setdefault(shard(key), []).append(position)
    for number in sorted(places):
        yield number, take(chunk, places[number])


def join(chunks: Sequence[UsageChunk]) -> UsageChunk:
    """Return one chunk with the series of all, which are of the same grid; ValueError where they are not, or where there is none."""
    grids = {(chunk.start, chunk.end, chunk.step_seconds) for chunk in chunks}
    if len(grids) != 1:
        raise ValueError(f"Chunks of {len(grids)} grids cannot be joined.")
    columns: dict[str, Any] = {name: np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in SAMPLES + EVENTS}
    return replace(chunks[0], keys=[key for chunk in chunks for key in chunk.keys], **columns)


def behind(chunk: UsageChunk, moment: int) -> UsageChunk:
    """Return the steps of a chunk from `moment` on [s since the epoch]; its events stay, since nobody can tell which step they belong to."""
    gone = max(0, -(-(moment - chunk.start) // chunk.step_seconds))
    if gone == 0:
        return chunk
    start = min(chunk.start + gone * chunk.step_seconds, chunk.end)
    return replace(chunk, start=start, **{name: getattr(chunk, name)[:, gone:] for name in SAMPLES})


def without_events(chunk: UsageChunk) -> UsageChunk:
    """Return the chunk's samples alone."""
    return replace(
        chunk,
        oom_kills=np.zeros_like(chunk.oom_kills),
        restarts=np.zeros_like(chunk.restarts),
        oom_limit_bytes=np.full(len(chunk.keys), np.nan),
    )


def count_samples(chunk: UsageChunk) -> int:
    """Return how many CPU and memory samples a chunk holds."""
    return sum(int(np.count_nonzero(~np.isnan(values))) for values in (chunk.cpu_cores, chunk.memory_bytes))
