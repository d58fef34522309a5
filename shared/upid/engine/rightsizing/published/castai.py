"""CAST AI, workload autoscaler with its defaults: documentation, `woop-configuration-settings`."""

from __future__ import annotations

from upid.engine.rightsizing.published.window import Floats, Window


def cpu(window: Window) -> Floats:
    """Return the 80th percentile of use, shape (rows,). [cores]."""
    return window.quantile(0.80)


def memory(window: Window) -> Floats:
    """Return the largest use and 10 %, shape (rows,). [bytes]."""
    return window.peak * 1.10
