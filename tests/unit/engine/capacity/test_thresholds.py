import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from upid.engine.capacity.thresholds import alarms, threshold

VALUES = np.array([[1.0, 2, 3, 4, 10]])
RANDOM = np.random.default_rng(3).gamma(2, 3, (4, 501))


def test_thresholds_by_hand() -> None:
    # Median 3, away 2 1 0 1 7: MAD 1. Quartiles 2 and 4. Mean 4, variance (9 + 4 + 1 + 0 + 36) / 4.
    assert threshold(VALUES, method="percentile", sensitivity=0.5) == pytest.approx([3])
    assert threshold(VALUES, method="robust", sensitivity=3) == pytest.approx([3 + 3 * 1.482602218505602])
    assert threshold(VALUES, method="iqr", sensitivity=1.5) == pytest.approx([7])
    assert threshold(VALUES, method="deviation", sensitivity=2) == pytest.approx([4 + 2 * np.sqrt(12.5)])


def test_they_agree_with_numpy_and_scipy() -> None:
    np.testing.assert_allclose(threshold(RANDOM, method="percentile", sensitivity=0.99), np.quantile(RANDOM, 0.99, axis=1), rtol=1e-12)
    spread = stats.median_abs_deviation(RANDOM, axis=1, scale="normal")
    np.testing.assert_allclose(threshold(RANDOM, method="robust", sensitivity=3), np.median(RANDOM, axis=1) + 3 * spread, rtol=1e-9)
    np.testing.assert_allclose(
        threshold(RANDOM, method="iqr", sensitivity=1.5), np.quantile(RANDOM, 0.75, axis=1) + 1.5 * stats.iqr(RANDOM, axis=1), rtol=1e-9
    )


@given(st.sampled_from(["percentile", "robust", "iqr", "deviation"]), st.floats(1e-90, 1e90))
def test_scale_carries_over(method: str, scale: float) -> None:
    plain, scaled = (threshold(VALUES * each, method=method, sensitivity=0.9) for each in (1.0, scale))

    np.testing.assert_allclose(scaled, plain * scale, rtol=1e-9)


@pytest.mark.parametrize("method", ["percentile", "robust", "iqr", "deviation"])
def test_what_is_all_alike_has_itself_and_nothing_has_nothing(method: str) -> None:
    rows = np.array([[0.3] * 5, [np.nan, 0.3, np.nan, np.nan, np.nan], [np.nan] * 5])

    assert threshold(rows, method=method, sensitivity=0.9) == pytest.approx([0.3, 0.3, np.nan], nan_ok=True)


def test_alarms_are_runs_that_last() -> None:
    # Above 5: steps 1, 3 to 5, 7 (a gap parts 5 and 7).
    values = np.array([[0.0, 6, 0, 6, 7, 8, np.nan, 9]])

    told = [alarms(values, np.array([5.0]), for_steps=steps) for steps in (1, 2, 4)]

    assert [int(each.alarms[0]) for each in told] == [3, 1, 0]
    assert (told[0].steps_above[0], told[0].longest[0]) == (5, 3)


def test_impossible_questions_are_refused() -> None:
    for method, sensitivity in (("percentile", 1.0), ("iqr", 0.0), ("robust", np.nan)):
        with pytest.raises(ValueError, match="sensitivity"):
            threshold(VALUES, method=method, sensitivity=sensitivity)
    with pytest.raises(ValueError, match="for_steps"):
        alarms(VALUES, np.array([1.0]), for_steps=0)
    with pytest.raises(ValueError, match="limit"):
        alarms(VALUES, np.ones(2))
