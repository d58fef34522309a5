"""Spread between and within groups: one-way analysis of variance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

from upid.engine.statistics.rows import centred, row_deviation

Floats = NDArray[np.float64]


class Anova(NamedTuple):
    """F = mean square between / within [1] with its p-value; `explained` = share of the variance that lies between groups [1]. NaN = not defined."""

    f: float
    p_value: float
    between_degrees: int
    within_degrees: int
    explained: float


class GroupSpread(NamedTuple):
    """Values of each group, shape (groups,): how many, mean, deviation and coefficient of variation; NaN = not defined."""

    counts: NDArray[np.int64]
    mean: Floats
    deviation: Floats
    variation: Floats


def spread_by_group(values: Floats, groups: NDArray[np.int64], size: int) -> GroupSpread:
    """Return the spread of one series' values, shape (n,), by group, shape (n,), numbered from 0 to `size` - 1; NaN = missing."""
    table = np.full((size, max(int(np.bincount(groups, minlength=1).max(initial=0)), 1)), np.nan)
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(size))
    table[groups[order], np.arange(len(groups)) - starts[groups[order]]] = values[order]
    rows = centred(table)
    deviation = row_deviation(rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        return GroupSpread(rows.count, rows.mean, deviation, np.where(rows.mean == 0, np.nan, deviation / np.abs(rows.mean)))


def anova(spread: GroupSpread) -> Anova:
    """Return the one-way analysis of variance of groups; groups without a value do not count. NaN with fewer than two groups or no degrees within."""
    has = spread.counts > 0
    count, mean = spread.counts[has].astype(np.float64), spread.mean[has]
    between, within = int(has.sum()) - 1, int(count.sum()) - int(has.sum())
    if between < 1 or within < 1:
        return Anova(float("nan"), float("nan"), max(between, 0), max(within, 0), float("nan"))
    scale = float(np.abs(mean).max()) or 1.0
    unit = mean / scale
    grand = float((count * unit).sum() / count.sum())
    outside = float((count * (unit - grand) ** 2).sum())
    inside = float((np.nan_to_num(spread.deviation[has] / scale) ** 2 * (count - 1)).sum())
    if outside <= 1e-28 * count.sum():
        outside = 0.0
    if outside + inside == 0:
        return Anova(float("nan"), float("nan"), between, within, float("nan"))
    f = outside / between / (inside / within) if inside > 0 else float("inf")
    return Anova(f, float(fdtrc(between, within, f)) if np.isfinite(f) else 0.0, between, within, outside / (outside + inside))
