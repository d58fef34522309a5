"""Series cut by time, against cells that are looked at one by one."""

from __future__ import annotations

import numpy as np
import pytest

from upid.engine.usage.placing import NOWHERE, Pieces, cut_apart, longest_within, within
from upid.engine.usage.rollups import figure, rolled


@pytest.mark.parametrize(
    ("since", "expected"),
    [([], [-1, -1, -1, -1]), ([0.0], [0, 0, 0, 0]), ([110.0], [-1, 0, 0, 0]), ([100.0], [-1, 0, 0, 0]), ([0.0, 250.0], [0, 0, 0, 1]),
     ([0.0, 249.0], [0, 0, 1, 1]), ([0.0, 110.0, 120.0], [0, 2, 2, 2]), ([0.0, 900.0], [0, 0, 0, 0]), ([399.9], [-1, -1, -1, 0]), ([400.0], [-1, -1, -1, -1])],
)  # fmt: skip
def test_a_step_goes_to_the_stay_that_holds_most_of_it(since: list[float], expected: list[int]) -> None:
    assert longest_within(since, 0.0, 100.0, 4).tolist() == expected


def test_a_step_goes_to_the_stay_that_holds_most_of_it_when_reckoned_second_by_second() -> None:
    random = np.random.default_rng(3)
    for _ in range(50):
        since = np.sort(random.integers(-200, 1000, random.integers(1, 6))).astype(float)
        found = longest_within(since.tolist(), 40.0, 60.0, 10)
        for step, stay in enumerate(found.tolist()):
            seconds = np.arange(40 + 60 * step, 100 + 60 * step)
            at = np.searchsorted(since, seconds, side="right") - 1
            held = [int(np.count_nonzero(at == number)) for number in range(len(since))]
            assert stay == (NOWHERE if max(held) == 0 else held.index(max(held)))


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
