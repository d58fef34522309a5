"""Windows of stored chunks, and which of them are shown: one that a longer one holds was joined into that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

DAY_SECONDS: Final = 86400


class Window(Protocol):
    """[start, end), in seconds since the epoch."""

    @property
    def start(self) -> int:
        """The begin."""
        ...

    @property
    def end(self) -> int:
        """The moment behind the end."""
        ...


W = TypeVar("W", bound=Window)


def shown(windows: Iterable[W]) -> list[W]:
    """Return the windows that no longer one holds, oldest first."""
    found: list[W] = []
    for stored in sorted(windows, key=lambda window: (window.start, -window.end)):
        if not found or stored.end > found[-1].end:
            found.append(stored)
    return found


def days_to_join(windows: Iterable[W], before: float) -> list[list[W]]:
    """Return, for each UTC day that ended at or before `before` and has more than one of the windows shown, those windows."""
    days: dict[int, list[W]] = {}
    for stored in shown(windows):
        if stored.start // DAY_SECONDS == (stored.end - 1) // DAY_SECONDS:
            days.setdefault(stored.start // DAY_SECONDS, []).append(stored)
    return [day for number, day in days.items() if len(day) > 1 and (number + 1) * DAY_SECONDS <= before]
