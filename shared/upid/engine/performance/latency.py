"""Latencies from counts by bucket: quantiles with the bounds that the buckets leave, means, shares within an objective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BucketQuantiles:
    """Shape (histograms, probabilities); NaN = no observation.

    `value` is interpolated within its bucket, whose edges are `low` and `high` (inf in the last): the order statistic lies between them.
    """

    value: Floats
    low: Floats
    high: Floats


def bucket_quantiles(upper: Floats, cumulative: Floats, probabilities: tuple[float, ...]) -> BucketQuantiles:
    """Return quantiles of cumulative histograms as Prometheus' `histogram_quantile` does [1]_.

    Linear within a bucket; the first bucket begins at 0 where its upper edge is above 0, else it is answered by that edge. In the last bucket,
    which has no upper edge, the answer is its lower edge: a lower bound.

    Parameters
    ----------
    upper : ndarray, shape (buckets,)
        Upper edges (`le`), rising, the last +inf. [s]
    cumulative : ndarray, shape (histograms, buckets)
        Observations at or below each edge, >= 0 and never falling. [1]
    probabilities : tuple of float
        In [0, 1]. [1]

    Raises
    ------
    ValueError
        If an input is outside of that.

    References
    ----------
    .. [1] Prometheus, ``promql/quantile.go``, function ``BucketQuantile``; https://prometheus.io/docs/practices/histograms/
    """
    _check(upper, cumulative)
    if not all(0 <= p <= 1 for p in probabilities):
        raise ValueError(f"probabilities must be in [0, 1], got {probabilities}.")
    rows, total = np.arange(len(cumulative)), cumulative[:, -1]
    lower = np.concatenate([[min(0.0, upper[0])], upper[:-1]])
    shape = (len(cumulative), len(probabilities))
    value, low, high = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    for column, probability in enumerate(probabilities):
        rank = probability * total
        # The first bucket that reaches the rank and holds something: an empty one at the front holds no observation.
        reached = (cumulative >= rank[:, None]) & (cumulative > 0)
        place = np.where(reached.any(axis=1), np.argmax(reached, axis=1), len(upper) - 1)
        before = np.where(place > 0, cumulative[rows, place - 1], 0.0)
        inside = cumulative[rows, place] - before
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(inside > 0, (rank - before) / inside, 0.0)
            between = lower[place] + (upper[place] - lower[place]) * share
        known = total > 0
        value[:, column] = np.where(known, np.where(np.isinf(upper[place]), lower[place], between), np.nan)
        low[:, column], high[:, column] = np.where(known, lower[place], np.nan), np.where(known, upper[place], np.nan)
    return BucketQuantiles(value, low, high)


def share_within(upper: Floats, cumulative: Floats, objective: float) -> tuple[Floats, Floats]:
    """Return the least and the largest share of observations that can be at or below an objective, shape (histograms,) each; NaN without any. [1].

    They are equal where the objective is an edge; else the bucket that it falls in counts not at all, or whole. Input and errors as `bucket_quantiles`.
    """
    _check(upper, cumulative)
    below = int(np.searchsorted(upper, objective, side="right"))
    at_least = cumulative[:, below - 1] if below > 0 else np.zeros(len(cumulative))
    exact = below > 0 and upper[below - 1] == objective
    at_most = at_least if exact else cumulative[:, min(below, len(upper) - 1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        total = np.where(cumulative[:, -1] > 0, cumulative[:, -1], np.nan)
        return at_least / total, at_most / total


def apdex(satisfied: Floats, tolerating: Floats, total: Floats) -> Floats:
    """Return the Apdex score (satisfied + tolerating / 2) / total, in [0, 1]; NaN without observations. [1].

    `satisfied` are at or below the target, `tolerating` above it and at or below four times it (Apdex Alliance, Technical Specification 1.1, 2007).
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, (satisfied + tolerating / 2) / total, np.nan)


def _check(upper: Floats, cumulative: Floats) -> None:
    if cumulative.ndim != 2 or upper.shape != cumulative.shape[1:] or len(upper) < 2:
        raise ValueError(f"cumulative must be 2-D with a column for each of two or more edges, got {cumulative.shape} and {upper.shape}.")
    if not (np.diff(upper) > 0).all() or not np.isposinf(upper[-1]):
        raise ValueError("upper must rise and end with +inf.")
    if not np.isfinite(cumulative).all() or (cumulative < 0).any() or (np.diff(cumulative, axis=1) < 0).any():
        raise ValueError("cumulative must be finite, >= 0 and never fall.")
