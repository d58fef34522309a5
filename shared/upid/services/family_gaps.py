"""Windows of families that a metrics source refused: asked for again, a piece at a time, until they are had or are too old.

They lie in the cluster's record as `family_gaps`, oldest first. What is refused may be too much at once or only for a while: each refusal halves the
piece and doubles the wait; each answer lets the next piece come at once. A source that answers without samples has none any more: that is an answer.
CPU and memory do not wait for a family, and neither do its later windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from upid.domain.times import format_time

RETRIED_SECONDS: Final = 7 * 86400  # older ones stay told and are not asked for any more
MOST_RETRIES: Final = 4  # pieces that one collection asks for
LONGEST_PIECE_SECONDS: Final = 6 * 3600
FIRST_WAIT_SECONDS: Final = 900
LONGEST_WAIT_SECONDS: Final = 6 * 3600
MOST_GAPS: Final = 100

Gap = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Retry:
    """A piece of a gap [start, end) to ask for again."""

    family: str
    namespaces: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of a retry: `refused` says why not, "" = it was answered and is stored; None: nobody knows, it is asked for again as it was."""

    retry: Retry
    refused: str | None


def gap(family: str, namespaces: Sequence[str], window: tuple[int, int], reason: str) -> dict[str, Any]:
    """Return a gap as it is kept, found at the end of its window."""
    start, end = window
    return {
        "family": family, "namespaces": sorted(namespaces), "start": start, "end": end, "reason": reason, "tries": 0, "retry_at": end + FIRST_WAIT_SECONDS,
    }  # fmt: skip


def due(gaps: Iterable[Gap], families: Sequence[str], now: int, step_seconds: int) -> tuple[Retry, ...]:
    """Return what a collection that ends at `now` asks for again, oldest first: the first piece of each gap whose turn it is."""
    found: list[Retry] = []
    for each in gaps:
        start = max(each["start"], -(-(now - RETRIED_SECONDS) // step_seconds) * step_seconds)
        if each["family"] in families and each["retry_at"] <= now and start < each["end"]:
            steps = max(LONGEST_PIECE_SECONDS // 2 ** min(each["tries"], 16) // step_seconds, 1)
            found.append(Retry(each["family"], tuple(each["namespaces"]), start, min(start + steps * step_seconds, each["end"])))
    return tuple(found[:MOST_RETRIES])


def after(gaps: Sequence[Gap], families: Sequence[str], retried: Iterable[Retried], new: Iterable[Gap], now: int) -> list[dict[str, Any]]:
    """Return a cluster's gaps after a collection that ended at `now`: less what was had, more what was refused.

    A family that is not collected any more has none. Of more than MOST_GAPS the oldest go.
    """
    kept = [dict(each) for each in gaps if each["family"] in families]
    for tried in retried:
        if tried.refused is not None:
            kept = [part for old in kept for part in _tried(old, tried.retry, tried.refused, now)]
    for each in new:
        place = next((i for i, old in enumerate(kept) if _goes_on(old, each)), None)
        if place is None:
            kept.append(dict(each))
        else:
            kept[place] |= {"end": each["end"], "reason": each["reason"]}
    return sorted(kept, key=lambda each: (each["start"], each["family"], each["namespaces"]))[-MOST_GAPS:]


def waits_from(gaps: Iterable[Gap], family: str, now: float) -> float:
    """Return from when on a family may still be filled [s since the epoch], infinity where it has no gap that is asked for."""
    oldest = now - RETRIED_SECONDS
    return min((max(each["start"], oldest) for each in gaps if each["family"] == family and each["end"] > oldest), default=float("inf"))


def views(gaps: Iterable[Gap], now: float) -> list[dict[str, Any]]:
    """Return gaps as clients see them; `next_try_at` is None for one that is too old to be asked for."""
    return [
        {
            "family": each["family"], "namespaces": each["namespaces"], "start": format_time(each["start"]), "end": format_time(each["end"]),
            "reason": each["reason"], "tries": each["tries"], "next_try_at": format_time(each["retry_at"]) if each["end"] > now - RETRIED_SECONDS else None,
        }
        for each in gaps
    ]  # fmt: skip


def _tried(old: dict[str, Any], retry: Retry, refused: str, now: int) -> Iterator[dict[str, Any]]:
    """Yield what is left of a gap behind a retry, of this gap or of another."""
    is_of = (old["family"], tuple(old["namespaces"])) == (retry.family, retry.namespaces)
    if not is_of or not old["start"] <= retry.start < retry.end <= old["end"]:
        yield old
    elif refused:
        wait = min(FIRST_WAIT_SECONDS * 2 ** min(old["tries"], 16), LONGEST_WAIT_SECONDS)
        yield old | {"tries": old["tries"] + 1, "reason": refused, "retry_at": now + wait}
    else:
        for start, end in ((old["start"], retry.start), (retry.end, old["end"])):
            if start < end:
                yield old | {"start": start, "end": end, "tries": max(old["tries"] - 1, 0), "retry_at": now}


def _goes_on(old: Gap, new: Gap) -> bool:
    return (old["family"], old["namespaces"], old["end"]) == (new["family"], new["namespaces"], new["start"])
