"""Users and tokens against the record store, without HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from upid.adapters.keyfile.sealer import KeyfileSealer
from upid.adapters.sqlite.database import Database
from upid.adapters.sqlite.events import SqliteEventStore
from upid.adapters.sqlite.records import SqliteRecords
from upid.adapters.system.ids import UlidIds
from upid.domain.errors import NotFoundError, UnauthenticatedError, UnavailableError, VersionConflictError
from upid.domain.identity import Caller
from upid.domain.lifetimes import Lifetimes
from upid.ports.records import Key, Record
from upid.services.caches import Cache, Caches
from upid.services.identity import IdentityService, UsernameTakenError
from upid.services.passwords import Passwords
from upid.services.tokens import SIGNING_KEY, Claims, Tokens, size_of

START = 1_700_000_000.0


@dataclass
class HandClock:
    """A clock that the test sets."""

    time: float = START

    def now(self) -> float:
        return self.time


def kept(clock: HandClock) -> Cache[Claims]:
    """Return a cache of verified tokens."""
    found: Cache[Claims] = Caches(Lifetimes(), clock).of("user_sessions", size_of)
    return found


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def records(tmp_path: Path, clock: HandClock) -> SqliteRecords:
    return SqliteRecords(Database(tmp_path / "upid.db"), clock)


@pytest.fixture
def identity(tmp_path: Path, records: SqliteRecords, clock: HandClock) -> IdentityService:
    events = SqliteEventStore(Database(tmp_path / "upid.db"))
    return IdentityService(records, events, KeyfileSealer(tmp_path / "master.key"), clock, UlidIds(clock), 900, kept(clock), 3600)


def test_a_token_ends_on_the_second_that_it_says(identity: IdentityService, clock: HandClock) -> None:
    identity.create_user("ann", "a password", ["a:b"])
    token = identity.login("ann", "a password").access_token
    clock.time = START + 899
    assert identity.authenticate(token).username == "ann"
    clock.time = START + 900
    with pytest.raises(UnauthenticatedError, match="expired"):
        identity.authenticate(token)


def test_a_small_skew_of_clocks_is_forgiven_and_a_large_one_not(identity: IdentityService, clock: HandClock) -> None:
    identity.create_user("ann", "a password", [])
    token = identity.token_for("ann").access_token
    clock.time = START - 29
    assert identity.authenticate(token)
    clock.time = START - 31
    with pytest.raises(UnauthenticatedError):
        identity.authenticate(token)


def test_a_name_is_taken_once_over_all_tenants(identity: IdentityService) -> None:
    identity.create_user("ann", "a password", [])
    with pytest.raises(UsernameTakenError):
        identity.create_user("ann", "another password", [], tenant="other")
    assert identity.login("ann", "a password").caller.tenant == "default"


def test_a_user_of_another_tenant_acts_in_that_tenant(identity: IdentityService) -> None:
    identity.create_user("bob", "a password", ["a:b"], tenant="other")
    caller = identity.authenticate(identity.login("bob", "a password").access_token)
    assert (caller.tenant, caller.permissions) == ("other", ("self:*", "a:b"))


def test_nobody_gets_no_token_and_has_no_profile(identity: IdentityService) -> None:
    with pytest.raises(NotFoundError):
        identity.token_for("nobody")
    with pytest.raises(NotFoundError):
        identity.profile(Caller("usr_gone", "gone", "default", ()))


def test_the_admins_password_is_changed_only_where_it_differs(identity: IdentityService, records: SqliteRecords) -> None:
    assert identity.ensure_admin("given") is None
    before = records.query("t#default#users").items
    assert identity.ensure_admin("given") is None
    assert identity.ensure_admin() is None
    assert records.query("t#default#users").items == before
    identity.ensure_admin("another")
    assert records.query("t#default#users").items != before


def test_two_processes_that_make_the_first_key_at_once_agree_on_one(tmp_path: Path, records: SqliteRecords, clock: HandClock) -> None:
    class Late:
        """A store in which somebody else's key appears between the look and the write."""

        def __init__(self) -> None:
            self.looks = 0

        def get(self, key: Key) -> Record | None:
            self.looks += 1
            return None if self.looks == 1 else records.get(key)

        def put(self, key: Key, body: Mapping[str, Any], *, expect: int | None = None) -> Record:
            return records.put(key, body, expect=expect)

    sealer, ids = KeyfileSealer(tmp_path / "master.key"), UlidIds(clock)
    first = Tokens(records, sealer, clock, ids, 900, kept(clock))
    token = first.issue("usr_1", "default")
    second = Tokens(Late(), sealer, clock, ids, 900, kept(clock))  # type: ignore[arg-type] # as much of a store as a key needs
    assert second.read(token).user_id == "usr_1"
    with pytest.raises(VersionConflictError):
        records.put(SIGNING_KEY, {}, expect=0)


def test_tokens_of_another_platform_are_not_ours(tmp_path: Path, records: SqliteRecords, clock: HandClock) -> None:
    other_records = SqliteRecords(Database(tmp_path / "other.db"), clock)
    sealer, ids = KeyfileSealer(tmp_path / "master.key"), UlidIds(clock)
    ours, theirs = (Tokens(store, sealer, clock, ids, 900, kept(clock)) for store in (records, other_records))
    with pytest.raises(UnauthenticatedError):
        ours.read(theirs.issue("usr_1", "default"))


def test_a_lost_master_key_is_told_instead_of_making_new_tokens(tmp_path: Path, records: SqliteRecords, clock: HandClock) -> None:
    Tokens(records, KeyfileSealer(tmp_path / "master.key"), clock, UlidIds(clock), 900, kept(clock)).prepare()
    with pytest.raises(UnavailableError, match=r"cannot be opened: .*another master key"):
        Tokens(records, KeyfileSealer(tmp_path / "new.key"), clock, UlidIds(clock), 900, kept(clock)).prepare()


def test_passwords_are_salted_and_verified() -> None:
    passwords = Passwords()
    first, second = passwords.hash("päss"), passwords.hash("päss")
    assert first != second
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(first, "päss")
    assert not passwords.matches(first, "pass")
    assert not passwords.matches(None, "a password that nobody has")
    assert not passwords.matches("no hash", "x")
