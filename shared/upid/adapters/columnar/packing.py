"""A chunk of usage, or of another family of metrics, as bytes, and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.adapters.columnar.sparse import PLACES, laid, taken_up
from upid.domain.errors import UnavailableError
from upid.engine.arrays import pack, unpack
from upid.ports.usage_history import MetricChunk, SeriesKey, UsageChunk

FORMAT: Final = 1
ON_LANES: Final = 2  # as 1, with the samples as `upid.adapters.columnar.sparse` lays them
SAMPLES: Final = ("cpu_cores", "memory_bytes", "throttled")
EVENTS: Final = ("oom_kills", "restarts", "oom_limit_bytes")
TYPES: Final = {"oom_kills": np.int32, "restarts": np.int32, "oom_limit_bytes": np.float64}


def hold(chunk: UsageChunk | MetricChunk) -> None:
    """Raise ValueError unless the chunk covers time and its arrays are of one shape."""
    series, steps = len(chunk.keys), steps_of(chunk)
    if chunk.step_seconds <= 0 or steps <= 0 or chunk.start < 0:
        raise ValueError("A chunk covers at least one step of a positive length.")
    shapes = dict.fromkeys(samples_of(chunk), (series, steps)) | dict.fromkeys(events_of(chunk), (series,))
    for name, values in (samples_of(chunk) | events_of(chunk)).items():
        if values.shape != shapes[name]:
            raise ValueError(f"{name} has shape {values.shape}, not {shapes[name]}.")


def packed(chunk: UsageChunk | MetricChunk) -> bytes:
    """Return a chunk as stored; arrays without a single sample take no space, and very many short series that of a few long ones. ValueError as `hold`."""
    hold(chunk)
    meta = {
        "format": FORMAT,
        "start": chunk.start,
        "step_seconds": chunk.step_seconds,
        "steps": steps_of(chunk),
        "keys": [list(key) for key in chunk.keys],
    }
    if isinstance(chunk, MetricChunk):
        meta["family"] = chunk.family
    samples = {name: np.asarray(values, np.float32) for name, values in samples_of(chunk).items()}
    arrays: dict[str, NDArray[Any]] = {name: values for name, values in samples.items() if not np.isnan(values).all()}
    sparse = laid(arrays)
    if sparse is not None:
        meta["format"] = ON_LANES
        arrays = sparse.samples | sparse.places
    arrays |= {name: np.asarray(values, TYPES[name]) for name, values in events_of(chunk).items()}
    return pack(arrays, meta)


def unpacked(data: bytes) -> UsageChunk | MetricChunk:
    """Return the chunk that `packed` made the bytes of.

    Raises ValueError, KeyError or TypeError where they are damaged, UnavailableError where a newer version wrote them.
    """
    arrays, meta = unpack(data)
    if meta["format"] not in {FORMAT, ON_LANES}:
        raise UnavailableError(f"Stored usage has the format {meta['format']}, this version reads {FORMAT} and {ON_LANES}.")
    if meta["format"] == ON_LANES:
        apart = {*PLACES, *EVENTS}
        on_lanes = {name: values for name, values in arrays.items() if name not in apart}
        arrays = taken_up(on_lanes, arrays) | {name: arrays[name] for name in EVENTS if name in arrays}
    keys = [SeriesKey(*key) for key in meta["keys"]]
    if "family" in meta:
        end = meta["start"] + meta["steps"] * meta["step_seconds"]
        found = MetricChunk(meta["family"], keys, meta["start"], end, meta["step_seconds"], arrays)
        hold(found)
        return found
    none = np.broadcast_to(np.float32(np.nan), (len(keys), meta["steps"]))
    samples = {name: arrays.get(name, none) for name in SAMPLES}
    chunk = UsageChunk(
        keys=keys, start=meta["start"], step_seconds=meta["step_seconds"], **samples, **{name: arrays[name] for name in EVENTS}
    )
    hold(chunk)
    return chunk


def steps_of(chunk: UsageChunk | MetricChunk) -> int:
    """Return how many steps a chunk has."""
    return chunk.steps if isinstance(chunk, MetricChunk) else int(chunk.cpu_cores.shape[-1])


def samples_of(chunk: UsageChunk | MetricChunk) -> dict[str, NDArray[Any]]:
    """Return a chunk's samples by metric, each of shape (series, steps)."""
    return dict(chunk.samples) if isinstance(chunk, MetricChunk) else {name: getattr(chunk, name) for name in SAMPLES}


def events_of(chunk: UsageChunk | MetricChunk) -> dict[str, NDArray[Any]]:
    """Return a chunk's events by name, each of shape (series,); only usage has any."""
    return {} if isinstance(chunk, MetricChunk) else {name: getattr(chunk, name) for name in EVENTS}
