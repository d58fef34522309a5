"""Usage history that takes chunks while its store is away: they wait on blobs, some of them, and go to the store when it is back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

from upid.adapters.buffered.windows import Buffer, merged
from upid.domain.errors import ConflictError, RefusedError, UnavailableError
from upid.domain.metrics import USAGE
from upid.ports.blobs import Blobs
from upid.ports.usage_history import HistoryScope, HistoryState, MetricChunk, UsageChunk, UsageHistory

MOST_WAITING: Final = 288  # windows of a shard's family: a day of five minutes
_LOG: Final = logging.getLogger(__name__)


class BufferFullError(UnavailableError):
    """The store is away for so long that nothing more is buffered: what is not taken is collected again when it is back."""

    title = "Buffer of usage full"


class BufferedHistory:
    """UsageHistory before another one. Every chunk is written down first, so that whatever dies when, it reaches the store, and once.

    What the store refuses for good is not buffered. A buffer that is full takes nothing more: the collection fails, its watermark stays, and nothing
    is lost that the metrics source still has.
    """

    def __init__(self, store: UsageHistory, blobs: Blobs, *, most_waiting: int = MOST_WAITING) -> None:
        self._store = store
        self._buffer = Buffer(blobs)
        self._most_waiting = most_waiting

    def append(self, scope: HistoryScope, chunk: UsageChunk | MetricChunk) -> bool:
        """Write a chunk, or let it wait, and return True; False for a window that is there already, in the store or waiting.

        Raises BufferFullError where the store is away and the buffer is full, and else as the store does.
        """
        folder = self._buffer.folder(scope, chunk.family if isinstance(chunk, MetricChunk) else USAGE)
        waiting = self._buffer.windows(folder, "waiting")
        for window in waiting:
            if (window.start, window.end) == (chunk.start, chunk.end):
                self._replay(scope, folder)
                return False
            if window.start < chunk.end and window.end > chunk.start:
                raise ConflictError(f"[{chunk.start}, {chunk.end}) overlaps the waiting window [{window.start}, {window.end}).")
        mine = self._buffer.put(folder, chunk, "waiting")
        said = self._replay(scope, folder, mine.blob)
        if said is None and len(waiting) >= self._most_waiting:
            self._buffer.blobs.delete(mine.blob)
            raise BufferFullError(f"{len(waiting)} windows of shard {scope.shard} wait already, no more are buffered.")
        return said is not False

    def fill(self, scope: HistoryScope, chunk: MetricChunk) -> None:
        """Add late samples as the store does; UnavailableError while it is away, or while windows that they may fall into wait for it."""
        folder = self._buffer.folder(scope, chunk.family)
        if self._replay(scope, folder) is None:
            raise UnavailableError(f"Windows of shard {scope.shard} wait for the store: late samples cannot be added now.")
        self._store.fill(scope, chunk)

    def read(self, scope: HistoryScope, *, start: float, end: float) -> Iterator[UsageChunk]:
        """Yield what the store and the buffer have, oldest first; from the buffer alone where that has all from `start` on, which collecting asks for.

        UnavailableError where the store is away and has a part of it.
        """
        return self._read(scope, USAGE, lambda: self._store.read(scope, start=start, end=end), start, end)

    def read_family(self, scope: HistoryScope, family: str, *, start: float, end: float) -> Iterator[MetricChunk]:
        """Yield the chunks of one family as `read` does."""
        return self._read(scope, family, lambda: self._store.read_family(scope, family, start=start, end=end), start, end)

    def compact(self, scope: HistoryScope, *, before: float) -> int:
        """Join days as the store does; while it is away none, they are joined later."""
        try:
            return self._store.compact(scope, before=before)
        except UnavailableError as error:
            _LOG.warning("Days of shard %d of %s are not joined now: %s", scope.shard, scope.cluster_id, error.detail)
            return 0

    def delete_cluster(self, tenant: str, cluster_id: str) -> str:
        """Remove everything of a cluster, waiting or stored, and return what the store says stays."""
        self._buffer.blobs.delete_all(self._buffer.place(tenant, cluster_id))
        return self._store.delete_cluster(tenant, cluster_id)

    def delete_tenant(self, tenant: str) -> None:
        """Remove everything of a tenant, waiting or stored."""
        for blob in [blob for blob in self._buffer.blobs.names(f"t/{tenant}/clusters/") if "/history-buffer/" in blob]:
            self._buffer.blobs.delete(blob)
        self._store.delete_tenant(tenant)

    def expire(self, tenant: str, *, days: int, now: float) -> None:
        """Let the store keep so many days."""
        self._store.expire(tenant, days=days, now=now)

    def state(self, tenant: str, cluster_id: str) -> HistoryState:
        """Return how the store stands, and how much waits for it."""
        found = self._store.state(tenant, cluster_id)
        damaged = self._buffer.quarantine.of(tenant, cluster_id)
        if damaged and found.state == "healthy":
            found = HistoryState("degraded", f"{found.detail} {len(damaged)} damaged chunks were put aside, such as {damaged[0]}.")
        waiting = self._buffer.windows(self._buffer.place(tenant, cluster_id), "waiting")
        if not waiting:
            return found
        fullest = max(sum(window.blob.rpartition("/")[0] == each.blob.rpartition("/")[0] for window in waiting) for each in waiting)
        told = f"{found.detail} {len(waiting)} windows wait in the buffer, {fullest} of {self._most_waiting} in its fullest part."
        return HistoryState("degraded" if found.state == "healthy" else found.state, told)

    def _read(self, scope: HistoryScope, family: str, stored: Callable[[], Iterator[Any]], start: float, end: float) -> Iterator[Any]:
        folder, begun = self._buffer.folder(scope, family), False
        waiting = [each for each in self._buffer.windows(folder, "waiting") if each.start < end and each.end > start]
        try:
            for chunk in merged(stored(), waiting, self._buffer):
                begun = True
                yield chunk
        except UnavailableError:
            kept = None if begun else self._buffer.whole_since(folder, start)
            if kept is None:
                raise
            yield from self._buffer.chunks(each for each in kept if each.start < end and each.end > start)

    def _replay(self, scope: HistoryScope, folder: str, mine: str = "") -> bool | None:
        """Bring what waits to the store, oldest first. Returns what the store says of the blob `mine`, None where it is away."""
        said = True
        for window in self._buffer.windows(folder, "waiting"):
            chunk = next(self._buffer.chunks([window]), None)
            if chunk is None:
                continue
            try:
                written = self._store.append(scope, chunk)
            except (RefusedError, ConflictError) as error:
                self._buffer.blobs.delete(window.blob)
                if window.blob == mine:
                    raise
                _LOG.warning("The waiting %s is given up, its store refuses it: %s", window.blob, error.detail)
            except UnavailableError as error:
                _LOG.warning("The store of usage is away, %s waits: %s", window.blob, error.detail)
                return None
            else:
                self._buffer.delivered(folder, window, chunk)
                said = written if window.blob == mine else said
        return said
