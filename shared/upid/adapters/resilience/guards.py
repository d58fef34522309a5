"""A circuit breaker and a bulkhead for each outside system, by name, for all clients of a process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock

from upid.adapters.resilience.breaker import Changed, CircuitBreaker, Limits
from upid.domain.circuits import Circuit, State
from upid.domain.errors import AppError, UnavailableError
from upid.ports.clock import Clock

logger = logging.getLogger(__name__)


class BusyError(UnavailableError):
    """A system is asked by as many requests at once as it may be, and none of them ended in time."""

    title = "Too many requests at once"


@dataclass(slots=True)
class Attempt:
    """A request under way: `error` is set where the system failed, `weight` where that counts as several failures."""

    error: str = ""
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Guard:
    """Stands before one system: no more than so many requests at once, and none while its circuit is open."""

    breaker: CircuitBreaker
    places: BoundedSemaphore

    @contextmanager
    def attempt(self, failures: tuple[type[BaseException], ...], *, wait_seconds: float) -> Iterator[Attempt]:
        """Do one request. An exception of `failures`, or `error` set, counts against the system; any other exception tells nothing of it.

        Raises CircuitOpenError at once, and BusyError where no place is free within `wait_seconds`.
        """
        self.breaker.admit()
        if not self.places.acquire(timeout=wait_seconds):
            self.breaker.abandoned()
            raise BusyError(f"{self.breaker.name} is asked by too many requests at once.", retry_after_seconds=1)
        done = Attempt()
        try:
            yield done
        except failures as error:
            self.breaker.failed(done.error or str(error), weight=done.weight)
            raise
        except BaseException:
            self.breaker.abandoned()
            raise
        else:
            self.breaker.failed(done.error, weight=done.weight) if done.error else self.breaker.succeeded()
        finally:
            self.places.release()


@dataclass(slots=True)
class Guards:
    """The guards of a process. A change that cannot be recorded is logged: the circuit itself does not wait for it.

    recall: how any process last left a circuit, None = closed, so that what one found dead costs no other its waiting; without it each learns by itself.
    """

    clock: Clock
    changed: Changed
    limits: Limits = field(default_factory=Limits)
    recall: Callable[[str], Circuit | None] | None = None
    _known: dict[str, Guard] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def of(self, name: str) -> Guard:
        """Return the guard of a system, as the last process left it; the same for the same name."""
        with self._lock:
            if name not in self._known:
                breaker = CircuitBreaker(name, self.limits, self.clock, self._tell)
                self._known[name] = Guard(breaker, BoundedSemaphore(self.limits.at_once))
            guard = self._known[name]
        self._learn(guard.breaker)
        return guard

    def forget(self, prefix: str) -> None:
        """Forget the systems whose names begin with `prefix`."""
        with self._lock:
            for name in [name for name in self._known if name.startswith(prefix)]:
                del self._known[name]

    def _learn(self, breaker: CircuitBreaker) -> None:
        if self.recall is None:
            return
        try:
            breaker.learn(self.recall(breaker.name))
        except AppError as unknown:
            logger.warning("The circuit of %s could not be looked up: %s", breaker.name, unknown.detail)

    def _tell(self, name: str, state: State, failures: int, error: str) -> None:
        logger.warning("The circuit of %s is %s after %d failures: %s", name, state, failures, error)
        try:
            self.changed(name, state, failures, error)
        except AppError as unrecorded:
            logger.warning("The circuit of %s could not be recorded: %s", name, unrecorded.detail)
