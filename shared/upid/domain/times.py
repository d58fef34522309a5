"""Moments and durations as text: RFC 3339 in UTC, and durations as Prometheus and kubectl write them (`7d`, `5m`, `36h`, `1h30m`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

UNIT_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)")


def parse_duration(text: str) -> float:
    """Return a duration in seconds; `36h` is 36 hours, never a day.

    Raises
    ------
    ValueError
        If the text is no sequence of a number and one of ms, s, m, h, d, w, y.
    """
    position, total = 0, 0.0
    for part in _PART.finditer(text):
        if part.start() != position:
            break
        total += float(part[1]) * UNIT_SECONDS[part[2]]
        position = part.end()
    if not text or position != len(text):
        raise ValueError(f"{text!r} is no duration: write a number and a unit, such as 7d, 36h, 5m or 1h30m.")
    return total


def format_duration(seconds: float) -> str:
    """Return whole seconds as Prometheus writes them, exactly: 129600 is `1d12h`, 90 is `1m30s`."""
    left, parts = round(seconds), []
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, int(UNIT_SECONDS[unit]))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_time(text: str) -> float:
    """Return a moment in seconds since the epoch, from RFC 3339 text or from seconds as a number.

    Raises
    ------
    ValueError
        If it is neither, or a time without a zone.
    """
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time: write RFC 3339, such as 2026-11-23T10:00:00Z, or seconds since the epoch.") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: end it with Z or an offset.")
    return moment.timestamp()


def format_time(seconds: float) -> str:
    """Return a moment as RFC 3339 in UTC with whole seconds, or milliseconds where it has them."""
    moment = datetime.fromtimestamp(round(seconds, 3), UTC)
    whole = moment.microsecond == 0
    return moment.isoformat(timespec="seconds" if whole else "milliseconds").replace("+00:00", "Z")
