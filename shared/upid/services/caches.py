"""What a process keeps for a while, so that it need not be made again.

What is kept is made from something: a credential from its envelope, rules from their records. Whoever asks says by `version` what it is to be made from
now, and never gets what was made from anything else. So a lifetime bounds how long something lies in memory, not how long it may be wrong.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, Final, Generic, NamedTuple, TypeVar

from upid.domain.lifetimes import KEPT, Bounds, Lifetimes
from upid.ports.clock import Clock

SWEEPS: Final = 8  # times that a lifetime is looked through for what is over

Value = TypeVar("Value")


class Counts(NamedTuple):
    """What a cache did since its process began: a hit is what need not be made. `evictions`: entries that had to make room."""

    name: str
    lifetime_seconds: int
    hits: int
    misses: int
    evictions: int
    entries: int
    size_bytes: int


@dataclass(eq=False, slots=True)
class _Making:
    """A value that is made from a version, or was. `outcome`: the value as a tuple of one, or why there is none; None = it was broken off."""

    version: Hashable
    done: Event = field(default_factory=Event)
    outcome: tuple[Any] | Exception | None = None


class _Turn(NamedTuple):
    making: _Making
    is_mine: bool


class _Entry(NamedTuple):
    making: _Making
    size_bytes: int
    made_at: float


class Cache(Generic[Value]):
    """Values by key, of one kind: bounded in age, number and size, the least recently used go first. Safe under threads.

    Of several who ask for the same at once, one makes it and the others wait for it, and share its error where there is one. An error is not kept.
    """

    def __init__(self, name: str, lifetime_seconds: int, bounds: Bounds, clock: Clock, size_of: Callable[[Value], int]) -> None:
        self.name, self.lifetime_seconds, self._bounds = name, lifetime_seconds, bounds
        self._clock, self._size_of = clock, size_of
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._making: dict[Hashable, _Making] = {}
        self._lock = Lock()
        self._hits = self._misses = self._evictions = self._size_bytes = 0
        self._sweep_at = 0.0

    def get(self, key: Hashable, make: Callable[[], Value], *, version: Hashable = None) -> Value:
        """Return what `make` gives, or gave for this key and version before; errors as `make`, which must not ask for the same key."""
        if self.lifetime_seconds <= 0:
            with self._lock:
                self._misses += 1
            return make()
        while True:
            with self._lock:
                turn = self._turn(key, version)
            if turn.is_mine:
                return self._made(key, turn.making, make)
            turn.making.done.wait()
            if isinstance(turn.making.outcome, Exception):
                raise turn.making.outcome
            if turn.making.outcome is not None:
                value: Value = turn.making.outcome[0]
                return value

    def forget(self, key: Hashable) -> None:
        """Let go of what is kept of a key, and keep nothing of it that is being made just now."""
        with self._lock:
            self._drop(key)
            self._making.pop(key, None)  # what is not in here when it is done is not kept

    def counts(self) -> Counts:
        """Return what the cache did so far, and how much it holds."""
        with self._lock:
            self._sweep(self._clock.now())
            done = self._hits, self._misses, self._evictions
            return Counts(self.name, self.lifetime_seconds, *done, len(self._entries), self._size_bytes)

    def _turn(self, key: Hashable, version: Hashable) -> _Turn:
        """Return the making that gives the value: one that is over, one to wait for, or one that is the caller's own to do."""
        now = self._clock.now()
        self._sweep(now)
        kept, making = self._entries.get(key), self._making.get(key)
        if kept is not None and kept.making.version == version and self._lives(kept, now):
            self._hits += 1
            self._entries.move_to_end(key)
            return _Turn(kept.making, is_mine=False)
        if making is not None and making.version == version:
            self._hits += 1
            return _Turn(making, is_mine=False)
        self._misses += 1
        making = self._making[key] = _Making(version)
        return _Turn(making, is_mine=True)

    def _made(self, key: Hashable, making: _Making, make: Callable[[], Value]) -> Value:
        made_at = self._clock.now()  # before it is made: it may be as old as what it was made from
        try:
            value = make()
            making.outcome = (value,)
            self._keep(key, making, _Entry(making, self._size_of(value), made_at))
        except Exception as error:
            making.outcome = error
            raise
        else:
            return value
        finally:
            with self._lock:
                if self._making.get(key) is making:
                    del self._making[key]
            making.done.set()

    def _keep(self, key: Hashable, making: _Making, entry: _Entry) -> None:
        with self._lock:
            # Forgotten meanwhile, or asked for in another version: it is not to be kept.
            if self._making.get(key) is not making or entry.size_bytes > self._bounds.size_bytes:
                return
            self._drop(key)
            self._entries[key] = entry
            self._size_bytes += entry.size_bytes
            while len(self._entries) > self._bounds.entries or self._size_bytes > self._bounds.size_bytes:
                self._drop(next(iter(self._entries)))
                self._evictions += 1

    def _lives(self, entry: _Entry, now: float) -> bool:
        # A clock that was set back makes an entry look younger than it is: one from the future is over.
        return 0 <= now - entry.made_at < self.lifetime_seconds

    def _sweep(self, now: float) -> None:
        """Let go of what is over, now and then: secrets are not to lie about until their room is needed."""
        if now < self._sweep_at <= now + self.lifetime_seconds:
            return
        self._sweep_at = now + self.lifetime_seconds / SWEEPS
        for key in [key for key, entry in self._entries.items() if not self._lives(entry, now)]:
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        gone = self._entries.pop(key, None)
        if gone is not None:
            self._size_bytes -= gone.size_bytes


class Caches:
    """The caches of one process, by what they keep."""

    def __init__(self, lifetimes: Lifetimes, clock: Clock) -> None:
        self._lifetimes, self._clock = lifetimes, clock
        self._made: dict[str, Cache[Any]] = {}

    def of(self, name: str, size_of: Callable[[Any], int]) -> Cache[Any]:
        """Return the cache of a kind that `upid.domain.lifetimes.KEPT` names, the same one each time; KeyError for another."""
        return self._made.setdefault(name, Cache(name, getattr(self._lifetimes, name), KEPT[name], self._clock, size_of))

    def counts(self) -> list[Counts]:
        """Return what each cache of this process did, in the order of their names; one that nothing asked for is not among them."""
        return [self._made[name].counts() for name in sorted(self._made)]
