import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from upid.engine.capacity.planning import capacity_left, nodes_needed, until_full

TIMES = np.arange(10.0)
# Residuals that change sign every step: their autocorrelation is below 0, so that they count as independent.
ZIGZAG = np.where(TIMES % 2 == 0, 1.0, -1.0) * np.array([1.0, 1.2, 0.8, 1.1, 0.9, 1.0, 1.3, 0.7, 1.0, 1.0])


def at(values: np.ndarray, capacity: float, **options: float):  # noqa: ANN201 the engine's own type
    return until_full(TIMES, values[None], np.array([capacity]), **options)


def test_an_exact_line_is_full_when_it_is() -> None:
    # 2 t + 1 is 19 at t = 9 and 39 at t = 19: ten ahead.
    found = at(2 * TIMES + 1, 39.0)

    assert (found.until_full[0], found.level[0], found.slope[0], found.r_squared[0]) == pytest.approx((10, 19, 2, 1))
    assert (found.earliest[0], found.latest[0]) == pytest.approx((10, 10))


def test_bounds_are_where_the_band_of_statsmodels_reaches_the_capacity() -> None:
    values = 2 * TIMES + 1 + ZIGZAG
    fit = sm.OLS(values, sm.add_constant(TIMES)).fit()

    def bound(time: float, which: str) -> float:
        frame = fit.get_prediction(np.array([[1.0, time]])).summary_frame(alpha=0.1)
        return float(frame[which].iloc[0]) - 39.0

    found = at(values, 39.0, confidence=0.9)

    assert found.earliest[0] == pytest.approx(brentq(bound, 9, 60, args=("mean_ci_upper",)) - 9, rel=1e-6)
    assert found.latest[0] == pytest.approx(brentq(bound, 9, 60, args=("mean_ci_lower",)) - 9, rel=1e-6)
    assert found.standard_error[0] == pytest.approx(fit.bse[1], rel=1e-9)
    assert found.residual_deviation[0] == pytest.approx(np.sqrt(fit.scale), rel=1e-9)


@given(st.floats(1e-100, 1e99), st.floats(0.1, 10), st.floats(1.01, 50))
def test_scale_changes_no_time(scale: float, slope: float, factor: float) -> None:
    values = slope * TIMES + 1 + 0.1 * ZIGZAG
    capacity = float(values.max()) * factor

    plain, scaled = at(values, capacity), at(values * scale, capacity * scale)

    assert scaled.until_full[0] == pytest.approx(plain.until_full[0], rel=1e-9, abs=1e-9)
    assert scaled.earliest[0] == pytest.approx(plain.earliest[0], rel=1e-6, abs=1e-6)


@given(st.lists(st.floats(0, 100), min_size=4, max_size=30), st.floats(1, 200))
def test_the_estimate_lies_between_its_bounds(values: list[float], capacity: float) -> None:
    found = until_full(np.arange(float(len(values))), np.array([values]), np.array([capacity]))

    assert found.earliest[0] <= found.until_full[0] <= found.latest[0]


def test_residuals_that_follow_each_other_widen_the_bounds() -> None:
    # The same values in another order, both without any slope of their own.
    slow, quick = np.array([1.0, 1, 0, -1, -1, -1, -1, 0, 1, 1]), np.array([1.0, -1, 1, -1, 0, 0, -1, 1, -1, 1])

    wide, narrow = (at(2 * TIMES + each, 60.0) for each in (slow, quick))

    assert wide.latest[0] - wide.earliest[0] > narrow.latest[0] - narrow.earliest[0]


def test_what_falls_or_stays_is_never_full() -> None:
    for values in (10 - TIMES, np.full(10, 3.0)):
        assert np.isinf(at(values, 20.0).until_full[0])


def test_what_is_above_is_full_now() -> None:
    assert at(2 * TIMES + 30, 39.0).until_full.tolist() == [0.0]


def test_gaps_take_nothing_from_an_exact_line() -> None:
    values = np.where(np.isin(TIMES, [2, 3, 4, 8]), np.nan, 2 * TIMES + 1)

    assert at(values, 39.0).until_full[0] == pytest.approx(10)


def test_one_value_has_no_line_and_two_have_no_bounds() -> None:
    one, two = (np.where(count > TIMES, TIMES, np.nan) for count in (1, 2))

    assert np.isnan(at(one, 20.0).until_full[0])
    assert (at(two, 20.0).earliest[0], at(two, 20.0).latest[0]) == (0.0, np.inf)


def test_impossible_input_is_refused() -> None:
    with pytest.raises(ValueError, match="confidence"):
        at(TIMES, 5.0, confidence=1.0)
    with pytest.raises(ValueError, match="capacity"):
        until_full(TIMES, TIMES[None], np.ones(2))
    with pytest.raises(ValueError, match="rising"):
        until_full(TIMES[::-1], TIMES[None], np.ones(1))


def test_nodes_for_a_demand_with_one_to_spare() -> None:
    # 20 / (8 * 0.8) = 3.125: four, and one more.
    assert nodes_needed(20, 8, target=0.8, spare=1) == 5
    assert nodes_needed(0, 8, spare=2) == 2


@given(st.integers(1, 1000), st.floats(1e-50, 1e50))
def test_a_demand_of_whole_nodes_takes_so_many(nodes: int, capacity: float) -> None:
    assert nodes_needed(nodes * capacity, capacity) == nodes


def test_without_the_largest_nodes_the_others_are_left() -> None:
    nodes = np.array([4.0, 16, 8])

    assert [capacity_left(nodes, spare) for spare in (0, 1, 2, 5)] == [28.0, 12.0, 4.0, 0.0]


def test_impossible_nodes_are_refused() -> None:
    for arguments in ((-1, 8, 1.0, 0), (1, 0, 1.0, 0), (1, 8, 1.1, 0), (1, 8, 1.0, -1)):
        with pytest.raises(ValueError, match="must be"):
            nodes_needed(arguments[0], arguments[1], target=arguments[2], spare=arguments[3])
    with pytest.raises(ValueError, match="spare"):
        capacity_left(np.ones(2), -1)
