"""What every UsageHistory adapter keeps to."""

from __future__ import annotations

import contextlib
import time
from itertools import pairwise

import numpy as np
import pytest

from upid.domain.errors import ConflictError, UnavailableError
from upid.ports.usage_history import HistoryScope, MetricChunk, SeriesKey, UsageChunk, UsageHistory

SCOPE = HistoryScope("default", "cl_1", 3)
START = 1_700_000_100


def chunk(start: int = START, *, steps: int = 4, series: int = 2, seed: int = 0) -> UsageChunk:
    random = np.random.default_rng(seed)
    cpu = random.random((series, steps), np.float32)
    cpu[:1, :1] = np.nan
    return UsageChunk(
        keys=[SeriesKey(f"uid-{n}", "app", f"pod-ü-{n}") for n in range(series)],
        start=start,
        step_seconds=300,
        cpu_cores=cpu,
        memory_bytes=random.random((series, steps), np.float32) * np.float32(1e9),
        throttled=np.full((series, steps), np.nan, np.float32),
        oom_kills=np.arange(series, dtype=np.int32),
        restarts=np.arange(series, dtype=np.int32) * 2,
        oom_limit_bytes=np.array([np.nan, 5e8][:series] + [np.nan] * max(0, series - 2)),
    )


def starts(history: UsageHistory, scope: HistoryScope = SCOPE, *, start: float = 0, end: float = 4e9) -> list[int]:
    return [found.start for found in history.read(scope, start=start, end=end)]


def assert_same(found: UsageChunk, expected: UsageChunk) -> None:
    assert (list(found.keys), found.start, found.end, found.step_seconds) == (
        list(expected.keys),
        expected.start,
        expected.end,
        expected.step_seconds,
    )
    for name in ("cpu_cores", "memory_bytes", "throttled", "oom_kills", "restarts", "oom_limit_bytes"):
        values, wanted = getattr(found, name), getattr(expected, name)
        assert values.dtype == wanted.dtype
        np.testing.assert_array_equal(values, wanted)


def test_a_chunk_is_read_bit_for_bit_as_it_was_written(history: UsageHistory) -> None:
    assert history.append(SCOPE, chunk())
    (found,) = history.read(SCOPE, start=0, end=4e9)
    assert_same(found, chunk())


def test_a_chunk_without_series_is_a_window_that_was_measured(history: UsageHistory) -> None:
    assert history.append(SCOPE, chunk(series=0))
    (found,) = history.read(SCOPE, start=0, end=4e9)
    assert_same(found, chunk(series=0))


def test_a_window_that_is_there_is_not_written_again(history: UsageHistory) -> None:
    assert history.append(SCOPE, chunk(seed=1))
    assert not history.append(SCOPE, chunk(seed=2))
    (found,) = history.read(SCOPE, start=0, end=4e9)
    assert_same(found, chunk(seed=1))


@pytest.mark.parametrize(("offset", "steps"), [(300, 4), (-300, 4), (300, 2), (-300, 6), (0, 3), (0, 5)])
def test_a_window_that_overlaps_a_stored_one_is_refused(history: UsageHistory, offset: int, steps: int) -> None:
    history.append(SCOPE, chunk())
    with pytest.raises(ConflictError, match="overlaps"):
        history.append(SCOPE, chunk(START + offset, steps=steps))
    assert starts(history) == [START]


def test_windows_that_only_touch_are_both_kept_and_read_oldest_first(history: UsageHistory) -> None:
    for start in (START + 1200, START, START - 1200):
        assert history.append(SCOPE, chunk(start))
    assert starts(history) == [START - 1200, START, START + 1200]


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [(START, START + 1, [START]), (START + 1199.5, START + 1200, [START]), (START + 1199, START + 1201, [START, START + 1200]),
     (START - 99, START, []), (START + 2400, 4e9, []), (START + 1200, START + 1200, [])],
)  # fmt: skip
def test_reading_gives_the_chunks_that_overlap_the_window(history: UsageHistory, start: float, end: float, found: list[int]) -> None:
    history.append(SCOPE, chunk(START))
    history.append(SCOPE, chunk(START + 1200))
    assert starts(history, start=start, end=end) == found


def test_tenants_clusters_and_shards_do_not_see_each_other(history: UsageHistory) -> None:
    history.append(SCOPE, chunk())
    for other in (SCOPE._replace(tenant="defaults"), SCOPE._replace(cluster_id="cl_10"), SCOPE._replace(shard=30)):
        assert starts(history, other) == []


def test_deleting_a_cluster_removes_all_of_it_and_nothing_else(history: UsageHistory) -> None:
    scopes = [SCOPE, SCOPE._replace(shard=4), SCOPE._replace(cluster_id="cl_10"), SCOPE._replace(tenant="other")]
    for scope in scopes:
        history.append(scope, chunk())
    for _ in range(2):
        history.delete_cluster("default", "cl_1")
    assert [starts(history, scope) for scope in scopes] == [[], [], [START], [START]]


def test_a_chunk_whose_arrays_disagree_is_refused(history: UsageHistory) -> None:
    good = chunk()
    for field, value in {"memory_bytes": good.memory_bytes[:, :2], "restarts": good.restarts[:1], "keys": good.keys[:1]}.items():
        parts = {name: getattr(good, name) for name in UsageChunk.__slots__} | {field: value}
        with pytest.raises(ValueError, match="shape"):
            history.append(SCOPE, UsageChunk(**parts))
    assert starts(history) == []


def test_a_chunk_that_covers_no_time_is_refused(history: UsageHistory) -> None:
    with pytest.raises(ValueError, match="at least one step"):
        history.append(SCOPE, chunk(steps=0))


DAY = 86400
MIDNIGHT = START // DAY * DAY


def short_chunks(history: UsageHistory, day: int, *, steps: int = 2) -> list[UsageChunk]:
    """Fill the first hours of a day with short chunks; the number of series changes from one to the next."""
    chunks = [chunk(day + n * 300 * steps, steps=steps, series=2 + n % 2, seed=n) for n in range(6)]
    for each in chunks:
        history.append(SCOPE, each)
    return chunks


def sums(chunks: list[UsageChunk]) -> dict[tuple[SeriesKey, int], tuple[float, float]]:
    """Every sample by series and moment, and hold that none is there twice."""
    found: dict[tuple[SeriesKey, int], tuple[float, float]] = {}
    for each in chunks:
        for key, cpu, memory in zip(each.keys, each.cpu_cores, each.memory_bytes, strict=True):
            for step in np.flatnonzero(~np.isnan(memory)):
                place = (key, each.start + 300 * int(step))
                assert place not in found
                found[place] = (float(np.nan_to_num(cpu[step], nan=-1.0)), float(memory[step]))
    return found


def test_a_day_that_ended_is_joined_into_one_chunk_with_the_same_samples(history: UsageHistory) -> None:
    written = short_chunks(history, MIDNIGHT)

    assert history.compact(SCOPE, before=MIDNIGHT + DAY) == 1

    (whole,) = history.read(SCOPE, start=0, end=4e9)
    assert (whole.start, whole.end) == (written[0].start, written[-1].end)
    assert sums([whole]) == sums(written)
    kills = {key: int(count) for key, count in zip(whole.keys, whole.oom_kills, strict=True)}
    assert kills == {key: sum(int(c.oom_kills[list(c.keys).index(key)]) for c in written if key in c.keys) for key in kills}


def test_a_day_that_goes_on_and_a_day_of_one_chunk_are_left(history: UsageHistory) -> None:
    history.append(SCOPE, chunk(MIDNIGHT - DAY))
    short_chunks(history, MIDNIGHT)

    assert history.compact(SCOPE, before=MIDNIGHT + DAY - 1) == 0
    assert len(starts(history)) == 7


def test_joining_twice_and_a_day_later_changes_nothing_that_is_read(history: UsageHistory) -> None:
    written = short_chunks(history, MIDNIGHT)

    joined = [history.compact(SCOPE, before=MIDNIGHT + days * DAY) for days in (1, 1, 2, 3)]

    assert joined == [1, 0, 0, 0]
    assert sums(list(history.read(SCOPE, start=0, end=4e9))) == sums(written)


def test_who_reads_while_a_day_is_joined_comes_to_its_end(history: UsageHistory) -> None:
    written = short_chunks(history, MIDNIGHT)
    reading = history.read(SCOPE, start=0, end=4e9)
    first = next(reading)

    history.compact(SCOPE, before=MIDNIGHT + DAY)

    assert sums([first, *reading]) == sums(written)


def test_the_next_chunk_is_taken_behind_a_joined_day(history: UsageHistory) -> None:
    written = short_chunks(history, MIDNIGHT)
    history.compact(SCOPE, before=MIDNIGHT + DAY)

    assert history.append(SCOPE, chunk(written[-1].end))
    with pytest.raises(ConflictError):
        history.append(SCOPE, chunk(written[1].start))


def volumes(start: int = START, *, steps: int = 4, claims: int = 2, seed: int = 0, family: str = "storage") -> MetricChunk:
    random = np.random.default_rng(seed)
    used = random.random((claims, steps), np.float32) * np.float32(1e10)
    used[:1, :1] = np.nan
    keys = [SeriesKey(f"uid-{n}", "", "", f"data-{n}") for n in range(claims)]
    samples = {"volume_used_bytes": used, "volume_capacity_bytes": np.full((claims, steps), 2e10, np.float32)}
    return MetricChunk(family, keys, start, start + 300 * steps, 300, samples)


def of_family(history: UsageHistory, family: str = "storage") -> list[MetricChunk]:
    return list(history.read_family(SCOPE, family, start=0, end=4e9))


def test_another_family_is_read_as_it_was_written_and_apart_from_usage(history: UsageHistory) -> None:
    assert history.append(SCOPE, chunk())
    assert history.append(SCOPE, volumes())
    assert not history.append(SCOPE, volumes(seed=1))

    (found,) = of_family(history)
    assert (found.family, list(found.keys), found.start, found.end, found.step_seconds) == (
        "storage",
        list(volumes().keys),
        START,
        START + 1200,
        300,
    )
    for name, values in volumes().samples.items():
        np.testing.assert_array_equal(found.samples[name], values)
    assert starts(history) == [START]
    assert of_family(history, "network") == []


def test_windows_of_two_families_may_overlap_those_of_one_may_not(history: UsageHistory) -> None:
    history.append(SCOPE, volumes())
    assert history.append(SCOPE, volumes(START + 300, family="network"))
    with pytest.raises(ConflictError, match="overlaps"):
        history.append(SCOPE, volumes(START + 300))


def test_a_day_of_each_family_is_joined_with_every_sample_once(history: UsageHistory) -> None:
    written = [volumes(MIDNIGHT + n * 600, steps=2, claims=1 + n % 2, seed=n) for n in range(4)]
    for each in written:
        history.append(SCOPE, each)
    short_chunks(history, MIDNIGHT)

    assert history.compact(SCOPE, before=MIDNIGHT + DAY) == 2

    (whole,) = of_family(history)
    assert (whole.start, whole.end, list(whole.keys)) == (MIDNIGHT, MIDNIGHT + 2400, list(volumes().keys))
    for n, each in enumerate(written):
        found = whole.samples["volume_used_bytes"][: len(each.keys), 2 * n : 2 * n + 2]
        np.testing.assert_array_equal(found, each.samples["volume_used_bytes"])
    assert np.isnan(whole.samples["volume_used_bytes"][1, :2]).all()


def late(start: int, *, steps: int = 4, claims: int = 3, seed: int = 9) -> MetricChunk:
    """Samples of one claim more than `volumes` has, which came late."""
    return volumes(start, steps=steps, claims=claims, seed=seed)


def used(history: UsageHistory) -> dict[tuple[SeriesKey, int], float]:
    """Every sample by series and moment, and hold that no window overlaps another."""
    found = of_family(history)
    assert all(before.end <= after.start for before, after in pairwise(found))
    return {
        (key, each.start + 300 * step): float(value)
        for each in found
        for key, row in zip(each.keys, each.samples["volume_used_bytes"], strict=True)
        for step, value in enumerate(row)
        if not np.isnan(value)
    }


def of_chunk(each: MetricChunk) -> dict[tuple[SeriesKey, int], float]:
    rows = zip(each.keys, each.samples["volume_used_bytes"], strict=True)
    return {(key, each.start + 300 * step): float(value) for key, row in rows for step, value in enumerate(row) if not np.isnan(value)}


@pytest.mark.parametrize("joined", [False, True])
def test_late_samples_fall_into_the_windows_that_are_there_and_make_those_that_are_not(history: UsageHistory, *, joined: bool) -> None:
    stored = [
        volumes(MIDNIGHT, steps=2, seed=1),
        volumes(MIDNIGHT + 600, steps=2, claims=1, seed=2),
        volumes(MIDNIGHT + 1800, steps=2, seed=3),
    ]
    for each in stored:
        history.append(SCOPE, each)
    if joined:
        history.compact(SCOPE, before=MIDNIGHT + DAY)
    came = late(MIDNIGHT + 300, steps=9)

    for _ in range(2):
        history.fill(SCOPE, came)
        expected = of_chunk(stored[0]) | of_chunk(stored[1]) | of_chunk(stored[2]) | of_chunk(came)
        assert used(history) == expected

    history.compact(SCOPE, before=MIDNIGHT + DAY)
    assert used(history) == expected
    assert not history.append(SCOPE, volumes(of_family(history)[0].start, steps=of_family(history)[0].steps))


def test_late_samples_of_known_series_are_added_where_there_was_none(history: UsageHistory) -> None:
    history.append(SCOPE, volumes())
    known = volumes().keys[0]
    assert (known, START) not in used(history)

    history.fill(SCOPE, MetricChunk("storage", [known], START, START + 300, 300, {"volume_used_bytes": np.array([[7.0]], np.float32)}))

    assert used(history) == of_chunk(volumes()) | {(known, START): 7.0}


def test_late_samples_on_another_grid_are_refused(history: UsageHistory) -> None:
    history.append(SCOPE, volumes())

    with pytest.raises(ValueError, match="grid"):
        history.fill(SCOPE, volumes(START + 150, steps=1))

    assert used(history) == of_chunk(volumes())


def test_deleting_a_cluster_removes_its_families(history: UsageHistory) -> None:
    history.append(SCOPE, volumes())
    history.delete_cluster("default", "cl_1")
    assert of_family(history) == []


def test_erasing_a_tenant_removes_all_of_it_and_nothing_of_others(history: UsageHistory) -> None:
    scopes = [SCOPE, SCOPE._replace(cluster_id="cl_10", shard=4), SCOPE._replace(tenant="defaults"), SCOPE._replace(tenant="other")]
    for scope in scopes:
        history.append(scope, chunk())
    for _ in range(2):
        history.delete_tenant("default")
    assert [starts(history, scope) for scope in scopes] == [[], [], [START], [START]]
    assert history.append(SCOPE, chunk(seed=5))


def test_what_is_older_than_it_is_kept_goes_and_the_rest_stays(history: UsageHistory) -> None:
    now = time.time()
    fresh, old = (int(now - days * DAY) // 300 * 300 for days in (1, 40))
    for scope in (SCOPE, SCOPE._replace(tenant="other")):
        for start in (fresh, old):
            history.append(scope, chunk(start))
    history.expire("default", days=30, now=now)
    deadline = time.monotonic() + 60  # a store that expires by itself takes a while
    while time.monotonic() < deadline:
        with contextlib.suppress(UnavailableError):  # a window that is read while its points go has some of them
            if len(starts(history)) == 1:
                break
        time.sleep(0.1)
    assert (starts(history), starts(history, SCOPE._replace(tenant="other"))) == ([fresh], [old, fresh])


def test_what_was_deleted_is_told_to_be_gone_and_the_state_is_well(history: UsageHistory) -> None:
    history.append(SCOPE, chunk())
    assert history.delete_cluster("default", "cl_1") == ""
    assert history.state("default", "cl_1").state == "healthy"
