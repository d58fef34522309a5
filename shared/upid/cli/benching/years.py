"""A year of daily figures of a full shard, as the schedule leaves them: months joined, the last one by weeks and days."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import numpy as np

from upid.cli.benching.identity import CLUSTER, TENANT
from upid.domain.metrics import USAGE
from upid.engine.usage.rollups import rolled
from upid.ports.usage_history import SeriesKey
from upid.ports.usage_rollups import RollupChunk, RollupScope, UsageRollups
from upid.services.shards import CONTAINERS_PER_SHARD

DAY_SECONDS: Final = 86400
SAMPLES_PER_DAY: Final = 48
YEAR: Final = RollupScope(TENANT, CLUSTER, 999, USAGE, DAY_SECONDS)
METRICS: Final = ("cpu_cores", "memory_bytes")
BEGIN: Final = datetime(2025, 12, 1, tzinfo=UTC)
END: Final = datetime(2026, 12, 1, tzinfo=UTC)


def make_year(rollups: UsageRollups, *, containers: int = CONTAINERS_PER_SHARD) -> None:
    """Write the year: eleven months, and the weeks of November."""
    edges = [datetime(2025 + month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in range(11, 23)]
    days = [datetime(2026, 11, day, tzinfo=UTC) for day in range(2, 31)]
    times = [int(moment.timestamp()) for moment in (*edges, *days, END)]
    random = np.random.default_rng(7)
    keys = [uid_of(number) for number in range(containers)]
    for start, end in pairwise(times):
        samples = (containers, (end - start) // DAY_SECONDS * SAMPLES_PER_DAY)
        metrics = {name: rolled(random.lognormal(0.0, 0.5, samples).astype(np.float32), SAMPLES_PER_DAY) for name in METRICS}
        rollups.append(YEAR, RollupChunk(keys, start, end, DAY_SECONDS, metrics))
    for _ in range(2):  # the second time removes what the first one joined
        rollups.compact(YEAR, before=END.timestamp() - 1)


def uid_of(number: int) -> SeriesKey:
    """Return the key of a container."""
    return SeriesKey(f"uid-{number:06d}", "app", f"service-{number}-0")
