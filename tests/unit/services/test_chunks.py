"""Chunks as the tasks of a collection hand them on."""

from __future__ import annotations

import numpy as np
import pytest

from upid.ports.usage_history import SeriesKey, UsageChunk
from upid.services import chunks

START, STEP = 1_700_000_100, 300


def chunk(names: str = "abc", steps: int = 4, start: int = START) -> UsageChunk:
    """One series per letter; values tell series and step, with a hole in the first."""
    values = np.array([[ord(name) + step / 10 for step in range(steps)] for name in names], np.float32)
    values[0, 1] = np.nan
    count = len(names)
    kills = np.arange(count, dtype=np.int32)
    keys = [SeriesKey(f"uid-{name}", "main", f"pod-{name}") for name in names]
    return UsageChunk(keys, start, STEP, values, values * 10, values * 0, kills, kills * 2, np.full(count, np.nan))


def same(a: UsageChunk, b: UsageChunk) -> bool:
    columns = all(np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True) for name in chunks.SAMPLES + chunks.EVENTS)
    return columns and list(a.keys) == list(b.keys) and (a.start, a.end, a.step_seconds) == (b.start, b.end, b.step_seconds)


def test_a_chunk_comes_back_from_its_bytes() -> None:
    assert same(chunks.decode(chunks.encode(chunk())), chunk())
    assert chunks.encode(chunk()) == chunks.encode(chunk())


def test_bytes_that_are_no_chunk_are_refused() -> None:
    with pytest.raises(ValueError, match="corrupt"):
        chunks.decode(chunks.encode(chunk())[:-3] + b"xyz")


def test_split_parts_hold_every_series_once_and_join_to_the_whole() -> None:
    whole = chunk("abcdef")

    parts = dict(chunks.split(whole, lambda key: ord(key.pod[-1]) % 3))

    assert list(parts) == [0, 1, 2]
    assert [key.pod for key in parts[1].keys] == ["pod-a", "pod-d"]
    joined = chunks.join(list(parts.values()))
    assert same(chunks.take(joined, np.argsort([key.pod for key in joined.keys]).tolist()), whole)


def test_chunks_of_other_grids_do_not_join() -> None:
    with pytest.raises(ValueError, match="2 grids"):
        chunks.join([chunk("a"), chunk("b", start=START + STEP)])


def test_an_empty_chunk_keeps_its_window_and_joins_with_others() -> None:
    nothing = chunks.empty(START, START + 4 * STEP, STEP)

    assert (nothing.start, nothing.end, len(nothing.keys)) == (START, START + 4 * STEP, 0)
    assert same(chunks.join([nothing, chunk()]), chunk())


def test_what_is_behind_a_moment_begins_with_the_next_whole_step() -> None:
    later = chunks.behind(chunk(), START + STEP + 1)

    assert (later.start, later.end) == (START + 2 * STEP, START + 4 * STEP)
    np.testing.assert_array_equal(later.cpu_cores, chunk().cpu_cores[:, 2:])


def test_nothing_is_behind_the_end_and_all_is_behind_the_start() -> None:
    assert chunks.behind(chunk(), START + 40 * STEP).cpu_cores.shape == (3, 0)
    assert same(chunks.behind(chunk(), START), chunk())
    assert same(chunks.behind(chunk(), 0), chunk())


def test_samples_are_counted_without_holes() -> None:
    # 3 series of 4 steps, one hole, CPU and memory: 2 * 11.
    assert chunks.count_samples(chunk()) == 22
