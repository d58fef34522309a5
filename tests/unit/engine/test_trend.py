from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from upid.engine.statistics.effective import effective_samples
from upid.engine.statistics.trend import trend

VALUES = st.one_of(st.just(np.nan), st.floats(0, 1e6, width=32))


def test_a_straight_line_by_hand() -> None:
    # 1 .. 7: S = 21 of 21 pairs, variance 7 * 6 * 19 / 18 = 44.33, z = 20 / 6.658 = 3.004; slope 1; level at the end 7.
    found = trend(np.arange(1.0, 8.0)[None, :])

    assert found.slope[0] == 1
    assert found.z[0] == pytest.approx(20 / math.sqrt(7 * 6 * 19 / 18))
    assert found.level[0] == 7
    assert found.weight()[0] == 1
    assert found.growth(3.5)[0] == 0.5


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(5, 9)), elements=VALUES))
@settings(max_examples=60, deadline=None)
def test_slope_and_score_match_the_definition_pair_by_pair(values: np.ndarray) -> None:  # type: ignore[type-arg]  # any array
    found = trend(values)

    for row, line in enumerate(values):
        known = [(i, v) for i, v in enumerate(line) if not math.isnan(v)]
        if len(known) < 5:
            assert (found.slope[row], found.z[row]) == (0, 0)
            continue
        pairs = [(b - a, j - i) for (i, a), (j, b) in itertools.combinations(known, 2)]
        score = sum(np.sign(change) for change, _ in pairs)
        n = len(known)
        assert found.slope[row] == pytest.approx(np.median([change / width for change, width in pairs]), rel=1e-12, abs=1e-12)
        assert found.z[row] == pytest.approx((score - np.sign(score)) / math.sqrt(n * (n - 1) * (2 * n + 5) / 18))


def test_a_falling_or_flat_series_does_not_grow() -> None:
    values = np.array([np.arange(9.0, 2.0, -1), np.full(7, 3.0)])

    assert trend(values).growth(7).tolist() == [0, 0]


def test_growth_ends_at_doubling() -> None:
    assert trend(np.arange(1.0, 8.0)[None, :]).growth(1000)[0] == 1


def test_one_outlier_does_not_make_a_trend() -> None:
    assert trend(np.array([[1, 1.01, 0.99, 50, 1.0, 1.01, 0.99]])).growth(7)[0] == 0


def test_significance_rises_from_none_to_all_without_a_step() -> None:
    # Five rising points: z = 9 / sqrt(16.67) = 2.204, between 1.96 and 2.58.
    assert trend(np.arange(5.0)[None, :]).weight()[0] == pytest.approx((9 / math.sqrt(50 / 3) - 1.96) / 0.62)


def test_too_few_columns_have_no_trend() -> None:
    found = trend(np.ones((2, 3)))

    assert found.slope.tolist() == [0, 0]
    assert np.isnan(found.level).all()


def test_batch_means_by_hand() -> None:
    # Days of 2 samples: (1, 3), (1, 3), (4, 6): means 2, 2, 5; mean 3; variance of samples (4+0+4+0+1+9)/6 = 3; of means (1+1+4)/2 = 3.
    # tau = 2 * 3 / 3 = 2, so six samples are worth three.
    count, total, squares = np.array([[2, 2, 2]]), np.array([[4.0, 4.0, 10.0]]), np.array([[10.0, 10.0, 52.0]])

    assert effective_samples(count, total, squares, np.array([6]), hours=np.array([6.0]))[0] == pytest.approx(3)


def test_with_fewer_than_three_days_an_hour_is_one_sample() -> None:
    count, total, squares = np.array([[288]]), np.array([[28.8]]), np.array([[2.9]])

    assert effective_samples(count, total, squares, np.array([288]), hours=np.array([24.0]))[0] == 24


def test_no_samples_are_worth_none() -> None:
    none = np.zeros((1, 4))

    assert effective_samples(none.astype(int), none, none, np.array([0]), hours=np.array([0.0]))[0] == 0
