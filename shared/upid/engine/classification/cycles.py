"""How much of the variance of use a cycle of a day, a week or a month explains, from profiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST_DAYS: Final = 3
MONTH_LAGS: Final = range(28, 32)
CYCLES: Final = ("daily", "weekly", "monthly")


@dataclass(frozen=True, slots=True)
class Cycles:
    """Strengths, shape (rows,), 0 to 1; NaN = too little was seen to tell."""

    daily: Floats
    weekly: Floats
    monthly: Floats

    @property
    def strongest(self) -> Floats:
        """The highest strength; NaN where none is known."""
        result: Floats = np.fmax(np.fmax(self.daily, self.weekly), self.monthly)
        return result


def cycles(hourly: Floats, past_hourly: Floats, daily_means: Floats) -> Cycles:
    """Return the strengths of cycles.

    daily: share of the variance of hourly means that the hour of the day explains, corrected for the share that it would explain by chance (adjusted
    R squared of a one-way analysis of variance [1]_); three days are needed. weekly: correlation of what the hour of the day leaves with the same of the
    weeks before. monthly: the highest autocorrelation of daily means at 28 to 31 days; two months are needed.

    Parameters
    ----------
    hourly, past_hourly : ndarray, shape (rows, 168)
        Mean use by hour of week, of the latest week and of those before; NaN = not seen.
    daily_means : ndarray, shape (rows, days)

    References
    ----------
    .. [1] R. A. Fisher, Statistical Methods for Research Workers, 1925.
    """
    rest, daily = _by_hour(hourly)
    past_rest, _ = _by_hour(past_hourly)
    monthly = np.full(len(hourly), np.nan)
    for lag in MONTH_LAGS:
        if daily_means.shape[1] >= 2 * lag:
            monthly = np.fmax(monthly, _correlation(daily_means[:, lag:], daily_means[:, :-lag], least=lag))
    return Cycles(daily, _share(_correlation(rest, past_rest, least=48)), _share(monthly))


def _share(correlation: Floats) -> Floats:
    return np.where(np.isnan(correlation), np.nan, np.clip(correlation, 0, 1))


def _by_hour(hourly: Floats) -> tuple[Floats, Floats]:
    """Return what the hour of the day leaves of hourly means, shape (rows, 168), and how much of their variance it explains, shape (rows,)."""
    table = hourly.reshape(len(hourly), 7, 24).astype(np.float64)
    known = ~np.isnan(table)
    filled = np.where(known, table, 0.0)
    count, hours = known.sum(axis=(1, 2)), known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = filled.sum(axis=(1, 2)) / count
        by_hour = filled.sum(axis=1) / hours
        rest = np.where(known, table - by_hour[:, None, :], np.nan)
        total = (np.where(known, table - centre[:, None, None], 0.0) ** 2).sum(axis=(1, 2))
        within = np.nansum(rest**2, axis=(1, 2))
        groups = (hours > 0).sum(axis=1)
        adjusted = 1 - (within / (count - groups)) / (total / (count - 1))
        # What rounding leaves of a constant series is no variance.
        flat = total <= 1e-12 * count * centre**2
    enough = (known.any(axis=2).sum(axis=1) >= LEAST_DAYS) & (count > groups) & (groups >= 2)
    strength = np.where(enough, np.where(flat, 0.0, np.clip(adjusted, 0, 1)), np.nan)
    return rest.reshape(len(hourly), -1), strength


def _correlation(a: Floats, b: Floats, *, least: int) -> Floats:
    """Return Pearson's correlation of the columns that both rows have, NaN with fewer than `least` or without spread."""
    known = ~np.isnan(a) & ~np.isnan(b)
    count = known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        x = np.where(known, a - np.where(known, a, 0).sum(axis=1, keepdims=True) / count[:, None], 0.0)
        y = np.where(known, b - np.where(known, b, 0).sum(axis=1, keepdims=True) / count[:, None], 0.0)
        found = (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    result: Floats = np.where((count >= least) & np.isfinite(found), found, np.nan)
    return result
