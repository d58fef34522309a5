"""How much of a capacity is free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.statistics.quantiles import sorted_quantiles

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Headroom:
    """Of each row, shape (rows,), in the unit of the values; NaN = no value. Below 0 = over capacity.

    `of_peak`, `of_quantile` and `of_mean` are what is free at each figure of use; `to_target` what is free below target * capacity at the quantile;
    `growth_left` by how much of itself the quantile can grow until then [1], inf where nothing is used; `time_above_target` share of samples [1].
    """

    mean: Floats
    quantile: Floats
    peak: Floats
    of_mean: Floats
    of_quantile: Floats
    of_peak: Floats
    to_target: Floats
    growth_left: Floats
    time_above_target: Floats
    time_above_capacity: Floats


def headroom(values: Floats, capacity: Floats, *, probability: float = 0.95, target: float = 0.8) -> Headroom:
    """Return what is free above the use of each row.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        Use, >= 0; NaN = missing.
    capacity : ndarray, shape (rows,)
        What there is, above 0, in the unit of the values.
    probability : float
        Of the quantile of use (Hyndman-Fan 7), in [0, 1]. [1]
    target : float
        Share of the capacity that use should stay below, in (0, 1]. [1]

    Raises
    ------
    ValueError
        If an input is outside of that.
    """
    if values.ndim != 2 or capacity.shape != values.shape[:1] or not (capacity > 0).all():
        raise ValueError("values must be 2-D with a capacity above 0 for each row.")
    if not (0 <= probability <= 1 and 0 < target <= 1):
        raise ValueError(f"probability must be in [0, 1] and target in (0, 1], got {probability} and {target}.")
    count = (~np.isnan(values)).sum(axis=1)
    edges = sorted_quantiles(np.sort(values, axis=1), count, (probability, 1.0)) if values.shape[1] else np.full((len(values), 2), np.nan)
    quantile, peak = edges[:, 0], edges[:, 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count > 0, np.nansum(values, axis=1) / count, np.nan)
        left = np.where(quantile > 0, capacity * target / quantile - 1, np.where(np.isnan(quantile), np.nan, np.inf))
        above, over = (np.where(count > 0, (values > each[:, None]).sum(axis=1) / count, np.nan) for each in (capacity * target, capacity))
    return Headroom(
        mean, quantile, peak, capacity - mean, capacity - quantile, capacity - peak, capacity * target - quantile, left, above, over
    )
