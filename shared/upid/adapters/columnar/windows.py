"""Windows of stored chunks, and which of them are shown: one that a longer one holds was joined into that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar

from upid.domain.errors import ConflictError

DAY_SECONDS: Final = 86400
WEEK_SECONDS: Final = 7 * DAY_SECONDS


class OverlapError(ConflictError):
    """A chunk covers part of a window that is stored already."""

    title = "Window stored already"


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


def periods_to_join(windows: Iterable[W], before: float) -> list[list[W]]:
    """Return, for each month that ended at or before `before`, and each week of one that goes on, the windows shown in it where there are several."""
    periods: dict[int, list[W]] = {}
    for window in shown(windows):
        periods.setdefault(period_end(window, before), []).append(window)
    return [period for end, period in periods.items() if len(period) > 1 and end <= before]


def period_end(window: Window, before: float) -> int:
    """Return the end of the month that a window begins in, where that is over; else of its seven days, counted from the first of the month."""
    begin = datetime.fromtimestamp(window.start, UTC)
    end = int(datetime(begin.year + begin.month // 12, begin.month % 12 + 1, 1, tzinfo=UTC).timestamp())
    if end <= before:
        return end
    first = int(datetime(begin.year, begin.month, 1, tzinfo=UTC).timestamp())
    return min(first + (window.start - first) // WEEK_SECONDS * WEEK_SECONDS + WEEK_SECONDS, end)
