"""What is reserved and not used, and how well what is reserved is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HOURS_PER_MONTH: Final = 730.0


@dataclass(frozen=True, slots=True)
class Waste:
    """Of each row, shape (rows,): NaN = no sample. Amounts in the unit of the values, shares in [0, 1].

    `mean_idle` is mean(max(reserved - use, 0)), `share` of what is reserved that is; `reducible` is what could be given back while a quantile of use
    with a margin still fits; `over` is mean(max(use - reserved, 0)), `time_over` the share of samples above what is reserved; `usd_per_month` costs of
    `mean_idle`, `reducible_usd_per_month` of `reducible`.
    """

    mean_idle: Floats
    share: Floats
    reducible: Floats
    over: Floats
    time_over: Floats
    usd_per_month: Floats
    reducible_usd_per_month: Floats


def waste(values: Floats, reserved: Floats, quantile: Floats, usd_per_unit_hour: Floats, *, margin: float = 0.15) -> Waste:
    """Return what is reserved and idle.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        Use; NaN = missing.
    reserved : ndarray, shape (rows,)
        What is reserved, >= 0, in the unit of the values.
    quantile : ndarray, shape (rows,)
        Use that must still fit; NaN = not known.
    usd_per_unit_hour : ndarray, shape (rows,)
        Price of one unit; NaN = not known. [USD per unit and hour]
    margin : float
        Kept above the quantile, >= 0. [1]

    Raises
    ------
    ValueError
        If shapes do not match, or reserved or margin is below 0.
    """
    if values.ndim != 2 or not reserved.shape == quantile.shape == usd_per_unit_hour.shape == values.shape[:1]:
        raise ValueError("values must be 2-D, with a reservation, a quantile and a price for each row.")
    if not (reserved >= 0).all() or margin < 0:
        raise ValueError("reserved and margin must be 0 or more.")
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    away = np.where(known, reserved[:, None] - values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        idle = np.where(count > 0, np.maximum(away, 0).sum(axis=1) / count, np.nan)
        over = np.where(count > 0, np.maximum(-away, 0).sum(axis=1) / count, np.nan)
        share = np.where(reserved > 0, idle / reserved, np.nan)
        time_over = np.where(count > 0, (away < 0).sum(axis=1) / count, np.nan)
    reducible = np.maximum(reserved - quantile * (1 + margin), 0)
    monthly = usd_per_unit_hour * HOURS_PER_MONTH
    return Waste(idle, share, reducible, over, time_over, idle * monthly, reducible * monthly)


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Of each row, shape (rows,): `score` from 0 to 100; `utilization` of each resource, shape (rows, resources), and the `weight` that each had [1].

    NaN = nothing is reserved, or no use is known.
    """

    score: Floats
    utilization: Floats
    weight: Floats


def efficiency(use: Floats, reserved: Floats, usd_per_unit_hour: Floats) -> Efficiency:
    """Return how much of what is paid for is used: the mean utilisation of resources, each weighing what it costs [1]_.

    Use above what is reserved counts as all of it: an overloaded resource does not make up for an idle one. A resource without a reservation or
    without known use is left out.

    Parameters
    ----------
    use, reserved : ndarray, shape (rows, resources)
        Mean use and reservation, in the resource's unit, >= 0; NaN = not known or not set.
    usd_per_unit_hour : ndarray, shape (resources,)
        Price of one unit, above 0. [USD per unit and hour]

    Raises
    ------
    ValueError
        If shapes do not match, a value is below 0, or a price not above it.

    References
    ----------
    .. [1] OpenCost specification, "Efficiency": https://www.opencost.io/docs/specification
    """
    if use.ndim != 2 or use.shape != reserved.shape or usd_per_unit_hour.shape != use.shape[1:] or not (usd_per_unit_hour > 0).all():
        raise ValueError("use and reserved must be 2-D of one shape, with a price above 0 for each resource.")
    if (use < 0).any() or (reserved < 0).any():
        raise ValueError("use and reserved must be 0 or more.")
    with np.errstate(invalid="ignore", divide="ignore"):
        utilization = np.where(reserved > 0, use / reserved, np.nan)
        counts = ~np.isnan(utilization)
        cost = np.where(counts, reserved * usd_per_unit_hour, 0.0)
        # Of the dearest first, so that no product over- or underflows.
        total = cost.sum(axis=1, keepdims=True)
        weight = np.where(total > 0, cost / total, np.nan)
        score = 100 * np.where(counts, np.minimum(utilization, 1.0) * np.nan_to_num(weight), 0.0).sum(axis=1)
    return Efficiency(np.where(total[:, 0] > 0, score, np.nan), utilization, weight)
