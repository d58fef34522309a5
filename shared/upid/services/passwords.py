"""Passwords: argon2id, with the parameters that OWASP asks for at least."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MEMORY_KIB: Final = 19456  # OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane
PASSES: Final = 2
LANES: Final = 1


@dataclass(frozen=True)
class Passwords:
    """Hashes and verifies. Verifying takes as long for a user who does not exist."""

    def hash(self, password: str) -> str:
        """Return an encoded hash with a salt of its own."""
        return self._hasher.hash(password)

    def matches(self, encoded: str | None, password: str) -> bool:
        """Tell whether the password is the hashed one; None stands for a user who does not exist: the same work, and never true."""
        from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 only a login needs it

        nobody = self._nobody  # made with the first login, whoever that is of
        try:
            return self._hasher.verify(nobody if encoded is None else encoded, password) and encoded is not None
        except (VerificationError, InvalidHashError):
            return False

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher  # noqa: PLC0415 only a login needs it

        return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("a password that nobody has")
