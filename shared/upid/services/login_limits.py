"""How often a login may fail before the next try has to wait, held over all processes by records that expire.

Three counts, each of which only its own kind of guessing fills: of one name from one address, of an address over all names, of a name over all
addresses. Nobody is locked out by somebody else: the count of a name does not hold for an address that its user has logged in from.
"""

from __future__ import annotations

import contextlib
import ipaddress
import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple

from upid.domain.errors import TooManyRequestsError, VersionConflictError
from upid.ports.clock import Clock
from upid.ports.records import Key, Records

KNOWN_SECONDS: Final = 30 * 86400  # that an address counts as the user's own after a login
ATTEMPTS: Final = 10


class TooManyLoginsError(TooManyRequestsError):
    """Too many logins failed; `retry_after_seconds` tells when the next one is looked at."""

    title = "Too many failed logins"


class Limit(NamedTuple):
    """Failures that cost nothing, and the longest wait after more: the first costs a second, each one more doubles it. [1], [s]"""

    free: int
    longest_seconds: int

    def wait(self, failures: int) -> int:
        """Return how long to wait after so many failures. [s]"""
        return 0 if failures <= self.free else min(2 ** min(failures - self.free - 1, 30), self.longest_seconds)


PAIR: Final = Limit(5, 900)
ADDRESS: Final = Limit(50, 60)  # many users may share one
NAME: Final = Limit(20, 60)


class Attempt(NamedTuple):
    """A login that is being tried: the keys of its counts."""

    pair: Key
    address: Key
    name: Key


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """Counts failed logins. A name that nobody has is counted like any other, so a refusal tells nothing of it. seconds: how long a count is kept behind its last failure."""

    records: Records
    clock: Clock
    seconds: int

    def begin(self, username: str, address: str) -> Attempt:
        """Count an attempt as failed before its password is looked at, so that tries at once are all counted.

        Raises TooManyLoginsError while one of the counts asks to wait: then nothing is counted and no password is to be looked at.
        """
        network = _network(address)
        attempt = Attempt(_key("pair", username, network), _key("address", network), _key("name", username))
        for _ in range(ATTEMPTS):
            record = self.records.get(attempt.pair)
            pair = record.body if record else {}
            self._hold(pair, self._body(attempt.address), {} if pair.get("is_known") else self._body(attempt.name))
            with contextlib.suppress(VersionConflictError):
                self._write(attempt.pair, self._counted(pair, PAIR), record.version if record else 0)
                return attempt
        raise _too_many(1)

    def failed(self, attempt: Attempt) -> None:
        """Count a failure for its address and its name too."""
        for key, limit in ((attempt.address, ADDRESS), (attempt.name, NAME)):
            for _ in range(ATTEMPTS):
                record = self.records.get(key)
                with contextlib.suppress(VersionConflictError):
                    self._write(key, self._counted(record.body if record else {}, limit), record.version if record else 0)
                    break

    def succeeded(self, attempt: Attempt) -> None:
        """Forget the failures of this name from this address, and know the address as the user's own."""
        now = self.clock.now()
        self.records.put(attempt.pair, {"failures": 0, "until": 0.0, "is_known": True}, expires_at=now + KNOWN_SECONDS)

    def _body(self, key: Key) -> Mapping[str, Any]:
        record = self.records.get(key)
        return record.body if record else {}

    def _hold(self, *counts: Mapping[str, Any]) -> None:
        left = max(count.get("until", 0.0) for count in counts) - self.clock.now()
        if left > 0:
            raise _too_many(math.ceil(left))

    def _counted(self, body: Mapping[str, Any], limit: Limit) -> dict[str, Any]:
        failures = body.get("failures", 0) + 1
        return {"failures": failures, "until": self.clock.now() + limit.wait(failures), "is_known": body.get("is_known", False)}

    def _write(self, key: Key, body: Mapping[str, Any], expect: int) -> None:
        kept = KNOWN_SECONDS if body["is_known"] else self.seconds
        self.records.put(key, body, expect=expect, expires_at=self.clock.now() + kept)


def _too_many(seconds: int) -> TooManyLoginsError:
    return TooManyLoginsError("Too many logins failed: wait before the next one.", retry_after_seconds=seconds)


def _network(address: str) -> str:
    """Return what counts as one address: of IPv6 its /64, which one subscriber has whole."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)


def _key(kind: str, *parts: str) -> Key:
    # What was typed may be a password in the wrong field: only its hash is kept.
    return Key("g#logins", f"{kind}#{sha256(chr(0).join(parts).encode('utf-8', 'surrogatepass')).hexdigest()}")
