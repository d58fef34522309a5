"""A circuit breaker: after so many failures in a row a system is left alone for a while, then tried with one request."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from upid.domain.circuits import Circuit, State
from upid.domain.errors import UnavailableError
from upid.ports.clock import Clock

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
    _changed_at: float = 0.0
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
            self._changed_at = self.clock.now() if is_new else self._changed_at
        if is_new:
            self._tell("half_open")

    def succeeded(self) -> None:
        """Close the circuit: the system answers."""
        with self._lock:
            is_new = self.state != "closed"
            self._close()
        if is_new:
            self._tell("closed")

    def failed(self, error: str, *, weight: int = 1) -> None:
        """Count a failure, and open the circuit at the limit, or at once where it was the one try. weight: as how many failures it counts."""
        with self._lock:
            self.failures, self.last_error = self.failures + weight, error
            was_try, self._probing = self.state == "half_open", False
            if not was_try and (self.state == "open" or self.failures < self.limits.failures):
                return
            self._open_seconds = min(self._open_seconds * 2 or self.limits.open_seconds, self.limits.longest_open_seconds)
            self._changed_at = self.clock.now()
            self.state, self._until = "open", self._changed_at + self._open_seconds
        self._tell("open")

    def abandoned(self) -> None:
        """Forget a request that told nothing about the system."""
        with self._lock:
            self._probing = False

    def learn(self, found: Circuit | None) -> None:
        """Take over how another process left the circuit, None = closed, where that is newer than what is known here; nobody is told of it again."""
        with self._lock:
            if found is None or found.state == "closed":
                if self.state != "closed" and (found is None or found.changed_at > self._changed_at):
                    self._close()
            elif found.changed_at > self._changed_at:
                self.state, self.failures, self.last_error, self._changed_at = (
                    found.state,
                    found.failures,
                    found.last_error,
                    found.changed_at,
                )
                self._open_seconds = max(self._open_seconds, self.limits.open_seconds)
                self._until, self._probing = found.changed_at + self._open_seconds, False

    def _close(self) -> None:
        self.state, self.failures, self._open_seconds, self._probing, self._changed_at = "closed", 0, 0.0, False, self.clock.now()

    def _tell(self, state: State) -> None:
        self.changed(self.name, state, self.failures, self.last_error)
