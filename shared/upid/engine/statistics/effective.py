"""Effective sample sizes: what correlated samples are worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MINIMUM_BATCHES = 3


def effective_samples(count: NDArray[np.int64], total: Floats, squares: Floats, steps: NDArray[np.int64], *, hours: Floats) -> Floats:
    """Return how many independent samples a row's steps are worth, by the variance of its daily means (batch means), shape (rows,).

    The variance of a batch's mean is tau / n times that of single samples when samples are correlated over tau steps [1]_; so tau is n times
    the ratio of both variances, at least 1 and at most n. With fewer than three days, samples within an hour are taken as one.

    Parameters
    ----------
    count, total, squares : ndarray, shape (rows, days)
        Samples, their sum and sum of squares by day, pooled over pods; days without samples are 0.
    steps : ndarray, shape (rows,)
        Steps with a sample of one pod, never summed over pods. [1]
    hours : ndarray, shape (rows,)
        Time that these steps cover. [h]

    References
    ----------
    .. [1] C. J. Geyer, "Practical Markov Chain Monte Carlo," Stat. Sci., vol. 7, no. 4, 1992, section 3.2. doi:10.1214/ss/1177011137
    """
    batches = (count > 0).sum(axis=1)
    samples = count.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total.sum(axis=1) / samples
        variance = np.maximum(squares.sum(axis=1) / samples - mean**2, 0)
        deviation = np.where(count > 0, total / count - mean[:, None], 0)
        between = (deviation**2).sum(axis=1) / (batches - 1)
        size = steps / batches
        # Rounding leaves a constant series a variance of about eps times the square of its mean: it is 0 then, and its samples are alike.
        spread = variance > 1e-12 * mean**2
        tau = np.where(spread, np.clip(size * between / variance, 1, np.maximum(size, 1)), 1.0)
        by_batches = steps / tau
    few = np.minimum(steps, np.maximum(hours, 1.0))
    return np.where(steps == 0, 0.0, np.where(batches >= MINIMUM_BATCHES, by_batches, few))
