from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upid.engine.cost.waste import efficiency, waste

USE = np.array([[1.0, 3.0, np.nan, 5.0]])


def one(value: float) -> np.ndarray:
    return np.array([value])


def test_waste_by_hand() -> None:
    # Of 4: idle 3, 1, 0, over 1. Mean idle 4/3, 730 h at 0.3 USD; 4 - 3 * 1.1 = 0.7 can go.
    found = waste(USE, one(4.0), one(3.0), one(0.3), margin=0.1)

    assert (found.mean_idle[0], found.share[0], found.over[0], found.time_over[0]) == pytest.approx((4 / 3, 1 / 3, 1 / 3, 1 / 3))
    assert (found.reducible[0], found.usd_per_month[0], found.reducible_usd_per_month[0]) == pytest.approx((0.7, 292, 153.3))


@given(st.lists(st.floats(0, 1e90), min_size=1, max_size=30), st.floats(1e-80, 1e90))
def test_idle_less_over_is_what_is_reserved_less_used(values: list[float], reserved: float) -> None:
    found = waste(np.array([values]), one(reserved), one(0.0), one(1.0))

    exact = Fraction(reserved) - sum(map(Fraction, values)) / len(values)
    assert abs(Fraction(float(found.mean_idle[0])) - Fraction(float(found.over[0])) - exact) <= Fraction(max(*values, reserved)) / 10**9


def test_nothing_reserved_has_no_share_and_no_use_known_no_waste() -> None:
    found = waste(np.array([[1.0], [np.nan]]), np.array([0.0, 1.0]), np.array([1.0, np.nan]), np.ones(2))

    assert np.isnan(found.share).all()
    assert (found.mean_idle[0], found.reducible[0]) == (0.0, 0.0)
    assert np.isnan([found.mean_idle[1], found.reducible[1], found.usd_per_month[1]]).all()


def test_efficiency_by_hand() -> None:
    # CPU 1 of 2 at 3 USD, memory 4 of 4 at 0.5 USD: 100 * (0.5 * 6 + 1 * 2) / 8.
    found = efficiency(np.array([[1.0, 4.0]]), np.array([[2.0, 4.0]]), np.array([3.0, 0.5]))

    assert found.score[0] == pytest.approx(62.5)
    assert found.weight[0].tolist() == pytest.approx([0.75, 0.25])


def test_an_overloaded_resource_does_not_make_up_for_an_idle_one() -> None:
    found = efficiency(np.array([[10.0, 0.0]]), np.array([[1.0, 1.0]]), np.ones(2))

    assert (found.score[0], found.utilization[0, 0]) == (50.0, 10.0)


def test_what_is_not_known_or_not_reserved_does_not_count() -> None:
    found = efficiency(np.array([[0.5, np.nan], [1.0, 1.0]]), np.array([[1.0, 1.0], [0.0, np.nan]]), np.ones(2))

    assert found.score == pytest.approx([50.0, np.nan], nan_ok=True)


@given(st.floats(1e-90, 1e90), st.floats(0, 1), st.floats(0, 1))
def test_the_unit_of_money_changes_no_score(scale: float, cpu: float, memory: float) -> None:
    use, reserved = np.array([[cpu, memory]]), np.ones((1, 2))

    plain, scaled = (efficiency(use, reserved, np.array([3.0, 0.5]) * each).score[0] for each in (1.0, scale))

    assert scaled == pytest.approx(plain, rel=1e-9)
    assert 0 <= plain <= 100


def test_impossible_reservations_and_prices_are_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        waste(USE, one(-1.0), one(1.0), one(1.0))
    with pytest.raises(ValueError, match="2-D"):
        waste(USE, np.ones(2), one(1.0), one(1.0))
    with pytest.raises(ValueError, match="price"):
        efficiency(USE, USE, np.zeros(4))
    with pytest.raises(ValueError, match="0 or more"):
        efficiency(-np.ones((1, 2)), np.ones((1, 2)), np.ones(2))
