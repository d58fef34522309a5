"""Chunks of families beside CPU and memory as the tasks of a collection hand them on: as bytes, split by shard, joined over namespaces, cut at a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from upid.engine.arrays import pack, unpack
from upid.ports.usage_history import MetricChunk, SeriesKey


def encode(chunk: MetricChunk) -> bytes:
    """Return a chunk as bytes; the same chunk gives the same bytes."""
    times = {"start": chunk.start, "end": chunk.end, "step_seconds": chunk.step_seconds}
    return pack(chunk.samples, {"family": chunk.family, "keys": [list(key) for key in chunk.keys], **times})


def decode(data: bytes) -> MetricChunk:
    """Return the chunk that `encode` made `data` from; ValueError for anything else."""
    samples, meta = unpack(data)
    keys = [SeriesKey(*key) for key in meta["keys"]]
    return MetricChunk(meta["family"], keys, meta["start"], meta["end"], meta["step_seconds"], samples)


def split(chunk: MetricChunk, shard: Callable[[SeriesKey], int]) -> Iterator[tuple[int, MetricChunk]]:
    """Yield each shard that has a series and its part of the chunk, in the order of the shards."""
    places: dict[int, list[int]] = {}
    for position, key in enumerate(chunk.keys):
        places.setdefault(shard(key), []).append(position)
    for number in sorted(places):
        rows = np.array(places[number], np.int64)
        yield (
            number,
            replace(chunk, keys=[chunk.keys[row] for row in rows], samples={name: values[rows] for name, values in chunk.samples.items()}),
        )


def join(chunks: Sequence[MetricChunk]) -> MetricChunk:
    """Return one chunk with the series of all, which are of one family and grid and have no series in common; ValueError where they are not."""
    if len({(chunk.family, chunk.start, chunk.end, chunk.step_seconds) for chunk in chunks}) != 1:
        raise ValueError("Chunks of several families or grids cannot be joined.")
    names = dict.fromkeys(name for chunk in chunks for name in chunk.samples)
    none = [np.full((len(chunk.keys), chunk.steps), np.nan, np.float32) for chunk in chunks]
    samples = {name: np.concatenate([chunk.samples.get(name, rest) for chunk, rest in zip(chunks, none, strict=True)]) for name in names}
    return replace(chunks[0], keys=[key for chunk in chunks for key in chunk.keys], samples=samples)


def behind(chunk: MetricChunk, moment: int) -> MetricChunk:
    """Return the steps of a chunk from `moment` on [s since the epoch]."""
    gone = max(0, -(-(moment - chunk.start) // chunk.step_seconds))
    if gone == 0:
        return chunk
    start = min(chunk.start + gone * chunk.step_seconds, chunk.end)
    return replace(chunk, start=start, samples={name: values[:, gone:] for name, values in chunk.samples.items()})


def count_samples(chunk: MetricChunk) -> int:
    """Return how many samples a chunk holds."""
    return sum(int(np.count_nonzero(~np.isnan(values))) for values in chunk.samples.values())
