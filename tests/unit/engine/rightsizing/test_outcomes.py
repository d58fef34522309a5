"""What given requests and limits would have done."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from upid.engine.rightsizing.outcomes import Settings, outcome_of_profile, outcome_of_samples
from upid.engine.usage.folding import fold
from upid.engine.usage.profile import empty_profile
from upid.engine.usage.samples import Samples

NAN = np.nan


def samples(cpu: Any, memory: Any, *, kills: Any = None, killed_at: Any = None, step: int = 300) -> Samples:
    """Series of one row."""
    cpu, memory = np.array(cpu, np.float32), np.array(memory, np.float32)
    series = len(cpu)
    return Samples(
        0, step, cpu, memory, np.full_like(cpu, NAN), np.array(kills or [0] * series, np.int32), np.zeros(series, np.int32),
        np.array(killed_at or [NAN] * series), np.zeros(series, np.int64), np.zeros(1, np.int64),
    )  # fmt: skip


def test_time_above_is_a_share_of_the_samples_of_all_pods() -> None:
    # Above 0.5 cores: 0.6 and 0.9 of five samples, the gap is none.
    used = samples([[0.1, 0.6, 0.5], [0.9, 0.2, NAN]], [[1, 2, 3], [4, 5, NAN]])

    outcome = outcome_of_samples(used, Settings(cpu_request_cores=0.5, memory_request_bytes=3))

    assert outcome.cpu_time_above_request == pytest.approx(2 / 5)
    assert outcome.memory_time_above_request == pytest.approx(2 / 5)


def test_throttling_counts_steps_above_the_limit_and_the_cpu_time_beyond_it() -> None:
    # 0.5 + 1.0 of 2.5 core-steps lie above 1 core, in two of four steps.
    used = samples([[1.5, 2.0, 0.5, 0.5]], [[1, 1, 1, 1]])

    outcome = outcome_of_samples(used, Settings(cpu_limit_cores=1.0))

    assert outcome.throttled_time == pytest.approx(0.5)
    assert outcome.cpu_held_back == pytest.approx(1.5 / 4.5)


def test_each_rise_above_the_memory_limit_is_a_kill() -> None:
    # The first pod rises above 10 twice, the second begins above it, the third never does.
    used = samples(np.zeros((3, 5)), [[5, 11, 12, 9, 11], [11, 11, 5, 5, 5], [10, 10, 10, 10, 10]])

    outcome = outcome_of_samples(used, Settings(memory_limit_bytes=10))

    assert (outcome.oom_kills, outcome.pods_oom_killed) == (3, 2)
    assert outcome.memory_time_above_limit == pytest.approx(5 / 15)


@pytest.mark.parametrize(("limit", "kills"), [(8.0, 2), (10.0, 2), (10.5, 0)])
def test_a_measured_kill_happens_again_under_the_same_limit_or_a_lower_one(limit: float, kills: int) -> None:
    # Held down by a limit of 10, no sample shows more than 7.
    used = samples([[0, 0]], [[7, 7]], kills=[2], killed_at=[10.0])

    assert outcome_of_samples(used, Settings(memory_limit_bytes=limit)).oom_kills == kills


def test_without_a_limit_nothing_is_killed_and_shares_are_unknown() -> None:
    outcome = outcome_of_samples(samples([[1, 2]], [[1, 2]], kills=[3], killed_at=[10.0]), Settings())

    assert (outcome.oom_kills, outcome.pods_oom_killed) == (0, 0)
    assert all(math.isnan(each) for each in (outcome.cpu_time_above_request, outcome.throttled_time, outcome.memory_time_above_limit))


def test_a_limit_keeps_its_last_byte() -> None:
    # 2**31 fits a float32; one byte below does not, and would round up to it.
    used = samples([[0]], [[2.0**31]])

    assert outcome_of_samples(used, Settings(memory_limit_bytes=2.0**31)).oom_kills == 0
    assert outcome_of_samples(used, Settings(memory_limit_bytes=2.0**31 - 1)).oom_kills == 1


def test_no_samples_at_all_tell_nothing() -> None:
    outcome = outcome_of_samples(samples([[NAN, NAN]], [[NAN, NAN]]), Settings(1, 1, 1, 1))

    assert math.isnan(outcome.cpu_time_above_request)
    assert outcome.oom_kills == 0


def test_what_cannot_be_is_no_sample() -> None:
    used = samples([[np.inf, -1.0, 0.2, 0.6]], [[np.inf, -1.0, 2.0, 6.0]])

    outcome = outcome_of_samples(used, Settings(cpu_request_cores=0.5, memory_request_bytes=5.0, memory_limit_bytes=10.0))

    assert (outcome.cpu_time_above_request, outcome.memory_time_above_request, outcome.oom_kills) == (0.5, 0.5, 0)


def test_a_profile_of_one_day_tells_the_same_shares_within_a_bucket() -> None:
    rng = np.random.default_rng(5)
    used = samples(rng.lognormal(-1, 0.4, (3, 288)), rng.lognormal(18, 0.1, (3, 288)))
    settings = Settings(0.4, 0.8, 6.5e7, 8e7)
    exact = outcome_of_samples(used, settings)

    summed = outcome_of_profile(fold(empty_profile(np.zeros(1, np.int64)), used), 0, settings)

    for name in ("cpu_time_above_request", "throttled_time", "memory_time_above_request", "memory_time_above_limit"):
        assert getattr(summed, name) == pytest.approx(getattr(exact, name), abs=0.03), name
    assert math.isnan(summed.oom_kills)


def test_a_row_that_is_not_there_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        outcome_of_profile(empty_profile(np.zeros(1, np.int64)), 1, Settings())


def test_higher_values_never_lie_below_usage_more_often() -> None:
    rng = np.random.default_rng(6)
    used = samples(rng.gamma(2, 0.2, (2, 500)), rng.gamma(3, 100, (2, 500)))

    outcomes = [outcome_of_samples(used, Settings(v, v, v * 500, v * 500)) for v in (0.1, 0.3, 0.6, 1.0)]

    for name in ("cpu_time_above_request", "cpu_held_back", "memory_time_above_request", "pods_oom_killed"):
        told = [getattr(each, name) for each in outcomes]
        assert told == sorted(told, reverse=True), name
