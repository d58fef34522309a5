"""What a published rule sees: the samples of a fit window, one row a container."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upid.engine.statistics.quantiles import sorted_quantiles

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """Samples of one resource. `values`: shape (rows, steps), NaN = not running [cores or bytes]; `start` of the first step [s since the epoch]."""

    values: Floats
    start: int
    step_seconds: int

    @cached_property
    def count(self) -> NDArray[np.int64]:
        """Samples of each row, shape (rows,). [1]."""
        count: NDArray[np.int64] = np.count_nonzero(~np.isnan(self.values), axis=1)
        return count

    @cached_property
    def ordered(self) -> Floats:
        """Each row's samples rising, NaN behind them, shape (rows, steps)."""
        return np.sort(self.values, axis=1)

    @cached_property
    def peak(self) -> Floats:
        """Each row's largest sample, NaN without one, shape (rows,)."""
        peak: Floats = np.fmax.reduce(self.values, axis=1, initial=np.nan)
        return peak

    @property
    def moments(self) -> NDArray[np.int64]:
        """Start of each step, shape (steps,). [s since the epoch]."""
        return self.start + self.step_seconds * np.arange(self.values.shape[1], dtype=np.int64)

    def quantile(self, probability: float) -> Floats:
        """Return a quantile of each row, linear between ranks (Hyndman-Fan 7), shape (rows,)."""
        return sorted_quantiles(self.ordered, self.count, (probability,))[:, 0]


def linear_quantile(values: Floats, probability: float) -> Floats:
    """Return a quantile of each row of any values, linear between ranks, NaN where a row has none, shape (rows,)."""
    return sorted_quantiles(np.sort(values, axis=1), np.count_nonzero(~np.isnan(values), axis=1), (probability,))[:, 0]


def nearest_rank(values: Floats, probability: float) -> Floats:
    """Return the value of rank ceil(p * n) of each row, NaN where a row has none, shape (rows,)."""
    count = np.count_nonzero(~np.isnan(values), axis=1)
    # 0.6 * 5 is one bit above 3: a rank is not to jump for that.
    rank = np.clip(np.ceil(probability * count - 1e-9).astype(np.int64) - 1, 0, values.shape[1] - 1)
    chosen: Floats = np.take_along_axis(np.sort(values, axis=1), rank[:, None], axis=1)[:, 0]
    return chosen


def weighted_bucket(buckets: NDArray[np.int64], weights: Floats, probability: float) -> NDArray[np.int64]:
    """Return the first bucket of each row at which the weight up to it reaches the probability; -1 where a row has none, shape (rows,).

    Parameters
    ----------
    buckets : ndarray, shape (rows, samples)
        Bucket of each sample, -1 = no sample.
    weights : ndarray, shape (rows, samples) or (samples,)
        Weight of each sample, > 0.
    probability : float
        In (0, 1]. [1]
    """
    order = np.argsort(buckets, axis=1, kind="stable")
    ranked = np.take_along_axis(buckets, order, axis=1)
    weight = np.where(ranked >= 0, np.take_along_axis(np.broadcast_to(weights, buckets.shape), order, axis=1), 0.0)
    reached: Any = np.cumsum(weight, axis=1)
    least = probability * reached[:, -1:] * (1 - 1e-12)
    at = np.argmax((reached >= least) & (reached > 0), axis=1)
    return np.where(reached[:, -1] > 0, np.take_along_axis(ranked, at[:, None], axis=1)[:, 0], -1)


def rounded_up(values: Floats, unit: float) -> Floats:
    """Return values as multiples of a unit, never below. [that of the values]."""
    result: Floats = np.ceil(values / unit - 1e-9) * unit
    return result
