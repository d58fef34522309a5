"""The published formulas on series small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from upid.engine.rightsizing.published import attune, castai, crane, krr, kruize, kubecost, vpa
from upid.engine.rightsizing.published.rules import CPU_RULES, MEMORY_RULES
from upid.engine.rightsizing.published.window import Window, nearest_rank, weighted_bucket

MIB = 2.0**20
DAY = 86400


def window(*rows: list[float], step: int = 300, start: int = 0) -> Window:
    return Window(np.array(rows, dtype=np.float64), start, step)


def test_krr_takes_the_95th_percentile_and_the_largest_memory_and_15_percent() -> None:
    values = window([i / 100 for i in range(101)])  # ranks 0 to 100: the 95th percentile is 0.95

    assert krr.cpu(values)[0] == pytest.approx(0.95)
    assert krr.memory(window([1000 * MIB] * 100))[0] == pytest.approx(1150 * MIB)
    assert krr.memory(window([1 * MIB] * 100))[0] == 100 * MIB
    assert krr.cpu(window([0.0001] * 100))[0] == 0.010


def test_krr_says_nothing_below_100_points() -> None:
    assert np.isnan(krr.cpu(window([0.5] * 99 + [np.nan])))[0]


def test_vpa_takes_the_end_of_the_bucket() -> None:
    # The first bucket ends at 0.01, the second at 0.01 + 0.0105 = 0.0205: 0.015 lies in it, and 0.0205 * 1.15 is below 25m.
    assert vpa.bucket_of(np.array([0.0, 0.0099, 0.015, np.nan]), 0.01, 1000.0).tolist() == [0, 0, 1, -1]
    assert vpa.bucket_end(np.array([0, 1, 2, -1]), 0.01)[:3].tolist() == pytest.approx([0.01, 0.0205, 0.031525])
    assert vpa.cpu(window([0.015] * 50))[0] == 0.025
    assert vpa.cpu(window([0.03] * 50))[0] == pytest.approx(0.031525 * 1.15)


def test_vpa_halves_a_sample_per_day() -> None:
    # Four days of one sample each weigh 1, 2, 4 and 8: 0.9 of 15 is reached by the newest alone when it is the largest.
    rising, falling = window([0.1, 0.2, 0.3, 0.4], step=DAY), window([0.4, 0.3, 0.2, 0.1], step=DAY)

    assert vpa.cpu_percentile(rising, 0.9)[0] == vpa.bucket_end(vpa.bucket_of(np.array([0.4]), 0.01, 1000.0), 0.01)[0]
    # From below: 8 at 0.1, 12 at 0.2, 14 at 0.3, which passes 13.5.
    assert vpa.cpu_percentile(falling, 0.9)[0] == vpa.bucket_end(vpa.bucket_of(np.array([0.3]), 0.01, 1000.0), 0.01)[0]


def test_vpa_days_of_memory_begin_with_the_first_sample() -> None:
    half = DAY // 2

    peaks = vpa.daily_peaks(window([np.nan, 5.0, 7.0, 6.0, 2.0], step=half))

    assert peaks.tolist() == [[7.0, 6.0]]


def test_vpa_bounds_widen_with_little_data() -> None:
    week = window([0.3] * (7 * 288))
    lower, upper = vpa.cpu_bounds(week)

    target = vpa.cpu(week)[0]
    days = (7 * 288 - 1) / 288
    assert (upper / target)[0] == pytest.approx(1 + 1 / days)
    assert (lower / target)[0] == pytest.approx((1 + 0.001 / days) ** -2)


def test_attune_takes_the_highest_hour_and_little_data_costs_up_to_twice() -> None:
    # Two hours of twelve samples: all of one are 0.1, all of the other 0.3. Span 23 steps of 300 s; c = 0.0799 / 7.
    short = window(*[[0.1] * 24 + [0.3] * 24])
    span = 47 * 300 / DAY

    assert attune.base(short, 0.95)[0] == pytest.approx(0.3)
    assert attune.cpu(short)[0] == pytest.approx(0.3 * 1.2 * (1 + (1 - span / 7) ** 2))
    assert np.isnan(attune.cpu(window([0.1] * 47)))[0]


def test_attune_adds_for_bursts_above_three_times_the_95th_percentile() -> None:
    bursts = window([0.1] * 99 + [0.8])  # the 95th percentile is 0.1, the largest eight times that: 1 + 0.1 * 3

    assert attune.burst_factor(bursts)[0] == pytest.approx(1.3)
    assert attune.burst_factor(window([0.1] * 100))[0] == 1


def test_attune_bounds_hold() -> None:
    assert attune.cpu(window([9.0] * 100))[0] == 4.0
    assert attune.memory(window([1.0] * 100))[0] == 4 * MIB


def test_kruize_takes_the_largest_of_each_quarter_of_an_hour() -> None:
    # Five intervals with the largest 1 to 5: rank ceil(0.6 * 5) = 3, rank ceil(0.98 * 5) = 5.
    values = window([0.5, 1, 0.5, 2, 0, 0, 3, 1, 1, 4, 1, 1, 5, 1, 1])

    assert kruize.cpu_cost(values)[0] == 3
    assert kruize.cpu_performance(values)[0] == 5
    assert kruize.cpu_cost(window([0.1, 0.9, 0.2]))[0] == 0.9  # below one core: the largest


def test_kruize_adds_the_spike_where_that_is_less() -> None:
    assert kruize.memory(window([100.0, 110.0, 100.0]))[0] == pytest.approx(110 + 10 * 1.05)
    assert kruize.memory(window([10.0, 110.0, 100.0]))[0] == pytest.approx(132)


def test_crane_takes_the_end_of_a_linear_bucket() -> None:
    assert crane.cpu(window([0.05] * 10))[0] == pytest.approx(0.1 * 1.15)
    assert crane.memory(window([150 * MIB] * 10))[0] == pytest.approx(200 * MIB * 1.15)


def test_kubecost_and_castai_by_hand() -> None:
    values = window([0.1, 0.2, 0.3, 0.4, 0.7, np.nan])

    assert kubecost.cpu(values)[0] == pytest.approx(1.0)
    assert kubecost.memory(window([1.0]))[0] == 20 * MIB
    assert castai.cpu(values)[0] == pytest.approx(0.4 + 0.3 * 0.2)  # rank 0.8 * 4 = 3.2
    assert castai.memory(values)[0] == pytest.approx(0.77)


@pytest.mark.parametrize("rule", [*CPU_RULES.values(), *MEMORY_RULES.values()])
def test_no_sample_is_no_request(rule: object) -> None:
    assert callable(rule)
    found = rule(window([np.nan] * 400, [0.5] * 400))

    assert np.isnan(found[0])
    assert found[1] > 0


def test_ranks_and_weights_do_not_jump_for_a_rounding_error() -> None:
    assert nearest_rank(np.array([[1.0, 2, 3, 4, 5]]), 0.6)[0] == 3
    assert weighted_bucket(np.array([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]), np.full(10, 0.1), 0.9)[0] == 8
