from __future__ import annotations

import numpy as np
import pytest
from unit.engine.making import DAY, MONDAY

from upid.engine.usage.counting import bucket_counts, grid_of, valid_samples
from upid.engine.usage.histogram import (
    BUCKETS,
    EMPTY,
    GROWTH,
    LOWEST,
    REBASE_DAYS,
    add_histogram,
    day_weight,
    decayed,
    empty_histogram,
    exponent_of,
    lifted,
    raise_top,
    rebase,
    shift_days,
)


def test_a_value_falls_in_the_bucket_of_its_power_of_growth() -> None:
    # ln(1)/ln(1.03) = 0; 1.02 is in [1, 1.03); 1.04 in [1.03, 1.0609); 0.99 in [1/1.03, 1).
    assert exponent_of(np.array([1.0, 1.02, 1.04, 0.99])).tolist() == [0, 0, 1, -1]


def test_nothing_and_zero_have_buckets_of_their_own() -> None:
    assert exponent_of(np.array([np.nan, 0.0, 1e-12])).tolist() == [EMPTY, LOWEST, LOWEST]


def test_counting_puts_each_sample_on_its_day_and_in_its_bucket() -> None:
    grid = grid_of(MONDAY + DAY - 300, 300, 3)  # one step on Monday, two on Tuesday
    values = np.array([[1.0, 2.0, np.nan]], dtype=np.float32)
    base = exponent_of(np.array([2.0])) - (BUCKETS - 1)

    counts = bucket_counts(values, np.array([0]), base.astype(np.int32), grid, 1)

    down = int(np.log(2.0) / np.log(GROWTH))  # 1.0 lies 23 buckets below 2.0
    assert counts.shape == (1, 2, BUCKETS)
    assert counts[0, 0, BUCKETS - 1 - down] == 1
    assert counts[0, 1, BUCKETS - 1] == 1
    assert counts.sum() == 2


def test_the_lowest_bucket_takes_all_below_it() -> None:
    values = np.array([[1000.0, 1e-6, 0.0]], dtype=np.float32)

    counts = bucket_counts(values, np.array([0]), exponent_of(np.array([1000.0])) - (BUCKETS - 1), grid_of(MONDAY, 300, 3), 1)

    assert counts[0, 0, 0] == 2


@pytest.mark.parametrize("bad", [np.inf, -0.5, -np.inf])
def test_what_cannot_be_a_sample_is_none(bad: float) -> None:
    found = valid_samples(np.array([[0.5, bad]], dtype=np.float32))

    np.testing.assert_array_equal(found, [[0.5, np.nan]])


def test_good_samples_are_not_copied() -> None:
    values = np.array([[0.5, np.nan]], dtype=np.float32)

    assert valid_samples(values) is values


def test_a_higher_top_moves_counts_down_and_loses_none() -> None:
    counts = np.arange(2 * BUCKETS).reshape(2, BUCKETS)

    moved = lifted(counts, np.array([3, 1000]))

    assert moved[0, 0] == 0 + 1 + 2 + 3
    assert moved[0, 1:-3].tolist() == counts[0, 4:].tolist()
    assert moved[1].tolist() == [counts[1].sum()] + [0] * (BUCKETS - 1)


def test_raising_tops_step_by_step_equals_raising_at_once() -> None:
    generator = np.random.default_rng(1)
    one, two = empty_histogram(1), empty_histogram(1)
    for histogram in (one, two):
        histogram.top[:] = 10
        histogram.older[:] = 1.0
    two.days[:] = one.days[:] = generator.integers(0, 9, one.days.shape)

    for top in (12, 40, 300):
        raise_top(one, np.array([0]), np.array([top], dtype=np.int32))
    raise_top(two, np.array([0]), np.array([300], dtype=np.int32))

    assert one.top.tolist() == two.top.tolist() == [300]
    np.testing.assert_array_equal(one.days, two.days)
    np.testing.assert_array_equal(one.older, two.older)


def test_a_day_that_loses_its_slot_joins_the_older_part_with_its_weight() -> None:
    histogram = empty_histogram(1)
    histogram.top[:] = 0
    histogram.days[0, :, 7] = [1, 2, 4]  # days 100, 99 and 98

    shift_days(histogram, 2, newest_day=100, reference_day=98)

    assert histogram.days[0, :, 7].tolist() == [0, 0, 1]
    # Day 98 weighs 2**0 = 1, day 99 2**1.
    assert histogram.older[0, 7] == pytest.approx(4 + 2 * 2)


def test_a_long_pause_empties_all_slots() -> None:
    histogram = empty_histogram(1)
    histogram.top[:] = 0
    histogram.days[0, :, 0] = [1, 1, 1]

    shift_days(histogram, 50, newest_day=10, reference_day=0)

    assert histogram.days.sum() == 0
    assert histogram.older[0, 0] == pytest.approx(sum(2**day for day in (8, 9, 10)))


def test_rebasing_is_exact() -> None:
    histogram = empty_histogram(1)
    histogram.older[0, 5] = 1 / 3

    rebase(histogram, REBASE_DAYS)

    assert histogram.older[0, 5] == (1 / 3) * 2.0**-REBASE_DAYS
    assert day_weight(3 + REBASE_DAYS, REBASE_DAYS) == day_weight(3, 0)


def test_decay_halves_a_sample_every_day() -> None:
    histogram = empty_histogram(1)
    histogram.days[0, 0, 1], histogram.days[0, 1, 2] = 1, 1
    histogram.older[0, 3] = 1.0  # of the reference day, which is 2 days back

    weights = decayed(histogram, newest_day=102, reference_day=100)

    assert weights[0, 1:4].tolist() == [1.0, 0.5, 0.25]


def test_adding_histograms_of_different_tops_loses_nothing() -> None:
    one, two = empty_histogram(2), empty_histogram(1)
    one.top[:], two.top[:] = [5, EMPTY], [9]
    one.days[0, 0, -1], two.days[0, 0, -1] = 3, 2

    add_histogram(one, np.array([0]), two)

    assert one.top.tolist() == [9, EMPTY]
    assert one.days[0, 0, -1] == 2
    assert one.days[0, 0, -5] == 3
