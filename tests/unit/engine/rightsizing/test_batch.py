"""Jobs and CronJobs are sized from the peaks of their runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from unit.engine.making import MIB, PER_DAY, assessed, current, part, profile_of, samples

from upid.engine.arrays import pack, unpack
from upid.engine.rightsizing.columns import CODES, STATUSES, WITHHELD_CODES
from upid.engine.usage.folding import fold
from upid.engine.usage.merging import merge
from upid.engine.usage.profile import empty_profile, reindex
from upid.engine.usage.runs import KEPT, Runs
from upid.engine.usage.samples import Samples
from upid.engine.usage.storage import from_arrays, to_arrays


def batch(cpu: Any, memory: Any = None, **given_values: Any) -> Samples:
    """Return samples of pods of one CronJob, shape (pods, steps)."""
    cores = np.atleast_2d(np.asarray(cpu, dtype=np.float32))
    return samples(cores, memory, row=[0] * len(cores), workload=[0], is_batch=np.array([True]), **given_values)


def daily(peaks: list[float], *, steps: int = 1, memory: float = 200 * MIB) -> Samples:
    """Return one run a day at 02:00, each a pod of its own, `steps` long with its peak in the last one."""
    cores = np.full((len(peaks), len(peaks) * PER_DAY), np.nan, dtype=np.float32)
    for day, peak in enumerate(peaks):
        begin = day * PER_DAY + 24
        cores[day, begin : begin + steps] = 0.05
        cores[day, begin + steps - 1] = peak
    return batch(cores, np.where(np.isnan(cores), np.nan, memory))


def peaks_of(runs: Runs) -> list[float]:
    """Return the CPU peaks of the first row's runs, oldest first."""
    return [round(float(value), 6) for value in runs.cpu[0][runs.end[0] > 0][::-1]]


NAN = np.nan


@pytest.mark.parametrize(
    ("cpu", "peaks"),
    [
        ([[1, 2, NAN, NAN, NAN], [NAN, NAN, 3, 1, NAN]], [2, 3]),  # one pod after the other, without a pause
        ([[1, 2, NAN, NAN, NAN], [NAN, 4, 3, 1, NAN]], [2, 4]),  # side by side: each pod has its own
        ([[1, NAN, NAN, 2, NAN]], [2]),  # silent for ten minutes: the same run
        ([[1, NAN, NAN, NAN, 2]], [1, 2]),
        ([[NAN] * 5], []),
    ],
)
def test_a_run_lasts_as_long_as_its_pod_goes_on(cpu: list[list[float]], peaks: list[float]) -> None:
    assert peaks_of(profile_of(batch(cpu)).runs) == peaks


@given(st.integers(0, 1000), st.lists(st.integers(1, 90), max_size=6))
@settings(max_examples=40, deadline=None)
def test_folding_with_context_finds_the_runs_of_one_pass(seed: int, cuts: list[int]) -> None:
    generator = np.random.default_rng(seed)
    cores = np.where(generator.random((3, 91)) < 0.5, generator.gamma(2, 1, (3, 91)), np.nan).astype(np.float32)
    given_samples, profile = batch(cores), empty_profile(np.array([0]))

    for begin, end in zip([0, *sorted(set(cuts))], [*sorted(set(cuts)), 91], strict=True):
        profile = fold(profile, part(given_samples, max(begin - 3, 0), end))

    whole = profile_of(given_samples).runs
    for name in ("begin", "end", "cpu", "memory", "pod"):
        np.testing.assert_array_equal(getattr(profile.runs, name), getattr(whole, name), err_msg=name)


def test_without_context_a_row_that_ran_just_before_goes_on() -> None:
    given_samples = batch([[1, 2, 3, 4, 1, 1]])

    profile = fold(fold(empty_profile(np.array([0])), part(given_samples, 0, 3)), part(given_samples, 3, 6))

    assert peaks_of(profile.runs) == [4]


def test_only_the_newest_runs_are_kept_and_survive_storing_merging_and_moving() -> None:
    cores = np.full((110, 110 * 8), np.nan)
    for run in range(110):
        cores[run, run * 8] = run + 1
    given_samples = batch(cores)
    profile = profile_of(given_samples)

    assert peaks_of(profile.runs) == list(range(111 - KEPT, 111))
    again = from_arrays(*unpack(pack(*to_arrays(profile))))
    assert peaks_of(again.runs) == peaks_of(profile.runs)
    two = merge(profile_of(part(given_samples, 0, 400)), profile_of(part(given_samples, 400, 880)))
    np.testing.assert_array_equal(two.runs.cpu, profile.runs.cpu)
    moved = reindex(profile, np.array([-1, 0]), np.array([1, 0])).runs
    assert (moved.index.tolist(), moved.cpu.tolist()) == ([1], profile.runs.cpu.tolist())


def told(columns: dict[str, NDArray[Any]]) -> str:
    """Return the status of the first row, or why it is withheld."""
    code = int(columns["withheld_code"][0])
    return WITHHELD_CODES[code] if code >= 0 else STATUSES[int(columns["status"][0])]


@pytest.mark.parametrize(("runs", "status"), [(2, "not_enough_data"), (3, "recommended")])
def test_three_runs_are_enough_however_short(runs: int, status: str) -> None:
    found = assessed(daily([0.4] * runs), current(replicas=0, is_batch=True))

    assert told(found) == status
    assert (found["runs"][0], found["effective_samples"][0], found["samples"][0]) == (runs, runs, runs)


def test_each_run_counts_once_by_its_peak() -> None:
    # Of 20 runs of an hour one peaks at 2 cores, for five of 1,200 minutes: 0.4 % of the time, 5 % of the runs.
    usual, found = (assessed(daily(peaks, steps=12), current(is_batch=True)) for peaks in ([0.4] * 20, [0.4] * 9 + [2.0] + [0.4] * 10))

    assert usual["cpu_request_cores"][0] < 0.6
    # One in five of that run lies above 1 % of all: 2 * exp(0.0445), and 1 / 2 ** (20 / 3) of 0.4 squared is nothing.
    assert found["cpu_runs_cores"][0] == pytest.approx(2 * np.exp(0.0445), rel=0.02)
    assert found["cpu_request_cores"][0] == pytest.approx(found["cpu_runs_cores"][0], rel=0.002)
    assert CODES.index("run_peaks") in np.flatnonzero(found["reasons"][0])


def test_the_largest_memory_of_any_run_is_needed() -> None:
    given_samples = daily([0.4] * 10)
    memory = np.where(np.isnan(given_samples.memory_bytes), np.nan, 200 * MIB)
    memory[3, np.flatnonzero(~np.isnan(memory[3]))] = 800 * MIB

    found = assessed(batch(given_samples.cpu_cores, memory), current(is_batch=True))

    # Six runs ago: 800 MiB * (0.95 + 0.05 / 8) and above it 10 % and 17 MiB, each wider for ten runs.
    assert found["memory_request_bytes"][0] > 800 * MIB
    assert found["memory_peak_bytes"][0] == 800 * MIB


def test_a_job_that_runs_once_a_month_is_not_old_after_a_week() -> None:
    month, steps = 30 * PER_DAY, 68 * PER_DAY
    cores = np.full((3, steps), np.nan)
    for run in range(3):
        cores[run, run * month : run * month + 12] = 0.5

    found = assessed(batch(cores), current(is_batch=True))

    # Three runs are half of full confidence; eight days after the last one nothing is taken off.
    assert found["confidence_volume"][0] == pytest.approx(0.5)
    assert found["volume_margin"][0] == pytest.approx(0.1)


@given(st.lists(st.floats(0.05, 4), min_size=3, max_size=12), st.floats(1, 5), st.integers(0, 11))
@settings(max_examples=30, deadline=None)
def test_a_higher_run_never_asks_for_less_and_use_times_c_asks_for_c_times(peaks: list[float], factor: float, which: int) -> None:
    raised = [peak * (factor if run == which % len(peaks) else 1) for run, peak in enumerate(peaks)]

    one, more, times = (
        assessed(daily(each), current(is_batch=True))["cpu_runs_cores"][0] for each in (peaks, raised, [p * factor for p in peaks])
    )

    assert more >= one * (1 - 1e-6)
    assert times == pytest.approx(one * factor, rel=0.03)
