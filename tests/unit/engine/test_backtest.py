from __future__ import annotations

import numpy as np
import pytest
from unit.engine.making import DAY, GIB, MIB, MONDAY, PER_DAY, assessed, current, noise, part, profile_of, samples

from upid.engine.cost.savings import monthly_cost, reserved
from upid.engine.rightsizing.confidence import confidence, margin, volume
from upid.engine.rightsizing.seen import held_slots, seen
from upid.engine.risk.score import WEIGHTS, RiskFactors, risk_level, risk_score


def test_the_tail_is_two_days_or_two_and_a_morning() -> None:
    whole, evening, morning = (profile_of(samples(noise(days))) for days in (7, 6.6, 6.2))

    assert [held_slots(p) for p in (whole, evening, morning)] == [2, 2, 3]


def test_the_fit_sees_what_a_profile_without_the_tail_saw() -> None:
    given_samples = samples(noise(7), noise(7, mean=2e8))

    held, short = seen(profile_of(given_samples), hold_out=2), seen(profile_of(part(given_samples, 0, 5 * PER_DAY)))

    ratio = held.cpu.weights.sum() / short.cpu.weights.sum()
    np.testing.assert_allclose(held.cpu.weights.sum(axis=1), short.cpu.weights.sum(axis=1) * ratio)
    np.testing.assert_array_equal(held.memory_daily.peak, short.memory_daily.peak)
    np.testing.assert_array_equal(held.steps, short.steps)
    assert (held.end, held.last_seen[0]) == (short.end, short.last_seen[0])
    assert np.isnan(held.cpu_hourly.mean[0, 5 * 24 :]).all()
    np.testing.assert_array_equal(held.cpu_hourly.mean[0, : 5 * 24], short.cpu_hourly.mean[0, : 5 * 24])


def test_a_jump_on_the_last_two_days_shows_in_the_back_test() -> None:
    usage, memory = np.full(7 * PER_DAY, 0.1), np.full(7 * PER_DAY, 100 * MIB)
    usage[5 * PER_DAY :], memory[5 * PER_DAY :] = 0.5, 400 * MIB

    found = assessed(samples(usage, memory))

    assert found["backtest_folds"][0] == 1
    assert found["backtest_judged_days"][0] == 2
    assert found["backtest_cpu_time_above_request"][0] == 1
    assert found["backtest_memory_time_above_limit"][0] == 1
    assert found["backtest_expected_oom_kills"][0] == 2
    assert found["risk_score"][0] > 60


def test_steady_use_passes_the_back_test() -> None:
    found = assessed(samples(np.full(7 * PER_DAY, 0.1), np.full(7 * PER_DAY, 100 * MIB)))

    assert found["backtest_cpu_time_above_request"][0] == 0
    assert found["backtest_memory_time_above_request"][0] == 0
    assert found["backtest_expected_oom_kills"][0] == 0
    # Fitted on five days: 0.1221 * 1.004, so 0.123 to 0.124; slack 1 - 0.1 / 0.124 = 0.19. Memory 1.699 * (1 + 0.004 / 0.2) * 20 MiB more: 135 MiB.
    assert found["backtest_cpu_slack"][0] == pytest.approx(0.19, abs=0.015)
    assert found["backtest_memory_slack"][0] == pytest.approx(1 - 100 / 135, abs=0.001)
    assert found["backtest_savings_usd_per_month"][0] == pytest.approx(((1 - 0.124) * 0.03 + (1 - 135 / 1024) * 0.004) * 730 * 2, rel=0.005)


def test_without_enough_history_nothing_is_judged() -> None:
    found = assessed(samples(noise(2)))

    assert found["backtest_folds"][0] == 0
    assert np.isnan(found["backtest_cpu_time_above_request"][0])
    assert np.isnan(found["backtest_judged_days"][0])


def test_a_cpu_limit_that_is_asked_for_is_judged_too() -> None:
    usage = np.full(7 * PER_DAY, 0.1)
    usage[5 * PER_DAY :: 2] = 5.0

    found = assessed(samples(usage), current(cpu_limit_cores=1.0, memory_limit_bytes=GIB))  # Guaranteed, so it keeps a limit

    assert found["backtest_throttled_share"][0] == pytest.approx(0.5)


def test_volume_by_hand() -> None:
    # 1 - 2 ** (-days / 1.5): one day 0.37, three days 0.75; four days without a sample halve it.
    day, three = (volume(seen(profile_of(samples(np.full(d * PER_DAY, 0.1)))))[0] for d in (1, 3))
    old = volume(seen(profile_of(samples(np.append(np.full(3 * PER_DAY, 0.1), np.full(4 * PER_DAY, np.nan))))))[0]

    assert (day, three, old) == pytest.approx((0.370, 0.75, 0.375), abs=0.001)
    assert margin(seen(profile_of(samples(np.full(3 * PER_DAY, 0.1)))))[0] == pytest.approx(0.4 * 0.25**2)


def test_confidence_grows_with_time_and_falls_with_erratic_days() -> None:
    erratic = noise(7) * np.repeat([1, 20, 1, 1, 30, 1, 1], PER_DAY)
    views = [seen(profile_of(samples(usage))) for usage in (noise(7), noise(2), erratic)]

    week, short, wild = (confidence(view, np.array([500.0])) for view in views)

    assert short.score[0] < wild.score[0] < week.score[0] <= 1
    assert week.week[0] == 1
    assert short.week[0] == pytest.approx(48 / 168)


def test_nothing_seen_is_no_confidence() -> None:
    view = seen(profile_of(samples(np.full(20, np.nan))))

    assert confidence(view, np.array([0.0])).score[0] == 0


def test_risk_by_hand() -> None:
    none = dict.fromkeys(RiskFactors.__dataclass_fields__, np.zeros(1))

    assert risk_score(RiskFactors(**none))[0] == 0
    # All of the memory taken away and full uncertainty: 1 - (1 - 0.3) * (1 - 0.35) = 0.545.
    both = none | {"memory_cut": np.ones(1), "uncertainty": np.ones(1)}
    assert risk_score(RiskFactors(**both))[0] == pytest.approx(54.5)
    assert len(WEIGHTS) == len(none)


def test_an_unknown_risk_counts_in_full() -> None:
    none = dict.fromkeys(RiskFactors.__dataclass_fields__, np.zeros(1))

    unknown = risk_score(RiskFactors(**(none | {"killed": np.array([np.nan])})))

    assert unknown[0] == risk_score(RiskFactors(**(none | {"killed": np.ones(1)})))[0]


@pytest.mark.parametrize(("score", "level"), [(0, "low"), (24.9, "low"), (25, "medium"), (50, "high"), (75, "critical"), (100, "critical")])
def test_levels_of_risk(score: float, level: str) -> None:
    assert risk_level(score) == level


def test_no_score_has_no_level() -> None:
    with pytest.raises(ValueError, match="no risk score"):
        risk_level(float("nan"))


def test_cost_by_hand() -> None:
    # Half a core at 0.04 and 2 GiB at 0.005 are 0.03 USD an hour, 21.90 a month, times three.
    cost = monthly_cost(
        np.array([0.5]),
        np.array([2 * GIB]),
        cpu_usd_per_core_hour=np.array([0.04]),
        memory_usd_per_gib_hour=np.array([0.005]),
        replicas=np.array([3.0]),
    )

    assert cost[0] == pytest.approx(65.7)


def test_a_limit_alone_reserves_as_much() -> None:
    assert reserved(np.array([np.nan, 1.0, np.nan]), np.array([2.0, 2.0, np.nan])).tolist() == [2, 1, 0]


def test_days_are_utc_days() -> None:
    assert MONDAY % DAY == 0
