"""Crane: pkg/recommendation/recommender/resource/registry.go, pkg/prediction/percentile (histogram of the Vertical Pod Autoscaler, linear buckets)."""

from __future__ import annotations

from typing import Final

import numpy as np

from upid.engine.rightsizing.published.window import Floats, Window, weighted_bucket

PROBABILITY: Final = 0.99
MARGIN: Final = 0.15
CPU_BUCKET, MEMORY_BUCKET = 0.1, 100 * 2.0**20
CPU_HALF_LIFE_HOURS, MEMORY_HALF_LIFE_HOURS = 24.0, 48.0


def cpu(window: Window) -> Floats:
    """Return the 99th percentile, decayed by 24 hours, by the end of its bucket of 0.1 cores, and 15 %, shape (rows,). [cores]."""
    return _request(window, CPU_BUCKET, CPU_HALF_LIFE_HOURS)


def memory(window: Window) -> Floats:
    """Return the 99th percentile, decayed by 48 hours, by the end of its bucket of 100 MiB, and 15 %, shape (rows,). [bytes]."""
    return _request(window, MEMORY_BUCKET, MEMORY_HALF_LIFE_HOURS)


def _request(window: Window, width: float, half_life_hours: float) -> Floats:
    weights = np.exp2((window.moments - window.start) / 3600 / half_life_hours)
    with np.errstate(invalid="ignore"):
        buckets = np.where(np.isnan(window.values), -1, np.floor(np.nan_to_num(window.values) / width)).astype(np.int64)
    at = weighted_bucket(buckets, weights, PROBABILITY)
    return np.where(at < 0, np.nan, (at + 1) * width * (1 + MARGIN))
