import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upid.engine.capacity.headroom import headroom

USE = np.array([[2.0, 4.0, np.nan, 6.0, 8.0]])


def test_headroom_by_hand() -> None:
    # Mean 5, median 5, peak 8 of 10; the target is 8: 3 free at the median, which can grow by 8 / 5 - 1.
    found = headroom(USE, np.array([10.0]), probability=0.5, target=0.8)

    figures = [found.of_mean, found.of_quantile, found.of_peak, found.to_target, found.growth_left, found.time_above_target]
    assert [float(each[0]) for each in figures] == pytest.approx([5, 5, 2, 3, 0.6, 0.0])


def test_what_is_over_counts_below_zero() -> None:
    found = headroom(USE, np.array([5.0]), probability=1.0)

    assert (found.of_peak[0], found.time_above_capacity[0], found.time_above_target[0]) == (-3.0, 0.5, 0.5)


@given(st.floats(1e-90, 1e90), st.floats(0, 1), st.floats(0.01, 1))
def test_shares_do_not_depend_on_the_unit(scale: float, probability: float, target: float) -> None:
    plain, scaled = (headroom(USE * each, np.array([10.0 * each]), probability=probability, target=target) for each in (1.0, scale))

    assert scaled.growth_left[0] == pytest.approx(plain.growth_left[0], rel=1e-9)
    assert scaled.of_quantile[0] == pytest.approx(plain.of_quantile[0] * scale, rel=1e-9)


def test_it_agrees_with_numpy() -> None:
    values = np.random.default_rng(1).gamma(2, 1, (3, 200))

    found = headroom(values, np.full(3, 9.0), probability=0.95)

    np.testing.assert_allclose(found.of_quantile, 9 - np.quantile(values, 0.95, axis=1), rtol=1e-12)


def test_no_use_can_grow_without_end_and_no_value_tells_nothing() -> None:
    found = headroom(np.array([[0.0, 0.0], [np.nan, np.nan]]), np.ones(2))

    assert np.isinf(found.growth_left[0])
    assert np.isnan([found.growth_left[1], found.of_mean[1], found.of_peak[1], found.time_above_target[1]]).all()


def test_impossible_capacities_are_refused() -> None:
    for capacity, probability, target in ((0.0, 0.5, 0.8), (np.nan, 0.5, 0.8), (1.0, 1.5, 0.8), (1.0, 0.5, 0.0)):
        with pytest.raises(ValueError, match=r"capacity|must be"):
            headroom(USE, np.array([capacity]), probability=probability, target=target)
