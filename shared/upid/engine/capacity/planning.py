"""When what is there will be full, with bounds, and how many nodes a demand needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from upid.engine.statistics.describing import lag_one
from upid.engine.statistics.rows import centred

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Exhaustion:
    """When lines reach a capacity, shape (rows,), from the last time on. [unit of the times]; inf = not at this slope, NaN = no line.

    `earliest` and `latest` are where the bounds of the mean line reach it (Fieller's interval for an inverse prediction); `latest` is inf where the
    lower bound never does. `level` is the line's value at the last time, `slope` per unit of time, `standard_error` of the slope; `residual_deviation` in the unit of the values.
    """

    until_full: Floats
    earliest: Floats
    latest: Floats
    level: Floats
    slope: Floats
    standard_error: Floats
    r_squared: Floats
    residual_deviation: Floats


def until_full(times: Floats, values: Floats, capacity: Floats, *, confidence: float = 0.9) -> Exhaustion:
    """Return when the least-squares line of each row reaches its capacity.

    Bounds by Fieller's theorem [1]_: where (level at t - capacity)^2 = q^2 s^2 (1 / n + (t - mean)^2 / Sxx). Residuals that follow each other are
    worth fewer: s^2 is multiplied by (1 + r) / (1 - r), r their autocorrelation at lag one [2]_.

    Parameters
    ----------
    times : ndarray, shape (columns,)
        Rising, finite.
    values : ndarray, shape (rows, columns)
        Use; NaN = missing.
    capacity : ndarray, shape (rows,)
        What there is, in the unit of the values, finite.
    confidence : float
        Two-sided, in (0, 1). [1]

    Raises
    ------
    ValueError
        If shapes do not match, times do not rise, or confidence is outside (0, 1).

    References
    ----------
    .. [1] E. C. Fieller, "Some Problems in Interval Estimation," J. R. Stat. Soc. B, vol. 16, no. 2, 1954. doi:10.1111/j.2517-6161.1954.tb00159.x
    .. [2] B. D. Santer et al., "Statistical significance of trends," J. Geophys. Res., vol. 105, 2000. doi:10.1029/1999JD901105
    """
    if values.ndim != 2 or values.shape[1:] != times.shape or capacity.shape != values.shape[:1] or not (np.diff(times) > 0).all():
        raise ValueError("values must be 2-D with a column for each rising time, and a capacity for each row.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be in (0, 1), got {confidence}.")
    away = times - times[-1] if len(times) else times
    y, place = centred(values), centred(np.where(np.isnan(values), np.nan, away))
    sxx, sxy, syy = (place.values**2).sum(axis=1), (place.values * y.values).sum(axis=1), (y.values**2).sum(axis=1)
    degrees = y.count - 2
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        steep = np.where(sxx > 0, sxy / sxx, np.nan)
        rest = y.values - steep[:, None] * place.values
        squares = np.where(y.known, rest**2, 0).sum(axis=1)
        squares = np.where(squares <= 1e-28 * np.maximum(syy, 1e-300) * y.count, 0.0, squares)
        lag = np.clip(np.nan_to_num(lag_one(np.where(y.known, rest, np.nan))), 0, 0.99)
        spread = np.where(degrees > 0, squares / np.maximum(degrees, 1) * (1 + lag) / (1 - lag), np.inf)
        wide = stdtrit(np.maximum(degrees, 1), 0.5 + confidence / 2) ** 2 * spread
        # In units of the row's scale: z places along time, h the capacity above the mean of the line.
        h = (capacity - y.mean) / y.scale
        now = -place.mean / place.scale
        full = _reach(steep, h, now)
        early, late = _bounds(steep, h, now, wide=wide, count=y.count, sxx=sxx)
        quality = np.where(syy > 0, 1 - squares / syy, np.nan)
        left = np.where(degrees > 0, np.sqrt(squares / degrees) * y.scale, np.nan)
        error = np.sqrt(spread / sxx) * y.scale / place.scale
    unit = place.scale
    return Exhaustion(
        full * unit, np.minimum(early, full) * unit, np.maximum(late, full) * unit, y.mean + steep * now * y.scale, steep * y.scale / unit,
        np.where(degrees > 0, error, np.nan), quality, left,
    )  # fmt: skip


def _reach(steep: Floats, h: Floats, now: Floats) -> Floats:
    """Return how far ahead of `now` the line reaches h: 0 where it is above already, inf where it does not rise."""
    above = steep * now >= h
    ahead = np.where(steep > 0, h / steep - now, np.inf)
    return np.where(np.isnan(steep), np.nan, np.where(above, 0.0, np.maximum(ahead, 0.0)))


def _bounds(steep: Floats, h: Floats, now: Floats, *, wide: Floats, count: NDArray[np.int64], sxx: Floats) -> tuple[Floats, Floats]:
    """Return where the upper and the lower bound of the mean line first reach h from `now` on: roots of (b z - h)^2 = w (1 / n + z^2 / sxx)."""
    # In units of the capacity, so that one far away does not overflow.
    far = np.maximum(np.abs(h), 1.0)
    a, b, c = steep**2 - wide / sxx, -2 * steep * (h / far), (h / far) ** 2 - wide / count / far / far
    root = np.sqrt(np.maximum(b**2 - 4 * a * c, 0))
    q = -0.5 * (b + np.where(b >= 0, root, -root))
    first, second = np.where(a == 0, np.inf, q / a * far), np.where(q == 0, np.inf, c / q * far)
    band = np.sqrt(wide * (1 / count + now**2 / sxx))
    roots = np.stack([first, second])
    # On the upper bound b z - h = -band(z), on the lower one b z - h = +band(z).
    gap = steep * roots - h
    ahead = np.where((roots >= now) & np.isfinite(roots), roots - now, np.inf)
    upper = np.where(gap <= 0, ahead, np.inf).min(axis=0)
    lower = np.where(gap >= 0, ahead, np.inf).min(axis=0)
    early = np.where(np.isinf(wide), 0.0, np.where(steep * now + band >= h, 0.0, upper))
    late = np.where(np.isinf(wide), np.inf, np.where(steep * now - band >= h, 0.0, lower))
    return np.where(np.isnan(steep), np.nan, early), np.where(np.isnan(steep), np.nan, late)


def nodes_needed(demand: float, node_capacity: float, *, target: float = 1.0, spare: int = 0) -> int:
    """Return how many equal nodes hold a demand at a target utilisation while `spare` of them are gone (N + spare).

    Raises
    ------
    ValueError
        If demand is below 0, node_capacity not above 0, target outside (0, 1], or spare below 0.
    """
    if not (demand >= 0 and node_capacity > 0 and 0 < target <= 1 and spare >= 0):
        raise ValueError("demand and spare must be 0 or more, node_capacity above 0, target in (0, 1].")
    exact = demand / (node_capacity * target)
    whole = round(exact)
    # A quotient that rounding put a hair above a whole number is that number.
    return int(whole if whole and abs(exact - whole) <= 1e-12 * whole else np.ceil(exact)) + spare


def capacity_left(nodes: Floats, spare: int) -> float:
    """Return what is left of nodes' capacities, shape (nodes,), while the `spare` largest are gone. [unit of the nodes]; ValueError for spare below 0."""
    if spare < 0:
        raise ValueError(f"spare must be 0 or more, got {spare}.")
    kept = np.sort(nodes)[: max(len(nodes) - spare, 0)]
    return float(kept.sum())
