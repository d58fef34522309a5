"""Straight lines through many series: least squares with what is known of the slope, and Theil-Sen's with Sen's bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from upid.engine.statistics.describing import lag_one
from upid.engine.statistics.rows import centred

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """Shape (rows,). `slope` per unit of x, with its confidence bounds; `at_mean` is the line's value at `mean_x`; r_squared and p_value [1].

    `p_value` takes samples as independent; `p_value_correlated` takes residuals as a first-order autoregression, whose standard error is
    sqrt((1 + r) / (1 - r)) times as large. NaN = not defined: fewer than two points, no spread in x; for tests fewer than three points.
    """

    slope: Floats
    low: Floats
    high: Floats
    standard_error: Floats
    at_mean: Floats
    mean_x: Floats
    r_squared: Floats
    p_value: Floats
    p_value_correlated: Floats
    residual_deviation: Floats

    def at(self, x: float) -> Floats:
        """Return the lines' values at x."""
        result: Floats = self.at_mean + self.slope * (x - self.mean_x)
        return result


def least_squares_line(x: Floats, values: Floats, *, confidence: float = 0.95) -> Line:
    """Return the least-squares line of each row of `values`, shape (rows, columns), over x, shape (columns,); NaN = missing.

    x is taken from its first value before it is centred, so seconds since the epoch lose nothing.

    Raises
    ------
    ValueError
        If confidence is outside (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be in (0, 1), got {confidence}.")
    origin = x[0] if len(x) else 0.0
    width = float(np.ptp(x)) if len(x) else 0.0
    unit = (x - origin) / (width or 1.0)
    y, place = centred(values), centred(np.where(np.isnan(values), np.nan, unit))
    sxx, sxy, syy = (place.values**2).sum(axis=1), (place.values * y.values).sum(axis=1), (y.values**2).sum(axis=1)
    degrees = y.count - 2
    with np.errstate(invalid="ignore", divide="ignore"):
        steep = np.where(sxx > 0, sxy / sxx, np.nan)
        rest = y.values - steep[:, None] * place.values
        squares = np.where(y.known, rest**2, 0).sum(axis=1)
        # What rounding leaves of an exact line is no residual.
        squares = np.where(squares <= 1e-30 * np.maximum(syy, 1e-300) * y.count, 0.0, squares)
        error = np.where(degrees > 0, np.sqrt(squares / degrees / sxx), np.nan)
        lag = np.clip(np.nan_to_num(lag_one(np.where(y.known, rest, np.nan))), 0, 0.999)
        spread = np.where(degrees > 0, np.sqrt(squares / degrees), np.nan) * y.scale
        quality = np.where(syy > 0, 1 - squares / syy, np.nan)
        times = np.where(degrees > 0, stdtrit(np.maximum(degrees, 1), 0.5 + confidence / 2), np.nan)
    unit_of = y.scale / (place.scale * (width or 1.0))
    slope, wide = steep * unit_of, error * unit_of
    return Line(
        slope, slope - times * wide, slope + times * wide, wide, np.where(sxx > 0, y.mean, np.nan), origin + place.mean * (width or 1.0), quality,
        _p_value(steep, error, degrees), _p_value(steep, error * np.sqrt((1 + lag) / (1 - lag)), degrees), spread,
    )  # fmt: skip


def _p_value(slope: Floats, error: Floats, degrees: NDArray[np.int64]) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.where(error > 0, np.abs(slope) / error, np.where(slope == 0, 0.0, np.inf))
        found = 2 * stdtr(np.maximum(degrees, 1), -t)
    return np.where((degrees > 0) & ~np.isnan(slope), found, np.nan)


@dataclass(frozen=True, slots=True)
class Robust:
    """One series' Theil-Sen slope per unit of x with its bounds, and its Mann-Kendall test: score S, tau = S / pairs, z and two-sided p. NaN = not defined."""

    slope: float
    low: float
    high: float
    score: float
    tau: float
    z: float
    p_value: float


def robust_trend(x: Floats, values: Floats, *, confidence: float = 0.95) -> Robust:
    """Return Theil-Sen's slope [1]_ with Sen's bounds and the Mann-Kendall test [2]_, corrected for ties, of one series, shape (columns,).

    NaN = missing; pairs with equal x count for neither. Cost: O(columns ** 2) in time and memory. NaN with fewer than two pairs; z of 0 without spread.

    References
    ----------
    .. [1] P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau," J. Am. Stat. Assoc., vol. 63, 1968. doi:10.2307/2285891
    .. [2] M. G. Kendall, Rank Correlation Methods, 4th ed. London: Griffin, 1975.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be in (0, 1), got {confidence}.")
    known = ~np.isnan(values)
    times, heights = x[known] - (x[0] if len(x) else 0.0), values[known]
    first, second = np.triu_indices(len(times), k=1)
    run, rise = times[second] - times[first], heights[second] - heights[first]
    useful = run != 0
    slopes = np.sort(rise[useful] / run[useful])
    if len(slopes) < 2:
        return Robust(*[float("nan")] * 7)
    score = float((np.sign(rise) * np.sign(run)).sum())
    deviation = float(np.sqrt(max(_score_variance(len(times), heights, times), 0.0)))
    z = (score - np.sign(score)) / deviation if deviation > 0 else 0.0
    wide = float(ndtri(0.5 + confidence / 2)) * deviation
    low = max(round((len(slopes) - wide) / 2) - 1, 0)
    high = min(round((len(slopes) + wide) / 2), len(slopes) - 1)
    return Robust(
        float(np.median(slopes)), float(slopes[low]), float(slopes[high]), score, score / len(slopes), float(z), float(2 * ndtr(-abs(z)))
    )  # fmt: skip


def _score_variance(n: int, *ties_in: Floats) -> float:
    """Return the variance of Kendall's score without trend, less what ties in each variable take from it."""
    total = n * (n - 1) * (2 * n + 5)
    for each in ties_in:
        _, counts = np.unique(each, return_counts=True)
        total -= int((counts * (counts - 1) * (2 * counts + 5)).sum())
    return float(total / 18)
