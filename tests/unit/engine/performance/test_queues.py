from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upid.engine.performance.queues import MOST_SERVERS, erlang_b, erlang_c, mmc_queue, wait_quantile

LOADS = st.floats(1e-100, 1e100)
SERVERS = st.integers(1, 40)


def one(value: float) -> np.ndarray:
    return np.array([float(value)])


def count(value: int) -> np.ndarray:
    return np.array([value])


def exact_loss(offered: float, servers: int) -> Fraction:
    terms = [Fraction(1)]
    for k in range(1, servers + 1):
        terms.append(terms[-1] * Fraction(offered) / k)
    return terms[-1] / sum(terms)


def test_two_erlang_on_three_lines_lose_four_of_nineteen_calls() -> None:
    # a^3/3! / (1 + a + a^2/2 + a^3/6) with a = 2: (8/6) / (19/3) = 4/19.
    assert erlang_b(one(2), count(3)) == pytest.approx(4 / 19, rel=1e-14)


def test_two_erlang_on_three_servers_wait_four_times_in_nine() -> None:
    # B = 4/19, rho = 2/3: C = B / (1 - rho (1 - B)) = (4/19) / (9/19).
    assert erlang_c(one(2), count(3)) == pytest.approx(4 / 9, rel=1e-14)


@given(LOADS, SERVERS)
def test_loss_agrees_with_exact_fractions(offered: float, servers: int) -> None:
    assert abs(Fraction(float(erlang_b(one(offered), count(servers))[0])) - exact_loss(offered, servers)) <= Fraction(1, 10**9)


@given(st.floats(0.01, 0.999), SERVERS)
def test_delay_agrees_with_exact_fractions(rho: float, servers: int) -> None:
    offered = rho * servers
    loss = exact_loss(offered, servers)
    exact = loss / (1 - Fraction(offered) / servers * (1 - loss))

    assert float(erlang_c(one(offered), count(servers))[0]) == pytest.approx(float(exact), rel=1e-9)


def test_one_server_is_the_mm1_queue() -> None:
    # lambda = 1/s, s = 0.5 s: rho = 0.5, W = rho s / (1 - rho) = 0.5 s, T = 1 s, Lq = 0.5, L = 1.
    queue = mmc_queue(one(1), one(0.5), count(1))

    figures = [queue.utilization, queue.wait_probability, queue.wait_seconds, queue.response_seconds, queue.waiting, queue.present]
    assert [float(each[0]) for each in figures] == pytest.approx([0.5, 0.5, 0.5, 1.0, 0.5, 1.0])


@given(st.floats(1e-3, 1e6), st.floats(0.01, 0.99), SERVERS)
def test_littles_law_holds(arrivals: float, rho: float, servers: int) -> None:
    queue = mmc_queue(one(arrivals), one(rho * servers / arrivals), count(servers))

    assert float(queue.waiting[0]) == pytest.approx(arrivals * float(queue.wait_seconds[0]), rel=1e-9)
    assert float(queue.present[0]) == pytest.approx(arrivals * float(queue.response_seconds[0]), rel=1e-9)


def test_at_saturation_everybody_waits_without_end() -> None:
    queue = mmc_queue(np.array([2.0, 3.0]), np.array([1.0, 1.0]), np.array([2, 2]))

    assert queue.wait_probability.tolist() == [1.0, 1.0]
    assert np.isinf(queue.wait_seconds).all()
    assert np.isinf(wait_quantile(queue, np.array([1.0, 1.0]), np.array([2, 2]), 0.5)).all()


def test_the_share_beyond_a_quantile_of_the_wait_is_what_was_asked() -> None:
    service, servers = one(0.2), count(4)
    queue = mmc_queue(one(18), service, servers)

    wait = wait_quantile(queue, service, servers, 0.95)

    assert float(queue.wait_probability[0] * np.exp(-(4 / 0.2 - 18) * wait[0])) == pytest.approx(0.05)


def test_where_few_wait_a_low_quantile_is_no_wait() -> None:
    queue = mmc_queue(one(1), one(0.1), count(4))

    assert wait_quantile(queue, one(0.1), count(4), 0.5).tolist() == [0.0]


def test_nothing_offered_waits_for_nothing() -> None:
    queue = mmc_queue(one(0), one(1), count(1))

    assert (float(queue.wait_seconds[0]), float(queue.response_seconds[0])) == (0.0, 1.0)


@pytest.mark.parametrize(("offered", "servers"), [(-1.0, 1), (np.nan, 1), (np.inf, 1), (1.0, 0), (1.0, MOST_SERVERS + 1)])
def test_impossible_queues_are_refused(offered: float, servers: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        erlang_b(one(offered), count(servers))


def test_impossible_times_and_probabilities_are_refused() -> None:
    queue = mmc_queue(one(1), one(0.5), count(1))
    with pytest.raises(ValueError, match="finite"):
        mmc_queue(one(1), one(-1), count(1))
    with pytest.raises(ValueError, match="probability"):
        wait_quantile(queue, one(0.5), count(1), 1.0)
