"""Kruize Autotune: analyzer/recommendations/model/{Cost,Performance}BasedRecommendationModel.java, utils/CommonUtils.java (percentile)."""

from __future__ import annotations

from typing import Final

import numpy as np

from upid.engine.rightsizing.published.window import Floats, Window, nearest_rank

INTERVAL_SECONDS: Final = 900
ONE_CORE: Final = 1.0
COST, PERFORMANCE = 0.60, 0.98


def intervals(window: Window) -> tuple[Floats, Floats]:
    """Return the smallest and the largest value in each 15 minutes (or step, where that is longer), shape (rows, intervals), NaN = none."""
    index = (window.moments - window.start) // INTERVAL_SECONDS
    starts = np.flatnonzero(np.diff(index, prepend=-1))
    return np.fmin.reduceat(window.values, starts, axis=1), np.fmax.reduceat(window.values, starts, axis=1)


def _cpu(window: Window, probability: float) -> Floats:
    # Throttling would be added to the largest use; a trace has none.
    return np.where(window.peak < ONE_CORE, window.peak, nearest_rank(intervals(window)[1], probability))


def cpu_cost(window: Window) -> Floats:
    """Return the 60th percentile of the largest use by 15 minutes; the largest of all where that is below one core, shape (rows,). [cores]."""
    return _cpu(window, COST)


def cpu_performance(window: Window) -> Floats:
    """Return the 98th percentile of the largest use by 15 minutes; the largest of all where that is below one core, shape (rows,). [cores]."""
    return _cpu(window, PERFORMANCE)


def memory(window: Window) -> Floats:
    """Return the largest use and 20 %, or the largest spread within 15 minutes times 1.05 on top where that is less, shape (rows,). [bytes]."""
    low, high = intervals(window)
    spike = np.fmax.reduce(np.ceil(high - low), axis=1, initial=np.nan)
    request: Floats = np.minimum(window.peak * 1.2, window.peak + spike * 1.05)
    return request
