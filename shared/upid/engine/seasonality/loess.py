"""Local linear regression on a regular grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def loess(values: Floats, span: int, *, beyond: int = 0, weights: Floats | None = None) -> Floats:
    """Return rows smoothed by local linear regression, shape (rows, steps) -> (rows, steps + 2 * beyond).

    Tricube weights over the nearest `span` values [1]_, as the authors' program for STL has them; `weights`, of the values' shape, multiply them.

    References
    ----------
    .. [1] W. S. Cleveland, "Robust Locally Weighted Regression and Smoothing Scatterplots," J. Am. Stat. Assoc., vol. 74, 1979.
       doi:10.1080/01621459.1979.10481038
    """
    steps = values.shape[1]
    used = min(span, steps)
    targets = np.arange(-beyond, steps + beyond)
    left = np.clip(targets - (used - 1) // 2 if span <= steps else np.zeros_like(targets), 0, steps - used)
    columns = left[:, None] + np.arange(used)
    away = np.abs(columns - targets[:, None])
    reach = np.maximum(targets - left, left + used - 1 - targets) + (max(span - steps, 0) // 2)
    share = away / np.maximum(reach, 1)[:, None]
    tricube = np.where(share <= 0.001, 1.0, np.where(share <= 0.999, (1 - share**3) ** 3, 0.0))
    if weights is None:
        return _fixed(values, columns, _local_line(tricube[None], columns, targets, steps)[0])
    found = _local_line(tricube[None] * weights[:, columns], columns, targets, steps)
    return np.asarray(np.einsum("rtk,rtk->rt", found, values[:, columns]), np.float64)


def _fixed(values: Floats, columns: NDArray[np.int64], weights: Floats) -> Floats:
    """Apply the same weights to every row, few rows at once: the gathered table is as wide as the span."""
    result = np.empty((len(values), len(columns)))
    for row, each in enumerate(values):
        result[row] = (each[columns] * weights).sum(axis=1)
    return result


def _local_line(weights: Floats, columns: NDArray[np.int64], targets: NDArray[np.int64], steps: int) -> Floats:
    """Return the weights of the values in the line's value at each target, shape (rows, targets, span)."""
    total = weights.sum(axis=2, keepdims=True)
    even = weights / np.where(total > 0, total, 1.0)
    middle = (even * columns).sum(axis=2, keepdims=True)
    away = columns - middle
    spread = (even * away**2).sum(axis=2, keepdims=True)
    slanted = np.sqrt(spread) > 0.001 * (steps - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.where(slanted, (targets[None, :, None] - middle) / spread * away, 0.0)
    result: Floats = even * (1 + factor)
    return result
