"""A chunk of usage as bytes, and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.arrays import pack, unpack
from upid.ports.usage_history import SeriesKey, UsageChunk

FORMAT: Final = 1
SAMPLES: Final = ("cpu_cores", "memory_bytes", "throttled")
EVENTS: Final = ("oom_kills", "restarts", "oom_limit_bytes")
TYPES: Final = {"oom_kills": np.int32, "restarts": np.int32, "oom_limit_bytes": np.float64}


def hold(chunk: UsageChunk) -> None:
    """Raise ValueError unless the chunk covers time and its arrays are of one shape."""
    series, steps = len(chunk.keys), chunk.cpu_cores.shape[-1]
    if chunk.step_seconds <= 0 or steps <= 0 or chunk.start < 0:
        raise ValueError("A chunk covers at least one step of a positive length.")
    for name, shape in [(n, (series, steps)) for n in SAMPLES] + [(n, (series,)) for n in EVENTS]:
        if getattr(chunk, name).shape != shape:
            raise ValueError(f"{name} has shape {getattr(chunk, name).shape}, not {shape}.")


def packed(chunk: UsageChunk) -> bytes:
    """Return a chunk as stored; arrays without a single sample take no space. ValueError as `hold`."""
    hold(chunk)
    meta = {
        "format": FORMAT,
        "start": chunk.start,
        "step_seconds": chunk.step_seconds,
        "steps": int(chunk.cpu_cores.shape[1]),
        "keys": [list(key) for key in chunk.keys],
    }
    arrays: dict[str, NDArray[Any]] = {}
    for name in SAMPLES:
        samples = np.asarray(getattr(chunk, name), np.float32)
        if not np.isnan(samples).all():
            arrays[name] = samples
    arrays |= {name: np.asarray(getattr(chunk, name), TYPES[name]) for name in EVENTS}
    return pack(arrays, meta)


def unpacked(data: bytes) -> UsageChunk:
    """Return the chunk that `packed` made the bytes of; ValueError, KeyError or TypeError where they are damaged."""
    arrays, meta = unpack(data)
    if meta["format"] != FORMAT:
        raise ValueError(f"format {meta['format']} is not known")
    keys = [SeriesKey(*key) for key in meta["keys"]]
    none = np.broadcast_to(np.float32(np.nan), (len(keys), meta["steps"]))
    samples = {name: arrays.get(name, none) for name in SAMPLES}
    chunk = UsageChunk(
        keys=keys, start=meta["start"], step_seconds=meta["step_seconds"], **samples, **{name: arrays[name] for name in EVENTS}
    )
    hold(chunk)
    return chunk
