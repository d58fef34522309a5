import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upid.engine.performance.knees import knee

LOAD = np.array([0.0, 1, 2, 3, 4])


def test_a_concave_curve_bends_where_it_is_farthest_above_its_chord() -> None:
    # Unit y: 0, 0.8, 0.9, 0.95, 1 less unit x: 0, 0.25, 0.5, 0.75, 1 is 0, 0.55, 0.4, 0.2, 0.
    assert knee(LOAD, np.array([0.0, 80, 90, 95, 100]), shape="concave") == 1


def test_a_convex_curve_bends_where_it_is_farthest_below() -> None:
    # Unit x less unit y 0, 0.02, 0.05, 0.2, 1 is 0, 0.23, 0.45, 0.55, 0.
    assert knee(LOAD, np.array([0.0, 2, 5, 20, 100]), shape="convex") == 3


@given(st.floats(1e-6, 1e6), st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_scale_and_shift_change_nothing(times: float, shift: float, wide: float) -> None:
    curve = np.array([0.0, 80, 90, 95, 100])

    assert knee(LOAD * wide, curve * times + shift * times, shape="concave") == 1


@pytest.mark.parametrize("curve", [LOAD, LOAD * 0 + 3, LOAD + 0.01 * LOAD * (4 - LOAD)])
def test_lines_have_no_knee(curve: np.ndarray) -> None:
    assert knee(LOAD, curve, shape="concave") == -1


def test_two_points_have_no_knee() -> None:
    assert knee(LOAD[:2], LOAD[:2], shape="convex") == -1


@pytest.mark.parametrize(
    ("x", "y", "sensitivity"),
    [(LOAD, LOAD[1:], 0.1), (LOAD[::-1], LOAD, 0.1), (LOAD, LOAD * np.nan, 0.1), (LOAD, LOAD, 0.0), (LOAD, LOAD, 1.0)],
)
def test_impossible_curves_are_refused(x: np.ndarray, y: np.ndarray, sensitivity: float) -> None:
    with pytest.raises(ValueError, match="x"):
        knee(x, y, shape="concave", sensitivity=sensitivity)
