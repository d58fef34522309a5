"""Waiting for the signals that end the platform."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

ENDING: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def until_signalled() -> Iterator[Callable[[], None]]:
    """Give a function that waits for SIGINT or SIGTERM; the second signal acts as it does without this.

    A handler that set a `threading.Event` could run while this very thread holds the event's lock; a byte in a socket can't deadlock.
    """
    reading, writing = socket.socketpair()

    def tell(number: int, _: Any) -> None:
        writing.send(b"x")
        signal.signal(number, before[number])

    before: dict[int, Any] = {number: signal.signal(number, tell) for number in ENDING}
    try:
        with reading, writing:
            yield lambda: _wait(reading)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(reading: socket.socket) -> None:
    reading.recv(1)
