"""What a process keeps for a while, under a clock that the test sets."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from worlds.collection import SetClock

from upid.domain.errors import UnavailableError
from upid.domain.lifetimes import KEPT, Bounds, Lifetimes
from upid.services.caches import Cache, Caches

LIFE = 60


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


def cache(clock: SetClock, *, life: int = LIFE, entries: int = 3, size_bytes: int = 100, size: Callable[[str], int] = len) -> Cache[str]:
    return Cache("texts", life, Bounds(entries, size_bytes), clock, size)


def never() -> str:
    raise AssertionError("It was made again.")


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.001)


def test_a_value_is_made_once_and_kept_to_the_end_of_its_lifetime(clock: SetClock) -> None:
    kept = cache(clock)
    assert kept.get("a", lambda: "first") == "first"

    clock.moment += LIFE - 1
    assert kept.get("a", never) == "first"
    clock.moment += 1

    assert kept.get("a", lambda: "second") == "second"
    assert kept.counts()[2:5] == (1, 2, 0)


def test_being_asked_for_makes_no_value_live_longer(clock: SetClock) -> None:
    kept = cache(clock)
    kept.get("a", lambda: "first")
    for _ in range(3):
        clock.moment += LIFE / 3
        kept.get("a", lambda: "second")

    assert kept.get("a", never) == "second"


def test_what_was_made_of_another_version_is_never_given(clock: SetClock) -> None:
    kept = cache(clock)
    kept.get("a", lambda: "of 1", version=1)

    assert kept.get("a", lambda: "of 2", version=2) == "of 2"
    assert kept.get("a", lambda: "of 1 again", version=1) == "of 1 again"


def test_a_clock_that_is_set_back_keeps_nothing_alive(clock: SetClock) -> None:
    kept = cache(clock)
    kept.get("a", lambda: "from the future")
    clock.moment -= 1

    assert kept.get("a", lambda: "new") == "new"


def test_the_least_recently_used_makes_room(clock: SetClock) -> None:
    kept = cache(clock, entries=2)
    kept.get("a", lambda: "a")
    kept.get("b", lambda: "b")
    kept.get("a", never)
    kept.get("c", lambda: "c")

    assert (kept.get("a", never), kept.get("c", never)) == ("a", "c")
    assert kept.get("b", lambda: "again") == "again"
    assert kept.counts().evictions == 2


def test_values_together_stay_below_the_bytes_and_one_that_is_larger_is_not_kept(clock: SetClock) -> None:
    kept = cache(clock, size_bytes=10)
    for name in ("aaaa", "bbbb", "cccc"):
        kept.get(name, lambda name=name: name)  # type: ignore[misc] # the name of this turn
    assert (kept.counts().entries, kept.counts().size_bytes, kept.counts().evictions) == (2, 8, 1)

    kept.get("large", lambda: "x" * 11)

    assert (kept.counts().entries, kept.counts().size_bytes) == (2, 8)


def test_what_is_over_leaves_the_memory_before_anybody_asks_for_it(clock: SetClock) -> None:
    kept = cache(clock)
    kept.get("secret", lambda: "text")
    clock.moment += LIFE
    kept.get("other", lambda: "b")

    assert (kept.counts().entries, kept.counts().size_bytes) == (1, 1)


def test_a_lifetime_of_nothing_keeps_nothing(clock: SetClock) -> None:
    kept = cache(clock, life=0)

    assert [kept.get("a", lambda text=text: text) for text in ("1", "2")] == ["1", "2"]  # type: ignore[misc] # the text of this turn
    assert kept.counts()[2:] == (0, 2, 0, 0, 0)


def test_an_error_is_not_kept(clock: SetClock) -> None:
    kept = cache(clock)

    def fails() -> str:
        raise UnavailableError("It is away.")

    with pytest.raises(UnavailableError):
        kept.get("a", fails)

    assert kept.get("a", lambda: "there") == "there"


def test_many_at_once_make_a_value_once(clock: SetClock) -> None:
    kept, made = cache(clock), list[int]()
    all_ask = threading.Barrier(8)

    def slow() -> str:
        made.append(1)
        threading.Event().wait(0.05)
        return "value"

    def ask(_: int) -> str:
        all_ask.wait(timeout=60)
        return kept.get("a", slow)

    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(ask, range(8)))

    assert (values, len(made)) == (["value"] * 8, 1)
    assert kept.counts()[2:4] == (7, 1)


def test_who_waits_for_a_value_that_fails_gets_its_error(clock: SetClock) -> None:
    kept = cache(clock)
    begun, goes_on = threading.Event(), threading.Event()

    def fails() -> str:
        begun.set()
        goes_on.wait(60)
        raise UnavailableError("It is away.")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(kept.get, "a", fails)
        assert begun.wait(60)
        second = pool.submit(kept.get, "a", never)
        wait_until(lambda: kept.counts().hits == 1)  # the second waits
        goes_on.set()
        errors = [each.exception(timeout=60) for each in (first, second)]

    assert [type(error) for error in errors] == [UnavailableError] * 2


@pytest.mark.parametrize("meanwhile", [lambda kept: kept.forget("a"), lambda kept: kept.get("a", lambda: "of 2", version=2)])
def test_what_is_out_of_date_before_it_is_made_is_not_kept(clock: SetClock, meanwhile: Callable[[Cache[str]], object]) -> None:
    kept = cache(clock)

    def overtaken() -> str:
        meanwhile(kept)
        return "of 1"

    assert kept.get("a", overtaken, version=1) == "of 1"

    assert kept.get("a", lambda: "anew", version=1) == "anew"


def test_what_is_forgotten_is_made_again(clock: SetClock) -> None:
    kept = cache(clock)
    kept.get("a", lambda: "first")
    kept.forget("a")
    kept.forget("never there")

    assert kept.counts()[-2:] == (0, 0)
    assert kept.get("a", lambda: "second") == "second"


def test_every_kind_has_its_lifetime_of_the_settings_and_is_the_same_cache_each_time(clock: SetClock) -> None:
    caches = Caches(Lifetimes(user_sessions=7), clock)

    first = caches.of("user_sessions", len)

    assert caches.of("user_sessions", len) is first
    assert [(each.name, each.lifetime_seconds) for each in caches.counts()] == [("user_sessions", 7)]
    assert set(KEPT) <= set(Lifetimes.__dataclass_fields__)
    with pytest.raises(KeyError):
        caches.of("api_rate_limits", len)  # records keep these
