"""Working set against resident set: page cache is not need."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unit.engine.making import GIB, MIB, MONDAY, PER_DAY, current, prices, profile_of, samples
from worlds.analysis import TENANT, analyze, collected, listed
from worlds.collection import World, workload

from upid.engine.rightsizing.assess import assess
from upid.engine.rightsizing.columns import CODES
from upid.engine.rightsizing.options import Options
from upid.engine.usage.evidence import exact_evidence
from upid.engine.usage.profile import reindex
from upid.engine.usage.resident import resident_peak
from upid.engine.usage.storage import from_arrays, to_arrays
from upid.ports.usage_history import HistoryScope, MetricChunk, SeriesKey
from upid.services.profiles import Profiles
from upid.services.resident import told_until, with_resident
from upid.services.sizing import ContainerRow

ROWS = [ContainerRow("shop", "Deployment", "api", "uid-api", "app"), ContainerRow("shop", "Deployment", "web", "uid-web", "app")]


def chunk(values: Any, keys: list[SeriesKey]) -> MetricChunk:
    """Return resident sets of some series."""
    held = np.array(values, dtype=np.float32)
    return MetricChunk("memory_detail", keys, MONDAY, MONDAY + 300 * held.shape[1], 300, {"memory_rss_bytes": held})


@pytest.mark.parametrize(("resident", "request_mib"), [(400 * MIB, 459), (np.nan, 1136), (2 * GIB, 1136)])
def test_a_request_is_made_of_what_is_resident_and_the_limit_leaves_room_for_the_cache(resident: float, request_mib: int) -> None:
    given = samples(np.full(7 * PER_DAY, 0.2), np.full(7 * PER_DAY, GIB))
    profile = with_resident(profile_of(given), ROWS[:1], [chunk([np.full(7 * PER_DAY, resident)], [SeriesKey("uid-api", "app", "a")])])

    found = assess(profile, exact_evidence(given), current(memory_request_bytes=4 * GIB), prices(), Options()).columns

    # 1.704 decades: 400 MiB * 1.08521 + 25.56 MiB = 459.6; 1024 MiB * 1.08521 + 25.56 = 1136.8 less what rounding of the largest float32 takes.
    assert found["memory_request_bytes"][0] / MIB == pytest.approx(request_mib, abs=2)
    assert found["memory_limit_bytes"][0] > 1.2 * GIB
    told = {CODES[code] for code in np.flatnonzero(found["reasons"][0])}
    assert ("memory_page_cache" in told, "memory_cache_unknown" in told) == (resident < GIB, np.isnan(resident))


def test_an_analysis_of_the_history_reads_what_is_resident(tmp_path: Path) -> None:
    world, cluster_id = collected(tmp_path, workload("shop", "api"), history_seconds=86400)
    end = int(world.clock.moment) // 300 * 300
    key = SeriesKey("uid-shop-Deployment-api", "main", "api-0")
    held = chunk([np.full(288, MIB)], [key])
    stored = MetricChunk("memory_detail", [key], end - 86400, end, 300, held.samples)
    world.services.history.append(HistoryScope(TENANT, cluster_id, 0), stored)

    assert analyze(world, cluster_id, source="history")["status"] == "succeeded"

    codes = [reason["code"] for reason in listed(world, cluster_id).entries[0]["reasons"]]
    assert "memory_page_cache" in codes


def test_a_profile_learns_what_is_resident_once_and_keeps_it() -> None:
    given = samples(np.full(2 * PER_DAY, 0.2), np.full(2 * PER_DAY, GIB))
    key = SeriesKey("uid-api", "app", "a")
    told = chunk([np.r_[np.full(PER_DAY, 5.0), np.full(PER_DAY, 7.0), 99.0]], [key])

    once = with_resident(profile_of(given), ROWS[:1], [told])
    twice = with_resident(from_arrays(*to_arrays(once)), ROWS[:1], [told])

    for profile in (once, twice):
        assert profile.resident.peak.tolist() == [[5, 7]]
        assert profile.resident.count.tolist() == [[PER_DAY, PER_DAY]]
        assert profile.resident.until == profile.folded_until
    assert resident_peak(twice.resident, twice.memory_daily).tolist() == [7]
    moved = reindex(twice, np.array([-1, 0]), np.array([0, 1])).resident
    np.testing.assert_array_equal(moved.peak, [[np.nan, np.nan], [5, 7]])


def test_chunks_without_a_series_of_the_rows_are_read_once_too() -> None:
    profile = profile_of(samples(np.full(PER_DAY, 0.2), np.full(PER_DAY, GIB)))
    of_others = chunk([np.full(PER_DAY, 5.0)], [SeriesKey("uid-x", "app", "a")])
    nameless = replace(of_others, samples={})

    for told in (of_others, nameless):
        found = with_resident(profile, ROWS[:1], [told])
        assert found.resident.until == profile.folded_until > 0
        assert not found.resident.count.any()
    assert with_resident(profile, ROWS[:1], []) is profile


def test_a_day_that_tells_too_little_counts_by_its_working_set_and_none_tells_nothing() -> None:
    profile = profile_of(samples(np.full(2 * PER_DAY, 0.2), np.r_[np.full(PER_DAY, 30.0), np.full(PER_DAY, 40.0)]))
    part = chunk([np.r_[np.full(PER_DAY, np.nan), np.full(PER_DAY, 7.0)]], [SeriesKey("uid-api", "app", "a")])

    found = with_resident(profile, ROWS[:1], [part])

    assert resident_peak(found.resident, found.memory_daily).tolist() == [30]
    np.testing.assert_array_equal(resident_peak(profile.resident, profile.memory_daily), [np.nan])


def test_a_profile_stored_before_resident_memory_was_told_still_loads() -> None:
    arrays, meta = to_arrays(profile_of(samples(np.full(PER_DAY, 0.2), np.full(PER_DAY, GIB))))
    del meta["profile"]["resident_until"]

    assert np.isnan(from_arrays(arrays, meta).resident.peak).all()


def test_an_analysis_of_profiles_acts_on_what_is_resident(tmp_path: Path) -> None:
    world, cluster_id = collected(tmp_path, workload("shop", "api"), history_seconds=86400)
    profiles = Profiles(world.services.blobs)
    stored, key = profiles.load(TENANT, cluster_id, 0), SeriesKey("uid-shop-Deployment-api", "main", "api-0")
    end = stored.profile.folded_until
    part = MetricChunk("memory_detail", [key], end - 86400, end, 300, {"memory_rss_bytes": np.full((1, 288), MIB, dtype=np.float32)})
    profiles.save(TENANT, cluster_id, 0, replace(stored, profile=with_resident(stored.profile, stored.rows, [part])))

    assert analyze(world, cluster_id)["status"] == "succeeded"
    assert "memory_page_cache" in [reason["code"] for reason in listed(world, cluster_id).entries[0]["reasons"]]


def test_collections_fold_resident_memory_once_however_often_their_tasks_run(tmp_path: Path) -> None:
    world = World.at(tmp_path, workload("shop", "api"))
    world.cluster.detailed = True
    cluster_id = world.register()
    world.run(world.start(cluster_id, history_seconds=7200), times=2)
    world.clock.moment += 3600
    world.run(world.start(cluster_id), times=2)

    profile = Profiles(world.services.blobs).load(TENANT, cluster_id, 0).profile

    assert profile.resident.until == profile.folded_until
    assert profile.resident.count.sum() == 36
    np.testing.assert_array_equal(profile.resident.count, profile.memory_daily.count)
    assert np.isfinite(resident_peak(profile.resident, profile.memory_daily)).all()


def test_a_first_collection_knows_what_was_resident_on_all_its_days(tmp_path: Path) -> None:
    world = World.at(tmp_path, workload("shop", "api"))
    world.cluster.detailed = True
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=3 * 86400)

    profile = Profiles(world.services.blobs).load(TENANT, cluster_id, 0).profile

    assert profile.resident.count.sum() == 3 * PER_DAY
    np.testing.assert_array_equal(profile.resident.count, profile.memory_daily.count)


def test_resident_memory_that_a_source_refused_at_first_is_learned_when_it_comes(tmp_path: Path) -> None:
    world = World.at(tmp_path, workload("shop", "api"))
    world.cluster.detailed, world.cluster.deaf_to = True, "memory_detail"
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=86400)
    world.cluster.deaf_to = ""
    for _ in range(6):
        world.clock.moment += 600
        world.run(world.start(cluster_id), times=2)

    profile = Profiles(world.services.blobs).load(TENANT, cluster_id, 0).profile

    assert profile.resident.until == profile.folded_until
    np.testing.assert_array_equal(profile.resident.count, profile.memory_daily.count)


def test_days_that_are_told_anew_leave_those_before_them() -> None:
    told = chunk([np.r_[np.full(PER_DAY, 5.0), np.full(PER_DAY, 7.0)]], [SeriesKey("uid-api", "app", "a")])
    profile = with_resident(profile_of(samples(np.full(2 * PER_DAY, 0.2), np.full(2 * PER_DAY, GIB))), ROWS[:1], [told])

    cut = told_until(profile, MONDAY + 86400 + 3600)

    np.testing.assert_array_equal(cut.resident.peak, [[5, np.nan]])
    assert (cut.resident.count.tolist(), cut.resident.until) == ([[PER_DAY, 0]], MONDAY + 86400)
    np.testing.assert_array_equal(with_resident(cut, ROWS[:1], [told]).resident.count, profile.resident.count)
    assert told_until(profile, profile.folded_until).resident is profile.resident


def test_what_is_resident_takes_six_bytes_a_day_of_a_container() -> None:
    profile = profile_of(samples(np.full(7 * PER_DAY, 0.2), np.full(7 * PER_DAY, GIB)))
    part = chunk([np.full(7 * PER_DAY, 7.0)], [SeriesKey("uid-api", "app", "a")])

    before, after = (to_arrays(each)[0] for each in (profile, with_resident(profile, ROWS[:1], [part])))

    assert sum(array.nbytes for name, array in after.items() if name not in before) == 7 * 6
