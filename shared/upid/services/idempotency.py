"""Keys that make a request safe to send twice (`Idempotency-Key`, draft-ietf-httpapi-idempotency-key-header)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from upid.domain.errors import ConflictError
from upid.ports.clock import Clock
from upid.ports.keys import Sealer
from upid.ports.records import Key, Put, Records

KEEP_SECONDS: Final = 24 * 3600.0


class IdempotencyKeyReusedError(ConflictError):
    """The key was used before, with another request."""

    title = "Idempotency key reused"


@dataclass(frozen=True, slots=True)
class IdempotencyKeys:
    """Remembers for 24 hours what a key was used for and what was answered.

    The request's digest is sealed: it may hold a password, and a bare digest of one can be guessed from a copy of the store.
    """

    records: Records
    sealer: Sealer
    clock: Clock

    def replay(self, tenant: str, operation: str, key: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what this key's first request was answered, None where there was none; IdempotencyKeyReusedError where that asked for something else."""
        place = self._key(tenant, operation, key)
        found = self.records.get(place) if key else None
        if found is None:
            return None
        digest = self.sealer.open(base64.b64decode(found.body["digest"]), context=place.sort)
        if digest != _digest(request):
            raise IdempotencyKeyReusedError("This Idempotency-Key was used for another request.", key=key)
        return dict(found.body["answer"])

    def remember(self, tenant: str, operation: str, key: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> list[Put]:
        """Return the write that keeps an answer, for the transaction that makes it true; none without a key."""
        if not key:
            return []
        place = self._key(tenant, operation, key)
        digest = base64.b64encode(self.sealer.seal(_digest(request), context=place.sort)).decode()
        return [Put(place, {"digest": digest, "answer": dict(answer)}, expect=0, expires_at=self.clock.now() + KEEP_SECONDS)]

    def _key(self, tenant: str, operation: str, key: str) -> Key:
        return Key(f"t#{tenant}#idempotency", f"{operation}#{key}")


def _digest(request: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).digest()
