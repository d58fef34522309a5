"""Robusta KRR, strategy `simple`: robusta_krr/strategies/simple.py, core/models/config.py."""

from __future__ import annotations

from typing import Final

import numpy as np

from upid.engine.rightsizing.published.window import Floats, Window, rounded_up

MIB: Final = 2.0**20
POINTS: Final = 100


def cpu(window: Window) -> Floats:
    """Return the 95th percentile of use, at least 10m, in whole millicores; NaN below 100 points, shape (rows,). [cores]."""
    return _enough(window, np.maximum(rounded_up(window.quantile(0.95), 0.001), 0.010))


def memory(window: Window) -> Floats:
    """Return the largest use and 15 %, at least 100 MiB, in whole MiB; NaN below 100 points, shape (rows,). [bytes]."""
    return _enough(window, np.maximum(rounded_up(window.peak * 1.15, MIB), 100 * MIB))


def _enough(window: Window, request: Floats) -> Floats:
    return np.where(window.count >= POINTS, request, np.nan)
