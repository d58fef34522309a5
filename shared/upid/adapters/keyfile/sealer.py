"""AES-256-GCM envelopes under a master key in a file that only its owner reads.

An envelope is: version (1 byte), the master key's fingerprint (8), nonce (12) and wrapped data key (48), nonce (12), sealed text (its length + 16).
Both seals are bound to the context and to the head before them, so that no part can be taken into another envelope.
"""

from __future__ import annotations

import hashlib
import secrets
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from upid.adapters.directory.files import make_directory, told, write_whole
from upid.domain.errors import UnavailableError

VERSION: Final = b"\x01"
KEY_BYTES: Final = 32
FINGERPRINT_BYTES: Final = 8
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
WRAPPED_BYTES: Final = NONCE_BYTES + KEY_BYTES + TAG_BYTES
HEAD_BYTES: Final = len(VERSION) + FINGERPRINT_BYTES


class DamagedKeyError(UnavailableError):
    """The master key's file holds no key."""

    title = "Master key damaged"


class KeyfileSealer:
    """Seals each secret with a data key of its own, wrapped by the master key. The key is made when something is first sealed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def seal(self, plain: bytes, *, context: str) -> bytes:
        """Return an envelope that opens only with the same `context`; UnwritableError or DamagedKeyError where there is no master key to be had."""
        data_key = secrets.token_bytes(KEY_BYTES)
        head = VERSION + self._fingerprint
        wrapped = _encrypt(self._master_key, data_key, head, context)
        return head + wrapped + _encrypt(data_key, plain, head + wrapped, context)

    def open(self, envelope: bytes, *, context: str) -> bytes:
        """Return what was sealed; ValueError for another context, another master key or a changed envelope."""
        head, wrapped, sealed = (
            envelope[:HEAD_BYTES],
            envelope[HEAD_BYTES : HEAD_BYTES + WRAPPED_BYTES],
            envelope[HEAD_BYTES + WRAPPED_BYTES :],
        )
        if head[:1] != VERSION or len(sealed) < NONCE_BYTES + TAG_BYTES:
            raise ValueError("This is no sealed envelope.")
        if head[1:] != self._fingerprint:
            raise ValueError(f"This was sealed under another master key than the one in {self._path.name}.")
        try:
            data_key = _decrypt(self._master_key, wrapped, head, context)
            return _decrypt(data_key, sealed, head + wrapped, context)
        except InvalidTag:
            raise ValueError("This envelope was changed, or sealed for another context.") from None

    @cached_property
    def _master_key(self) -> bytes:
        make_directory(self._path.parent)
        with told(self._path):
            if not self._path.exists():
                # Two processes may both get here: the first link wins, and both read the winner's key.
                write_whole(self._path, f"{secrets.token_hex(KEY_BYTES)}\n".encode(), scratch=self._path.parent, if_absent=True)
        with told(self._path, "read"):
            return _parse(self._path.read_bytes(), self._path)

    @cached_property
    def _fingerprint(self) -> bytes:
        return hashlib.sha256(b"upid master key" + self._master_key).digest()[:FINGERPRINT_BYTES]


def _parse(text: bytes, path: Path) -> bytes:
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise DamagedKeyError(f"{path} holds no master key: {2 * KEY_BYTES} hexadecimal digits are expected. Restore it from a backup.")
    return key


def _encrypt(key: bytes, plain: bytes, head: bytes, context: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, head + context.encode())


def _decrypt(key: bytes, sealed: bytes, head: bytes, context: str) -> bytes:
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], head + context.encode())
