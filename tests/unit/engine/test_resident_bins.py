"""Resident sets beside samples: bins of an hour, days of a profile, and use as it is judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from unit.engine.making import GIB, MIB, MONDAY, PER_DAY, current, profile_of, samples

from upid.engine.rightsizing.backtest import Backtest, backtest
from upid.engine.rightsizing.folds import folded_with_tests, judge_folds
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.rule import size
from upid.engine.rightsizing.seen import held_slots, seen
from upid.engine.usage.profile import UsageProfile
from upid.engine.usage.resident import resident_peak
from upid.engine.usage.resident_bins import ResidentBins, ResidentSeries, bins_of, use_within, with_days
from upid.engine.usage.samples import Samples

HOUR, PER_HOUR = 3600, 12
WEEK_HOURS = 7 * 24


def used(memory: Any, **given: Any) -> Samples:
    """Return samples of this working set, shape (series, steps) or (steps,)."""
    values = np.atleast_2d(np.asarray(memory, dtype=np.float32))
    return samples(np.full(values.shape, 0.2), values, **({"row": [0] * len(values), "workload": [0]} | given))


def hourly(values: Any, start: int = MONDAY, step: int = HOUR) -> ResidentSeries:
    """Return resident sets of series of the first row, one sample an hour."""
    held = np.atleast_2d(np.asarray(values, dtype=np.float32))
    return ResidentSeries(start, step, held, np.zeros(len(held), dtype=np.int64))


def bins(given: Samples, *told: ResidentSeries) -> ResidentBins:
    found = bins_of(given, told)
    assert found is not None
    return found


def test_the_busiest_pod_counts_and_an_hour_that_a_pod_does_not_tell_of_tells_nothing() -> None:
    given = used(np.full((2, 3 * PER_HOUR), 100.0))

    found = bins(given, hourly([[1, 2, 3], [4, np.nan, 2]]))

    assert (found.start, found.bin_seconds) == (MONDAY, HOUR)
    np.testing.assert_array_equal(found.peak, [[4, np.nan, 3]])


def test_an_hour_in_which_a_pod_did_not_run_needs_nothing_of_it() -> None:
    memory = np.full((2, 2 * PER_HOUR), 100.0)
    memory[1, PER_HOUR:] = np.nan

    assert bins(used(memory), hourly([[1, 2], [4, np.nan]])).peak.tolist() == [[4, 2]]


def test_finer_samples_are_put_together_by_the_hour() -> None:
    found = bins(used(np.full(2 * PER_HOUR, 100.0)), hourly(np.arange(1.0, 2 * PER_HOUR + 1), step=300))

    assert found.peak.tolist() == [[PER_HOUR, 2 * PER_HOUR]]


@pytest.mark.parametrize("told", [[], [hourly([[5.0]], start=MONDAY + 7)], [hourly([[5.0]], step=450)]])
def test_what_does_not_line_up_tells_nothing(told: list[ResidentSeries]) -> None:
    assert bins_of(used(np.full(PER_HOUR, 100.0)), told) is None


def test_a_day_is_told_as_far_as_its_hours_are_and_hours_that_days_share_count_on_both() -> None:
    given = replace(used(np.full(2 * PER_DAY, 100.0)), start=MONDAY + HOUR // 2)
    values = np.r_[np.full(24, 5.0), np.full(6, np.nan), np.full(18, 7.0)]

    found = with_days(profile_of(given), bins(given, hourly(values, start=given.start)), given.end)

    # The last hour of Monday goes on until half past midnight: it counts on Tuesday too. Of Tuesday's 25 hours six are not told.
    assert found.resident.peak.tolist() == [[5, 7, 7]]
    assert found.resident.count.tolist() == [[PER_DAY - 6, int(PER_DAY * 19 / 25), 6]]
    assert resident_peak(found.resident, found.memory_daily).tolist() == [100]


def test_only_what_ended_before_a_moment_is_known_then() -> None:
    given = used(np.full(2 * PER_DAY, 100.0))
    told = bins(given, hourly(np.r_[np.full(24, 5.0), np.full(24, 9.0)]))

    found = with_days(profile_of(given), told, MONDAY + 86400)

    np.testing.assert_array_equal(found.resident.peak, [[5, np.nan]])
    assert with_days(profile_of(given), None, given.end).resident.count.sum() == 0


def test_use_is_no_more_than_was_resident_in_its_hour_and_keeps_its_holes() -> None:
    given = used([10.0] * PER_HOUR + [np.nan] + [3.0] * (PER_HOUR - 1) + [8.0] * PER_HOUR)
    told = bins(given, hourly([5.0, 5.0, np.nan]))

    capped, whole = (use_within(told, given, np.array([judged])) for judged in (True, False))

    np.testing.assert_array_equal(capped, [[5.0] * PER_HOUR + [np.nan] + [3.0] * (PER_HOUR - 1) + [8.0] * PER_HOUR])
    np.testing.assert_array_equal(whole, given.memory_bytes)


def week(resident: Any = 400 * MIB) -> tuple[Samples, ResidentBins]:
    """Return a week of a working set of a GiB, and what of it was resident by the hour."""
    given = used(np.full(7 * PER_DAY, GIB))
    return given, bins(given, hourly(np.broadcast_to(np.asarray(resident, dtype=np.float64), WEEK_HOURS)))


def judged_by_days(profile: UsageProfile) -> Backtest:
    """Return the back-test of a profile's newest days."""
    slots = held_slots(profile)
    past = size(seen(profile, hold_out=slots), current(), Options())
    return backtest(profile, past.cpu, past.memory, slots=slots, by_resident=past.by_resident)


def test_folds_judge_a_request_of_resident_sets_by_resident_sets() -> None:
    given, told = week()

    found, by_working_set = (judge_folds(folded_with_tests(given, known)[1], current(), Options()) for known in (told, None))

    # 400 MiB * 1.0852 + 25.56 MiB, rounded up: as the advice itself, and a seventh or so of it is free.
    assert found.memory_request_bytes[0] / MIB == pytest.approx(460, abs=2)
    assert (found.memory_time_above_request[0], found.expected_oom_kills[0]) == (0, 0)
    assert found.memory_slack[0] == pytest.approx(1 - 400 * MIB / found.memory_request_bytes[0], abs=1e-6)
    assert by_working_set.memory_request_bytes[0] > GIB


def test_time_with_more_resident_than_the_request_counts_in_both_back_tests() -> None:
    resident = np.full(WEEK_HOURS, 400.0 * MIB)
    resident[-12:] = 700 * MIB  # of the last day's second half
    given, told = week(resident)
    profile, folds = folded_with_tests(given, told)

    # Half of the last of three days; of the last two days by UTC the whole last one, since a day knows its peak alone.
    assert judge_folds(folds, current(), Options()).memory_time_above_request[0] == pytest.approx(0.5 / 3)
    assert judged_by_days(profile).memory_time_above_request[0] == pytest.approx(0.5)


def test_a_profile_judges_a_request_of_resident_sets_by_resident_sets() -> None:
    given, told = week()
    profile = folded_with_tests(given, told)[0]

    found, by_working_set = judged_by_days(profile), judged_by_days(profile_of(given))

    assert (found.memory_time_above_request[0], by_working_set.memory_time_above_request[0]) == (0, 0)
    assert found.memory_slack[0] == pytest.approx(1 - 400 * MIB / found.memory_request_bytes[0], abs=1e-6)
    assert found.memory_request_bytes[0] < by_working_set.memory_request_bytes[0] / 2


def test_what_is_resident_in_the_tail_alone_judges_nothing() -> None:
    given, told = week(np.r_[np.full(WEEK_HOURS - 24, np.nan), np.full(24, 400.0 * MIB)])

    found = judge_folds(folded_with_tests(given, told)[1], current(), Options())

    assert found.memory_request_bytes[0] > GIB
    assert found.memory_slack[0] == pytest.approx(1 - GIB / found.memory_request_bytes[0], abs=1e-6)


def test_a_guaranteed_pod_is_judged_by_its_working_set_since_its_request_is_its_limit() -> None:
    given, told = week()
    now = current(cpu_request_cores=1.0, cpu_limit_cores=1.0, memory_request_bytes=2 * GIB, memory_limit_bytes=2 * GIB)

    found = judge_folds(folded_with_tests(given, told)[1], now, Options())

    assert found.memory_slack[0] == pytest.approx(1 - GIB / found.memory_request_bytes[0], abs=1e-6)
