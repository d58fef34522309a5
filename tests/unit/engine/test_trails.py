from __future__ import annotations

import warnings

import numpy as np
import pytest
from unit.engine.making import MIB, MONDAY, samples

from upid.engine.usage.trails import trails_of

NAN = np.nan


def test_bins_have_the_mean_of_all_pods_and_the_peak_of_any() -> None:
    # Two pods of one row, five steps in bins of two: (1, 2, 3, 2) -> mean 2, peak 3; (5, 7) -> 6, 7; the last bin is one step wide.
    found = trails_of(samples([[1.0, 2.0, 5.0, NAN, NAN], [3.0, 2.0, NAN, 7.0, 4.0]], row=[0, 0]), 3)

    assert (found.start, found.bin_seconds) == (MONDAY, 600)
    np.testing.assert_array_equal(found.cpu_mean, [[2.0, 6.0, 4.0]])
    np.testing.assert_array_equal(found.cpu_peak, [[3.0, 7.0, 4.0]])
    np.testing.assert_array_equal(found.memory_peak, np.full((1, 3), 100 * MIB))


def test_it_is_what_a_loop_over_rows_and_bins_finds() -> None:
    random = np.random.default_rng(5)
    usage = np.where(random.random((7, 100)) < 0.4, NAN, random.gamma(2.0, 0.1, (7, 100))).astype(np.float32)
    row = np.array([2, 0, 2, 1, 0, 2, 1])

    found = trails_of(samples(usage, row=row), 9)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a bin without a sample
        for i in range(3):
            parts = [usage[row == i][:, at : at + 12] for at in range(0, 100, 12)]
            np.testing.assert_allclose(found.cpu_mean[i], [np.nanmean(part.astype(float)) for part in parts], rtol=1e-6)
            np.testing.assert_array_equal(found.cpu_peak[i], [np.nanmax(part) for part in parts])


def test_as_many_points_as_steps_are_the_samples_themselves() -> None:
    usage = np.random.default_rng(1).random((2, 10)).astype(np.float32)

    np.testing.assert_array_equal(trails_of(samples(usage), 10).cpu_mean, usage)


def test_rows_without_series_and_grids_without_steps_have_no_figures() -> None:
    assert np.isnan(trails_of(samples([[1.0, 1.0]], row=[1], workload=[0, 1]), 1).cpu_peak[0]).all()
    assert trails_of(samples(np.empty((1, 0))), 5).cpu_mean.shape == (1, 0)


def test_what_cannot_be_is_no_sample() -> None:
    np.testing.assert_array_equal(trails_of(samples([[np.inf, -1.0, 2.0]]), 1).cpu_peak, [[2.0]])


def test_no_points_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        trails_of(samples([[1.0]]), 0)
