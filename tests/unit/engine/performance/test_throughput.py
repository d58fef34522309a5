import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upid.engine.performance.throughput import closed_throughput, counted_throughput, counter_throughput

TIMES = np.array([0.0, 10, 20, 30, 40])


def test_a_counter_that_falls_counts_from_zero() -> None:
    # 0 -> 10: 1/s; 10 -> 20: 1/s; reset to 5: 0.5/s; gap, then 25 after 20 s: (25 - 5) / 20 = 1/s.
    found = counter_throughput(np.array([0.0, 10, 20, 30, 40, 50]), np.array([[0, 10, 20, 5, np.nan, 25]]))

    assert found.per_second[0].tolist() == pytest.approx([1.0, 1.0, 0.5, np.nan, 1.0], nan_ok=True)
    assert (found.total[0], found.seconds[0], found.resets[0]) == (45.0, 50.0, 1)
    assert found.mean_per_second[0] == pytest.approx(0.9)


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=50))
def test_a_rising_counter_agrees_with_pandas(steps: list[int]) -> None:
    readings = np.cumsum(steps).astype(float)

    found = counter_throughput(np.arange(len(readings)) * 7.0, readings[None])

    np.testing.assert_allclose(found.per_second[0], (pd.Series(readings).diff() / 7.0).to_numpy()[1:], rtol=1e-12)
    assert found.total[0] == readings[-1] - readings[0]


def test_one_reading_tells_no_throughput() -> None:
    found = counter_throughput(TIMES, np.array([[np.nan, np.nan, 3.0, np.nan, np.nan]]))

    assert np.isnan(found.per_second).all()
    assert np.isnan(found.mean_per_second[0])


def test_counts_are_over_the_time_that_is_known() -> None:
    # 30 events in the two known steps of 10 s.
    found = counted_throughput(np.array([10.0]), np.array([[10.0, np.nan, 20.0]]))

    assert found.per_second[0].tolist() == pytest.approx([1.0, np.nan, 2.0], nan_ok=True)
    assert found.mean_per_second[0] == pytest.approx(1.5)


def test_users_over_response_and_think_time() -> None:
    assert closed_throughput(np.array([100.0]), np.array([0.5]), np.array([4.5])).tolist() == [20.0]


def test_impossible_readings_are_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        counter_throughput(TIMES, -np.ones((1, 5)))
    with pytest.raises(ValueError, match="rise"):
        counter_throughput(TIMES[::-1], np.ones((1, 5)))
    with pytest.raises(ValueError, match="step"):
        counted_throughput(np.array([0.0]), np.ones((1, 5)))
    with pytest.raises(ValueError, match="above 0"):
        closed_throughput(np.array([1.0]), np.array([0.0]), np.array([0.0]))
