"""What every UsageRollups adapter keeps to."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np
import pytest

from upid.engine.usage.rollups import figure, rolled
from upid.ports.usage_history import SeriesKey
from upid.ports.usage_rollups import RollupChunk, RollupScope, UsageRollups

DAY = 86400
SCOPE = RollupScope("default", "cl_1", 3, "usage", 3600)
MARCH = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
APRIL = MARCH + 31 * DAY


def chunk(start: int = MARCH, *, series: int = 3, seed: int = 0, first: int = 0) -> RollupChunk:
    """A day of hours, of samples five minutes apart."""
    random = np.random.default_rng(seed)
    metrics = {name: rolled(random.lognormal(0, 1, (series, 288)).astype(np.float32), 12) for name in ("cpu_cores", "memory_bytes")}
    keys = [SeriesKey(f"uid-{first + n}", "app", f"pod-ü-{n}", "data" if n == 1 else "") for n in range(series)]
    return RollupChunk(keys, start, start + DAY, 3600, metrics)


def starts(rollups: UsageRollups, scope: RollupScope = SCOPE, *, start: float = 0, end: float = 4e9) -> list[int]:
    return [found.start for found in rollups.read(scope, (), start=start, end=end)]


def test_a_chunk_is_read_as_it_was_written_with_its_sketch_where_that_is_asked_for(rollups: UsageRollups) -> None:
    assert rollups.append(SCOPE, chunk())
    (found,) = rollups.read(SCOPE, ("cpu_cores", "throttled"), start=MARCH + 1, end=MARCH + 2, sketches=True)
    assert (list(found.keys), found.start, found.end, found.step_seconds) == (list(chunk().keys), MARCH, MARCH + DAY, 3600)
    assert list(found.metrics) == ["cpu_cores"]
    for how in ("mean", "min", "max", "count", "p95"):
        np.testing.assert_array_equal(figure(found.metrics["cpu_cores"], how), figure(chunk().metrics["cpu_cores"], how))
    (bare,) = rollups.read(SCOPE, ("cpu_cores",), start=MARCH, end=APRIL)
    assert bare.metrics["cpu_cores"].sketch is None


@pytest.mark.parametrize("sketches", [False, True])
def test_only_series_of_the_workloads_asked_for_are_read(rollups: UsageRollups, *, sketches: bool) -> None:
    rollups.append(SCOPE, chunk())
    how = "p50" if sketches else "mean"
    (found,) = rollups.read(SCOPE, ("memory_bytes",), start=0, end=4e9, workload_uids={"uid-1", "uid-9"}, sketches=sketches)
    assert list(found.keys) == [chunk().keys[1]]
    np.testing.assert_array_equal(figure(found.metrics["memory_bytes"], how), figure(chunk().metrics["memory_bytes"], how)[1:2])
    (none,) = rollups.read(SCOPE, ("memory_bytes",), start=0, end=4e9, workload_uids={"uid-9"}, sketches=sketches)
    assert (list(none.keys), dict(none.metrics)) == ([], {})


def test_a_window_that_is_there_is_not_written_again(rollups: UsageRollups) -> None:
    assert rollups.until(SCOPE) is None
    assert rollups.append(SCOPE, chunk(seed=1))
    assert not rollups.append(SCOPE, chunk(seed=2))
    (found,) = rollups.read(SCOPE, ("cpu_cores",), start=0, end=4e9)
    np.testing.assert_array_equal(found.metrics["cpu_cores"].high, chunk(seed=1).metrics["cpu_cores"].high)
    assert rollups.until(SCOPE) == MARCH + DAY


def test_scopes_do_not_see_each_other(rollups: UsageRollups) -> None:
    rollups.append(SCOPE, chunk())
    others = [
        SCOPE._replace(tenant="defaults"), SCOPE._replace(cluster_id="cl_10"), SCOPE._replace(shard=30), SCOPE._replace(family="storage"),
        SCOPE._replace(step_seconds=300),
    ]  # fmt: skip
    assert [starts(rollups, other) for other in others] == [[]] * 5


def test_a_month_that_ended_is_joined_with_every_figure_and_quantile(rollups: UsageRollups) -> None:
    written = [chunk(MARCH + n * DAY, series=2 + n % 2, seed=n, first=n % 2) for n in (0, 1, 3, 9)]
    for each in (*written, chunk(APRIL)):
        rollups.append(SCOPE, each)
    times = (MARCH + 7 * DAY - 1, MARCH + 7 * DAY, APRIL - 1, APRIL, APRIL, APRIL + DAY, APRIL + 2 * DAY)
    assert [rollups.compact(SCOPE, before=before) for before in times] == [0, 1, 0, 1, 0, 0, 0]
    assert starts(rollups) == [MARCH, APRIL]
    (whole,) = rollups.read(SCOPE, ("cpu_cores",), start=MARCH, end=MARCH + 1, sketches=True)
    assert (whole.start, whole.end) == (MARCH, MARCH + 10 * DAY)
    for each in written:
        rows = [list(whole.keys).index(key) for key in each.keys]
        hours = slice((each.start - MARCH) // 3600, (each.end - MARCH) // 3600)
        for how in ("mean", "count", "p95"):
            expected = figure(each.metrics["cpu_cores"], how)
            np.testing.assert_array_equal(figure(whole.metrics["cpu_cores"], how)[rows, hours], expected)
    assert not rollups.append(SCOPE, written[0])


def test_what_is_older_than_it_is_kept_goes_and_the_rest_stays(rollups: UsageRollups) -> None:
    now = time.time()
    fresh, old = (int(now // DAY - days) * DAY for days in (2, 40))
    scopes = [SCOPE, SCOPE._replace(step_seconds=86400), SCOPE._replace(tenant="other")]
    for scope in scopes:
        for start in (fresh, old):
            rollups.append(scope, chunk(start))
    rollups.expire("default", 3600, days=30, now=now)
    rollups.expire("nobody", 3600, days=30, now=now)
    deadline = time.monotonic() + 10  # a store that expires by itself takes a while
    while len(starts(rollups)) > 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [starts(rollups, scope) for scope in scopes] == [[fresh], [old, fresh], [old, fresh]]


def test_erasing_a_tenant_removes_all_of_it_and_nothing_of_others(rollups: UsageRollups) -> None:
    scopes = [SCOPE, SCOPE._replace(cluster_id="cl_2"), SCOPE._replace(tenant="defaults")]
    for scope in scopes:
        rollups.append(scope, chunk())
    rollups.delete_tenant("default")
    assert [starts(rollups, scope) for scope in scopes] == [[], [], [MARCH]]
