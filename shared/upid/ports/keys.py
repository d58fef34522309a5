"""Encryption at rest: AES-256-GCM envelopes under a master key (KMS, or a key file embedded)."""

from __future__ import annotations

from typing import Protocol


class Sealer(Protocol):
    """Seals secrets with a data key of their own."""

    def seal(self, plain: bytes, *, context: str) -> bytes:
        """Return an envelope that opens only with the same `context` (the id of what it belongs to)."""
        ...

    def open(self, envelope: bytes, *, context: str) -> bytes:
        """Return what was sealed; ValueError for another context or a changed envelope."""
        ...
