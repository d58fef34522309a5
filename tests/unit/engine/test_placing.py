"""Series cut by time, against cells that are looked at one by one."""

from __future__ import annotations

import numpy as np
import pytest

from upid.engine.usage.placing import Pieces, Stays, cut_apart, pieces_of, within
from upid.engine.usage.rollups import figure, rolled


def steps_of(pieces: Pieces, places: np.ndarray, series: int, steps: int) -> list[list[int]]:
    """The place of each step of each series; every step is in one piece."""
    found = np.full((series, steps), -9)
    for row, begin, end, place in zip(*pieces, places, strict=True):
        assert begin < end
        assert (found[row, begin:end] == -9).all()
        found[row, begin:end] = place
    assert (found != -9).all()
    return [row.tolist() for row in found]


def stays_of(*since: list[float]) -> Stays:
    """Stays of series, numbered within each."""
    series = np.repeat(np.arange(len(since)), [len(each) for each in since])
    return Stays(
        series,
        np.array([moment for each in since for moment in each], float),
        np.array([n for each in since for n in range(len(each))], int),
    )


@pytest.mark.parametrize(
    ("since", "expected"),
    [([], [-1, -1, -1, -1]), ([0.0], [0, 0, 0, 0]), ([110.0], [-1, 0, 0, 0]), ([100.0], [-1, 0, 0, 0]), ([0.0, 250.0], [0, 0, 0, 1]),
     ([0.0, 249.0], [0, 0, 1, 1]), ([0.0, 110.0, 120.0], [0, 2, 2, 2]), ([0.0, 900.0], [0, 0, 0, 0]), ([399.9], [-1, -1, -1, 0]), ([400.0], [-1, -1, -1, -1]),
     ([-500.0, -400.0, -50.0], [2, 2, 2, 2]), ([0.0, 130.0, 160.0], [0, 2, 2, 2]), ([-5.0, 130.0, 230.0], [0, 1, 2, 2])],
)  # fmt: skip
def test_a_step_goes_to_the_stay_that_has_most_of_it(since: list[float], expected: list[int]) -> None:
    found = pieces_of(stays_of(since), np.array([-1]), 0.0, 100.0, 4)
    assert steps_of(*found, 1, 4) == [expected]


def test_a_step_goes_to_the_stay_that_has_most_of_it_when_reckoned_second_by_second() -> None:
    random = np.random.default_rng(3)
    for _ in range(30):
        since = [sorted(random.integers(-200, 1000, random.integers(0, 6)).astype(float).tolist()) for _ in range(8)]
        found = steps_of(*pieces_of(stays_of(*since), np.full(8, -1), 40.0, 60.0, 10), 8, 10)
        for each, places in zip(since, found, strict=True):
            for step, place in enumerate(places):
                at = np.searchsorted(each, np.arange(40 + 60 * step, 100 + 60 * step), side="right") - 1
                held = [int(np.count_nonzero(at == number)) for number in range(len(each))]
                assert place == (-1 if not any(held) else held.index(max(held)))


def test_stays_at_one_place_that_follow_each_other_are_one_piece_and_series_without_any_are_whole() -> None:
    stays = Stays(np.array([1, 1, 1]), np.array([0.0, 150.0, 250.0]), np.array([7, 7, 8]))
    pieces, places = pieces_of(stays, np.array([3, -1, 4]), 0.0, 100.0, 4)

    assert [column.tolist() for column in (*pieces, places)] == [[0, 1, 1, 2], [0, 0, 3, 0], [4, 3, 4, 4], [3, 7, 8, 4]]


def test_samples_outside_of_a_piece_are_none_of_its_own_and_whole_series_are_not_copied() -> None:
    values = np.arange(8, dtype=np.float32).reshape(2, 4)
    found = within(values, np.array([0, 1]), np.array([4, 3]))

    np.testing.assert_array_equal(found, [[0, 1, 2, 3], [np.nan, 5, 6, np.nan]])
    assert values[1, 0] == 4
    assert within(values, np.array([0, -5]), np.array([4, 9])) is values


@pytest.mark.parametrize("how", ["mean", "max", "min", "sum", "count", "p50", "p99"])
def test_figures_of_pieces_are_those_of_their_samples(how: str) -> None:
    random = np.random.default_rng(5)
    values = random.lognormal(0, 1, (3, 60)).astype(np.float32)
    values[random.random(values.shape) < 0.3] = np.nan
    pieces = Pieces(np.array([2, 0, 2, 0, 1]), np.array([2, 0, 0, 4, 6]), np.array([6, 4, 1, 4, 6]))
    found = figure(cut_apart(rolled(values, 10), pieces), how)

    apart = np.stack(
        [np.where((np.arange(60) >= b * 10) & (np.arange(60) < e * 10), values[s], np.nan) for s, b, e in zip(*pieces, strict=True)]
    )
    np.testing.assert_array_equal(found, figure(rolled(apart.astype(np.float32), 10), how))


def test_a_rollup_whose_sketch_was_not_read_has_none_in_pieces_either() -> None:
    from dataclasses import replace

    whole = replace(rolled(np.ones((1, 4), np.float32), 2), sketch=None)
    cut = cut_apart(whole, Pieces(np.array([0]), np.array([1]), np.array([2])))
    assert cut.sketch is None
    assert cut.count.tolist() == [[0, 2]]
