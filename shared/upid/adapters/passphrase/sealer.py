"""AES-256-GCM under a key that scrypt makes of a passphrase: for secrets on their way from one home to another."""

from __future__ import annotations

import hashlib
import secrets
from functools import cached_property
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from upid.domain.errors import InvalidError

VERSION: Final = b"\x03"
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
SHORTEST: Final = 12  # characters
COST: Final = 2**16  # scrypt's N with r = 8: 64 MiB and about 0.2 s for each guess


class PassphraseSealer:
    """Seals under a passphrase and a salt that travels beside. InvalidError for a passphrase of less than twelve characters."""

    def __init__(self, passphrase: str, salt: bytes) -> None:
        if len(passphrase) < SHORTEST:
            raise InvalidError(f"A passphrase has at least {SHORTEST} characters.")
        self._passphrase = passphrase
        self._salt = salt

    def seal(self, plain: bytes, *, context: str) -> bytes:
        """Return an envelope that opens only with the same passphrase, salt and `context`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return VERSION + nonce + AESGCM(self._key).encrypt(nonce, plain, VERSION + context.encode())

    def open(self, envelope: bytes, *, context: str) -> bytes:
        """Return what was sealed; ValueError for another passphrase, another context or a changed envelope."""
        nonce, sealed = envelope[1 : 1 + NONCE_BYTES], envelope[1 + NONCE_BYTES :]
        if envelope[:1] != VERSION or len(sealed) < TAG_BYTES:
            raise ValueError("This is no sealed envelope.")
        try:
            return AESGCM(self._key).decrypt(nonce, sealed, VERSION + context.encode())
        except InvalidTag:
            raise ValueError("This envelope was changed, or sealed under another passphrase.") from None

    @cached_property
    def _key(self) -> bytes:
        return hashlib.scrypt(self._passphrase.encode(), salt=self._salt, n=COST, r=8, p=1, maxmem=256 << 20, dklen=32)


def new_salt() -> bytes:
    """Return a salt."""
    return secrets.token_bytes(SALT_BYTES)
