"""What the schedule does with usage as it ages: brought onto longer steps day by day, and removed where its time is over.

1m -> 5m -> 1h -> 1d, each level made from the one before. A day is done when it is over and collected whole; done twice, or killed and done again,
nothing changes: a day that is there is not written again. What could not be brought onto longer steps is not removed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from upid.domain.errors import AppError
from upid.domain.metrics import FAMILIES, USAGE
from upid.ports.clock import Clock
from upid.ports.records import Records
from upid.ports.usage_history import HistoryScope, MetricChunk, UsageChunk, UsageHistory
from upid.ports.usage_rollups import RollupScope, UsageRollups
from upid.services.cluster_records import ClusterRecords, registered
from upid.services.family_gaps import waits_from
from upid.services.retention import Retention
from upid.services.rosters import Rosters

DAY_SECONDS: Final = 86400
LEVELS: Final = (300, 3600, DAY_SECONDS)  # lengths of steps [s]
DONE: Final = "downsampled_until"  # of a cluster's record: end of the last day of which every shard is done
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DownsamplingService:
    """Works for all tenants, for a bounded time; what is left is done at the next run."""

    records: Records
    clusters: ClusterRecords
    history: UsageHistory
    rollups: UsageRollups
    retention: Retention
    rosters: Rosters
    clock: Clock

    def run(self, *, within_seconds: float) -> dict[str, Any]:
        """Return {"days": of shards and families that were brought onto longer steps, "failed": ids of clusters that were not, "expired": tenants whose old usage was removed}."""
        until, days = self.clock.now() + within_seconds, 0
        failed: list[str] = []
        tenants: dict[str, bool] = {}
        for entry in registered(self.records):
            tenant, cluster_id = entry.body["tenant"], entry.key.sort
            if entry.body["deleted"]:
                continue
            try:
                days += self.downsample(tenant, cluster_id, until=until)
                tenants.setdefault(tenant, True)
            except AppError as error:
                logger.warning("Usage of %s was not brought onto longer steps: %s", cluster_id, error.detail)
                failed.append(cluster_id)
                tenants[tenant] = False
        expired = [tenant for tenant, is_done in sorted(tenants.items()) if is_done and self.clock.now() < until]
        for tenant in expired:
            self.expire(tenant)
        return {"days": days, "failed": failed, "expired": expired}

    def downsample(self, tenant: str, cluster_id: str, *, until: float = 2.0**53) -> int:
        """Bring a cluster's days that are over onto longer steps while the clock is before `until`, and return how many there were, of each shard and family; errors as the stores'."""
        body = self.clusters.get(tenant, cluster_id).body
        end = (body["watermark"] or 0) // DAY_SECONDS * DAY_SECONDS
        if end <= body.get(DONE, 0):
            return 0
        done = 0
        for shard in range(body["shards"]):
            for family in (USAGE, *FAMILIES):
                done += self._family(HistoryScope(tenant, cluster_id, shard), family, body, until)
        if self.clock.now() < until:
            self.rosters.compact(tenant, cluster_id, before=self.clock.now())
            self.clusters.change(tenant, cluster_id, lambda found: found | {DONE: end})
        return done

    def expire(self, tenant: str) -> None:
        """Remove a tenant's usage that is older than its policy keeps, and who was there when nothing of it is left."""
        policy, now = self.retention.of(tenant), self.clock.now()
        self.history.expire(tenant, days=policy.resource_days, now=now)
        for step in LEVELS:
            self.rollups.expire(tenant, step, days=policy.days_of(step), now=now)
        for entry in registered(self.records):
            if entry.body["tenant"] == tenant:
                self.rosters.expire(tenant, entry.key.sort, days=policy.cost_days, now=now)

    def _family(self, scope: HistoryScope, family: str, body: Any, until: float) -> int:
        stored, levels = body["step_seconds"], levels_of(body["step_seconds"])
        scopes = [RollupScope(*scope, family, level) for level in levels]
        begin = self._begin(scope, family, scopes)
        if begin is None:
            return 0
        done = 0
        # A day that may still be filled in waits: longer steps are written once.
        end = min(body["watermark"], waits_from(body.get("family_gaps", ()), family, self.clock.now()))
        for day in range(begin, int(end // DAY_SECONDS) * DAY_SECONDS, DAY_SECONDS):
            if self.clock.now() >= until:
                return done
            self._day(scope, family, scopes, day, stored)
            done += 1
        if done:
            self.rollups.compact(scopes[-1], before=self.clock.now())
        return done

    def _begin(self, scope: HistoryScope, family: str, scopes: Sequence[RollupScope]) -> int | None:
        """Return the first day to do: behind the newest of the longest steps, which are written last, or that of the oldest chunk; None without any."""
        newest = self.rollups.until(scopes[-1])
        if newest is not None:
            return newest
        first = next(stored_chunks(self.history, scope, family, 0.0, 2.0**40), None)
        return None if first is None else first.start // DAY_SECONDS * DAY_SECONDS

    def _day(self, scope: HistoryScope, family: str, scopes: Sequence[RollupScope], day: int, stored: int) -> None:
        from upid.services.rolling import coarsened, rolled_up  # noqa: PLC0415 who only removes usage must not need numerics

        chunks = stored_chunks(self.history, scope, family, day, day + DAY_SECONDS)
        chunk = rolled_up(chunks, start=day, end=day + DAY_SECONDS, stored_seconds=stored, step_seconds=scopes[0].step_seconds)
        self.rollups.append(scopes[0], chunk)
        for longer in scopes[1:]:
            chunk = coarsened(chunk, longer.step_seconds)
            self.rollups.append(longer, chunk)


def levels_of(stored_seconds: int) -> list[int]:
    """Return the lengths of steps that usage collected every `stored_seconds` is brought onto, shortest first. [s]"""
    return [level for level in LEVELS if level > stored_seconds and level % stored_seconds == 0] or [DAY_SECONDS]


def stored_chunks(history: UsageHistory, scope: HistoryScope, family: str, start: float, end: float) -> Iterator[UsageChunk | MetricChunk]:
    """Yield stored chunks of a family, usage included, as the history has them."""
    if family == USAGE:
        yield from history.read(scope, start=start, end=end)
    else:
        yield from history.read_family(scope, family, start=start, end=end)
