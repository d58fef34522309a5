"""Runs keep whose they are: pods of a Job side by side, and runs of a CronJob that overlap."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from unit.engine.making import MIB, MONDAY, PER_DAY, STEP, assessed, current, part, profile_of, samples
from unit.engine.rightsizing.test_batch import NAN, batch, peaks_of, told

from upid.engine.rightsizing.options import Options
from upid.engine.usage.folding import fold
from upid.engine.usage.merging import merge
from upid.engine.usage.profile import empty_profile
from upid.engine.usage.runs import AT_ONCE, UNKNOWN, fold_runs, no_runs, one_at_a_time, places
from upid.engine.usage.samples import Samples
from upid.engine.usage.storage import from_arrays, to_arrays
from upid.ports.usage_history import SeriesKey, UsageChunk
from upid.services.sizing import ContainerRow, samples_of


def indexed(pods: int, days: int, *, peak: float = 0.4) -> Samples:
    """Return a Job run of some pods side by side at 02:00 of each day, an hour long; pod `i` of a day peaks at `peak + i / 1000`."""
    cores = np.full((pods * days, days * PER_DAY), NAN)
    for day in range(days):
        for pod in range(pods):
            begin = day * PER_DAY + 24
            cores[day * pods + pod, begin : begin + 12] = peak + pod / 1000
    return batch(cores)


def test_pods_side_by_side_each_give_their_own_peak_and_are_one_run() -> None:
    given_samples = indexed(4, 2)

    profile, found = profile_of(given_samples), assessed(given_samples, current(is_batch=True))

    assert peaks_of(profile.runs) == pytest.approx([0.4, 0.401, 0.402, 0.403] * 2)
    assert (profile.runs.end - profile.runs.begin)[0, :8].tolist() == [3600] * 8
    assert found["runs"][0] == 2
    assert told(found) == "not_enough_data"
    assert told(assessed(indexed(4, 3), current(is_batch=True))) == "recommended"


def test_runs_that_overlap_each_give_their_own_peak_and_count_as_far_as_they_do_not() -> None:
    # A CronJob begins a run of 40 minutes every 20: each third begins where the one before the last ended.
    cores = np.full((9, 60), NAN)
    for run in range(9):
        cores[run, 4 * run : 4 * run + 8] = run + 1

    runs = profile_of(batch(cores)).runs

    assert peaks_of(runs) == list(range(1, 10))
    assert one_at_a_time(runs.begin, runs.end)[0, :9].tolist() == [True, False] * 4 + [True]
    assert places(runs.begin, runs.end)[0, :9].tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4]


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 12)), min_size=1, max_size=9))
@settings(max_examples=60, deadline=None)
def test_no_choice_finds_more_runs_that_did_not_run_at_once(spans: list[tuple[int, int]]) -> None:
    runs = sorted(((begin, begin + length) for begin, length in spans), key=lambda run: -run[1])

    def apart(chosen: tuple[tuple[int, int], ...]) -> bool:
        return all(one[1] <= two[0] or two[1] <= one[0] for one, two in combinations(chosen, 2))

    most = max(size for size in range(1, len(runs) + 1) if any(apart(chosen) for chosen in combinations(runs, size)))
    begin, end = (np.array([[run[edge] for run in runs]]) for edge in (0, 1))
    assert one_at_a_time(begin, end).sum() == most


def test_the_newest_run_is_worth_most_whichever_of_its_pods_is_the_largest() -> None:
    given_samples = indexed(6, 8)
    memory = np.where(np.isnan(given_samples.cpu_cores), NAN, 200 * MIB)
    largest = memory.copy()
    first_of_last, last_of_last = 7 * 6, 7 * 6 + 5
    for pod, into in ((first_of_last, memory), (last_of_last, largest)):
        into[pod] = np.where(np.isnan(into[pod]), NAN, 800 * MIB)

    found = [
        assessed(batch(given_samples.cpu_cores, each), current(is_batch=True))["memory_request_bytes"][0] for each in (memory, largest)
    ]

    assert found[0] == found[1] > 800 * MIB


def test_of_very_many_pods_at_once_the_busiest_are_kept_and_the_least_of_them_stands_for_the_rest() -> None:
    given_samples = indexed(40, 9)
    memory = np.where(np.isnan(given_samples.cpu_cores), NAN, 200 * MIB)
    memory[8 * 40 + 1] = np.where(np.isnan(memory[8 * 40 + 1]), NAN, 900 * MIB)  # one of the least busy pods of the last day

    runs = profile_of(batch(given_samples.cpu_cores, memory)).runs

    # 96 of 9 x 12: eight whole days of one that tells the days apart (all end at once: the least busy) and the eleven busiest.
    assert peaks_of(runs) == pytest.approx([0.4 + pod / 1000 for pod in (0, *range(29, 40))] * 8)
    assert runs.memory[0, AT_ONCE - 2] == np.float32(900 * MIB)
    assert places(runs.begin, runs.end)[0].tolist() == np.repeat(np.arange(8), AT_ONCE).tolist()


def test_a_pod_that_goes_on_but_was_not_kept_is_no_new_run() -> None:
    given_samples = batch(np.array([[pod + 1.0] * 12 for pod in range(30)]))

    profile = fold(fold(empty_profile(np.array([0])), part(given_samples, 0, 6)), part(given_samples, 3, 12))

    assert peaks_of(profile.runs) == [1.0, *(float(pod) for pod in range(20, 31))]
    assert set(profile.runs.begin[0, :AT_ONCE].tolist()) == {MONDAY}


@given(st.integers(0, 1000), st.integers(13, 40), st.floats(1, 20))
@settings(max_examples=30, deadline=None)
def test_use_that_rises_neither_lowers_a_need_nor_changes_how_many_runs_there_were(seed: int, pods: int, factor: float) -> None:
    random = np.random.default_rng(seed)
    cores = np.full((pods, 3 * PER_DAY), NAN)
    for pod in range(pods):
        begin, length = random.integers(0, 2 * PER_DAY), random.integers(1, PER_DAY)
        cores[pod, begin : begin + length] = random.gamma(2.0, 0.5, min(length, 3 * PER_DAY - begin))
    raised = cores.copy()
    raised[random.integers(0, pods)] *= factor

    before, after = (
        assessed(batch(each, np.where(np.isnan(each), NAN, each * 1e8)), current(is_batch=True), options=Options(memory_rounding_bytes=1.0))
        for each in (cores, raised)
    )

    assert before["runs"][0] == after["runs"][0]
    for name in ("cpu_runs_cores", "memory_peak_bytes", "cpu_quantile_cores"):
        assert after[name][0] >= before[name][0] * (1 - 1e-6), name


def test_a_pod_is_known_by_its_key_wherever_its_series_stands() -> None:
    first = batch([[1, 2], [5, 6]], pod_keys=np.array([11, 22]))
    then = batch([[7, 1], [3, 1]], pod_keys=np.array([22, 11]), start=MONDAY + 2 * STEP)

    runs = fold(profile_of(first), then).runs

    assert {int(key): float(peak) for key, peak in zip(runs.pod[0, :2], runs.cpu[0, :2], strict=True)} == {11: 3, 22: 7}
    assert runs.end[0, 2] == 0


def test_merging_joins_what_both_saw_of_one_run() -> None:
    given_samples = batch([[1, 2, 3, 4, 1, 1], [NAN, NAN, NAN, NAN, 7, 7]])

    two = merge(profile_of(part(given_samples, 0, 3)), profile_of(part(given_samples, 3, 6)))

    whole = profile_of(given_samples).runs
    for name in ("cpu", "memory", "begin", "end", "pod"):
        np.testing.assert_array_equal(getattr(two.runs, name), getattr(whole, name), err_msg=name)


def test_runs_stored_before_pods_were_told_apart_are_read_and_followed() -> None:
    profile = profile_of(batch([[1, 2, NAN, NAN, NAN, 3, 3, 3]]))
    arrays, meta = to_arrays(profile)
    before = from_arrays({name: array for name, array in arrays.items() if name not in {"profile.runs.length", "profile.runs.pod"}}, meta)

    after = fold(before, part(batch([[1, 2, NAN, NAN, NAN, 3, 3, 3, 4, 4]]), 6, 10))

    assert before.runs.pod[0, :2].tolist() == [UNKNOWN, UNKNOWN]
    np.testing.assert_array_equal(before.runs.begin, before.runs.end)
    again = from_arrays(arrays, meta).runs
    assert (again.begin.tolist(), again.pod.tolist()) == (profile.runs.begin.tolist(), profile.runs.pod.tolist())
    assert peaks_of(after.runs) == [2, 3, 4]  # whose the run was that goes on nobody kept, so its rest is one of its own
    assert one_at_a_time(after.runs.begin, after.runs.end).sum() == 3


def test_rows_that_are_no_batch_have_no_runs() -> None:
    given_samples = samples(np.ones((2, 5)), row=[0, 0], workload=[0])

    assert fold_runs(no_runs(), given_samples, 0).index.tolist() == []


def test_stored_samples_know_pods_by_their_names() -> None:
    rows = [ContainerRow("shop", "CronJob", "nightly", "uid-n", "app")]

    def chunk(pods: list[str], begin: int, level: list[float]) -> UsageChunk:
        values = np.repeat(np.array(level, dtype=np.float32)[:, None], 3, axis=1)
        none = np.zeros(len(pods), dtype=np.int32)
        keys = [SeriesKey("uid-n", "app", pod) for pod in pods]
        return UsageChunk(keys, MONDAY + begin * STEP, STEP, values, values, np.full_like(values, NAN), none, none, np.full(len(pods), NAN))

    one, two = chunk(["a", "b"], 0, [1, 2]), chunk(["c", "b"], 3, [9, 4])
    first, second = samples_of([one], rows), samples_of([two], rows)

    assert first.key_of_pod.tolist() == [crc32(b"a") >> 1, crc32(b"b") >> 1]
    runs = fold(profile_of(first), second).runs
    peaks: NDArray[np.float32] = runs.cpu[0][runs.end[0] > 0]
    assert sorted(peaks.tolist()) == [1, 4, 9]
    together = profile_of(replace(samples_of([one, two], rows))).runs
    np.testing.assert_array_equal(runs.cpu, together.cpu)
