"""Access tokens: short-lived JWTs signed with a key that is made once and lies sealed in the records."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from upid.domain.errors import UnauthenticatedError, UnavailableError, VersionConflictError
from upid.ports.clock import Clock, Ids
from upid.ports.keys import Sealer
from upid.ports.records import Key, Records
from upid.services.caches import Cache

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ALGORITHM: Final = "EdDSA"  # the only one that is taken, whatever a token's header says
ISSUER: Final = "upid"
AUDIENCE: Final = "upid-api"
CLAIMS: Final = ("iss", "aud", "sub", "tenant", "iat", "exp", "jti")
SIGNING_KEY: Final = Key("g#keys", "access-tokens")
SKEW_SECONDS: Final = 30.0


class Claims(NamedTuple):
    """What a token says of whom: ids, and when it was made and ends in seconds since the epoch."""

    user_id: str
    tenant: str
    issued_at: float
    expires_at: float


@dataclass(frozen=True)
class Tokens:
    """Issues and reads access tokens. verified: what tokens say whose signature holds, by their hash; whether they are in time is judged anew each time."""

    records: Records
    sealer: Sealer
    clock: Clock
    ids: Ids
    seconds: int
    verified: Cache[Claims]

    def prepare(self) -> None:
        """Make or open the signing key; UnavailableError where that can't be."""
        self._key  # noqa: B018 reading it opens it

    def issue(self, user_id: str, tenant: str) -> str:
        """Return a signed token that is valid for `seconds`."""
        import jwt  # noqa: PLC0415 cryptography takes 0.15 s to import

        now = int(self.clock.now())
        claims = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": user_id, "tenant": tenant, "iat": now, "exp": now + self.seconds, "jti": self.ids.secret(),
        }  # fmt: skip
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"typ": "at+jwt"})

    def read(self, token: str) -> Claims:
        """Return what a token says; UnauthenticatedError for one that is not ours, not for this API, changed, or over."""
        return self._in_time(self.verified.get(sha256(token.encode("utf-8", "surrogatepass")).digest(), lambda: self._verified(token)))

    def _verified(self, token: str) -> Claims:
        """Return what a token says that is ours and for this API, whenever that was."""
        import jwt  # noqa: PLC0415 cryptography takes 0.15 s to import

        options: dict[str, Any] = {"require": list(CLAIMS), "verify_exp": False, "verify_iat": False}  # the clock is our port, see _in_time
        try:
            claims = jwt.decode(
                token, self._key.public_key(), algorithms=[ALGORITHM], issuer=ISSUER, audience=AUDIENCE, options=options  # type: ignore[arg-type] # a plain dictionary
            )  # fmt: skip
        except jwt.InvalidTokenError:
            raise UnauthenticatedError("The access token is not valid.") from None
        return _claims(claims)

    def _in_time(self, claims: Claims) -> Claims:
        now = self.clock.now()
        if claims.issued_at > now + SKEW_SECONDS:
            raise UnauthenticatedError("The access token is not valid.")
        if claims.expires_at <= now:
            raise UnauthenticatedError("The access token has expired: log in again.")
        return claims

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 as above

        found = self.records.get(SIGNING_KEY)
        if found is None:
            sealed = self.sealer.seal(Ed25519PrivateKey.generate().private_bytes_raw(), context=SIGNING_KEY.sort)
            try:
                found = self.records.put(SIGNING_KEY, {"sealed": base64.b64encode(sealed).decode()}, expect=0)
            except VersionConflictError:  # another process made the first key in the same moment: that one counts
                found = self.records.get(SIGNING_KEY)
        if found is None:
            raise UnauthenticatedError("There is no signing key.")
        try:
            return Ed25519PrivateKey.from_private_bytes(self.sealer.open(base64.b64decode(found.body["sealed"]), context=SIGNING_KEY.sort))
        except ValueError as error:
            raise UnavailableError(f"The key that signs access tokens cannot be opened: {error}") from None


def size_of(_claims: Claims) -> int:
    """Return about what a verified token takes in memory. [bytes]"""
    return 700


def _claims(found: Mapping[str, Any]) -> Claims:
    issued, ends = found["iat"], found["exp"]
    typed = isinstance(found["tenant"], str) and isinstance(found["jti"], str) and isinstance(issued, int) and isinstance(ends, int)
    if not typed:
        raise UnauthenticatedError("The access token is not valid.")
    return Claims(found["sub"], found["tenant"], float(issued), float(ends))
