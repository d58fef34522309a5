"""AES-256-GCM envelopes whose data keys are wrapped by a KMS key.

An envelope is: version (1 byte), the KMS key's fingerprint (8), length of the wrapped data key (2) and its digest (8), the wrapped data key,
nonce (12), sealed text (its length + 16). KMS binds the data key to the context; the seal is bound to the context and to everything before it.
The digest is no protection: it tells a damaged envelope without asking KMS.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from upid.adapters.aws.clients import AwsClients

VERSION: Final = b"\x02"  # the key file's envelopes are of version 1
FINGERPRINT_BYTES: Final = 8
DIGEST_BYTES: Final = 8
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
HEAD_BYTES: Final = len(VERSION) + FINGERPRINT_BYTES + 2 + DIGEST_BYTES
_CHANGED: Final = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})


class KmsSealer:
    """Seals each secret with a data key of its own. `key_id`: a KMS key's ARN (or its id or an alias, which needs kms:DescribeKey)."""

    def __init__(self, clients: AwsClients, key_id: str) -> None:
        self._clients = clients
        self._key_id = key_id

    def seal(self, plain: bytes, *, context: str) -> bytes:
        """Return an envelope that opens only with the same `context`; UnavailableError where KMS refuses or does not answer."""
        with self._told():
            made = self._client.generate_data_key(KeyId=self._key_id, KeySpec="AES_256", EncryptionContext=_context(context))
        wrapped, nonce = bytes(made["CiphertextBlob"]), secrets.token_bytes(NONCE_BYTES)
        head = VERSION + self._fingerprint + len(wrapped).to_bytes(2, "big") + _digest(wrapped) + wrapped
        return head + nonce + AESGCM(made["Plaintext"]).encrypt(nonce, plain, head + context.encode())

    def open(self, envelope: bytes, *, context: str) -> bytes:
        """Return what was sealed; ValueError for another context, another KMS key or a changed envelope, UnavailableError where KMS does not answer."""
        fingerprint, wrapped = envelope[1 : 1 + FINGERPRINT_BYTES], _wrapped_in(envelope)
        sealed = envelope[HEAD_BYTES + len(wrapped) :]
        if fingerprint != self._fingerprint:
            raise ValueError(f"This was sealed under another master key than {self._key_id}.")
        data_key = self._unwrapped(wrapped, context)
        try:
            head = envelope[: HEAD_BYTES + len(wrapped)]
            return AESGCM(data_key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], head + context.encode())
        except InvalidTag:
            raise ValueError("This envelope was changed, or sealed for another context.") from None

    def _unwrapped(self, wrapped: bytes, context: str) -> bytes:
        from botocore.exceptions import ClientError  # noqa: PLC0415 takes half a second

        from upid.adapters.aws.errors import code_of  # noqa: PLC0415 as above

        with self._told():
            try:
                answer = self._client.decrypt(CiphertextBlob=wrapped, KeyId=self._key_id, EncryptionContext=_context(context))
            except ClientError as error:
                if code_of(error) in _CHANGED:
                    raise ValueError("This envelope was changed, or sealed for another context.") from None
                raise
        return bytes(answer["Plaintext"])

    @property
    def _client(self) -> Any:
        return self._clients.get("kms")

    @cached_property
    def _fingerprint(self) -> bytes:
        arn = self._key_id
        if ":key/" not in arn:  # an alias, or a bare id
            with self._told():
                arn = self._client.describe_key(KeyId=self._key_id)["KeyMetadata"]["Arn"]
        return hashlib.sha256(b"upid kms key" + arn.encode()).digest()[:FINGERPRINT_BYTES]

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        from upid.adapters.aws.errors import told  # noqa: PLC0415 imports botocore

        with told(f"The key {self._key_id} of KMS"):
            yield


def _wrapped_in(envelope: bytes) -> bytes:
    """Return the wrapped data key of an envelope; ValueError for what is none."""
    length = int.from_bytes(envelope[9:11], "big")
    wrapped = envelope[HEAD_BYTES : HEAD_BYTES + length]
    whole = len(envelope) >= HEAD_BYTES + length + NONCE_BYTES + TAG_BYTES
    if envelope[:1] != VERSION or not whole or envelope[11:HEAD_BYTES] != _digest(wrapped):
        raise ValueError("This is no sealed envelope, or it was changed.")
    return wrapped


def _digest(wrapped: bytes) -> bytes:
    return hashlib.sha256(wrapped).digest()[:DIGEST_BYTES]


def _context(context: str) -> dict[str, str]:
    return {"upid": f"context={context}"}
