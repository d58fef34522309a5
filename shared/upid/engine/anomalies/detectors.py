"""Scores of how far values are from what was to be expected, for many series at once.

Every spread has a floor, so that nothing is divided by 0: 0.1 % of the size of the centre, and one millionth of the largest value that the detector may
see. A value that is its centre scores 0; no score is beyond 1e6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from upid.engine.statistics.rows import centred, row_deviation

Floats = NDArray[np.float64]
Detector = Literal["standard_deviation", "z_score", "robust_z", "iqr", "percentile_band", "seasonal_residual"]
DETECTORS: Final = get_args(Detector)
CENTRE_FLOOR: Final = 1e-3
SIZE_FLOOR: Final = 1e-6
MOST_SCORE: Final = 1e6
MAD_OF_NORMAL: Final = 0.6744897501960817
IQR_OF_NORMAL: Final = 1.3489795003921634
LEAST_SEEN: Final = 10  # values that a causal score needs before it
TABLE: Final = 4_000_000  # values in memory at once


@dataclass(frozen=True, slots=True)
class Scores:
    """Shape (rows, steps) each: signed distance from `expected` in units of the spread; `low` and `high`: where the score reaches the threshold.

    NaN = no score: the value is missing, or too little was seen before it.
    """

    score: Floats
    expected: Floats
    low: Floats
    high: Floats


def detect(
    values: Floats, detector: Detector, *, threshold: float = 3.0, window: int = 0, causal: bool = True, period: int = 1, tail: float = 0.01
) -> Scores:
    """Score each value of rows, shape (rows, steps); NaN = missing.

    causal: from the values before it alone, at most `window` of them (0 = all), so that an anomaly cannot hide itself, and nothing changes later.
    Otherwise from all values of the row. Expected value and spread by detector:

    - standard_deviation: mean and standard deviation of the last `window` values (all where window is 0)
    - z_score: mean and standard deviation of all values seen
    - robust_z: median, and median absolute deviation / 0.6745
    - iqr: median, and distance beyond the nearer quartile: a score of 3 is at Tukey's fence of 1.5 IQR
    - percentile_band: median, and the distance from it to the quantile of `tail` and 1 - `tail`, which lies at the threshold
    - seasonal_residual: median of the values at the same phase of `period`, and the robust deviation of such residuals

    Raises
    ------
    ValueError
        For an unknown detector, threshold <= 0, window or period below what it can be, or tail outside (0, 0.5).
    """
    if detector not in DETECTORS or threshold <= 0 or window < 0 or period < 1 or not 0 < tail < 0.5:
        raise ValueError("detector must be known, threshold > 0, window >= 0, period >= 1 and tail in (0, 0.5).")
    if detector == "seasonal_residual" and period > 1:
        base = _phase_medians(values, period, causal=causal)
        rest = _scored(values - base, "robust_z", threshold, window, causal, tail, _largest(values, causal=causal))
        return Scores(rest.score, rest.expected + base, rest.low + base, rest.high + base)
    return _scored(values, "robust_z" if detector == "seasonal_residual" else detector, threshold, window, causal, tail, None)


def _scored(values: Floats, detector: str, threshold: float, window: int, causal: bool, tail: float, size: Floats | None) -> Scores:  # noqa: FBT001, PLR0917 -- as `detect`
    rows, steps = values.shape
    centre, below, above = (np.full((rows, steps), np.nan) for _ in range(3))
    if causal:
        wide = min(window or steps, steps)
        chunk = max(1, TABLE // max(wide * rows, 1))
        padded = np.concatenate([np.full((rows, wide), np.nan), values], axis=1)
        views = sliding_window_view(padded, wide, axis=1)
        for begin in range(0, steps, chunk):
            part = slice(begin, min(begin + chunk, steps))
            seen = views[:, part]
            found = _centre_and_spread(seen.reshape(-1, wide), detector, threshold, tail)
            centre[:, part], below[:, part], above[:, part] = (each.reshape(rows, -1) for each in found)
    else:
        found = _centre_and_spread(values, detector, threshold, tail)
        centre[:], below[:], above[:] = (each[:, None] for each in found)
    largest = _largest(values, causal=causal) if size is None else size
    floor = np.maximum(CENTRE_FLOOR * np.abs(centre), SIZE_FLOOR * largest)
    below, above = np.maximum(below, floor), np.maximum(above, floor)
    away = values - centre
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.where(away == 0, 0.0, away / np.where(away < 0, below, above))
    score = np.where(np.isnan(away), np.nan, np.clip(score, -MOST_SCORE, MOST_SCORE))
    return Scores(score, centre, centre - threshold * below, centre + threshold * above)


def _largest(values: Floats, *, causal: bool) -> Floats:
    size = np.where(np.isnan(values), 0.0, np.abs(values))
    return np.maximum.accumulate(size, axis=1) if causal else np.repeat(size.max(axis=1, initial=0)[:, None], values.shape[1], axis=1)


def _centre_and_spread(seen: Floats, detector: str, threshold: float, tail: float) -> tuple[Floats, Floats, Floats]:
    """Return centre, spread below and spread above of each row; NaN where fewer than LEAST_SEEN values are known."""
    count = (~np.isnan(seen)).sum(axis=1)
    enough = count >= LEAST_SEEN
    centre, below, above = (np.full(len(seen), np.nan) for _ in range(3))
    if enough.any():
        chosen = seen[enough]
        if detector in {"standard_deviation", "z_score"}:
            centre[enough], below[enough], above[enough] = _moments(chosen)
        elif detector == "robust_z":
            middle = np.nanmedian(chosen, axis=1)
            spread = np.nanmedian(np.abs(chosen - middle[:, None]), axis=1) / MAD_OF_NORMAL
            centre[enough], below[enough], above[enough] = middle, spread, spread
        else:
            centre[enough], below[enough], above[enough] = _quantile_spread(chosen, detector, threshold, tail)
    return centre, below, above


def _moments(seen: Floats) -> tuple[Floats, Floats, Floats]:
    rows = centred(seen)
    spread = row_deviation(rows)
    return rows.mean, spread, spread


def _quantile_spread(seen: Floats, detector: str, threshold: float, tail: float) -> tuple[Floats, Floats, Floats]:
    low, middle, high = np.nanquantile(seen, (0.25, 0.5, 0.75) if detector == "iqr" else (tail, 0.5, 1 - tail), axis=1)
    if detector == "iqr":
        # The fence lies 1.5 IQR beyond the quartile, and is to score the threshold's 3.
        wide = 1.5 * (high - low)
        return middle, (middle - low + wide) / 3, (high - middle + wide) / 3
    return middle, (middle - low) / threshold, (high - middle) / threshold


def _phase_medians(values: Floats, period: int, *, causal: bool) -> Floats:
    """Return the median of the values at the same phase, those before alone where causal; NaN where there are none."""
    rows, steps = values.shape
    cycles = -(-steps // period)
    table = np.full((rows, cycles * period), np.nan)
    table[:, :steps] = values
    by_cycle = table.reshape(rows, cycles, period)
    result = np.full(by_cycle.shape, np.nan)
    for cycle in range(cycles):
        seen = by_cycle[:, :cycle] if causal else by_cycle
        known = ~np.isnan(seen).all(axis=1)
        if known.any():
            row, phase = np.nonzero(known)
            result[row, cycle, phase] = np.nanmedian(seen[row, :, phase], axis=1)
    return result.reshape(rows, -1)[:, :steps]
