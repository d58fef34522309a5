"""Judging, cycles and similarity on figures made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from upid.engine.classification.cycles import cycles
from upid.engine.classification.judging import above, below, both
from upid.engine.classification.similarity import distances, groups, neighbours, normalised
from upid.engine.classification.thresholds import Thresholds

NO_WEEK = np.full((1, 168), np.nan)
NO_DAYS = np.full((1, 7), np.nan)


def test_a_class_of_two_conditions_is_ruled_out_by_one_that_is_known() -> None:
    first, second = above(np.array([0.9, 0.9, 0.1, np.nan]), 0.7), below(np.array([0.1, np.nan, np.nan, np.nan]), 0.5)
    judged = both(first, second)
    assert judged.holds.tolist() == [True, False, False, False]
    assert judged.known.tolist() == [True, False, True, False]


def test_clarity_is_half_at_the_bound_and_whole_far_from_it() -> None:
    assert above(np.array([0.5, 0.625, 0.75, 5.0]), 0.5).clarity == pytest.approx([0.5, 0.75, 1.0, 1.0])


def test_thresholds_do_not_contradict_each_other() -> None:
    with pytest.raises(ValueError, match="lower bound"):
        Thresholds(steady_below=0.6)


def test_a_perfect_day_is_a_daily_cycle_and_noise_is_none() -> None:
    day = np.sin(np.arange(24) / 24 * 2 * np.pi) + 2
    noise = np.random.default_rng(2).normal(5, 1, 168)
    found = cycles(np.array([np.tile(day, 7), noise, np.ones(168)]), np.full((3, 168), np.nan), np.full((3, 7), np.nan))
    assert found.daily[0] == pytest.approx(1.0)
    assert found.daily[1] < 0.2
    assert found.daily[2] == 0.0
    assert np.isnan(found.weekly).all()


def test_the_same_week_twice_is_a_weekly_cycle() -> None:
    week = np.repeat([1.0, 1, 1, 1, 1, 5, 5], 24) + np.random.default_rng(4).normal(0, 0.1, 168)
    assert cycles(week[None, :], week[None, :], NO_DAYS).weekly[0] == pytest.approx(1.0)


def test_a_peak_at_every_month_end_is_a_monthly_cycle() -> None:
    days = np.where(np.arange(93) % 30 == 29, 10.0, 1.0)
    assert cycles(NO_WEEK, NO_WEEK, days[None, :]).monthly[0] > 0.9
    assert np.isnan(cycles(NO_WEEK, NO_WEEK, days[None, :40]).monthly[0])


def test_two_days_are_too_little_for_a_cycle() -> None:
    hours = np.full(168, np.nan)
    hours[:48] = 1.0
    assert np.isnan(cycles(hours[None, :], NO_WEEK, NO_DAYS).strongest[0])


def test_features_are_in_units_of_their_robust_deviation() -> None:
    made = normalised(np.array([[0.0, 7.0], [1.0, 7.0], [2.0, 7.0], [3.0, np.nan], [4.0, 7.0]]))
    assert made.centre == pytest.approx([2.0, 7.0])
    assert made.spread == pytest.approx([2.0 / 1.3489795003921634, 1.0])


def test_distance_is_over_the_features_that_both_have() -> None:
    found = distances(np.array([[0.0, 0.0], [3.0, 4.0], [3.0, np.nan], [np.nan, np.nan]]))
    assert found[0, 1] == pytest.approx(np.sqrt(12.5))
    assert (found[0, 2], found[1, 2]) == (3.0, 0.0)
    assert np.isnan(found[0, 3])
    assert (found[~np.isnan(found)] == found.T[~np.isnan(found)]).all()


def test_groups_are_chains_of_near_ones() -> None:
    apart = distances(np.array([[0.0], [1.0], [2.0], [9.0], [np.nan]]))
    assert groups(apart, 1.0).tolist() == [0, 0, 0, 1, 2]
    assert neighbours(apart, 1)[:4, 0].tolist() == [1, 0, 1, 2]


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="At most 2000"):
        distances(np.zeros((2001, 1)))
