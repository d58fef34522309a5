"""Schedule expressions of EventBridge: `rate(5 minutes)` and `cron(0 3 * * ? *)`, in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_UNIT_SECONDS: Final = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# Minutes, hours, days of the month, months, days of the week (1 = Sunday), years: the range of each, and the names of its values.
_FIELDS: Final = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (1, 7, _DAYS), (1970, 2199, ()))
_PIECE: Final = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?")


class Expression(Protocol):
    """When something is due."""

    def latest(self, last: float, now: float) -> float | None:
        """Return the latest moment behind `last` and not behind `now` at which it is due, None where there is none [s since the epoch]."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so many seconds."""

    seconds: float

    def latest(self, last: float, now: float) -> float | None:
        """Return the latest whole period behind `last`; several that were missed are one."""
        periods = (now - last) // self.seconds
        return last + periods * self.seconds if periods >= 1 else None


@dataclass(frozen=True, slots=True)
class Cron:
    """Minutes that match six fields; an empty day field is a `?`."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int]

    def latest(self, last: float, now: float) -> float | None:
        """Return the latest matching minute, looking back day by day from `now` to `last`."""
        moment = datetime.fromtimestamp(now, UTC).replace(second=0, microsecond=0)
        while moment.timestamp() > last:
            if not self._day_matches(moment):
                moment = moment.replace(hour=0, minute=0) - timedelta(minutes=1)
            elif moment.hour not in self.hours:
                moment = moment.replace(minute=0) - timedelta(minutes=1)
            elif moment.minute not in self.minutes:
                moment -= timedelta(minutes=1)
            else:
                return moment.timestamp()
        return None

    def _day_matches(self, moment: datetime) -> bool:
        weekday = moment.isoweekday() % 7 + 1
        day = moment.day in self.days or weekday in self.weekdays
        return day and moment.month in self.months and moment.year in self.years


def parse_schedule(text: str) -> Expression:
    """Return when a schedule is due; ValueError for an expression that is wrong or not known (L, W and # of cron are not)."""
    rate = _RATE.fullmatch(text)
    if rate and int(rate[1]) > 0:
        return Rate(int(rate[1]) * _UNIT_SECONDS[rate[2]])
    fields = text.removeprefix("cron(").removesuffix(")").split()
    if not (text.startswith("cron(") and text.endswith(")") and len(fields) == len(_FIELDS)):
        raise ValueError(f"{text!r} is no schedule: write rate(5 minutes) or cron(0 3 * * ? *).")
    if (fields[2] == "?") == (fields[4] == "?"):
        raise ValueError(f"{text!r}: one of day of month and day of week must be ?, the other not.")
    return Cron(*(_values(field, text, *bounds) for field, bounds in zip(fields, _FIELDS, strict=True)))


def _values(field: str, text: str, low: int, high: int, names: tuple[str, ...]) -> frozenset[int]:
    if field == "?":
        return frozenset()
    found: set[int] = set()
    for piece in field.split(","):
        match = _PIECE.fullmatch(piece)
        if not match:
            raise ValueError(f"{text!r}: {piece!r} is not known in a schedule.")
        every, first, last, step = match.groups()
        start = low if every else _value(first, text, names)
        end = high if every or (step and not last) else _value(last or first, text, names)
        if not low <= start <= end <= high or step == "0":
            raise ValueError(f"{text!r}: {piece!r} is outside {low} to {high}.")
        found.update(range(start, end + 1, int(step or 1)))
    return frozenset(found)


def _value(text: str, whole: str, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + 1
    if not text.isdigit():
        raise ValueError(f"{whole!r}: {text!r} is not known in a schedule.")
    return int(text)
