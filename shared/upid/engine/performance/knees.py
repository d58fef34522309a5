"""Knees of curves: where more load no longer brings more throughput, or begins to cost latency."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Shape = Literal["concave", "convex"]


def knee(x: Floats, y: Floats, *, shape: Shape, sensitivity: float = 0.05) -> int:
    """Return the index of a rising curve's knee by Kneedle's distance [1]_, -1 where it has none.

    Both axes are taken from 0 to 1; the knee is where a concave curve lies farthest above the straight line between its ends (a convex one: below).
    Scaling or shifting either axis changes nothing.

    Parameters
    ----------
    x, y : ndarray, shape (points,)
        x rising, both finite.
    shape : {"concave", "convex"}
        Concave: throughput over load. Convex: latency over load.
    sensitivity : float
        Least distance that makes a knee, in (0, 1). [1]

    Raises
    ------
    ValueError
        If shapes differ, x does not rise, a value is not finite, or sensitivity is outside (0, 1).

    References
    ----------
    .. [1] V. Satopaa, J. Albrecht, D. Irwin and B. Raghavan, "Finding a 'Kneedle' in a Haystack: Detecting Knee Points in System Behavior," ICDCS
       Workshops, 2011. doi:10.1109/ICDCSW.2011.20
    """
    if x.shape != y.shape or x.ndim != 1 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("x and y must be 1-D of one shape, and finite.")
    if not (np.diff(x) > 0).all() or not 0 < sensitivity < 1:
        raise ValueError("x must rise, and sensitivity be in (0, 1).")
    if len(x) < 3:
        return -1
    low, high = float(y.min()), float(y.max())
    if high == low:
        return -1
    across = (x - x[0]) / (x[-1] - x[0])
    up = (y - low) / (high - low)
    distance = up - across if shape == "concave" else across - up
    best = int(np.argmax(distance))
    return best if distance[best] > sensitivity and best > 0 else -1
