"""Log histograms as smooth densities: quantiles and shares of time above a value."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.histogram import BUCKETS, EMPTY, LOG_GROWTH

Floats = NDArray[np.float64]
SIGMA: Final = 0.07  # width of the log-normal kernel; anything from 0.03 to 0.10 serves real traces alike
PAD: Final = 12  # buckets above the highest one that the kernel reaches: five sigma


def _kernel() -> Floats:
    """Return what a sample in bucket b adds to the share above edge e, shape (BUCKETS, edges): edge e lies at the lower end of bucket e."""
    distance = np.arange(-BUCKETS, BUCKETS + PAD + 1) + 0.5
    share = np.array([0.5 * math.erfc(d * LOG_GROWTH / (SIGMA * math.sqrt(2))) for d in distance])
    return share[np.arange(BUCKETS + PAD + 1)[None, :] - np.arange(BUCKETS)[:, None] + BUCKETS - 1]


def smoothed_quantile(weights: Floats, top: NDArray[np.int32], *, allowed_time_above: float) -> Floats:
    """Return the value that use lies above for `allowed_time_above` of the time, shape (rows,); NaN where a row has no weight.

    Each sample stands for a log-normal kernel of width SIGMA around its bucket's middle, so that the upper tail goes on smoothly beyond the largest sample.

    Parameters
    ----------
    weights : ndarray, shape (rows, BUCKETS)
        Weights of samples by bucket, >= 0.
    top : ndarray, shape (rows,)
        Exponent of the highest bucket.
    allowed_time_above : float
        Share of weight that may lie above, in (0, 1). [1]

    Raises
    ------
    ValueError
        If the share is outside of that.
    """
    if not 0 < allowed_time_above < 1:
        raise ValueError(f"allowed_time_above must be in (0, 1), got {allowed_time_above}.")
    total = weights.sum(axis=1)
    above = weights @ _kernel()
    wanted = allowed_time_above * total
    # The first edge with no more above it than wanted; the share falls from edge to edge, so counting finds it.
    edge = np.clip((above > wanted[:, None]).sum(axis=1), 1, above.shape[1] - 1)
    rows = np.arange(len(total))
    with np.errstate(divide="ignore", invalid="ignore"):
        high, low = np.log(above[rows, edge - 1]), np.log(above[rows, edge])
        share = np.clip((high - np.log(wanted)) / (high - low), 0, 1)
    exponent = top - (BUCKETS - 1) + (edge - 1) + np.where(np.isfinite(share), share, 1.0)
    known = (total > 0) & (top != EMPTY)
    return np.where(known, np.exp(np.where(known, exponent, 0) * LOG_GROWTH), np.nan)


def share_above(weights: Floats, top: NDArray[np.int32], value: Floats) -> Floats:
    """Return the share of weight above a value of each row, shape (rows,): linear within a bucket; NaN where a row has no weight or the value is NaN."""
    total = weights.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.log(value) / LOG_GROWTH - (top.astype(np.float64) - (BUCKETS - 1))
    known = (total > 0) & (top != EMPTY) & ~np.isnan(place)
    place = np.clip(np.where(known, place, 0), 0, BUCKETS)
    whole = np.minimum(place.astype(np.int64), BUCKETS - 1)
    rows = np.arange(len(total))
    reached = np.cumsum(weights, axis=1)[rows, whole] - weights[rows, whole] * (1 - (place - whole))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, np.maximum(1 - reached / total, 0.0), np.nan)


def order_statistic(weights: Floats, top: NDArray[np.int32], probability: float) -> Floats:
    """Return the middle of the bucket that the quantile falls in (`inverted_cdf`), shape (rows,); NaN where a row has no weight."""
    cumulative = np.cumsum(weights, axis=1)
    total = cumulative[:, -1]
    bucket = np.minimum((cumulative < probability * total[:, None]).sum(axis=1), BUCKETS - 1)
    known = (total > 0) & (top != EMPTY)
    return np.where(known, np.exp((np.where(known, top, 0) - (BUCKETS - 1) + bucket + 0.5) * LOG_GROWTH), np.nan)
