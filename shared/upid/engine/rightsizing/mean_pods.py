"""How many pods an autoscaler holds in the mean: what its bounds cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.histogram import BUCKETS, LOG_GROWTH

Floats = NDArray[np.float64]


def mean_pods(weights: Floats, top: NDArray[np.int32], carries: Floats, minimum: Floats, maximum: Floats) -> Floats:
    """Return the mean over time of the pods that an autoscaler holds, shape (workloads,). [1].

    It asks for the summed demand over what a pod carries at the target, rounded up, within its bounds (the replica count of autoscaling/v2, its
    tolerance and delays left out). `weights`, shape (workloads, BUCKETS), and `top` are the histogram of summed demand as `density` takes it; `carries` is
    in its unit. NaN where there is no demand, or where what a pod carries or a bound is not known.
    """
    total = weights.sum(axis=1)
    exponent = top.astype(np.float64)[:, None] - (BUCKETS - 1) + np.arange(BUCKETS) + 0.5
    known = (total > 0) & (carries > 0)
    demand = np.exp(np.where(weights > 0, exponent, 0.0) * LOG_GROWTH)
    pods = np.ceil(demand / np.where(known, carries, 1.0)[:, None])
    held = np.minimum(np.maximum(pods, minimum[:, None]), maximum[:, None])
    mean: Floats = (held * weights).sum(axis=1) / np.where(known, total, 1.0)
    return np.where(known, mean, np.nan)
