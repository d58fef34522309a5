"""Links to blobs that the embedded gateway itself answers."""

from __future__ import annotations

import hashlib
import hmac
import threading
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlencode

from upid.domain.errors import NotFoundError
from upid.ports.blobs import Blobs
from upid.ports.clock import Clock, Ids

BELOW: Final = "/links/"


@dataclass(frozen=True)
class DirectoryLinks:
    """Signed paths of this process: they end with it, and what lies behind those that have ended is removed when the next one is made."""

    blobs: Blobs
    clock: Clock
    ids: Ids
    _ends: dict[str, float] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _key: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_key", self.ids.secret().encode())

    def link(self, name: str, *, seconds: int, content_type: str) -> str:
        """Return a path, with its query, that gives the blob of this name, which is written next; those beside it whose links have ended are removed."""
        ends = int(self.clock.now()) + seconds
        with self._lock:
            self._ends[name] = ends
            for other in list(self.blobs.names(name.rpartition("/")[0] + "/")):
                if self._ends.get(other, 0.0) <= self.clock.now():
                    self._ends.pop(other, None)
                    self.blobs.delete(other)
        return f"{BELOW}{name}?{urlencode({'ends': ends, 'type': content_type, 'signature': self._signed(name, str(ends), content_type)})}"

    def read(self, path: str, query: str) -> tuple[str, bytes]:
        """Return the content type and the blob of a link; NotFoundError where it was never made, or has ended."""
        name, given = path.removeprefix(BELOW), {key: values[0] for key, values in parse_qs(query).items()}
        ends, kind = given.get("ends", ""), given.get("type", "")
        signed = hmac.compare_digest(self._signed(name, ends, kind).encode(), given.get("signature", "").encode())
        if not signed or float(ends) <= self.clock.now():
            raise NotFoundError("This link was never made, or has ended: ask again for what it led to.")
        return kind, self.blobs.get(name)

    def _signed(self, *parts: str) -> str:
        return hmac.new(self._key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()
