from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upid.domain.times import format_duration, format_time, parse_duration, parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7d", 604800), ("36h", 129600), ("5m", 300), ("1h30m", 5400), ("500ms", 0.5), ("0s", 0), ("1.5h", 5400), ("2w", 1209600)],
)
def test_durations_are_read_exactly(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "7 d", "-1h", "7dd", "1h-30m", "7x", "1h30"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


def test_thirty_six_hours_stay_thirty_six_hours() -> None:
    assert format_duration(36 * 3600) == "1d12h"


@given(st.integers(0, 10**8))
def test_a_written_duration_is_read_as_it_was(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1970-01-01T00:00:00Z", 0), ("2026-11-23T10:00:00+02:00", 1795420800), ("1795420800", 1795420800), ("1795420800.5", 1795420800.5)],
)
def test_times_are_read_in_their_zone(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize(("text", "why"), [("yesterday", "is no time"), ("2026-11-23T10:00:00", "no time zone"), ("", "is no time")])
def test_what_is_no_time_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_time(text)


def test_times_are_written_in_utc_with_milliseconds_only_where_they_have_them() -> None:
    assert format_time(1795420800) == "2026-11-23T08:00:00Z"
    assert format_time(1795420800.25) == "2026-11-23T08:00:00.250Z"


@given(st.integers(0, 2**32))
def test_a_written_time_is_read_as_it_was(seconds: int) -> None:
    assert parse_time(format_time(seconds)) == seconds
