"""Usage history in an InfluxDB: a database for each tenant and length of step, so that keeping and erasing are operations on whole databases."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Final, cast

from upid.adapters.columnar.windows import OverlapError, days_to_join, shown
from upid.adapters.influxdb.client import InfluxClient
from upid.adapters.influxdb.databases import Databases
from upid.domain.errors import AppError
from upid.domain.metrics import FAMILIES, USAGE
from upid.ports.usage_history import HistoryScope, HistoryState, MetricChunk, UsageChunk

if TYPE_CHECKING:
    from upid.adapters.influxdb.windows import Shard, StoredWindow

PART: Final = "part"
DAY: Final = "day"
FILLED: Final = "filled"
LIMIT: Final = "This server deletes nothing less than a database."


class InfluxHistory:
    """UsageHistory over one InfluxDB. A window is there when its last point is: what died before that is written again, onto the same points.

    Two writers of one shard at once are kept apart by who collects, not here: points have no condition to be written under. The same chunk of both is
    there once, whoever is first or dies.
    """

    def __init__(self, client: InfluxClient) -> None:
        self._client = client
        self._databases = Databases(client)

    def append(self, scope: HistoryScope, chunk: UsageChunk | MetricChunk) -> bool:
        """Write a chunk and return True; one with the same start and end is left as it is, then False.

        Raises
        ------
        OverlapError
            Where a stored chunk covers part of this one's window.
        UnavailableError
            Where the server does not answer, or refuses points; the window is not there then, and can be written again.
        ValueError
            Where the chunk's arrays are not of one shape, or its window is empty.
        """
        from upid.adapters.influxdb.lines import digest_of, family_of  # noqa: PLC0415 who only removes history must not need numerics

        digest = digest_of(chunk)
        for stored in shown(self._windows(self._shard(scope, family_of(chunk)), chunk.start, chunk.end)):
            if (stored.start, stored.end) == (chunk.start, chunk.end):
                return False
            raise OverlapError(
                f"[{chunk.start}, {chunk.end}) overlaps the stored window [{stored.start}, {stored.end}) of shard {scope.shard}."
            )
        self._write(scope, chunk, PART, digest)
        return True

    def fill(self, scope: HistoryScope, chunk: MetricChunk) -> None:
        """Add late samples. Those of series that a window has already are just points; for others the window is told anew under a name of its own.

        So the window that was there stays whole until the one with all series is. Errors as `append` and `read`, but OverlapError.
        """
        from upid.adapters.columnar.filling import overlaid, pieces  # noqa: PLC0415 as in append
        from upid.adapters.influxdb.lines import digest_of  # noqa: PLC0415 as in append

        shard = self._shard(scope, chunk.family)
        for stored, late in pieces(chunk, shown(self._windows(shard, chunk.start, chunk.end))):
            if stored is None:
                self.append(scope, late)
                continue
            (before,) = cast("Iterator[MetricChunk]", shard.chunks([stored]))
            whole = overlaid(before, late)
            digest = digest_of(whole)
            self._samples(scope, late)
            if len(whole.keys) > stored.series or len(whole.samples) > len(stored.metrics):
                self._write(scope, whole, f"{FILLED}-{digest}", digest)

    def read(self, scope: HistoryScope, *, start: float, end: float) -> Iterator[UsageChunk]:
        """Yield the chunks that overlap [start, end), oldest first, whole; UnavailableError where the server does not answer or points are missing."""
        return cast("Iterator[UsageChunk]", self._read(scope, USAGE, start, end))

    def read_family(self, scope: HistoryScope, family: str, *, start: float, end: float) -> Iterator[MetricChunk]:
        """Yield the chunks of one family as `read` does."""
        return cast("Iterator[MetricChunk]", self._read(scope, family, start, end))

    def compact(self, scope: HistoryScope, *, before: float) -> int:
        """Join each day that has ended: its series are told once, its samples stay where they are. Returns how many were joined."""
        shards = [self._shard(scope, family) for family in (USAGE, *FAMILIES)]
        return sum(self._join(shard, day) for shard in shards for day in days_to_join(self._windows(shard, 0.0, before), before))

    def delete_cluster(self, tenant: str, cluster_id: str) -> str:
        """Remove everything of a cluster; where the server cannot, return that its points stay until the databases let go of them."""
        kept = [name for name in self._databases.of(tenant, "sr") if not self._databases.delete_cluster(name, cluster_id)]
        return f"{LIMIT} The samples of {cluster_id} stay in {', '.join(kept)} until their retention ends." if kept else ""

    def delete_tenant(self, tenant: str) -> None:
        """Drop the databases of a tenant, those of rollups too."""
        for name in self._databases.of(tenant, "sr"):
            self._databases.drop(name)

    def expire(self, tenant: str, *, days: int, now: float) -> None:  # noqa: ARG002 the server has a clock
        """Let the databases of a tenant keep `days`: the server drops what is older by itself."""
        for name in self._databases.of(tenant):
            self._databases.keep(name, days)

    def state(self, tenant: str, cluster_id: str) -> HistoryState:  # noqa: ARG002 one server for all
        """Ask the server for its version; what it cannot do stands in the detail."""
        try:
            version, limit = self._client.version(), LIMIT if self._databases.generation >= 3 else ""
        except AppError as error:
            return HistoryState("unhealthy", error.detail)
        return HistoryState("healthy", f"InfluxDB {version} answers. {limit}".rstrip())

    def _read(self, scope: HistoryScope, family: str, start: float, end: float) -> Iterator[UsageChunk | MetricChunk]:
        shard = self._shard(scope, family)
        return shard.chunks(shown(self._windows(shard, start, end)))

    def _shard(self, scope: HistoryScope, family: str) -> Shard:
        from upid.adapters.influxdb.windows import Shard  # noqa: PLC0415 as in append

        return Shard(self._client, scope, family)

    def _windows(self, shard: Shard, start: float, end: float) -> list[StoredWindow]:
        """Return the windows that overlap [start, end); of several of one length the one with most in it first, which is the one that is shown."""
        found = (window for name in self._databases.of(shard.scope.tenant) for window in shard.windows(name, start, end))
        return sorted(found, key=lambda window: (-window.series, -len(window.metrics)))

    def _write(self, scope: HistoryScope, chunk: UsageChunk | MetricChunk, kind: str, digest: int) -> None:
        from upid.adapters.influxdb import lines  # noqa: PLC0415 as in append

        database = self._databases.name(scope.tenant, f"{chunk.step_seconds}s")
        if kind == PART:
            self._samples(scope, chunk)
        window = lines.window_line(scope, chunk, kind, digest)
        for body in chain(lines.member_lines(scope, chunk, kind, digest), (window,)):
            self._databases.write(database, body)

    def _samples(self, scope: HistoryScope, chunk: UsageChunk | MetricChunk) -> None:
        from upid.adapters.influxdb import lines  # noqa: PLC0415 as in append

        database = self._databases.name(scope.tenant, f"{chunk.step_seconds}s")
        for body in lines.sample_lines(scope, chunk):
            self._databases.write(database, body)

    def _join(self, shard: Shard, day: list[StoredWindow]) -> bool:
        from upid.adapters.columnar.joining import joined  # noqa: PLC0415 as in append
        from upid.adapters.influxdb.lines import digest_of  # noqa: PLC0415 as in append
        from upid.adapters.influxdb.windows import MissingSeriesError  # noqa: PLC0415 as in append

        try:
            whole: UsageChunk | MetricChunk = joined(cast("list[UsageChunk]", list(shard.chunks(day))))
        except (MissingSeriesError, ValueError):
            return False
        self._write(shard.scope, whole, DAY, digest_of(whole))
        return True
