import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upid.engine.performance.latency import apdex, bucket_quantiles, share_within

UPPER = np.array([0.1, 0.5, 1.0, np.inf])
COUNTS = np.array([[10.0, 90.0, 98.0, 100.0]])
EDGES = np.array([0.5, 1, 2, 4, 8, np.inf])


def cumulative(values: np.ndarray) -> np.ndarray:
    return (values[None, :] <= EDGES[:, None]).sum(axis=1)[None].astype(float)


def test_the_median_lies_half_way_in_its_bucket() -> None:
    # Rank 50 of 100; the second bucket has 10 to 90: 0.1 + 0.4 * 40 / 80 = 0.3 s.
    found = bucket_quantiles(UPPER, COUNTS, (0.5,))

    assert (found.value[0, 0], found.low[0, 0], found.high[0, 0]) == pytest.approx((0.3, 0.1, 0.5))


def test_beyond_the_last_edge_the_answer_is_a_lower_bound() -> None:
    found = bucket_quantiles(UPPER, COUNTS, (0.99,))

    assert (found.value[0, 0], found.low[0, 0], found.high[0, 0]) == (1.0, 1.0, np.inf)


def test_a_first_bucket_that_ends_at_or_below_zero_has_no_width() -> None:
    found = bucket_quantiles(np.array([-1.0, 1.0, np.inf]), np.array([[4.0, 8.0, 8.0]]), (0.25,))

    assert found.value[0, 0] == -1.0


def test_no_observation_has_no_quantile() -> None:
    assert np.isnan(bucket_quantiles(UPPER, COUNTS * 0, (0.5,)).value).all()


@given(st.lists(st.floats(0.01, 7.9), min_size=1, max_size=200), st.floats(0, 1))
def test_the_order_statistic_lies_within_the_bounds(values: list[float], probability: float) -> None:
    data = np.array(values)
    found = bucket_quantiles(EDGES, cumulative(data), (probability,))

    order = float(np.quantile(data, probability, method="inverted_cdf"))
    assert found.low[0, 0] <= order <= found.high[0, 0] or order == pytest.approx(float(found.high[0, 0]))
    assert found.low[0, 0] <= found.value[0, 0] <= found.high[0, 0]


@given(st.lists(st.integers(0, 1000), min_size=4, max_size=4), st.integers(1, 10**6))
def test_counts_times_a_number_change_nothing(counts: list[int], times: int) -> None:
    rows = np.cumsum(counts).astype(float)[None]

    plain, more = (bucket_quantiles(UPPER, each, (0.25, 0.9)).value for each in (rows, rows * times))

    np.testing.assert_allclose(plain, more, rtol=1e-9)


def test_an_objective_on_an_edge_is_known_and_one_between_is_bounded() -> None:
    assert [float(each[0]) for each in share_within(UPPER, COUNTS, 0.5)] == [0.9, 0.9]
    assert [float(each[0]) for each in share_within(UPPER, COUNTS, 0.7)] == [0.9, 0.98]
    assert [float(each[0]) for each in share_within(UPPER, COUNTS, 0.05)] == [0.0, 0.1]


def test_apdex_counts_those_who_tolerate_half() -> None:
    # (60 + 30 / 2) / 100.
    assert apdex(np.array([60.0, 0.0]), np.array([30.0, 0.0]), np.array([100.0, 0.0])) == pytest.approx([0.75, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("upper", "counts"),
    [
        (UPPER[:-1], COUNTS[:, :-1]), (UPPER[::-1], COUNTS), (UPPER, COUNTS[:, ::-1]), (UPPER, -COUNTS), (UPPER, COUNTS * np.nan),
        (UPPER, COUNTS[0]), (UPPER[-1:], COUNTS[:, -1:]),
    ],
)  # fmt: skip
def test_what_is_no_cumulative_histogram_is_refused(upper: np.ndarray, counts: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must"):
        bucket_quantiles(upper, counts, (0.5,))
    with pytest.raises(ValueError, match="must"):
        share_within(upper, counts, 0.5)


def test_a_percentile_is_no_probability() -> None:
    with pytest.raises(ValueError, match="probabilities"):
        bucket_quantiles(UPPER, COUNTS, (95.0,))
