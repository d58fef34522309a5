from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.engine.making import noise, profile_of, samples

from upid.engine.statistics.density import SIGMA, WIDE_SHARE, WIDE_SIGMA, order_statistics, share_above, smoothed_quantiles
from upid.engine.usage.histogram import BUCKETS, EMPTY, LOG_GROWTH

TOP = np.array([100], dtype=np.int32)


def at(*buckets: int) -> np.ndarray:  # type: ignore[type-arg]  # a row of weights
    """Return the weights of a row with one sample in each of these buckets below the highest."""
    weights = np.zeros((1, BUCKETS))
    for bucket in buckets:
        weights[0, BUCKETS - 1 - bucket] += 1
    return weights


def share_by_hand(weights: np.ndarray, value: float) -> float:  # type: ignore[type-arg]  # a row of weights
    """Return the share above a value by the sum of every kernel's tail, from the definition."""
    middles = (TOP[0] - (BUCKETS - 1) + np.arange(BUCKETS) + 0.5) * LOG_GROWTH
    both = ((1 - WIDE_SHARE, SIGMA), (WIDE_SHARE, WIDE_SIGMA))
    tails = [sum(part * 0.5 * math.erfc((math.log(value) - m) / (sigma * math.sqrt(2))) for part, sigma in both) for m in middles]
    return float(weights[0] @ tails / weights.sum())


def test_half_of_one_sample_lies_above_its_buckets_middle() -> None:
    found = smoothed_quantiles(at(0), TOP, allowed_time_above=(0.5,))

    # A kernel of a bucket's width is steep between two edges: where it is cut is known to a fifth of a bucket.
    assert found[0, 0] == pytest.approx(math.exp(100.5 * LOG_GROWTH), rel=5e-3)


@given(st.lists(st.integers(0, 120), min_size=1, max_size=30), st.sampled_from([0.5, 0.1, 0.05, 0.02, 0.01, 0.001, 1e-4, 1e-6]))
@settings(max_examples=80, deadline=None)
def test_the_share_above_the_quantile_is_the_share_asked_for(buckets: list[int], allowed: float) -> None:
    weights = at(*buckets)

    found = smoothed_quantiles(weights, TOP, allowed_time_above=(allowed,))[0, 0]

    # Within a third of a bucket, 1 %, of where the definition has exactly that share; where no sample lies near, it is flat but for rounding.
    assert share_by_hand(weights, found * 1.01) <= allowed * (1 + 1e-6)
    assert share_by_hand(weights, found * 0.99) >= allowed * (1 - 1e-6)


@given(st.lists(st.integers(5, 120), min_size=1, max_size=30), st.integers(0, 29), st.sampled_from([0.1, 0.01, 0.001]))
@settings(max_examples=60, deadline=None)
def test_a_higher_sample_never_lowers_the_quantile(buckets: list[int], which: int, allowed: float) -> None:
    higher = buckets.copy()
    higher[which % len(buckets)] -= 5

    one, two = (smoothed_quantiles(at(*b), TOP, allowed_time_above=(allowed,))[0, 0] for b in (buckets, higher))

    assert two >= one * (1 - 1e-6)


def test_999_of_1000_is_not_all() -> None:
    # 1,998 samples 60 buckets down and 2 at the top: 0.1 % of the time is above, so 99.9 % is right below the top and 99 % far from it.
    weights = at(0, 0) + 1998 * at(60)

    low, high = smoothed_quantiles(weights, TOP, allowed_time_above=(0.01, 0.0005))[0]

    bottom, top = math.exp(40.5 * LOG_GROWTH), math.exp(100.5 * LOG_GROWTH)
    assert low < bottom * 1.25
    assert high == pytest.approx(top, rel=0.01)


def test_a_row_without_weight_has_no_quantile() -> None:
    none = np.array([EMPTY], dtype=np.int32)

    assert np.isnan(smoothed_quantiles(np.zeros((1, BUCKETS)), TOP, allowed_time_above=(0.1,))).all()
    assert np.isnan(smoothed_quantiles(np.zeros((1, BUCKETS)), none, allowed_time_above=(0.1,))).all()
    assert np.isnan(order_statistics(np.zeros((1, BUCKETS)), none, (0.5,))).all()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 99.9])
def test_a_share_outside_of_0_and_1_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="allowed_time_above"):
        smoothed_quantiles(at(0), TOP, allowed_time_above=(share,))


def test_share_above_by_hand() -> None:
    weights = at(0, 10, 10, 20)
    upper_edge, middle_of_10 = math.exp(101 * LOG_GROWTH), math.exp((100.5 - 10) * LOG_GROWTH)

    assert share_above(weights, TOP, np.array([upper_edge * 1.001]))[0] == 0
    assert share_above(weights, TOP, np.array([middle_of_10]))[0] == pytest.approx((1 + 2 / 2) / 4)
    assert share_above(weights, TOP, np.array([1e-30]))[0] == 1
    assert share_above(weights, TOP, np.array([0.0]))[0] == 1


def test_share_above_a_value_that_is_no_number_is_no_number() -> None:
    assert np.isnan(share_above(at(0), TOP, np.array([np.nan])))[0]
    assert np.isnan(share_above(np.zeros((1, BUCKETS)), TOP, np.array([1.0])))[0]


def test_share_above_matches_the_samples() -> None:
    usage = noise(1, series=5)
    profile = profile_of(samples(usage))

    found = share_above(profile.cpu.days[:, 0].astype(float), profile.cpu.top, np.full(5, 0.3))

    np.testing.assert_allclose(found, (usage > 0.3).mean(axis=1), atol=0.02)
