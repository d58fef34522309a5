import numpy as np
import pytest

from upid.engine.performance.bottlenecks import find_bottleneck, response_at
from upid.engine.performance.queues import mmc_queue

USE, SERVERS = np.array([0.7, 0.9, 0.0]), np.array([4, 1, 1])


def test_the_busiest_resource_limits() -> None:
    # Demands: 0.7 * 4 / 100 = 28 ms, 0.9 / 100 = 9 ms. The disk allows 100 / 0.9; (28 + 9) / 9 users saturate it.
    found = find_bottleneck(100.0, USE, SERVERS)

    assert found.index == 1
    assert found.demand_seconds.tolist() == pytest.approx([0.028, 0.009, 0.0])
    assert (found.most_throughput, found.growth) == pytest.approx((100 / 0.9, 1 / 0.9))
    assert (found.saturation_users, found.least_response_seconds) == pytest.approx((37 / 9, 0.037))
    assert np.isinf(found.most_per_second[2])


def test_think_time_lets_more_users_in() -> None:
    assert find_bottleneck(100.0, USE, SERVERS, think_seconds=1.0).saturation_users == pytest.approx(1.037 / 0.009)


def test_the_response_of_the_whole_is_the_sum_of_its_queues() -> None:
    found = find_bottleneck(100.0, USE, SERVERS)

    parts = mmc_queue(np.full(3, 50.0), found.demand_seconds, SERVERS).response_seconds

    assert response_at(found, SERVERS, np.array([50.0]))[0] == pytest.approx(parts.sum())


def test_response_rises_with_throughput_and_ends_at_the_limit() -> None:
    found = find_bottleneck(100.0, USE, SERVERS)

    responses = response_at(found, SERVERS, np.linspace(1, 111, 50))

    assert (np.diff(responses) > 0).all()
    assert np.isinf(response_at(found, SERVERS, np.array([100 / 0.9 * 1.001]))).all()


def test_where_nothing_is_used_nothing_limits() -> None:
    found = find_bottleneck(5.0, np.zeros(2), np.array([1, 1]))

    assert np.isinf([found.most_throughput, found.growth, found.saturation_users]).all()


@pytest.mark.parametrize(
    ("throughput", "use", "think"),
    [(0.0, [0.5], 0.0), (np.inf, [0.5], 0.0), (1.0, [1.5], 0.0), (1.0, [-0.1], 0.0), (1.0, [], 0.0), (1.0, [0.5], -1.0)],
)
def test_impossible_systems_are_refused(throughput: float, use: list[float], think: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        find_bottleneck(throughput, np.array(use), np.ones(len(use), dtype=int), think_seconds=think)
