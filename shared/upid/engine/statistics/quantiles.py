"""Exact quantiles of pooled samples, many groups at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def sorted_quantiles(ordered: NDArray[np.floating[Any]], count: NDArray[np.int64], probabilities: tuple[float, ...]) -> Floats:
    """Return quantiles of each row by numpy's `linear` method (Hyndman-Fan 7), bit for bit, shape (rows, probabilities).

    Parameters
    ----------
    ordered : ndarray, shape (rows, n)
        Each row's samples rising, what is no sample (NaN) behind them.
    count : ndarray, shape (rows,)
        How many samples each row has; 0 gives NaN.
    probabilities : tuple of float
        In [0, 1]. [1]
    """
    last = np.maximum(count - 1, 0)[:, None]
    place = last * np.asarray(probabilities)
    low = np.floor(place).astype(np.int64)
    share = place - low
    left = np.take_along_axis(ordered, low, axis=1).astype(np.float64)
    right = np.take_along_axis(ordered, np.minimum(low + 1, last), axis=1).astype(np.float64)
    # From the nearer end, as numpy interpolates, so that the last bit is the same.
    between = np.where(share < 0.5, left + (right - left) * share, right - (right - left) * (1 - share))
    return np.where(count[:, None] > 0, between, np.nan)
