"""Peaks, and which of them come again."""

from __future__ import annotations

import numpy as np
import pytest

from upid.engine.patterns.peaks import peaks, recurring_peaks


def nightly(days: int, *, missing: tuple[int, ...] = ()) -> np.ndarray:
    """Hours with a peak at three and four each night, but for some."""
    values = np.random.default_rng(4).normal(1, 0.1, 24 * days)
    for day in set(range(days)) - set(missing):
        values[24 * day + 3 : 24 * day + 5] += 4
    return np.asarray(values)


def test_peaks_have_time_and_width() -> None:
    level, found = peaks(np.array([1.0, 1, 9, 8, 1, 1, 1, 7, 1, 1, np.nan, 1]), share=0.25)
    assert [(each.first, each.last, each.top, each.value, each.width) for each in found] == [(2, 3, 2, 9.0, 2), (7, 7, 7, 7.0, 1)]
    assert 1 < level <= 7


def test_a_constant_has_no_peak() -> None:
    assert peaks(np.full(9, 2.0)) == (2.0, [])
    assert peaks(np.full(9, np.nan))[1] == []


@pytest.mark.parametrize("missing", [(), (5,), (2, 9)])
def test_a_nightly_peak_comes_again(missing: tuple[int, ...]) -> None:
    values = nightly(14, missing=missing)
    (found,) = recurring_peaks(peaks(values, share=0.1)[1], len(values), 24)
    assert (found.phase, found.width, found.cycles, found.next_first) == (3, 2, 14 - len(missing), 14 * 24 + 3)
    assert found.p_value < 1e-6


def test_the_origin_shifts_the_phase_and_nothing_else() -> None:
    values = nightly(7)
    one, two = (recurring_peaks(peaks(values, share=0.1)[1], len(values), 24, origin=origin)[0] for origin in (0, 22))
    assert (one.phase, two.phase) == (3, 1)
    assert one.next_first == two.next_first == 7 * 24 + 3


def test_noise_does_not_come_again() -> None:
    found = [recurring_peaks(peaks(np.random.default_rng(seed).normal(size=336))[1], 336, 24) for seed in range(50)]
    assert sum(map(bool, found)) <= 1


def test_one_cycle_is_too_few() -> None:
    assert recurring_peaks(peaks(nightly(1))[1], 24, 24) == []


@pytest.mark.parametrize("asked", [{"share": 0}, {"least_width": 0}, {"join": 0}])
def test_what_cannot_be_a_peak_is_refused(asked: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="share must be"):
        peaks(np.ones(9), **asked)  # type: ignore[arg-type] # what cannot be


@pytest.mark.parametrize(("period", "tolerance"), [(1, 1), (24, -1)])
def test_what_cannot_be_a_period_is_refused(period: int, tolerance: int) -> None:
    with pytest.raises(ValueError, match="period must be"):
        recurring_peaks([], 100, period, tolerance=tolerance)
