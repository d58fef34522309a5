"""Start-up apart from steady state: what is of a start, what is kept of it, and what it means for a size."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from unit.engine.making import GIB, MONDAY, PER_DAY, assessed, current, noise, part, profile_of, samples
from unit.engine.test_folding import assert_same

from upid.engine.arrays import pack, unpack
from upid.engine.rightsizing.columns import CODES
from upid.engine.rightsizing.cpu import cpu_need
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.seen import Density, apart, seen
from upid.engine.statistics.density import smoothed_quantiles
from upid.engine.usage.folding import fold
from upid.engine.usage.histogram import decayed, exponent_of
from upid.engine.usage.merging import merge
from upid.engine.usage.profile import empty_profile, reindex
from upid.engine.usage.samples import Samples
from upid.engine.usage.starts import starts_of
from upid.engine.usage.storage import from_arrays, to_arrays

NAN = np.nan
OUT = [NAN] * 3  # three steps of five minutes are longer than a silence of ten


def pods(life: int, days: float = 3, *, steady: float = 0.2, startup: float = 2.0, first: int = 0, seed: int | None = None) -> NDArray[Any]:
    """Return pods of one row that follow each other, each `life` steps long: two at `startup`, the others at `steady`; the first is there from before."""
    steps = round(days * PER_DAY)
    begins = range(first, steps, life)
    usage = np.full((len(begins) + 1, steps), NAN)
    level = np.full(steps, steady) if seed is None else noise(days, mean=steady, seed=seed)[0]
    usage[0, :first] = level[:first]
    for pod, begin in enumerate(begins, 1):
        usage[pod, begin : begin + life] = level[begin : begin + life]
        usage[pod, begin : begin + 2] = startup
    return usage[1:] if first == 0 else usage


def of_one_row(usage: NDArray[Any], **more: Any) -> Samples:
    return samples(usage, row=[0] * len(usage), workload=[0], **more)


def told(columns: dict[str, NDArray[Any]]) -> set[str]:
    return {CODES[i] for i in np.flatnonzero(columns["reasons"][0])}


def test_a_start_is_the_first_sample_behind_more_than_ten_minutes_of_silence() -> None:
    usage = np.array(
        [
            [*OUT, 1, 2, 3, 4, 5],  # begins in step 3
            [1, 2, 3, 4, 5, 6, 7, 8],  # was there when the collection began
            [NAN, NAN, 1, 2, 3, 4, 5, 6],  # so may this one have been
            [1, NAN, NAN, 2, 3, 4, 5, 6],  # silent for ten minutes: a container that began again
            [1, *OUT, 2, 3, 4, 5],  # silent for longer, so the first sample behind it is a start
        ]
    )

    found = starts_of(samples(usage))

    assert (found.series.tolist(), found.first.tolist(), found.length) == ([0, 4], [3, 4], 2)
    assert found.values(usage.astype(np.float32)).tolist() == [[1, 2], [2, 3]]


def test_pods_of_jobs_and_pods_that_only_memory_tells_of_do_not_start_twice() -> None:
    usage, memory = np.array([[*OUT, 1, 2, 3], [*OUT, NAN, NAN, 3.0]]), np.array([[*OUT, 1, 2, 3], [1, 1, 1, 1, 1, 1.0]])

    assert len(starts_of(samples(usage, memory, is_batch=np.array([True, False]))).series) == 0


def test_start_ups_are_counted_beside_the_pool_that_holds_all_samples() -> None:
    throttled = np.full((2, 12), NAN, dtype=np.float32)
    throttled[1, 3:6] = [0.5, 0.25, 1.0]  # the third is behind the start-up
    usage = np.array([[0.1] * 12, [*OUT, 0.8, 0.4, *[0.2] * 7]])

    profile = profile_of(of_one_row(usage, throttled=throttled))

    weight = 2.0 ** (profile.newest_day - profile.reference_day)
    assert profile.cpu.days.sum() == 21
    assert (profile.startups.index.tolist(), profile.startups.cpu.days.sum()) == ([0], 2)
    assert profile.startups.cpu.top.tolist() == exponent_of(np.array([0.8])).tolist()
    assert (profile.startups.throttled_total / weight).tolist() == [0.75]
    assert (profile.startups.throttled_count / weight).tolist() == [2]
    assert profile.cpu_hourly.peak[0, 0] == pytest.approx(0.2)
    assert profile.cpu_daily.peak[0, 0] == pytest.approx(0.8)


def test_the_busiest_pod_is_one_at_work_and_a_starting_pod_is_worth_its_like_in_the_sum() -> None:
    # One workload: two pods of row 0, the second starts at 0.8; one of row 1. While it starts it counts as the first does, 0.1.
    usage = np.array([[0.1] * 12, [*OUT, 0.8, 0.05, *[0.2] * 7], [0.4] * 12])

    profile = profile_of(samples(usage, row=[0, 0, 1], workload=[0, 0]))

    busiest, summed = profile.busiest.cpu, profile.summed.cpu
    assert busiest.top.tolist() == exponent_of(np.array([0.2])).tolist()
    assert busiest.days.sum() == 12
    # Sums: 0.5 three times, then 0.1 + 0.1 + 0.4 and 0.1 + 0.05 (what it used is less) + 0.4, then 0.7.
    expected = exponent_of(np.array([0.5, 0.5, 0.5, 0.6, 0.55, *[0.7] * 7]))
    top = int(summed.top[0])
    assert {top - 255 + bucket: count for bucket, count in enumerate(summed.days[0].sum(axis=0)) if count} == {
        int(exponent): int((expected == exponent).sum()) for exponent in np.unique(expected)
    }


def test_a_step_in_which_all_pods_of_a_workload_start_is_none_of_work() -> None:
    usage = np.array([[*OUT, 0.8, 0.8, *[0.2] * 7], [*OUT, 0.9, 0.9, *[0.3] * 7]])

    profile = profile_of(samples(usage, row=[0, 1], workload=[0, 0]))

    assert profile.summed.cpu.days.sum() == 7
    assert profile.summed.memory.days.sum() == 9


@pytest.mark.parametrize("bounds", [(700,), (201, 202, 203), (198, 400, 401, 600)])
def test_chunks_with_their_context_equal_all_at_once(bounds: tuple[int, ...]) -> None:
    usage = np.concatenate([noise(4, series=3), noise(4, mean=0.4, series=2, seed=3)])
    usage[1, :200], usage[2, 300:600], usage[3, :400], usage[4, :401] = NAN, NAN, NAN, NAN
    usage[1, 200:202] *= 7
    whole = samples(usage, row=[0, 0, 1, 2, 2], workload=[0, 0, 1])

    profile, context = empty_profile(whole.workload), 5
    for begin, end in pairwise((0, *bounds, usage.shape[1])):
        profile = fold(profile, part(whole, max(begin - context, 0), end))

    assert len(profile.startups.index) == 3
    assert_same(profile, profile_of(whole))


def test_merging_and_storing_and_moving_keep_start_ups() -> None:
    usage = noise(6, series=3)
    usage[1, :500], usage[2, :1200] = NAN, NAN
    whole = samples(usage, row=[0, 0, 1], workload=[0, 0])
    early, late = profile_of(part(whole, 0, 1000)), profile_of(part(whole, 1000, 6 * PER_DAY))

    profile = merge(early, late)
    again = from_arrays(*unpack(pack(*to_arrays(profile))))
    there = reindex(profile, np.array([1, -1, 0]), np.array([0, 1, 0]))

    assert_same(profile, profile_of(whole))
    assert_same(again, profile)
    assert there.startups.index.tolist() == [0, 2]
    assert_same(reindex(there, np.array([2, 0]), profile.workload), profile)


def test_a_profile_stored_before_start_ups_stood_apart_still_loads() -> None:
    arrays, meta = to_arrays(profile_of(of_one_row(pods(150))))
    before = {name: array for name, array in arrays.items() if "startups" not in name}

    assert len(before) < len(arrays)
    assert len(from_arrays(before, meta).startups.index) == 0


def test_a_request_is_judged_on_steady_state_and_the_limit_lets_start_ups_through() -> None:
    usage = pods(PER_DAY // 2, days=7, first=100)  # twice a day ten minutes of 2 cores, 1.4 % of the time; else 0.2

    plain, burst = (assessed(of_one_row(usage), current(), Options(cpu_limit=policy)) for policy in ("none", "burst"))
    guaranteed = assessed(of_one_row(usage), current(cpu_limit_cores=1.0, memory_limit_bytes=GIB))

    # As without a start (0.2423 with 0.06 % for little data); of the start-ups 1 % may lie above the limit: exp(0.1935) = 1.213 times 2, 2.43 cores.
    assert plain["cpu_request_cores"][0] == pytest.approx(0.243, abs=1e-9)
    assert plain["cpu_startup_share"][0] == pytest.approx(2 / (PER_DAY // 2), rel=0.1)
    assert burst["cpu_request_cores"][0] == pytest.approx(0.243, abs=1e-9)
    assert burst["cpu_limit_cores"][0] == pytest.approx(2 * 1.214, rel=0.02)
    assert guaranteed["cpu_request_cores"][0] == guaranteed["cpu_limit_cores"][0] == burst["cpu_limit_cores"][0]
    assert "cpu_startup_apart" in told(plain)
    assert {"cpu_startup_apart", "cpu_startup_limit"} <= told(burst)


def test_a_limit_that_throttles_start_ups_alone_goes() -> None:
    usage = pods(PER_DAY // 2, days=7, first=100, startup=0.5)
    throttled = np.where(usage == 0.5, 0.6, np.where(np.isnan(usage), NAN, 0.0)).astype(np.float32)
    now = current(cpu_request_cores=0.243, cpu_limit_cores=0.5, memory_request_bytes=139 * 2.0**20, memory_limit_bytes=GIB)

    found = assessed(of_one_row(usage, throttled=throttled), now)

    assert found["recent_throttled_fraction"][0] < 0.01
    assert found["cpu_request_cores"][0] == pytest.approx(0.243)
    assert np.isnan(found["cpu_limit_cores"][0])


def test_start_ups_count_as_their_share_of_running_time_grows_and_in_full_from_a_tenth_on() -> None:
    lives = (600, 144, 120, 100, 80, 60, 50, 40, 30, 24, 20, 16, 12)
    profiles = [profile_of(of_one_row(pods(life, days=6, first=life))) for life in lives]

    views = [seen(profile) for profile in profiles]
    needs = [float(cpu_need(view, Options()).request[0]) for view in views]

    shares = np.array([view.startup_share[0] for view in views])
    assert (shares[0] < 0.02, shares[-2] > 0.1) == (True, True)
    assert all(one <= two for one, two in pairwise(needs))
    assert needs[0] == pytest.approx(0.2428, rel=0.01)
    for profile, view in list(zip(profiles, views, strict=True))[-2:]:
        weights = decayed(profile.cpu, newest_day=profile.newest_day, reference_day=profile.reference_day)
        np.testing.assert_allclose(view.cpu.weights, weights, rtol=1e-9)
        whole = smoothed_quantiles(weights, profile.cpu.top, allowed_time_above=(0.01,))[0, 0]
        assert cpu_need(view, Options()).quantile[0] == pytest.approx(whole)


@given(st.floats(0.0, 0.2), st.floats(1e-6, 1e-3))
@settings(max_examples=40, deadline=None)
def test_nothing_jumps_with_the_share_of_start_up(share: float, more: float) -> None:
    # The weight that start-ups keep, at a share and a little above it: at most 1 / 0.08 of the difference, and the share itself.
    kept = [_kept(each) for each in (share, share + more)]

    assert 0 <= kept[0] <= kept[1] <= kept[0] + more * (1 + 0.2 / 0.08)


def _kept(share: float) -> float:
    """Return how much of all weight start-ups have in the steady state, where they are a share of it."""
    pooled, startup = np.zeros((1, 256)), np.zeros((1, 256))
    pooled[0, 100], pooled[0, 255], startup[0, 255] = 1 - share, share, share
    top = np.array([10], dtype=np.int32)
    return float(apart(Density(pooled, top), Density(startup, top), np.array([0]))[0].weights[0, 255])


def test_a_pod_that_restarts_every_night_has_no_recurring_peak() -> None:
    usage = pods(PER_DAY, days=9, first=36, startup=3.0)  # at 03:00

    found = assessed(of_one_row(usage, start=MONDAY))

    assert "cpu_recurring_peak" not in told(found)
    assert found["cpu_request_cores"][0] == pytest.approx(0.243, abs=0.001)


@given(st.integers(0, 1000), st.integers(10, 200), st.lists(st.tuples(st.integers(0, 863), st.floats(1, 50)), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_raising_samples_of_pods_that_come_and_go_never_lowers_a_need(seed: int, life: int, raised: list[tuple[int, float]]) -> None:
    usage = pods(life, first=life, seed=seed)
    higher = usage.copy()
    for step, factor in raised:
        higher[:, step] *= factor

    for knob in (0.05, 0.01, 0.001):
        before, after = (cpu_need(seen(profile_of(of_one_row(each))), Options(allowed_time_above=knob)) for each in (usage, higher))
        for name in ("request", "tight", "startup"):
            assert getattr(after, name)[0] >= getattr(before, name)[0] * (1 - 1e-6), name


@given(st.integers(0, 1000), st.integers(10, 200), st.floats(1e-3, 1e3))
@settings(max_examples=20, deadline=None)
def test_start_ups_scale_with_use_and_know_no_order_of_pods(seed: int, life: int, factor: float) -> None:
    usage = pods(life, first=life, seed=seed)
    order = np.random.default_rng(seed).permutation(len(usage))

    one, scaled, shuffled = (cpu_need(seen(profile_of(of_one_row(each))), Options()) for each in (usage, usage * factor, usage[order]))

    for name in ("request", "tight", "startup"):
        assert getattr(scaled, name)[0] == pytest.approx(getattr(one, name)[0] * factor, rel=0.03), name
        assert getattr(shuffled, name)[0] == pytest.approx(getattr(one, name)[0], rel=1e-12), name
