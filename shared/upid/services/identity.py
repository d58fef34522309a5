"""Users, their logins, and who a request comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from upid.domain.errors import ConflictError, NotFoundError, UnauthenticatedError, VersionConflictError
from upid.domain.events import Event
from upid.domain.identity import Caller
from upid.domain.times import format_time
from upid.ports.clock import Clock, Ids
from upid.ports.events import EventStore
from upid.ports.keys import Sealer
from upid.ports.records import Key, Put, Record, Records
from upid.services.caches import Cache
from upid.services.login_limits import LoginLimits
from upid.services.passwords import Passwords
from upid.services.tokens import Claims, Tokens

TENANT: Final = "default"
ADMIN: Final = "admin"
OWN: Final = "self:*"  # what everybody may: read and change what is about oneself


class UsernameTakenError(ConflictError):
    """Another user has this name."""

    title = "User name taken"


class Grant(NamedTuple):
    """An access token, its life in seconds, and who it is for."""

    access_token: str
    expires_in: int
    caller: Caller


@dataclass(frozen=True)
class IdentityService:
    """Who is who. Users lie in the records of their tenant; a name is unique over all tenants.

    sessions: verified tokens. limit_seconds: how long failed logins count.
    """

    records: Records
    events: EventStore
    sealer: Sealer
    clock: Clock
    ids: Ids
    token_seconds: int
    sessions: Cache[Claims]
    limit_seconds: int

    def prepare(self) -> None:
        """Make sure that tokens can be signed; UnavailableError that tells why not. A platform that can't should not start."""
        self._tokens.prepare()

    def login(self, username: str, password: str, *, address: str = "") -> Grant:
        """Return a token for a user's name and password, sent from an address ("" = not known).

        Raises UnauthenticatedError, the same in words and time whichever of the two is wrong, and TooManyLoginsError after failures, whoever's name it is.
        """
        attempt = self._limits.begin(username, address)
        found = self._find(username)
        if not self._passwords.matches(found.body["password_hash"] if found else None, password) or found is None:
            self._limits.failed(attempt)
            raise UnauthenticatedError("The user name or the password is wrong.")
        self._limits.succeeded(attempt)
        self.events.append([self._event("user.logged_in", found.body["tenant"], found.key.sort)])
        return self._grant(found)

    def token_for(self, username: str) -> Grant:
        """Return a token for a user without the password, for a process that holds the data directory anyway; NotFoundError for nobody."""
        found = self._find(username)
        if found is None:
            raise NotFoundError(f"There is no user {username}.")
        return self._grant(found)

    def authenticate(self, token: str) -> Caller:
        """Return whom a token is for, with the permissions that the user has now; UnauthenticatedError for a bad token or a user who is gone."""
        return self._inspect(token)[0]

    def introspect(self, token: str) -> tuple[Caller, float] | None:
        """Return whom a token is for and when it ends, in seconds since the epoch; None for one that is not valid."""
        try:
            return self._inspect(token)
        except UnauthenticatedError:
            return None

    def _inspect(self, token: str) -> tuple[Caller, float]:
        claims = self._tokens.read(token)
        found = self.records.get(_user_key(claims.tenant, claims.user_id))
        if found is None or claims.issued_at < int(found.body["password_changed_at"]):
            raise UnauthenticatedError("The access token is not valid.")
        return _caller(found), claims.expires_at

    def profile(self, caller: Caller) -> Mapping[str, Any]:
        """Return what a user may see of himself; NotFoundError where he was removed meanwhile."""
        found = self.records.get(_user_key(caller.tenant, caller.user_id))
        if found is None:
            raise NotFoundError(f"There is no {caller.user_id}.", id=caller.user_id)
        body = found.body
        return {
            "id": found.key.sort, "username": body["username"], "tenant": body["tenant"], "permissions": list(_caller(found).permissions),
            "created_at": format_time(body["created_at"]),
        }  # fmt: skip

    def create_user(self, username: str, password: str, permissions: Sequence[str], *, tenant: str = TENANT) -> str:
        """Create a user and return the id; UsernameTakenError where the name is taken."""
        user_id, now = self.ids.new("user"), self.clock.now()
        body = {
            "username": username, "tenant": tenant, "password_hash": self._passwords.hash(password), "permissions": list(permissions),
            "created_at": now, "password_changed_at": now,
        }  # fmt: skip
        writes = [
            Put(_user_key(tenant, user_id), body, expect=0),
            Put(_name_key(username), {"tenant": tenant, "user_id": user_id}, expect=0),
        ]
        try:
            self.records.transact(writes, [self._event("user.created", tenant, user_id)])
        except VersionConflictError:
            raise UsernameTakenError(f"There is a user {username} already.") from None
        return user_id

    def ensure_admin(self, password: str = "") -> str | None:
        """Make sure that there is an admin who may do everything; a password given here is set.

        Returns the password where one was generated now: it is shown this once and never again.
        """
        found = self._find(ADMIN)
        if found is None:
            chosen = password or self.ids.secret()
            self.create_user(ADMIN, chosen, ["*"])
            return None if password else chosen
        if password and not self._passwords.matches(found.body["password_hash"], password):
            changed = {"password_hash": self._passwords.hash(password), "password_changed_at": self.clock.now()}
            self.records.put(found.key, {**found.body, **changed}, expect=found.version)
        return None

    def _grant(self, found: Record) -> Grant:
        return Grant(self._tokens.issue(found.key.sort, found.body["tenant"]), self.token_seconds, _caller(found))

    def _find(self, username: str) -> Record | None:
        place = self.records.get(_name_key(username))
        return None if place is None else self.records.get(_user_key(place.body["tenant"], place.body["user_id"]))

    def _event(self, kind: str, tenant: str, user_id: str) -> Event:
        return Event(self.ids.new("event"), kind, tenant, user_id, self.clock.now(), actor=user_id)

    @cached_property
    def _tokens(self) -> Tokens:
        return Tokens(self.records, self.sealer, self.clock, self.ids, self.token_seconds, self.sessions)

    @cached_property
    def _limits(self) -> LoginLimits:
        return LoginLimits(self.records, self.clock, self.limit_seconds)

    @cached_property
    def _passwords(self) -> Passwords:
        return Passwords()


def _user_key(tenant: str, user_id: str) -> Key:
    return Key(f"t#{tenant}#users", user_id)


def _name_key(username: str) -> Key:
    return Key("g#usernames", username)


def _caller(found: Record) -> Caller:
    return Caller(found.key.sort, found.body["username"], found.body["tenant"], (OWN, *found.body["permissions"]))
