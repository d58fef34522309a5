"""Rollups on the blob store, laid out so that one container's year is read without the others' sketches and names.

A chunk is a blob of figures and one of sketches for each metric, and last one of keys: the chunk is there when its keys are. They lie under
`t/<tenant>/clusters/<cluster>/rollups/<step>/<shard>-<family>/<start>-<end>.<part>.bin`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from upid.adapters.columnar.blocks import packed_rows, unpacked_rows
from upid.adapters.columnar.quarantine import Quarantine
from upid.adapters.columnar.windows import DAY_SECONDS, period_end, periods_to_join, shown
from upid.engine.arrays import pack, unpack
from upid.engine.usage.rollups import Part, Rollup, Sketch, put_together, taken
from upid.ports.blobs import Blobs
from upid.ports.usage_history import SeriesKey
from upid.ports.usage_rollups import RollupChunk, RollupScope

_KEYS: Final = re.compile(r"(\d{10,})-(\d{10,})\.keys\.bin")
_ROLLUP: Final = re.compile(r"t/[^/]+/clusters/[^/]+/rollups/(\d+)/[^/]+/\d+-(\d+)\..*")
_BETWEEN: Final = "\x1f"  # between the names of a series: no name of Kubernetes has it


class _Window(NamedTuple):
    start: int
    end: int
    stem: str


class ColumnarRollups:
    """UsageRollups over any Blobs."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._quarantine = Quarantine(blobs)

    def append(self, scope: RollupScope, chunk: RollupChunk) -> bool:
        """Write a chunk and return True; a window that is there, by itself or in a longer one, is left as it is, then False."""
        if any(window.start <= chunk.start and chunk.end <= window.end for window in self._windows(scope)):
            return False
        stem = f"{_folder(scope)}{chunk.start:010d}-{chunk.end:010d}"
        for metric, rollup in chunk.metrics.items():
            self._blobs.put(f"{stem}.{metric}.sketch.bin", _packed_sketch(rollup))
            self._blobs.put(f"{stem}.{metric}.bin", _packed_figures(rollup))
        return self._blobs.put(f"{stem}.keys.bin", _packed_keys(chunk))

    def read(
        self, scope: RollupScope, metrics: Sequence[str], *, start: float, end: float, workload_uids: Collection[str] | None = None,
        sketches: bool = False,
    ) -> Iterator[RollupChunk]:  # fmt: skip
        """Yield chunks as the port has it; DamagedChunkError that names the blob."""
        wanted = None if workload_uids is None else np.array(sorted(map(_hash, workload_uids)), np.uint64)
        for window in shown(self._windows(scope)):
            if window.start < end and window.end > start:
                yield self._chunk(window, metrics, wanted, sketches=sketches)

    def until(self, scope: RollupScope) -> int | None:
        """Return the end of the newest chunk, None without any."""
        return max((window.end for window in self._windows(scope)), default=None)

    def compact(self, scope: RollupScope, *, before: float) -> int:
        """Join weeks of the month that goes on, and months; what one was made of goes a day later, so that who listed it can read it."""
        windows = list(self._windows(scope))
        for hidden in set(windows) - set(shown(windows)):
            if period_end(hidden, before) + DAY_SECONDS <= before:
                self._delete(hidden)
        return sum(self._join(scope, period) for period in periods_to_join(windows, before))

    def expire(self, tenant: str, step_seconds: int, *, days: int, now: float) -> None:
        """Remove what is older than it is kept."""
        for blob, step, end in self._of_tenant(tenant):
            if step == step_seconds and end <= now - days * DAY_SECONDS:
                self._blobs.delete(blob)

    def delete_tenant(self, tenant: str) -> None:
        """Remove everything of a tenant."""
        for blob, _, _ in self._of_tenant(tenant):
            self._blobs.delete(blob)

    def _of_tenant(self, tenant: str) -> list[tuple[str, int, int]]:
        found = ((blob, _ROLLUP.fullmatch(blob)) for blob in self._blobs.names(f"t/{tenant}/clusters/"))
        return [(blob, int(match[1]), int(match[2])) for blob, match in found if match]

    def _windows(self, scope: RollupScope) -> Iterator[_Window]:
        for blob in self._blobs.names(_folder(scope)):
            found = _KEYS.fullmatch(blob.rpartition("/")[2])
            if found:
                yield _Window(int(found[1]), int(found[2]), blob.removesuffix(".keys.bin"))

    def _chunk(self, window: _Window, metrics: Sequence[str], wanted: Any, *, sketches: bool) -> RollupChunk:
        keys, meta = self._arrays(f"{window.stem}.keys.bin")
        rows = np.arange(len(keys["uids"])) if wanted is None else _rows_of(keys["uids"], wanted)
        found = {
            metric: self._rollup(window, metric, None if wanted is None else rows, sketches=sketches)
            for metric in metrics
            if metric in meta["metrics"] and len(rows)
        }
        return RollupChunk(_keys_at(keys, rows), window.start, window.end, meta["step_seconds"], found)

    def _rollup(self, window: _Window, metric: str, rows: Any, *, sketches: bool) -> Rollup:
        sketch = self._sketch(f"{window.stem}.{metric}.sketch.bin") if sketches else None
        read = None if sketches else rows
        arrays = self._quarantine.read(f"{window.stem}.{metric}.bin", lambda data: unpacked_rows(data, read))
        whole = Rollup(arrays["low"], arrays["high"], arrays["mean"], arrays["count"].astype(np.int64), sketch)
        return taken(whole, rows) if sketches and rows is not None else whole

    def _sketch(self, blob: str) -> Sketch:
        arrays, _ = self._arrays(blob)
        cells = np.repeat(np.arange(len(arrays["entries"]), dtype=np.int64), arrays["entries"])
        return Sketch(cells, arrays["exponents"], arrays["counts"].astype(np.int64))

    def _arrays(self, blob: str) -> tuple[dict[str, Any], dict[str, Any]]:
        return self._quarantine.read(blob, unpack)

    def _join(self, scope: RollupScope, period: Sequence[_Window]) -> bool:
        metrics: list[str] = []
        for window in period:
            metrics += self._arrays(f"{window.stem}.keys.bin")[1]["metrics"]
        chunks = [self._chunk(window, list(dict.fromkeys(metrics)), None, sketches=True) for window in period]
        stem = f"{_folder(scope)}{chunks[0].start:010d}-{chunks[-1].end:010d}"
        whole = joined(chunks)
        for metric, rollup in whole.metrics.items():
            self._blobs.put(f"{stem}.{metric}.sketch.bin", _packed_sketch(rollup))
            self._blobs.put(f"{stem}.{metric}.bin", _packed_figures(rollup))
        return self._blobs.put(f"{stem}.keys.bin", _packed_keys(whole))

    def _delete(self, window: _Window) -> None:
        self._blobs.delete(f"{window.stem}.keys.bin")
        self._blobs.delete_all(f"{window.stem}.")


def joined(chunks: Sequence[RollupChunk]) -> RollupChunk:
    """Return one chunk of several that follow each other in time; steps between them have no sample."""
    start, end, step = chunks[0].start, chunks[-1].end, chunks[0].step_seconds
    keys = list(dict.fromkeys(key for chunk in chunks for key in chunk.keys))
    place = {key: row for row, key in enumerate(keys)}
    metrics: dict[str, Rollup] = {}
    for metric in dict.fromkeys(name for chunk in chunks for name in chunk.metrics):
        parts = [
            Part(chunk.metrics[metric], np.array([place[key] for key in chunk.keys], np.int64), (chunk.start - start) // step)
            for chunk in chunks
            if metric in chunk.metrics
        ]
        metrics[metric] = put_together(parts, len(keys), (end - start) // step)
    return RollupChunk(keys, start, end, step, metrics)


def _rows_of(uids: Any, wanted: Any) -> Any:
    """Return the rows whose workload is wanted; for a few it is faster to compare with each."""
    if len(wanted) > 8:
        return np.flatnonzero(np.isin(uids, wanted))
    return np.flatnonzero(np.any([uids == each for each in wanted], axis=0)) if len(wanted) else np.empty(0, np.int64)


def _packed_figures(rollup: Rollup) -> bytes:
    arrays: dict[str, Any] = {"low": rollup.low, "high": rollup.high, "mean": rollup.mean, "count": _narrow(rollup.count)}
    return packed_rows(arrays)


def _packed_sketch(rollup: Rollup) -> bytes:
    sketch = rollup.sketch or Sketch(np.empty(0, np.int64), np.empty(0, np.int16), np.empty(0, np.int64))
    entries = np.bincount(sketch.cells, minlength=rollup.count.size)
    arrays: dict[str, Any] = {"entries": _narrow(entries), "counts": _narrow(sketch.counts), "exponents": sketch.exponents}
    return pack(arrays, {})


def _narrow(counts: Any) -> Any:
    """Return counts in the smallest type that holds them."""
    return counts.astype(np.min_scalar_type(int(counts.max(initial=0))))


def _packed_keys(chunk: RollupChunk) -> bytes:
    lines = [_BETWEEN.join(key).encode() for key in chunk.keys]
    arrays: dict[str, Any] = {
        "uids": np.array([_hash(key.workload_uid) for key in chunk.keys], np.uint64),
        "ends": np.cumsum([len(line) for line in lines], dtype=np.int64),
        "text": np.frombuffer(b"".join(lines), np.uint8),
    }
    return pack(arrays, {"step_seconds": chunk.step_seconds, "metrics": list(chunk.metrics)})


def _keys_at(keys: dict[str, Any], rows: Any) -> list[SeriesKey]:
    text, ends = keys["text"].tobytes(), keys["ends"].tolist()
    return [SeriesKey(*text[ends[row - 1] if row else 0 : ends[row]].decode().split(_BETWEEN)) for row in rows.tolist()]


def _hash(uid: str) -> int:
    return int.from_bytes(hashlib.blake2b(uid.encode(), digest_size=8).digest(), "little")


def _folder(scope: RollupScope) -> str:
    return f"t/{scope.tenant}/clusters/{scope.cluster_id}/rollups/{scope.step_seconds}/{scope.shard:04d}-{scope.family}/"
