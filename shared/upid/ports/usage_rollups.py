"""Usage on longer steps: what is left of samples when they are old."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from upid.ports.usage_history import SeriesKey

if TYPE_CHECKING:
    from upid.engine.usage.rollups import Rollup


class RollupScope(NamedTuple):
    """One shard's family on steps of one length."""

    tenant: str
    cluster_id: str
    shard: int
    family: str
    step_seconds: int


@dataclass(frozen=True, slots=True)
class RollupChunk:
    """Rollups of many series over [start, end), in whole steps. metrics: of each metric, its rollup with a row for each key."""

    keys: Sequence[SeriesKey]
    start: int
    end: int
    step_seconds: int
    metrics: Mapping[str, Rollup]


class UsageRollups(Protocol):
    """Chunks of one scope never overlap, and each is there whole or not at all."""

    def append(self, scope: RollupScope, chunk: RollupChunk) -> bool:
        """Write a chunk; a window that is there is left as it is. Returns whether it was written."""
        ...

    def read(
        self, scope: RollupScope, metrics: Sequence[str], *, start: float, end: float, workload_uids: Collection[str] | None = None,
        sketches: bool = False,
    ) -> Iterator[RollupChunk]:  # fmt: skip
        """Yield the chunks that overlap [start, end), oldest first, whole, with the metrics that they have of those wanted.

        workload_uids: only series of these; None = all. sketches: read them too, which takes longer.
        """
        ...

    def until(self, scope: RollupScope) -> int | None:
        """Return the end of the newest chunk [s since the epoch], None without any."""
        ...

    def compact(self, scope: RollupScope, *, before: float) -> int:
        """Join the chunks of each month (UTC) that ended at or before `before`, and of each week of one that goes on, and return how many were made.

        Weeks count from the first of a month. Readers see every figure once at any moment; doing it twice changes nothing.
        """
        ...

    def expire(self, tenant: str, step_seconds: int, *, days: int, now: float) -> None:
        """Remove a tenant's chunks of one length of steps that ended more than `days` before `now`."""
        ...

    def delete_tenant(self, tenant: str) -> None:
        """Remove everything of a tenant; what is of one cluster lies among its blobs, and goes with them."""
        ...
