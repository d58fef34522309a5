"""A system's guard: its circuit and its places, apart from those of every other system."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from outside.serving import Reply, serving
from worlds.collection import SetClock

from upid.adapters.kubernetes.client import ApiServers
from upid.adapters.kubernetes.errors import NoAnswerError
from upid.adapters.kubernetes.session import Patience
from upid.adapters.prometheus.source import PrometheusSources
from upid.adapters.resilience.breaker import CircuitOpenError, Limits
from upid.adapters.resilience.guards import BusyError, Guards
from upid.domain.circuits import Circuit
from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.errors import AppError, ConflictError, UnavailableError


@pytest.fixture
def told() -> list[Any]:
    return []


@pytest.fixture
def guards(told: list[Any]) -> Guards:
    return Guards(SetClock(), lambda *change: told.append(change), Limits(failures=2, at_once=2))


def test_the_same_name_is_the_same_guard_until_it_is_forgotten(guards: Guards) -> None:
    guard = guards.of("cl_1/kubernetes")

    assert guards.of("cl_1/kubernetes") is guard
    guards.forget("cl_1/")
    assert guards.of("cl_1/kubernetes") is not guard


def test_only_what_counts_as_a_failure_counts(guards: Guards, told: list[Any]) -> None:
    guard = guards.of("a")
    for _ in range(5):
        with pytest.raises(KeyError), guard.attempt((OSError,), wait_seconds=0):
            raise KeyError
    assert told == []

    for _ in range(2):
        with pytest.raises(OSError, match="gone"), guard.attempt((OSError,), wait_seconds=0):
            raise OSError("gone")

    assert told == [("a", "open", 2, "gone")]
    with guards.of("b").attempt((OSError,), wait_seconds=0):
        pass


def test_an_answer_may_count_as_a_failure(guards: Guards) -> None:
    for _ in range(2):
        with guards.of("a").attempt((), wait_seconds=0) as attempt:
            attempt.error = "It answers 503."

    with pytest.raises(CircuitOpenError, match="503"), guards.of("a").attempt((), wait_seconds=0):
        pass


def test_more_at_once_than_there_are_places_is_refused(guards: Guards) -> None:
    with guards.of("a").attempt((), wait_seconds=0), guards.of("a").attempt((), wait_seconds=0):
        with pytest.raises(BusyError), guards.of("a").attempt((), wait_seconds=0.01):
            pass
        with guards.of("b").attempt((), wait_seconds=0):
            pass
    with guards.of("a").attempt((), wait_seconds=0):
        pass


def test_a_change_that_cannot_be_recorded_does_not_hold_up_the_request() -> None:
    def unwritable(*_change: object) -> None:
        raise ConflictError("the disk is full")

    guards = Guards(SetClock(), unwritable, Limits(failures=1))

    with guards.of("a").attempt((), wait_seconds=0) as attempt:
        attempt.error = "broken"

    assert guards.of("a").breaker.state == "open"


def test_a_hanging_cluster_slows_no_other(guards: Guards, told: list[Any]) -> None:
    release = threading.Event()
    asked: list[object] = []

    def hang(_request: object) -> Reply:
        asked.append(_request)
        release.wait(20)
        return Reply({})

    servers = ApiServers(Patience(read_seconds=0.3, attempts=2, backoff_seconds=0.01, queue_seconds=0.05), guards=guards)
    with serving(hang) as dead, serving(lambda _: Reply({"gitVersion": "v1.34.0"})) as alive:
        hung = servers.open(ClusterAccess(server=dead, token="t", system="dead/kubernetes"))
        well = servers.open(ClusterAccess(server=alive, token="t", system="alive/kubernetes"))
        refusals: list[AppError] = []
        threads = [threading.Thread(target=lambda: refusals.append(refused(hung))) for _ in range(12)]
        for thread in threads:
            thread.start()
        started = time.monotonic()
        assert {well.version() for _ in range(20)} == {"v1.34.0"}
        fast = time.monotonic() - started
        for thread in threads:
            thread.join()
        before = len(asked)
        with pytest.raises(NoAnswerError, match="not asked for now"):
            hung.version()
        release.set()

    assert len(refusals) == 12
    assert fast < 5.0  # behind those that hang it would be six
    assert len(asked) == before
    assert ("dead/kubernetes", "open") in [change[:2] for change in told]
    assert "alive/kubernetes" not in {change[0] for change in told}


def refused(server: Any) -> AppError:
    with pytest.raises(UnavailableError) as caught:
        server.version()
    return caught.value


def test_a_server_that_answers_that_it_is_broken_opens_its_circuit_and_one_that_refuses_does_not(guards: Guards, told: list[Any]) -> None:
    servers = ApiServers(Patience(attempts=1), guards=guards)
    with serving(lambda _: Reply({}, 403)) as strict, serving(lambda _: Reply({}, 500)) as broken:
        for url, system in ((strict, "strict"), (broken, "broken")):
            for _ in range(3):
                with pytest.raises(AppError):
                    servers.open(ClusterAccess(server=url, token="t", system=system)).version()

    assert [change[:2] for change in told] == [("broken", "open")]


def test_a_metrics_source_that_is_gone_is_not_asked_again_and_a_busy_one_is(guards: Guards) -> None:
    sources = PrometheusSources(guards, attempts=1)
    busy = {"status": "error", "error": "too many queries"}
    for _ in range(2):
        with pytest.raises(UnavailableError, match="does not answer"):
            sources.open(MetricsAccess("http://127.0.0.1:9", system="gone")).check()
    with pytest.raises(CircuitOpenError):
        sources.open(MetricsAccess("http://127.0.0.1:9", system="gone")).check()

    with serving(lambda _: Reply(busy, 503)) as url:
        for _ in range(4):
            with pytest.raises(UnavailableError, match="503"):
                sources.open(MetricsAccess(url, system="busy")).check()


def test_connections_are_kept_until_the_access_changes_or_is_forgotten(guards: Guards) -> None:
    servers = ApiServers(guards=guards)
    access = ClusterAccess(server="http://127.0.0.1:9", token="t", system="cl_1/kubernetes")
    first = servers.open(access).lister.session

    assert servers.open(access).lister.session is first
    assert servers.open(ClusterAccess(server="http://127.0.0.1:9", token="new", system="cl_1/kubernetes")).lister.session is not first
    second = servers.open(access).lister.session
    servers.forget("cl_1/")
    assert servers.open(access).lister.session is not second
    assert servers.open(ClusterAccess(server="http://127.0.0.1:9", token="t")).lister.session is not first


def test_what_another_process_found_dead_is_not_asked_here() -> None:
    clock, known = SetClock(), {"a": Circuit("open", 5, "It hangs.", SetClock().now() - 4.0)}
    guards = Guards(clock, lambda *_: None, Limits(open_seconds=15.0), recall=known.get)

    with (
        pytest.raises(CircuitOpenError, match=r"failed 5 times in a row: It hangs\.") as refused,
        guards.of("a").attempt((), wait_seconds=0),
    ):
        pass
    assert refused.value.members["retry_after_seconds"] == 11

    clock.moment += 12.0
    with guards.of("a").attempt((OSError,), wait_seconds=0):
        assert guards.of("a").breaker.state == "half_open"
    assert guards.of("a").breaker.state == "closed"


def test_a_circuit_that_another_process_closed_or_forgot_is_closed_here() -> None:
    clock, known = SetClock(), dict[str, Circuit]()
    guards = Guards(clock, lambda *_: None, Limits(failures=1), recall=known.get)
    fail(guards, "a")
    known["a"] = Circuit("open", 1, "gone", clock.now())
    assert guards.of("a").breaker.state == "open"

    known["a"] = Circuit("closed", 0, "", clock.now() + 1)
    assert guards.of("a").breaker.state == "closed"

    fail(guards, "b")  # its access was replaced: nothing is known of it any more
    assert guards.of("b").breaker.state == "closed"


def test_a_store_that_does_not_answer_leaves_a_circuit_as_it_is_known_here(guards: Guards) -> None:
    def unreadable(_name: str) -> Circuit | None:
        raise UnavailableError("the store is away")

    guards.limits = Limits(failures=1)
    guards.recall = unreadable
    fail(guards, "a")

    assert guards.of("a").breaker.state == "open"


def test_a_failure_may_weigh_as_much_as_several(guards: Guards) -> None:
    with guards.of("a").attempt((), wait_seconds=0) as attempt:
        attempt.error, attempt.weight = "It hung.", 2

    assert guards.of("a").breaker.state == "open"


def fail(guards: Guards, name: str) -> None:
    with guards.of(name).attempt((), wait_seconds=0) as attempt:
        attempt.error = "gone"
