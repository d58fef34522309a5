"""How two series go together: Pearson, Spearman, and at a distance in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr

from upid.engine.statistics.rows import centred

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Correlation:
    """Shape (rows,): coefficient in [-1, 1], two-sided p_value of none, bounds by Fisher's transformation, pairs used. NaN = not defined."""

    coefficient: Floats
    p_value: Floats
    low: Floats
    high: Floats
    pairs: NDArray[np.int64]


def pearson(x: Floats, y: Floats, *, confidence: float = 0.95) -> Correlation:
    """Return Pearson's correlation of rows of x and y, both (rows, columns), over the columns that both have.

    NaN with fewer than three pairs or without spread in either. p-value by Student's t with n - 2 degrees, samples taken as independent.

    Raises
    ------
    ValueError
        If shapes differ or confidence is outside (0, 1).
    """
    if x.shape != y.shape or not 0 < confidence < 1:
        raise ValueError("x and y must be of one shape, and confidence in (0, 1).")
    both = ~(np.isnan(x) | np.isnan(y))
    first, second = centred(np.where(both, x, np.nan)), centred(np.where(both, y, np.nan))
    with np.errstate(invalid="ignore", divide="ignore"):
        one, two = (rows.values / np.sqrt((rows.values**2).sum(axis=1))[:, None] for rows in (first, second))
        coefficient = np.where(first.count >= 3, np.clip((one * two).sum(axis=1), -1, 1), np.nan)
    return _tested(coefficient, first.count, confidence)


def spearman(x: Floats, y: Floats, *, confidence: float = 0.95) -> Correlation:
    """Return Spearman's rank correlation, ties sharing their mean rank; NaN, errors and p-value as `pearson`."""
    both = ~(np.isnan(x) | np.isnan(y)) if x.shape == y.shape else np.zeros(x.shape, bool)
    ranked = [np.stack([mean_ranks(row) for row in np.where(both, each, np.nan)]) if len(each) else each for each in (x, y)]
    return pearson(ranked[0], ranked[1], confidence=confidence)


def mean_ranks(values: Floats) -> Floats:
    """Return ranks from 1 of a series, ties sharing their mean; NaN stays NaN."""
    known = ~np.isnan(values)
    _, place, counts = np.unique(values[known], return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    result = np.full(values.shape, np.nan)
    result[known] = (ends - (counts - 1) / 2)[place]
    return result


def effective_pairs(x: Floats, y: Floats) -> Floats:
    """Return how many independent pairs rows of x and y, both (rows, columns), are worth over the columns that both have, shape (rows,).

    n (1 - r s) / (1 + r s), r and s being both autocorrelations at lag one, at least 0 [1]_: slow series go together by chance. NaN without spread.

    References
    ----------
    .. [1] M. S. Bartlett, "Some Aspects of the Time-Correlation Problem in Regard to Tests of Significance," J. R. Stat. Soc., vol. 98, 1935.
       doi:10.2307/2342284
    """
    both = ~(np.isnan(x) | np.isnan(y))
    rows = [centred(np.where(both, each, np.nan)) for each in (x, y)]
    with np.errstate(invalid="ignore", divide="ignore"):
        slow = [np.maximum((each.values[:, 1:] * each.values[:, :-1]).sum(axis=1) / (each.values**2).sum(axis=1), 0) for each in rows]
        return np.asarray(rows[0].count * (1 - slow[0] * slow[1]) / (1 + slow[0] * slow[1]), np.float64)


def p_value_of(coefficient: Floats, pairs: Floats) -> Floats:
    """Return the two-sided p-value of no correlation by Student's t with pairs - 2 degrees, at least 1, of so many independent pairs; NaN stays NaN."""
    degrees = np.maximum(pairs - 2, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.abs(coefficient) * np.sqrt(degrees / (1 - coefficient**2))
        return np.where(np.isnan(coefficient), np.nan, 2 * stdtr(degrees, -np.nan_to_num(t, nan=0.0, posinf=np.inf)))


def cross_correlation(x: Floats, y: Floats, lags: NDArray[np.int64], *, confidence: float = 0.95) -> Correlation:
    """Return Pearson's correlation of x[t] with y[t + lag] for each lag, shape (lags,), of one pair of series, shape (columns,).

    A positive lag at which it is highest says that y follows x. Means and deviations are those of the overlap; NaN with fewer than three pairs.

    Raises
    ------
    ValueError
        If the series differ in length.
    """
    if x.shape != y.shape:
        raise ValueError("x and y must be of one length.")
    n = len(x)
    left, right = (np.full((len(lags), n), np.nan) for _ in range(2))
    for row, lag in enumerate(lags):
        overlap = max(n - abs(int(lag)), 0)
        left[row, :overlap] = x[max(-lag, 0) : max(-lag, 0) + overlap]
        right[row, :overlap] = y[max(lag, 0) : max(lag, 0) + overlap]
    return pearson(left, right, confidence=confidence)


def _tested(coefficient: Floats, pairs: NDArray[np.int64], confidence: float) -> Correlation:
    p_value = p_value_of(coefficient, pairs.astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        middle, wide = np.arctanh(coefficient), ndtri(0.5 + confidence / 2) / np.sqrt(pairs - 3)
        low, high = np.tanh(middle - wide), np.tanh(middle + wide)
    enough = pairs > 3
    return Correlation(coefficient, p_value, np.where(enough, low, np.nan), np.where(enough, high, np.nan), pairs)
