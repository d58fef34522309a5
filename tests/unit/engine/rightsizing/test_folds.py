"""Folds of stored samples: the last three days one by one."""

from __future__ import annotations

import numpy as np
import pytest
from unit.engine.making import MIB, PER_DAY, current, noise, part, prices, profile_of, samples

from upid.engine.rightsizing.assess import assess
from upid.engine.rightsizing.folds import folded_with_tests, judge_folds
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.rule import size
from upid.engine.rightsizing.seen import seen
from upid.engine.usage.evidence import exact_evidence
from upid.engine.usage.samples import Samples
from upid.engine.usage.storage import to_arrays


def week(cpu: np.ndarray | None = None, **given: object) -> Samples:
    usage = noise(7) if cpu is None else cpu
    return samples(usage, usage * 1e9, **given)


def test_a_week_has_three_folds_of_a_day_and_less_has_none() -> None:
    folds = folded_with_tests(week())[1]

    assert [(fold.view.end, fold.tail.start, fold.tail.end - fold.tail.start) for fold in folds] == [
        (folds[0].tail.start + k * 86400, folds[0].tail.start + k * 86400, 86400) for k in range(3)
    ]
    assert folds[-1].tail.end == week().end
    assert folded_with_tests(samples(noise(6.9)))[1] == ()


def test_the_profile_is_that_of_folding_at_once() -> None:
    usage = np.concatenate([noise(8.3, series=3), noise(8.3, series=1, mean=1.0)])
    usage[1, : 6 * PER_DAY] = np.nan  # a pod that starts within the folds
    given = week(usage, row=[0, 0, 1, 2], workload=[0, 1, 1], oom_kills=np.array([0, 1, 0, 2], dtype=np.int32))

    (one, _), (two, _) = to_arrays(folded_with_tests(given)[0]), to_arrays(profile_of(given))

    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(one[name].astype(float), two[name].astype(float), rtol=1e-5, err_msg=name)


def test_a_fold_sees_nothing_of_its_day_nor_of_kills() -> None:
    given = week(oom_kills=np.array([5], dtype=np.int32), oom_limit_bytes=np.array([1e9]))

    views = [fold.view for fold in folded_with_tests(given)[1]]

    assert [int(view.steps.sum()) for view in views] == [4 * PER_DAY, 5 * PER_DAY, 6 * PER_DAY]
    assert all(view.oom_kills.sum() == 0 and np.isnan(view.oom_limit_bytes).all() for view in views)


def test_folds_are_judged_by_the_rule_fitted_before_each() -> None:
    given, options = week(), Options()
    found = judge_folds(folded_with_tests(given)[1], current(), options)

    above, requests = [], []
    for days in (4, 5, 6):
        request = size(seen(profile_of(part(given, 0, days * PER_DAY))), current(), options).cpu.fitted_request[0]
        day = given.cpu_cores[0, days * PER_DAY : (days + 1) * PER_DAY]
        above.append((day > request).mean())
        requests.append(request)
    assert (found.folds[0], found.judged_days[0]) == (3, 3)
    assert found.cpu_time_above_request[0] == pytest.approx(np.mean(above))
    assert found.cpu_request_cores[0] == pytest.approx(np.mean(requests))
    assert found.cpu_slack[0] == pytest.approx(1 - given.cpu_cores[0, 4 * PER_DAY :].mean() / np.mean(requests), rel=1e-5)


def test_a_jump_in_memory_on_the_last_day_is_one_kill() -> None:
    memory = np.full((1, 7 * PER_DAY), 100 * MIB)
    memory[0, 6 * PER_DAY + 5 :: 2] = 900 * MIB
    given = samples(noise(7), memory)
    profile, folds = folded_with_tests(given)

    found = assess(profile, exact_evidence(given), current(memory_limit_bytes=200 * MIB), prices(), Options(), folds=folds).columns

    assert found["backtest_folds"][0] == 3
    assert found["backtest_expected_oom_kills"][0] == 1
    assert found["backtest_memory_time_above_limit"][0] == pytest.approx((PER_DAY - 5 + 1) // 2 / (3 * PER_DAY))


def test_a_row_without_use_in_the_folds_is_not_judged() -> None:
    usage = noise(7, series=2)
    usage[1, 4 * PER_DAY :] = np.nan

    found = judge_folds(folded_with_tests(samples(usage, usage * 1e9))[1], current(2), Options())

    assert found.folds.tolist() == [3, 0]
    assert np.isnan([found.judged_days[1], found.cpu_time_above_request[1], found.expected_oom_kills[1], found.cpu_slack[1]]).all()
