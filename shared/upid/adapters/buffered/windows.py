"""What lies in the buffer: chunks that wait for the store, and the end of what it has, so that collecting goes on without it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

from upid.adapters.columnar.quarantine import DamagedChunkError, Quarantine
from upid.ports.blobs import Blobs
from upid.ports.usage_history import HistoryScope, MetricChunk, UsageChunk

RECENT_SECONDS: Final = 7200  # more than folding wants to see before the next chunk
_NAME: Final = re.compile(r"(\d{10,})-(\d{10,})\.(waiting|recent)\.bin")
Chunk = UsageChunk | MetricChunk
Kind = Literal["waiting", "recent"]


class Buffered(NamedTuple):
    """A window [start, end) in the buffer, and its blob."""

    start: int
    end: int
    kind: str
    blob: str


class Buffer:
    """The buffer's blobs, in a folder for each cluster, shard and family."""

    def __init__(self, blobs: Blobs) -> None:
        self.blobs = blobs
        self.quarantine = Quarantine(blobs)

    def folder(self, scope: HistoryScope, family: str) -> str:
        """Return the folder of a shard's family."""
        return f"{self.place(scope.tenant, scope.cluster_id)}{scope.shard:04d}/{family}/"

    def place(self, tenant: str, cluster_id: str) -> str:
        """Return what the names of a cluster's blobs begin with."""
        return f"t/{tenant}/clusters/{cluster_id}/history-buffer/"

    def windows(self, prefix: str, kind: str = "") -> list[Buffered]:
        """Return the windows below a folder, of one kind or all, oldest first."""
        found = ((blob, _NAME.fullmatch(blob.rpartition("/")[2])) for blob in self.blobs.names(prefix))
        windows = [Buffered(int(match[1]), int(match[2]), match[3], blob) for blob, match in found if match]
        return sorted(window for window in windows if kind in {"", window.kind})

    def put(self, folder: str, chunk: Chunk, kind: Kind) -> Buffered:
        """Write a chunk; ValueError where its arrays are not of one shape."""
        from upid.adapters.columnar.packing import packed  # noqa: PLC0415 who only removes history must not need numerics

        blob = f"{folder}{chunk.start:010d}-{chunk.end:010d}.{kind}.bin"
        self.blobs.put(blob, packed(chunk))
        return Buffered(chunk.start, chunk.end, kind, blob)

    def chunks(self, windows: Iterable[Buffered]) -> Iterator[Any]:
        """Yield the chunks of windows; one that is damaged is put aside, told, and left out."""
        from upid.adapters.columnar.packing import unpacked  # noqa: PLC0415 as in put

        for window in windows:
            with contextlib.suppress(DamagedChunkError):
                yield self.quarantine.read(window.blob, unpacked)

    def delivered(self, folder: str, window: Buffered, chunk: Chunk) -> None:
        """Let a chunk wait no more: its end is kept for who collects, older ends go."""
        self.put(folder, end_of(chunk), "recent")
        for old in self.windows(folder, "recent"):
            if old.end <= chunk.end - RECENT_SECONDS:
                self.blobs.delete(old.blob)
        self.blobs.delete(window.blob)

    def whole_since(self, folder: str, start: float) -> list[Buffered] | None:
        """Return the windows from `start` on, None where the buffer does not reach back so far: then only the store knows. All that is written comes by here."""
        windows = sorted({(window.start, window.end): window for window in self.windows(folder)}.values())
        return windows if windows and windows[0].start <= start else None


def end_of(chunk: Chunk) -> Chunk:
    """Return the last part of a chunk, RECENT_SECONDS long; its events are those of the whole."""
    steps = min((chunk.end - chunk.start) // chunk.step_seconds, -(-RECENT_SECONDS // chunk.step_seconds))
    start = chunk.end - steps * chunk.step_seconds
    if isinstance(chunk, MetricChunk):
        ends = {name: values[:, -steps:] for name, values in chunk.samples.items()}
        return MetricChunk(chunk.family, chunk.keys, start, chunk.end, chunk.step_seconds, ends)
    return UsageChunk(
        keys=chunk.keys, start=start, step_seconds=chunk.step_seconds, cpu_cores=chunk.cpu_cores[:, -steps:],
        memory_bytes=chunk.memory_bytes[:, -steps:], throttled=chunk.throttled[:, -steps:], oom_kills=chunk.oom_kills, restarts=chunk.restarts,
        oom_limit_bytes=chunk.oom_limit_bytes,
    )  # fmt: skip


def merged(stored: Iterator[Chunk], waiting: Sequence[Buffered], buffer: Buffer) -> Iterator[Any]:
    """Yield stored and waiting chunks, oldest first; a window that is in both is taken from the store."""
    left = list(waiting)
    for chunk in stored:
        while left and left[0].start < chunk.start:
            yield from buffer.chunks([left.pop(0)])
        left = [window for window in left if not chunk.start <= window.start < chunk.end]
        yield chunk
    yield from buffer.chunks(left)
