"""Samples on longer steps: figures by hand, quantiles against the samples themselves, merging in any order."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from upid.engine.usage.rollups import Part, Rollup, coarser, cut, figure, put_together, rolled, spread, taken

NAN = np.nan


def samples(series: int = 5, steps: int = 288, seed: int = 3) -> Any:
    random = np.random.default_rng(seed)
    values = random.lognormal(0.0, 1.5, (series, steps)).astype(np.float32)
    values[random.random(values.shape) < 0.1] = np.nan
    values[0, :24] = np.nan
    values[1, :40] = 0.0
    return values


def assert_same(one: Rollup, other: Rollup) -> None:
    for name in ("low", "high", "count"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-6)
    assert one.sketch is not None
    assert other.sketch is not None
    for name in ("cells", "exponents", "counts"):
        np.testing.assert_array_equal(getattr(one.sketch, name), getattr(other.sketch, name))


def test_figures_are_those_of_the_samples_that_are_there() -> None:
    found = rolled(np.array([[1.0, 3.0, NAN, NAN], [0.0, NAN, 2.0, 4.0]], np.float32), 2)
    np.testing.assert_array_equal(found.count, [[2, 0], [1, 2]])
    for how, expected in {
        "mean": [[2, NAN], [0, 3]],
        "min": [[1, NAN], [0, 2]],
        "max": [[3, NAN], [0, 4]],
        "sum": [[4, NAN], [0, 6]],
    }.items():
        np.testing.assert_array_equal(figure(found, how), expected)


@pytest.mark.parametrize("how", ["p0", "p5", "p50", "p90", "p99", "p100"])
def test_a_quantile_is_within_half_a_bucket_of_the_sample_of_its_rank(how: str) -> None:
    values = samples()
    found = figure(rolled(values, 288), how)[:, 0]
    for row, each in enumerate(values):
        there = np.sort(each[~np.isnan(each)])
        exact = there[max(int(np.ceil(float(how[1:]) / 100 * len(there) - 1e-9)), 1) - 1]
        assert found[row] == pytest.approx(exact, rel=0.0151)


def test_quantiles_survive_downsampling_step_by_step() -> None:
    values = samples()
    at_once = rolled(values, 288)
    assert_same(coarser(coarser(rolled(values, 3), 4), 24), at_once)
    np.testing.assert_array_equal(figure(coarser(rolled(values, 12), 24), "p95"), figure(at_once, "p95"))


def test_parts_put_together_are_the_whole() -> None:
    values, edges = samples(), (0, 48, 60, 288)
    parts = [Part(rolled(values[:, a:b], 12), np.arange(5), a // 12) for a, b in pairwise(edges)]
    assert_same(put_together(parts[::-1], 5, 24), rolled(values, 12))


def test_parts_of_other_series_leave_holes() -> None:
    part = Part(rolled(np.ones((1, 2), np.float32), 1), np.array([2]), 1)
    found = put_together([part], 3, 4)
    np.testing.assert_array_equal(found.count, [[0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0]])
    np.testing.assert_array_equal(figure(found, "p50")[2, 1:3], [1.0, 1.0])


def test_a_part_in_time_and_some_series_are_what_their_samples_give() -> None:
    values = samples()
    assert_same(cut(rolled(values, 12), 2, 7), rolled(values[:, 24:84], 12))
    assert_same(taken(rolled(values, 12), np.array([3, 0])), rolled(values[[3, 0]], 12))


def test_nothing_stays_nothing() -> None:
    empty = rolled(np.empty((0, 24), np.float32), 12)
    assert (figure(coarser(empty, 2), "p95").shape, put_together([], 0, 3).count.shape) == ((0, 1), (0, 3))


def test_what_cannot_be_reckoned_is_refused() -> None:
    found = rolled(samples(), 12)
    bare = Rollup(found.low, found.high, found.mean, found.count, None)
    with pytest.raises(ValueError, match="no whole number of steps"):
        rolled(samples(), 7)
    with pytest.raises(ValueError, match="none of mean"):
        figure(found, "median")
    with pytest.raises(ValueError, match="needs the sketch"):
        figure(put_together([Part(bare, np.arange(5), 0)], 5, 24), "p95")


def test_spread_samples_stand_by_size_from_the_first_place_to_the_last() -> None:
    found = spread(rolled(np.array([[4.0, NAN, 1.0, 2.0, NAN, 7.0, NAN, NAN]], np.float32), 4), 4)
    np.testing.assert_allclose(found, [[1, NAN, 2, 4, NAN, NAN, NAN, 7]], rtol=0.015)
    assert (found[0, 0], found[0, 3], found[0, 7]) == (1, 4, 7)


def test_spread_samples_are_each_within_half_a_bucket_of_a_measured_one() -> None:
    values = samples()
    found = np.sort(spread(rolled(values, 48), 48).reshape(5, 6, 48), axis=2)
    np.testing.assert_allclose(found, np.sort(values.reshape(5, 6, 48), axis=2), rtol=0.0151)
    np.testing.assert_array_equal(np.fmax.reduce(found, axis=2), rolled(values, 48).high)


def test_no_samples_are_spread_without_their_sketch() -> None:
    whole = rolled(samples(), 48)
    with pytest.raises(ValueError, match="sketch"):
        spread(Rollup(whole.low, whole.high, whole.mean, whole.count, None), 48)
