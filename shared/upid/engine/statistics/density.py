"""Log histograms as smooth densities: quantiles and shares of time above a value."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.histogram import BUCKETS, EMPTY, LOG_GROWTH, row_blocks

Floats = NDArray[np.float64]
SIGMA: Final = 0.03  # width of the log-normal kernel, about a bucket: wider ones ask for more than the knob allows
WIDE_SIGMA: Final = 0.2  # and of a second one, for levels that move from day to day, which has
WIDE_SHARE: Final = 0.06  # so much of the weight; half or double of either serves real traces alike
PAD: Final = 36  # buckets above the highest one that the kernel reaches: beyond five times the wide sigma


def _kernel() -> Floats:
    """Return what a sample in bucket b adds to the share above edge e, shape (BUCKETS, edges): edge e lies at the lower end of bucket e."""
    distance = np.arange(-BUCKETS, BUCKETS + PAD + 1) + 0.5
    narrow, wide = (np.array([0.5 * math.erfc(d * LOG_GROWTH / (sigma * math.sqrt(2))) for d in distance]) for sigma in (SIGMA, WIDE_SIGMA))
    share = (1 - WIDE_SHARE) * narrow + WIDE_SHARE * wide
    result: Floats = share[np.arange(BUCKETS + PAD + 1)[None, :] - np.arange(BUCKETS)[:, None] + BUCKETS - 1]
    return result


def smoothed_quantiles(
    weights: Floats, top: NDArray[np.int32], *, allowed_time_above: tuple[float, ...], part_of_it: Floats | None = None
) -> Floats:
    """Return the values that use lies above for given shares of the time, shape (rows, shares); NaN where a row has no weight.

    Each sample stands for two log-normal kernels around its bucket's middle, one of width SIGMA and a little of one of WIDE_SIGMA, so that the upper
    tail goes on smoothly beyond the largest sample.

    Parameters
    ----------
    weights : ndarray, shape (rows, BUCKETS)
        Weights of samples by bucket, >= 0.
    top : ndarray, shape (rows,)
        Exponent of the highest bucket.
    allowed_time_above : tuple of float
        Shares of weight that may lie above, each in (0, 1). [1]
    part_of_it : ndarray, shape (rows,)
        How much of these shares a row may have, in (0, 1]; all of it without. [1]

    Raises
    ------
    ValueError
        If a share is outside of that.
    """
    if not all(0 < share < 1 for share in allowed_time_above):
        raise ValueError(f"allowed_time_above must be in (0, 1), got {allowed_time_above}.")
    allowed = np.outer(np.ones(len(weights)) if part_of_it is None else part_of_it, allowed_time_above)
    result, kernel = np.empty(allowed.shape), _kernel()
    for rows in row_blocks(len(weights)):
        result[rows] = _quantiles(weights[rows], top[rows], allowed[rows], kernel)
    return result


def _quantiles(weights: Floats, top: NDArray[np.int32], allowed: Floats, kernel: Floats) -> Floats:
    total = weights.sum(axis=1)
    known = (total > 0) & (top != EMPTY)
    # In double precision: how a product of matrices is cut depends on how many rows there are, and no row may depend on its neighbours.
    above = (weights / np.where(known, total, 1)[:, None]) @ kernel
    rows = np.arange(len(total))
    result = np.full(allowed.shape, np.nan)
    for column, share in enumerate(allowed.T):
        # The share above falls from edge to edge, so counting finds the first edge with no more above it than allowed.
        edge = np.clip(np.count_nonzero(above > share[:, None], axis=1), 1, above.shape[1] - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            high, low = (np.log(above[rows, at]) for at in (edge - 1, edge))
            within = np.clip((high - np.log(share)) / (high - low), 0, 1)
        exponent = top.astype(np.float64) - (BUCKETS - 1) + (edge - 1) + np.where(np.isfinite(within), within, 1.0)
        result[known, column] = np.exp(exponent[known] * LOG_GROWTH)
    return result


def share_above(weights: Floats, top: NDArray[np.int32], value: Floats) -> Floats:
    """Return the share of weight above a value of each row: linear within a bucket; NaN where a row has no weight or the value is NaN.

    Parameters
    ----------
    weights : ndarray, shape (rows, BUCKETS)
        Weights of samples by bucket, >= 0.
    top : ndarray, shape (rows,)
        Exponent of the highest bucket.
    value : ndarray, shape (rows,) or (rows, values)
        What to compare with.

    Returns
    -------
    ndarray of the shape of `value`
        In [0, 1]. [1]
    """
    values = value[:, None] if value.ndim == 1 else value  # no -1: there may be no row at all
    result = np.empty(values.shape)
    for rows in row_blocks(len(weights)):
        result[rows] = _shares_above(weights[rows], top[rows], values[rows])
    return result.reshape(value.shape)


def _shares_above(weights: Floats, top: NDArray[np.int32], values: Floats) -> Floats:
    cumulative = np.cumsum(weights, axis=1)
    total = cumulative[:, -1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.log(values) / LOG_GROWTH - (top.astype(np.float64)[:, None] - (BUCKETS - 1))
    known = (total > 0) & (top != EMPTY)[:, None] & ~np.isnan(place)
    place = np.clip(np.where(known, place, 0), 0, BUCKETS)
    whole = np.minimum(place.astype(np.int64), BUCKETS - 1)
    within = np.take_along_axis(weights, whole, axis=1) * (1 - (place - whole))
    reached = np.take_along_axis(cumulative, whole, axis=1) - within
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, np.maximum(1 - reached / total, 0.0), np.nan)


def order_statistics(weights: Floats, top: NDArray[np.int32], probabilities: tuple[float, ...]) -> Floats:
    """Return the middle of the bucket that each quantile falls in (`inverted_cdf`), shape (rows, probabilities); NaN where a row has no weight."""
    result = np.empty((len(weights), len(probabilities)))
    for rows in row_blocks(len(weights)):
        result[rows] = _order_statistics(weights[rows], top[rows], probabilities)
    return result


def _order_statistics(weights: Floats, top: NDArray[np.int32], probabilities: tuple[float, ...]) -> Floats:
    cumulative = np.cumsum(weights, axis=1)
    total = cumulative[:, -1:]
    known = (total[:, 0] > 0) & (top != EMPTY)
    lowest = np.where(known, top, 0) - (BUCKETS - 1) + 0.5
    result = np.full((len(weights), len(probabilities)), np.nan)
    for column, probability in enumerate(probabilities):
        bucket = np.minimum(np.count_nonzero(cumulative < probability * total, axis=1), BUCKETS - 1)
        result[known, column] = np.exp((lowest + bucket)[known] * LOG_GROWTH)
    return result
