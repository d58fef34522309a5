"""Sessions of registered clusters, kept from one use to the next so that not every request shakes hands anew."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from upid.adapters.kubernetes.session import Session
from upid.domain.clusters import ClusterAccess

MOST: Final = 256
IDLE_SECONDS: Final = 600.0


@dataclass(slots=True)
class Sessions:
    """The sessions by system. One whose access changed, that is idle for long, or that is one too many, is closed with its credentials."""

    clock: Callable[[], float] = time.monotonic
    _kept: OrderedDict[str, tuple[ClusterAccess, Session, float]] = field(default_factory=OrderedDict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def of(self, access: ClusterAccess, make: Callable[[ClusterAccess], Session]) -> Session:
        """Return the session of an access, one of its own where it names no system."""
        if not access.system:
            return make(access)
        with self._lock:
            now = self.clock()
            kept = self._kept.pop(access.system, None)
            if kept is not None and kept[0] != access:
                kept[1].close()
                kept = None
            session = kept[1] if kept else make(access)
            self._kept[access.system] = access, session, now
            while len(self._kept) > MOST or next(iter(self._kept.values()))[2] < now - IDLE_SECONDS:
                self._kept.popitem(last=False)[1][1].close()
            return session

    def forget(self, prefix: str) -> None:
        """Close the sessions of systems whose names begin with `prefix`."""
        with self._lock:
            for name in [name for name in self._kept if name.startswith(prefix)]:
                self._kept.pop(name)[1].close()
