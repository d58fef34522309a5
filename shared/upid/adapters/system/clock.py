"""The system's clock."""

from __future__ import annotations

import time


class SystemClock:
    """Wall-clock time."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time()
