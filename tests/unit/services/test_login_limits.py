"""Failed logins, counted by name and address."""

from __future__ import annotations

from pathlib import Path

import pytest
from worlds.collection import SetClock

from upid.adapters.sqlite.database import Database
from upid.adapters.sqlite.records import SqliteRecords
from upid.ports.records import Record
from upid.services.login_limits import ADDRESS, NAME, PAIR, LoginLimits, TooManyLoginsError

HERE, THERE = "203.0.113.7", "198.51.100.1"


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def limits(tmp_path: Path, clock: SetClock) -> LoginLimits:
    return LoginLimits(SqliteRecords(Database(tmp_path / "upid.db"), clock), clock, 3600)


def fail(limits: LoginLimits, name: str = "ann", address: str = HERE, *, times: int = 1) -> None:
    for _ in range(times):
        limits.failed(limits.begin(name, address))


def refused(limits: LoginLimits, name: str = "ann", address: str = HERE) -> int:
    """Return how long a login has to wait, 0 where it may be tried."""
    try:
        limits.begin(name, address)
    except TooManyLoginsError as error:
        seconds = error.members["retry_after_seconds"]
        assert isinstance(seconds, int)
        return seconds
    return 0


def test_five_failures_are_free_and_each_one_more_doubles_the_wait(limits: LoginLimits, clock: SetClock) -> None:
    fail(limits, times=5)
    waits = []
    for _ in range(12):
        fail(limits)
        waits.append(refused(limits))
        clock.moment += waits[-1]

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_a_refused_login_does_not_count(limits: LoginLimits, clock: SetClock) -> None:
    fail(limits, times=6)
    assert [refused(limits) for _ in range(20)] == [1] * 20

    clock.moment += 1

    fail(limits)
    assert refused(limits) == 2


def test_logins_at_once_are_all_counted_before_any_password_is_looked_at(limits: LoginLimits) -> None:
    for _ in range(PAIR.free + 1):
        limits.begin("ann", HERE)

    assert refused(limits) == 1


def test_others_are_not_held_back(limits: LoginLimits) -> None:
    fail(limits, times=6)

    assert refused(limits) == 1
    assert refused(limits, "bob") == 0
    assert refused(limits, "ann", THERE) == 0


def test_a_login_forgets_the_failures_before_it(limits: LoginLimits) -> None:
    fail(limits, times=4)
    limits.succeeded(limits.begin("ann", HERE))
    fail(limits, times=5)

    assert refused(limits) == 0
    assert refused(limits) == 1


def test_guesses_from_everywhere_wait_and_the_user_does_not(limits: LoginLimits) -> None:
    limits.succeeded(limits.begin("ann", HERE))
    for number in range(NAME.free + 1):
        fail(limits, "ann", f"198.51.100.{number}")

    assert refused(limits, "ann", THERE) == 1
    assert refused(limits, "ann", HERE) == 0


def test_an_address_that_guesses_many_names_waits(limits: LoginLimits) -> None:
    for number in range(ADDRESS.free + 1):
        fail(limits, f"user-{number}")

    assert refused(limits, "ann") == 1
    assert refused(limits, "ann", THERE) == 0


def test_one_subscriber_of_ipv6_is_one_address(limits: LoginLimits) -> None:
    for number in range(6):
        fail(limits, "ann", f"2001:db8:1:2::{number}")

    assert refused(limits, "ann", "2001:db8:1:2:ffff::1") == 1
    assert refused(limits, "ann", "2001:db8:1:3::1") == 0


def test_counts_are_gone_an_hour_after_the_last_failure(limits: LoginLimits, clock: SetClock) -> None:
    fail(limits, times=5)
    clock.moment += 3599
    fail(limits)
    assert refused(limits) == 1

    clock.moment += 3600
    fail(limits)

    assert refused(limits) == 0


def test_what_was_typed_is_not_kept(limits: LoginLimits) -> None:
    fail(limits, "my password in the wrong field")

    kept = limits.records.query("g#logins").items
    assert len(kept) == 3
    assert not any("password" in f"{record.key}{record.body}" for record in kept)


def test_where_every_write_comes_too_late_the_login_is_refused(limits: LoginLimits, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(limits)
    real = type(limits.records).get

    def stale(self: SqliteRecords, key: object) -> Record | None:
        found = real(self, key)  # type: ignore[arg-type] # a key
        return found and Record(found.key, found.body, found.version - 1, found.expires_at)

    monkeypatch.setattr(SqliteRecords, "get", stale)
    assert refused(limits) == 1
