"""Identifiers that sort by time, also within one millisecond."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Callable

from upid.domain.ids import PREFIXES, ulid
from upid.ports.clock import Clock

ENTROPY_BYTES = 10
SECRET_BYTES = 32


class UlidIds:
    """ULIDs as github.com/ulid/spec has them: within a millisecond, or when the clock steps back, the next one is the last plus one."""

    def __init__(self, clock: Clock, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._entropy = entropy
        self._lock = threading.Lock()
        self._made_by = 0
        self._milliseconds = 0
        self._number = 0

    def new(self, kind: str) -> str:
        """Return a new id of a kind that PREFIXES names; ValueError for any other."""
        prefix = PREFIXES.get(kind)
        if prefix is None:
            raise ValueError(f"{kind!r} is no kind of id.")
        with self._lock:
            self._advance(int(self._clock.now() * 1000))
            return prefix + ulid(self._milliseconds, self._number.to_bytes(ENTROPY_BYTES, "big"))

    def secret(self) -> str:
        """Return 256 random bits in URL-safe base 64."""
        return base64.urlsafe_b64encode(self._entropy(SECRET_BYTES)).rstrip(b"=").decode()

    def _advance(self, milliseconds: int) -> None:
        # A forked child inherits the last number: counting on from it would repeat its parent's ids.
        forked = self._made_by != os.getpid()
        if milliseconds > self._milliseconds or forked:
            self._made_by = os.getpid()
            self._milliseconds = max(milliseconds, self._milliseconds)
            # The highest bit stays free, so that counting up within a millisecond never overflows.
            self._number = int.from_bytes(self._entropy(ENTROPY_BYTES), "big") >> 1
        else:
            self._number += 1
