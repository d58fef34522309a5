"""Usage history: one blob of packed arrays for each window of each shard, under `t/<tenant>/clusters/<cluster>/history/<shard>/<start>-<end>.bin`.

Families beside CPU and memory lie in folders of their own, `history/<shard>-<family>/`: who reads CPU and memory does not read them.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from upid.adapters.columnar.quarantine import DamagedChunkError, Quarantine
from upid.adapters.columnar.windows import DAY_SECONDS, OverlapError, days_to_join, shown
from upid.ports.blobs import Blobs
from upid.ports.usage_history import HistoryScope, HistoryState, MetricChunk, UsageChunk

_WINDOW: Final = re.compile(r"(\d{10,})-(\d{10,})\.bin")
MOST_NAMED: Final = 5
_FAMILY: Final = re.compile(r"[a-z][a-z_]{0,31}")
_OF_HISTORY: Final = re.compile(r"t/[^/]+/clusters/[^/]+/history/")


class StoredWindow(NamedTuple):
    """A chunk's window [start, end), in seconds since the epoch, and its blob."""

    start: int
    end: int
    blob: str


class ColumnarHistory:
    """UsageHistory over any Blobs. Arrays without a single sample or event take no space."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._quarantine = Quarantine(blobs)

    def append(self, scope: HistoryScope, chunk: UsageChunk | MetricChunk) -> bool:
        """Write a chunk and return True; one with the same start and end is left as it is, then False.

        Raises
        ------
        OverlapError
            Where a stored chunk covers part of this one's window.
        ValueError
            Where the chunk's arrays are not of one shape, its window is empty, or its family is no name.
        """
        from upid.adapters.columnar.packing import packed  # noqa: PLC0415 who only removes history must not need numerics

        data, folder = packed(chunk), _folder(scope, chunk.family if isinstance(chunk, MetricChunk) else "")
        overlapping = list(self._overlapping(folder, chunk.start, chunk.end))
        if any((stored.start, stored.end) == (chunk.start, chunk.end) for stored in overlapping):
            return False
        for stored in overlapping:
            raise OverlapError(
                f"[{chunk.start}, {chunk.end}) overlaps the stored window [{stored.start}, {stored.end}) of shard {scope.shard}."
            )
        return self._blobs.put(_name(folder, chunk), data, if_absent=True)

    def fill(self, scope: HistoryScope, chunk: MetricChunk) -> None:
        """Add late samples: each window that they fall into is replaced by one with them, what falls into none is appended.

        Raises DamagedChunkError for a stored chunk that cannot be read, which is put aside, so that it is not there the next time; ValueError as append.
        """
        from upid.adapters.columnar.filling import overlaid, pieces  # noqa: PLC0415 as in append
        from upid.adapters.columnar.packing import packed  # noqa: PLC0415 as in append

        for stored, late in pieces(chunk, list(self._overlapping(_folder(scope, chunk.family), chunk.start, chunk.end))):
            if stored is None:
                self.append(scope, late)
            else:
                self._blobs.put(stored.blob, packed(overlaid(self._chunk(stored), late)))

    def read(self, scope: HistoryScope, *, start: float, end: float) -> Iterator[UsageChunk]:
        """Yield the chunks that overlap [start, end), oldest first, whole, one in memory at a time; one that is damaged is put aside, told, and left out."""
        return self._read(_folder(scope), start, end)

    def read_family(self, scope: HistoryScope, family: str, *, start: float, end: float) -> Iterator[MetricChunk]:
        """Yield the chunks of one family as `read` does."""
        return self._read(_folder(scope, family), start, end)

    def compact(self, scope: HistoryScope, *, before: float) -> int:
        """Join each day that has ended into one chunk and return how many were joined; the chunks that it was made of go a day later.

        Until then they are there for readers that listed them before, and hidden from all others by the longer one.
        """
        return sum(self._compact(folder, before) for folder in self._folders(scope))

    def _compact(self, folder: str, before: float) -> int:
        windows = list(self._windows(folder))
        for hidden in set(windows) - set(shown(windows)):
            if (hidden.start // DAY_SECONDS + 2) * DAY_SECONDS <= before:
                self._blobs.delete(hidden.blob)
        return sum(self._join(folder, day) for day in days_to_join(windows, before))

    def delete_cluster(self, tenant: str, cluster_id: str) -> str:
        """Remove everything of a cluster; a cluster without history is no error. Returns "": nothing stays."""
        self._blobs.delete_all(_clusters_folder(HistoryScope(tenant, cluster_id, 0)))
        return ""

    def delete_tenant(self, tenant: str) -> None:
        """Remove everything of a tenant."""
        for blob in self._of_tenant(tenant):
            self._blobs.delete(blob)

    def expire(self, tenant: str, *, days: int, now: float) -> None:
        """Remove the chunks of a tenant that ended more than `days` before `now`."""
        for blob in self._of_tenant(tenant):
            found = _WINDOW.fullmatch(blob.rpartition("/")[2])
            if found and int(found[2]) <= now - days * DAY_SECONDS:
                self._blobs.delete(blob)

    def state(self, tenant: str, cluster_id: str) -> HistoryState:
        """Return that all is well, or which chunks were damaged and put aside."""
        damaged = self._quarantine.of(tenant, cluster_id)
        if not damaged:
            return HistoryState("healthy", "It lies on blobs.")
        return HistoryState("degraded", f"{len(damaged)} damaged chunks were put aside: {', '.join(damaged[:MOST_NAMED])}.")

    def _of_tenant(self, tenant: str) -> list[str]:
        return [blob for blob in self._blobs.names(f"t/{tenant}/clusters/") if _OF_HISTORY.match(blob)]

    def _join(self, folder: str, day: Sequence[StoredWindow]) -> bool:
        from upid.adapters.columnar.joining import joined  # noqa: PLC0415 as in append
        from upid.adapters.columnar.packing import packed  # noqa: PLC0415 as in append

        try:
            whole = joined([self._chunk(stored) for stored in day])
        except (DamagedChunkError, ValueError):
            return False
        return self._blobs.put(_name(folder, whole), packed(whole), if_absent=True)

    def _folders(self, scope: HistoryScope) -> list[str]:
        """Return the folders of a shard: of CPU and memory, and of each family that it has."""
        names = self._blobs.names(f"{_clusters_folder(scope)}{scope.shard:04d}")
        return list(dict.fromkeys(name.rpartition("/")[0] + "/" for name in names))

    def _overlapping(self, folder: str, start: float, end: float) -> Iterator[StoredWindow]:
        for stored in shown(self._windows(folder)):
            if stored.start < end and stored.end > start:
                yield stored

    def _windows(self, folder: str) -> Iterator[StoredWindow]:
        for blob in self._blobs.names(folder):
            found = _WINDOW.fullmatch(blob.rpartition("/")[2])
            if found:
                yield StoredWindow(int(found[1]), int(found[2]), blob)

    def _read(self, folder: str, start: float, end: float) -> Iterator[Any]:
        for stored in list(self._overlapping(folder, start, end)):
            with contextlib.suppress(DamagedChunkError):
                yield self._chunk(stored)

    def _chunk(self, stored: StoredWindow) -> Any:
        from upid.adapters.columnar.packing import unpacked  # noqa: PLC0415 as in append

        return self._quarantine.read(stored.blob, unpacked)


def _clusters_folder(scope: HistoryScope) -> str:
    return f"t/{scope.tenant}/clusters/{scope.cluster_id}/history/"


def _folder(scope: HistoryScope, family: str = "") -> str:
    if family and not _FAMILY.fullmatch(family):
        raise ValueError(f"{family!r} is no name of a family.")
    return f"{_clusters_folder(scope)}{scope.shard:04d}{f'-{family}' if family else ''}/"


def _name(folder: str, chunk: UsageChunk | MetricChunk) -> str:
    return f"{folder}{chunk.start:010d}-{chunk.end:010d}.bin"
