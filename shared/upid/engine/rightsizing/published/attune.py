"""Attune: internal/recommendation/chain.go and percentile.go, internal/metrics/profile.go (the code, not the documentation, which differs)."""

from __future__ import annotations

from typing import Final

import numpy as np

from upid.engine.rightsizing.published.window import Floats, Window, linear_quantile

HOURS: Final = 24
POINTS: Final = 48
CPU_BOUNDS: Final = (0.001, 4.0)
MEMORY_BOUNDS: Final = (4 * 2.0**20, 8 * 2.0**30)
BURST: Final = 3.0
FULL_DAYS: Final = 7.0


def base(window: Window, probability: float) -> Floats:
    """Return the percentile, or that of the highest of 24 hours of day where it is more, shape (rows,)."""
    hour = window.moments // 3600 % HOURS
    result = window.quantile(probability)
    for each in np.unique(hour):
        result = np.fmax(result, linear_quantile(window.values[:, hour == each], probability))
    return result


def burst_factor(window: Window) -> Floats:
    """Return 1 + 0.1 * log2(max / p95) where the maximum is more than three times the 95th percentile, else 1, shape (rows,). [1]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = window.peak / window.quantile(0.95)
        return np.where(np.isfinite(ratio) & (ratio > BURST), 1 + 0.1 * np.log2(ratio), 1.0)


def confidence_factor(window: Window) -> Floats:
    """Return 1 + (1 - c) ** 2 with c = min(days spanned, sqrt(points / 24)) / 7 from 0 to 1, shape (rows,). [1]."""
    known = ~np.isnan(window.values)
    first, last = np.argmax(known, axis=1), known.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    days = (last - first) * window.step_seconds / 86400
    sure = np.clip(np.minimum(days, np.sqrt(window.count / 24)) / FULL_DAYS, 0, 1)
    factor: Floats = 1 + (1 - sure) ** 2
    return factor


def cpu(window: Window) -> Floats:
    """Return the 95th percentile and 20 %, with burst and confidence, from 1m to 4 cores; NaN below 48 points, shape (rows,). [cores]."""
    return _bounded(window, base(window, 0.95) * 1.2, CPU_BOUNDS)


def memory(window: Window) -> Floats:
    """Return the 99th percentile and 30 %, with burst and confidence, from 4 MiB to 8 GiB; NaN below 48 points, shape (rows,). [bytes]."""
    return _bounded(window, base(window, 0.99) * 1.3, MEMORY_BOUNDS)


def _bounded(window: Window, request: Floats, bounds: tuple[float, float]) -> Floats:
    sized = np.clip(request * burst_factor(window) * confidence_factor(window), *bounds)
    return np.where(window.count >= POINTS, sized, np.nan)
