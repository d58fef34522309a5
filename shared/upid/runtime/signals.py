"""Waiting for what ends a process: a signal, or word from another thread."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any, Final

ENDING: Final = (signal.SIGINT, signal.SIGTERM)


class Ending:
    """Says whether this process shall end, as `threading.Event` would, and may be told so by a signal handler.

    A handler that sets a `threading.Event` may run while this very thread holds the event's lock, and waits for ever;
    `SimpleQueue.put` is reentrant.
    """

    def __init__(self) -> None:
        self._words: SimpleQueue[None] = SimpleQueue()
        self._asked = False

    def ask(self) -> None:
        """Say that the process shall end; saying it twice is no error."""
        self._asked = True
        self._words.put(None)

    def is_set(self) -> bool:
        """Tell whether the process shall end."""
        return self._asked

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the process shall end, at most so long; return whether it shall. Any number of threads may wait."""
        if not self._asked:
            try:
                self._words.get(timeout=seconds)
            except Empty:
                return self._asked
            self._words.put(None)  # for the next one that waits
        return True


@contextmanager
def until_signalled() -> Iterator[Ending]:
    """Give what SIGINT and SIGTERM set; the second signal acts as it does without this."""
    ending = Ending()

    def tell(number: int, _: Any) -> None:
        ending.ask()
        signal.signal(number, before[number])

    before: dict[int, Any] = {number: signal.signal(number, tell) for number in ENDING}
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
