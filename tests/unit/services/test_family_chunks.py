"""Chunks of families as the tasks of a collection hand them on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from upid.ports.usage_history import MetricChunk, SeriesKey
from upid.services import family_chunks

START, STEP = 1_700_000_100, 300


def chunk(names: str, **samples: list[list[float]]) -> MetricChunk:
    keys = [SeriesKey(f"uid-{name}", "", "", f"data-{name}") for name in names]
    return MetricChunk("storage", keys, START, START + 3 * STEP, STEP, {name: np.array(rows, np.float32) for name, rows in samples.items()})


def test_bytes_come_back_as_the_chunk_that_they_were_made_of() -> None:
    found = family_chunks.decode(family_chunks.encode(chunk("a", used=[[1, np.nan, 3]])))
    assert (found.family, found.keys, found.start, found.end) == ("storage", chunk("a").keys, START, START + 3 * STEP)
    np.testing.assert_array_equal(found.samples["used"], [[1, np.nan, 3]])


def test_a_chunk_is_split_by_shard_in_the_order_of_the_shards() -> None:
    whole = chunk("abc", used=[[1, 1, 1], [2, 2, 2], [3, 3, 3]])
    parts = dict(family_chunks.split(whole, lambda key: 7 if key.volume == "data-b" else 2))
    assert list(parts) == [2, 7]
    assert [key.volume for key in parts[2].keys] == ["data-a", "data-c"]
    np.testing.assert_array_equal(parts[7].samples["used"], [[2, 2, 2]])


def test_chunks_are_joined_with_nan_where_one_lacks_a_metric() -> None:
    found = family_chunks.join([chunk("a", used=[[1, 2, 3]]), chunk("b", used=[[4, 5, 6]], size=[[9, 9, 9]])])
    np.testing.assert_array_equal(found.samples["used"], [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(found.samples["size"], [[np.nan] * 3, [9, 9, 9]])
    assert family_chunks.count_samples(found) == 9


def test_chunks_of_two_families_or_grids_are_not_joined() -> None:
    one = chunk("a", used=[[1, 2, 3]])
    for other in (replace(one, family="network"), replace(one, start=START + STEP), replace(one, step_seconds=900)):
        with pytest.raises(ValueError, match="cannot be joined"):
            family_chunks.join([one, other])


@pytest.mark.parametrize(
    ("moment", "left"), [(START - 1, 3), (START, 3), (START + 1, 2), (START + STEP, 2), (START + 3 * STEP, 0), (START + 9 * STEP, 0)]
)
def test_a_chunk_is_cut_at_a_moment_and_keeps_whole_steps(moment: int, left: int) -> None:
    found = family_chunks.behind(chunk("a", used=[[1, 2, 3]]), moment)
    assert (found.steps, found.start) == (left, START + (3 - left) * STEP)
    np.testing.assert_array_equal(found.samples["used"], [[1, 2, 3][3 - left :]])
