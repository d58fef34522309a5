from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.engine.making import DAY, MONDAY, PER_DAY, noise, part, profile_of, samples

from upid.engine.usage.folding import fold
from upid.engine.usage.histogram import BUCKETS, DAY_SLOTS, EMPTY, GROWTH, Histogram, exponent_of
from upid.engine.usage.merging import merge
from upid.engine.usage.profile import UsageProfile, empty_profile


def assert_same_histograms(a: Histogram, b: Histogram) -> None:
    np.testing.assert_array_equal(a.top, b.top)
    np.testing.assert_array_equal(a.days, b.days)
    np.testing.assert_allclose(a.older, b.older, rtol=1e-12, atol=0)


def assert_same(a: UsageProfile, b: UsageProfile) -> None:
    """Hold that two profiles say the same: counts exactly, sums to rounding."""
    for name in ("folded_until", "folded_from", "step_seconds", "first_day", "newest_day", "reference_day"):
        assert getattr(a, name) == getattr(b, name), name
    for name in ("steps", "oom_kills", "restarts", "throttled_count", "last_seen", "oom_limit_bytes"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    for name in ("index", "throttled_total", "throttled_count"):
        np.testing.assert_allclose(getattr(a.startups, name), getattr(b.startups, name), rtol=1e-12, err_msg=name)
    assert_same_histograms(a.startups.cpu, b.startups.cpu)
    for metric in ("cpu", "memory"):
        assert_same_histograms(getattr(a, metric), getattr(b, metric))
        for beside in ("busiest", "summed"):
            np.testing.assert_array_equal(getattr(a, beside).index, getattr(b, beside).index)
            assert_same_histograms(getattr(getattr(a, beside), metric), getattr(getattr(b, beside), metric))
        for group, names in (
            ("daily", ("count", "total", "squares", "peak")),
            ("hourly", ("count", "mean", "peak", "past_mean", "past_peak")),
        ):
            one, two = getattr(a, f"{metric}_{group}"), getattr(b, f"{metric}_{group}")
            for name in names:
                np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-6 if group == "hourly" else 1e-12, err_msg=name)


def test_histogram_counts_match_numpys_on_the_newest_days() -> None:
    usage = noise(2, series=3)

    profile = profile_of(samples(usage))

    for row in range(3):
        top = exponent_of(np.array([usage[row].max()]))[0]
        edges = GROWTH ** np.arange(top - BUCKETS + 1, top + 2, dtype=np.float64)
        for slot, day in ((0, usage[row, PER_DAY:]), (1, usage[row, :PER_DAY])):
            expected = np.histogram(day, edges)[0]
            # A value within float32's rounding of an edge may fall on either side of it.
            assert np.abs(profile.cpu.days[row, slot] - expected).sum() <= 2
            assert profile.cpu.days[row, slot].sum() == PER_DAY


def test_older_days_weigh_by_age() -> None:
    usage = np.full((1, 6 * PER_DAY), 0.3)

    profile = profile_of(samples(usage))

    # Slots hold days 5, 4 and 3; days 0 to 2 weigh 2 ** (day - reference).
    days = profile.newest_day - np.array([5, 4, 3])
    expected = PER_DAY * np.exp2(days - profile.reference_day).sum()
    assert profile.cpu.days.sum() == DAY_SLOTS * PER_DAY
    assert profile.cpu.older.sum() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("bounds", [(700,), (1,), (288, 289, 1000), (11, 300, 301, 302, 1999)])
def test_chunk_after_chunk_equals_all_at_once(bounds: tuple[int, ...]) -> None:
    usage = np.concatenate([noise(8, mean=0.1, series=2), noise(8, mean=0.4, series=2, seed=3)])
    usage[1, 400:900] = np.nan
    given_samples = samples(usage, row=[0, 0, 1, 2], workload=[0, 1, 1], start=MONDAY + 3600)

    profile = empty_profile(given_samples.workload)
    edges = (0, *bounds, usage.shape[1])
    for begin, end in pairwise(edges):
        profile = fold(profile, part(given_samples, begin, end))

    assert_same(profile, profile_of(given_samples))


def test_a_chunk_folded_twice_changes_nothing() -> None:
    given_samples = samples(noise(2, series=2), oom_kills=np.array([1, 0]))
    profile = profile_of(given_samples)

    assert fold(profile, given_samples) is profile
    assert fold(profile, part(given_samples, 100, 200)) is profile


def test_of_a_chunk_that_overlaps_only_what_is_new_counts() -> None:
    given_samples = samples(noise(3))

    profile = fold(profile_of(part(given_samples, 0, 500)), part(given_samples, 300, 864))

    assert_same(profile, profile_of(given_samples))


@given(st.permutations(range(6)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_pods_does_not_matter(order: list[int]) -> None:
    usage, row = noise(1, series=6), np.array([0, 0, 0, 1, 1, 2])

    shuffled = profile_of(samples(usage[order], row=row[order], workload=[0, 0, 1]))

    assert_same(shuffled, profile_of(samples(usage, row=row, workload=[0, 0, 1])))


def test_days_match_pandas() -> None:
    usage = noise(3.4)
    usage[0, 10:50] = np.nan

    daily = profile_of(samples(usage, start=MONDAY + 7200)).cpu_daily

    index = pd.to_datetime(MONDAY + 7200 + 300 * np.arange(usage.shape[1]), unit="s")
    by_day = pd.Series(usage[0].astype(np.float64), index).resample("D")
    np.testing.assert_array_equal(daily.count[0], by_day.count())
    np.testing.assert_allclose(daily.total[0], by_day.sum(), rtol=1e-12)
    np.testing.assert_allclose(daily.peak[0], by_day.max(), rtol=1e-7)
    np.testing.assert_allclose(daily.squares[0], by_day.apply(lambda day: (day**2).sum()), rtol=1e-12)


def test_hours_of_the_latest_week_and_the_weeks_before_stand_apart() -> None:
    # Mondays 10:00 to 11:00: 1, 3 and 5 cores in three weeks; else 0.1.
    usage = np.full(21 * PER_DAY, 0.1)
    for week, cores in enumerate((1.0, 3.0, 5.0)):
        begin = week * 7 * PER_DAY + 10 * 12
        usage[begin : begin + 12] = cores

    hourly = profile_of(samples(usage)).cpu_hourly

    assert hourly.mean[0, 10] == pytest.approx(5)
    assert hourly.past_mean[0, 10] == pytest.approx(2)  # (1 + 3) / 2
    assert hourly.past_peak[0, 10] == pytest.approx(3)
    assert hourly.mean[0, 11] == pytest.approx(0.1)


def test_daily_figures_end_after_93_days() -> None:
    profile = profile_of(samples(np.full(100 * 24, 0.2), step=3600))

    assert profile.steps.shape == (1, 93)
    assert profile.steps.sum() == 93 * 24


def test_steps_are_those_of_one_pod_however_many_there_are() -> None:
    usage = noise(1, series=5)
    usage[:, :100] = np.nan

    profile = profile_of(samples(usage, row=[0] * 5, workload=[0]))

    assert profile.steps.sum() == PER_DAY - 100
    assert profile.cpu_daily.count.sum() == 5 * (PER_DAY - 100)
    assert profile.pods.tolist() == [5]


def test_the_busiest_pod_is_kept_beside_and_the_sum_over_the_workload() -> None:
    usage = np.array([[0.1] * 12, [0.9] * 12, [0.3] * 12])  # two pods of one container, one of another, all of one workload

    profile = profile_of(samples(usage, row=[0, 0, 1], workload=[0, 0]))

    assert profile.busiest.index.tolist() == [0]
    assert profile.busiest.cpu.top.tolist() == exponent_of(np.array([0.9])).tolist()
    assert profile.busiest.cpu.days.sum() == 12
    assert profile.summed.index.tolist() == [0]
    assert profile.summed.cpu.top.tolist() == exponent_of(np.array([1.3])).tolist()


def test_a_pod_that_replaces_another_is_one_pod_at_a_time() -> None:
    usage = np.full((2, 20), 0.2)
    usage[0, 10:], usage[1, :10] = np.nan, np.nan

    profile = profile_of(samples(usage, row=[0, 0], workload=[0]))

    assert len(profile.busiest.index) == len(profile.summed.index) == 0


def test_a_second_pod_later_finds_the_first_ones_history() -> None:
    usage = np.full((2, 3 * PER_DAY), 0.2)
    usage[1, :PER_DAY] = np.nan

    profile = fold(
        profile_of(samples(usage[:1, :PER_DAY], row=[0], workload=[0])),
        part(samples(usage, row=[0, 0], workload=[0]), PER_DAY, 3 * PER_DAY),
    )

    assert profile.busiest.cpu.days.sum() == 3 * PER_DAY
    assert profile.cpu.days.sum() == 5 * PER_DAY


def test_events_throttling_and_start_up_are_kept() -> None:
    usage, memory = np.full((1, 50), 0.2), np.full((1, 50), 1e8)
    usage[0, :10], memory[0, :10] = np.nan, np.nan
    usage[0, 11], memory[0, 30] = 1.5, 9e8  # the second step after the start; long after it
    throttled = np.full((1, 50), np.nan, dtype=np.float32)
    throttled[0, 20:24] = [0.5, 0.25, 0.0, 0.25]

    profile = profile_of(
        samples(usage, memory, throttled=throttled, oom_kills=np.array([2]), restarts=np.array([3]), oom_limit_bytes=np.array([7e8]))
    )

    assert (profile.oom_kills.sum(), profile.restarts.sum(), profile.oom_limit_bytes.max()) == (2, 3, 7e8)
    assert (profile.throttled_total.sum(), profile.throttled_count.sum()) == (1.0, 4)
    assert profile.startup_cpu_cores.tolist() == [1.5]
    assert profile.startup_memory_bytes.tolist() == pytest.approx([1e8])
    assert profile.last_seen.tolist() == [MONDAY + 50 * 300]


def test_a_row_without_series_stays_empty() -> None:
    profile = profile_of(samples(noise(1), row=[1], workload=[0, 1]))

    assert profile.cpu.top[0] == EMPTY
    assert profile.steps[0].sum() == 0
    assert np.isnan(profile.cpu_daily.peak[0]).all()


def test_an_empty_window_moves_the_watermark() -> None:
    profile = profile_of(samples(np.zeros((0, 12)), workload=[0], row=np.zeros(0)))

    assert profile.folded_until == MONDAY + 3600


def test_samples_that_do_not_fit_are_refused() -> None:
    profile = profile_of(samples(noise(1)))

    with pytest.raises(ValueError, match="rows"):
        fold(profile, samples(noise(1, series=2)))
    with pytest.raises(ValueError, match="steps of 300"):
        fold(profile, samples(noise(1), step=60, start=MONDAY + DAY))
    with pytest.raises(ValueError, match="one value per series"):
        fold(profile, replace(samples(noise(1)), restarts=np.zeros(2, dtype=np.int32)))
    with pytest.raises(ValueError, match="shape"):
        fold(profile, replace(samples(noise(1)), memory_bytes=np.zeros((1, 3), dtype=np.float32)))


def test_merging_two_times_equals_one_pass() -> None:
    usage = np.concatenate([noise(6, series=2), noise(6, mean=0.5, series=1)])
    given_samples = samples(usage, row=[0, 0, 1], workload=[0, 1])
    early, late = profile_of(part(given_samples, 0, 1000)), profile_of(part(given_samples, 1000, 6 * PER_DAY))

    assert_same(merge(early, late), profile_of(given_samples))
    assert_same(merge(late, early), merge(early, late))


def test_merging_different_rows_of_one_time_equals_one_pass() -> None:
    usage = noise(5, series=2)
    one, two = (profile_of(samples(usage[i : i + 1], row=[i], workload=[0, 1])) for i in (0, 1))

    assert_same(merge(one, two), profile_of(samples(usage)))


def test_merging_one_pod_with_several_equals_one_pass() -> None:
    usage = noise(4, series=3)
    # The second pod of the first row, and the other container of the workload, begin on the third day, behind a silence that both parts see.
    usage[1:, : 2 * PER_DAY + 3] = np.nan
    given_samples = samples(usage, row=[0, 0, 1], workload=[0, 0])
    early, late = profile_of(part(given_samples, 0, 2 * PER_DAY)), profile_of(part(given_samples, 2 * PER_DAY, 4 * PER_DAY))

    assert_same(merge(early, late), profile_of(given_samples))


def test_merging_with_nothing_changes_nothing() -> None:
    profile = profile_of(samples(noise(1)))

    assert merge(profile, empty_profile(profile.workload)) is profile
    assert merge(empty_profile(profile.workload), profile) is profile


def test_profiles_of_different_rows_or_steps_are_not_merged() -> None:
    profile = profile_of(samples(noise(1)))

    with pytest.raises(ValueError, match="same rows"):
        merge(profile, profile_of(samples(noise(1, series=2))))
    with pytest.raises(ValueError, match="step"):
        merge(profile, profile_of(samples(noise(1), step=60)))
