"""Gaps of families: which pieces are asked for again, when, and what is left of a gap then."""

from __future__ import annotations

from typing import Any

import pytest

from upid.services.family_gaps import MOST_GAPS, RETRIED_SECONDS, Retried, Retry, after, due, gap, views, waits_from

STEP, HOUR, DAY = 300, 3600, 86400
NOW = 1_700_000_000 // DAY * DAY
NETWORK = ("network",)


def hole(start: int, end: int, **told: Any) -> dict[str, Any]:
    return gap("network", ("shop",), (start, end), "Too many samples.") | {"retry_at": NOW} | told


def pieces(gaps: list[dict[str, Any]], now: int = NOW) -> list[tuple[int, int]]:
    return [(retry.start, retry.end) for retry in due(gaps, NETWORK, now, STEP)]


def retried(start: int, end: int, refused: str | None) -> list[Retried]:
    return [Retried(Retry("network", ("shop",), start, end), refused)]


def spans(gaps: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(each["start"], each["end"]) for each in gaps]


def test_a_gap_is_asked_for_again_a_quarter_of_an_hour_later_and_six_hours_at_a_time() -> None:
    found = gap("network", ("shop",), (NOW - DAY, NOW), "Too many samples.")

    assert pieces([found], NOW + 899) == []
    assert pieces([found], NOW + 900) == [(NOW - DAY, NOW - 18 * HOUR)]


@pytest.mark.parametrize(("tries", "seconds"), [(0, 6 * HOUR), (1, 3 * HOUR), (2, 5400), (6, 300), (50, 300)])
def test_each_refusal_halves_the_piece_down_to_a_step(tries: int, seconds: int) -> None:
    # 6 h = 72 steps: 36, 18, 9, 4 (4.5 without the half), 2, 1.
    assert pieces([hole(NOW - DAY, NOW, tries=tries)]) == [(NOW - DAY, NOW - DAY + seconds)]


def test_each_refusal_doubles_the_wait_up_to_six_hours() -> None:
    gaps, waits = [hole(NOW - HOUR, NOW)], []
    for _ in range(7):
        gaps = after(gaps, NETWORK, retried(NOW - HOUR, NOW, "Still too many."), (), NOW)
        waits.append(gaps[0]["retry_at"] - NOW)

    assert waits == [900, 1800, 3600, 7200, 14400, 21600, 21600]
    assert (gaps[0]["tries"], gaps[0]["reason"]) == (7, "Still too many.")


def test_what_was_had_is_cut_out_and_the_rest_is_next() -> None:
    left = after([hole(NOW - 4 * HOUR, NOW, tries=3, retry_at=NOW - 5)], NETWORK, retried(NOW - 3 * HOUR, NOW - HOUR, ""), (), NOW)

    assert spans(left) == [(NOW - 4 * HOUR, NOW - 3 * HOUR), (NOW - HOUR, NOW)]
    assert [(each["tries"], each["retry_at"]) for each in left] == [(2, NOW)] * 2
    assert after(left[1:], NETWORK, retried(NOW - HOUR, NOW, ""), (), NOW) == []


def test_nothing_changes_where_nobody_knows_what_came_of_a_retry() -> None:
    gaps = [hole(NOW - HOUR, NOW)]

    assert after(gaps, NETWORK, retried(NOW - HOUR, NOW, None), (), NOW) == gaps


def test_a_window_behind_a_gap_makes_it_longer_and_leaves_its_turn() -> None:
    (found,) = after([hole(NOW - HOUR, NOW, tries=2)], NETWORK, (), [hole(NOW, NOW + STEP, retry_at=NOW + 1200)], NOW + STEP)

    assert (found["start"], found["end"], found["tries"], found["retry_at"]) == (NOW - HOUR, NOW + STEP, 2, NOW)


def test_other_namespaces_and_other_families_are_gaps_of_their_own() -> None:
    others = [gap("network", ("bank",), (NOW, NOW + STEP), "No."), gap("heap", ("shop",), (NOW, NOW + STEP), "No.")]

    kept = after([hole(NOW - HOUR, NOW)], ("network", "heap"), (), others, NOW)

    assert [(each["family"], each["namespaces"]) for each in kept] == [("network", ["shop"]), ("heap", ["shop"]), ("network", ["bank"])]


def test_a_family_that_is_not_collected_any_more_has_no_gaps_and_no_retries() -> None:
    assert due([hole(NOW - HOUR, NOW)], ("heap",), NOW, STEP) == ()
    assert after([hole(NOW - HOUR, NOW)], ("heap",), (), (), NOW) == []


def test_what_is_older_than_a_week_stays_told_and_is_not_asked_for() -> None:
    old = hole(NOW - RETRIED_SECONDS - DAY, NOW - RETRIED_SECONDS)
    half = hole(NOW - RETRIED_SECONDS - DAY, NOW - RETRIED_SECONDS + 450)

    assert pieces([old, half]) == [(NOW - RETRIED_SECONDS, NOW - RETRIED_SECONDS + 450)]
    assert [each["next_try_at"] is None for each in views([old, half], NOW)] == [True, False]
    assert waits_from([old], "network", NOW) == float("inf")
    assert waits_from([old, half], "network", NOW) == NOW - RETRIED_SECONDS
    assert waits_from([half], "heap", NOW) == float("inf")


def test_a_collection_asks_for_four_pieces_and_a_cluster_keeps_a_hundred_gaps() -> None:
    many = [hole(NOW - (200 - n) * HOUR, NOW - (200 - n) * HOUR + STEP) for n in range(150)]

    assert pieces(many) == spans([each for each in many if each["end"] > NOW - RETRIED_SECONDS])[:4]
    assert spans(after(many, NETWORK, (), (), NOW)) == spans(many[-MOST_GAPS:])
