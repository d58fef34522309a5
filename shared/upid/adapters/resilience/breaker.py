"""A circuit breaker: after so many failures in a row a system is left alone for a while, then tried with one request."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal

from upid.domain.errors import UnavailableError
from upid.ports.clock import Clock

State = Literal["closed", "open", "half_open"]
Changed = Callable[[str, State, int, str], None]


class CircuitOpenError(UnavailableError):
    """A system failed again and again a moment ago, and is not asked before some time has passed."""

    title = "Circuit open"


@dataclass(frozen=True, slots=True)
class Limits:
    """failures: in a row before the circuit opens. open_seconds: until it is tried again, doubled with each failed try up to `longest_open_seconds`.

    at_once: requests to one system at a time.
    """

    failures: int = 5
    open_seconds: float = 15.0
    longest_open_seconds: float = 240.0
    at_once: int = 8


@dataclass(slots=True)
class CircuitBreaker:
    """One system's circuit; safe for threads. `changed` is told of every change, outside the lock: name, state, failures in a row, last error."""

    name: str
    limits: Limits
    clock: Clock
    changed: Changed
    state: State = "closed"
    failures: int = 0
    last_error: str = ""
    _until: float = 0.0
    _open_seconds: float = 0.0
    _probing: bool = False
    _lock: Lock = field(default_factory=Lock, repr=False)

    def admit(self) -> None:
        """Let a request through; CircuitOpenError (`retry_after_seconds`) while the circuit is open, or half open with a try under way."""
        with self._lock:
            if self.state == "closed":
                return
            left = self._until - self.clock.now()
            if left > 0 or self._probing:
                detail = f"{self.name} is not asked for now, it failed {self.failures} times in a row: {self.last_error}"
                raise CircuitOpenError(detail, retry_after_seconds=max(1, math.ceil(left)))
            self._probing = True
            is_new, self.state = self.state == "open", "half_open"
        if is_new:
            self._tell("half_open")

    def succeeded(self) -> None:
        """Close the circuit: the system answers."""
        with self._lock:
            is_new = self.state != "closed"
            self.state, self.failures, self._open_seconds, self._probing = "closed", 0, 0.0, False
        if is_new:
            self._tell("closed")

    def failed(self, error: str) -> None:
        """Count a failure, and open the circuit at the limit, or at once where it was the one try."""
        with self._lock:
            self.failures, self.last_error = self.failures + 1, error
            was_try, self._probing = self.state == "half_open", False
            if not was_try and (self.state == "open" or self.failures < self.limits.failures):
                return
            self._open_seconds = min(self._open_seconds * 2 or self.limits.open_seconds, self.limits.longest_open_seconds)
            self.state, self._until = "open", self.clock.now() + self._open_seconds
        self._tell("open")

    def abandoned(self) -> None:
        """Forget a request that told nothing about the system."""
        with self._lock:
            self._probing = False

    def _tell(self, state: State) -> None:
        self.changed(self.name, state, self.failures, self.last_error)
