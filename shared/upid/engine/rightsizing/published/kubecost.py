"""Kubecost, request right-sizing v2 with its defaults: documentation of the API `savings/requestSizingV2`."""

from __future__ import annotations

from typing import Final

import numpy as np

from upid.engine.rightsizing.published.window import Floats, Window

TARGET_UTILISATION: Final = 0.7
LEAST_CORES, LEAST_BYTES = 0.010, 20 * 2.0**20


def cpu(window: Window) -> Floats:
    """Return the largest use over the target utilisation, at least 10m, shape (rows,). [cores]."""
    return np.maximum(window.peak / TARGET_UTILISATION, LEAST_CORES)


def memory(window: Window) -> Floats:
    """Return the largest use over the target utilisation, at least 20 MiB, shape (rows,). [bytes]."""
    return np.maximum(window.peak / TARGET_UTILISATION, LEAST_BYTES)
