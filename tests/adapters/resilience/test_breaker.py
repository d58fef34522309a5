"""When a circuit opens, how long it stays so, and what closes it."""

from __future__ import annotations

import pytest
from worlds.collection import SetClock

from upid.adapters.resilience.breaker import CircuitBreaker, CircuitOpenError, Limits


class Told(list[tuple[str, str, int, str]]):
    def __call__(self, name: str, state: str, failures: int, error: str) -> None:
        self.append((name, state, failures, error))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def breaker(told: Told, clock: SetClock) -> CircuitBreaker:
    return CircuitBreaker("cl_1/kubernetes", Limits(failures=3, open_seconds=10.0, longest_open_seconds=35.0), clock, told)


def fail(breaker: CircuitBreaker, times: int = 3) -> None:
    for _ in range(times):
        breaker.admit()
        breaker.failed("refused")


def test_failures_in_a_row_open_it_and_a_success_begins_anew(breaker: CircuitBreaker, told: Told) -> None:
    fail(breaker, 2)
    breaker.admit()
    breaker.succeeded()
    fail(breaker, 2)
    assert (breaker.state, told) == ("closed", [])

    fail(breaker, 1)

    assert breaker.state == "open"
    assert told == [("cl_1/kubernetes", "open", 3, "refused")]


def test_an_open_circuit_refuses_and_tells_when_to_come_back(breaker: CircuitBreaker, clock: SetClock) -> None:
    fail(breaker)
    clock.moment += 4.5

    with pytest.raises(CircuitOpenError) as refused:
        breaker.admit()

    assert refused.value.members["retry_after_seconds"] == 6
    assert "refused" in refused.value.detail


def test_a_half_open_circuit_lets_one_through(breaker: CircuitBreaker, clock: SetClock, told: Told) -> None:
    fail(breaker)
    clock.moment += 10
    breaker.admit()

    with pytest.raises(CircuitOpenError):
        breaker.admit()
    breaker.succeeded()

    breaker.admit()
    assert [state for _, state, _, _ in told] == ["open", "half_open", "closed"]


def test_each_failed_try_doubles_the_wait_up_to_the_longest(breaker: CircuitBreaker, clock: SetClock) -> None:
    fail(breaker)
    waits = []
    for seconds in (10, 20, 35):
        clock.moment += seconds - 1
        with pytest.raises(CircuitOpenError):
            breaker.admit()
        clock.moment += 1
        fail(breaker, 1)
        waits.append(breaker._until - clock.moment)

    assert waits == [20, 35, 35]


def test_a_try_that_tells_nothing_leaves_the_next_one_to_try(breaker: CircuitBreaker, clock: SetClock) -> None:
    fail(breaker)
    clock.moment += 10
    breaker.admit()
    breaker.abandoned()

    breaker.admit()

    assert breaker.state == "half_open"


def test_what_ends_after_the_circuit_opened_changes_nothing(breaker: CircuitBreaker, told: Told) -> None:
    breaker.admit()
    fail(breaker)

    breaker.failed("late")

    assert (breaker.state, len(told), breaker.failures) == ("open", 1, 4)
