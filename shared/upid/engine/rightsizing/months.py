"""Peaks that come back every month: on the same day of the month, or as many days before its end."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.seasons import DAY_OF_MONTH, DAY_TO_END, Recurring, hold_of
from upid.engine.rightsizing.seen import Seen

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
WIDTH_SECONDS: Final = (900, 1800)  # how long a day's peak lasts, from no effect to the whole of it
OWN_SHARE: Final = (0.25, 0.5)  # of all days that high, those on the day that recurs, from no effect to the whole of it
AS_HIGH: Final = 0.8  # of the lower of two peaks: a day that reaches this is as high
NEEDS_DAYS: Final = 29  # of samples: with fewer no day of a month came twice


def monthly_need(seen: Seen, weekly: Recurring, *, allowed_time_above: float) -> Recurring:
    """Return the need with monthly peaks counted as time of their own, at least that with `weekly` ones, shape (rows,). [cores].

    A day counts where its largest use lies above the base, and the day's use above a usual day's would fill half an hour at that height; it recurs where
    a day of another month, on the same day of the month or as many days before its end, does so too, while few other days do. The lower of the two is
    needed.
    """
    base = weekly.need
    found, when = base.copy(), weekly.hour.copy()
    hold, width = hold_of(allowed_time_above), seen.steps.shape[1]
    if hold == 0 or width < NEEDS_DAYS or not len(base):
        return weekly
    every = _levels(seen, base)
    some = np.flatnonzero((every > base[:, None]).any(axis=1))  # few rows have a day that is unlike the others
    level, least = every[some], base[some]
    for keys in _calendar((seen.end - 1) // 86400, width):
        for key in np.unique(keys):
            on = keys == key
            if np.count_nonzero(on) > 1:
                need = least + hold * _recurring(level, on) * np.maximum(_second(level[:, on]) - least, 0)
                better = need > found[some]
                found[some[better]], when[some[better]] = need[better], key + DAY_OF_MONTH if key > 0 else DAY_TO_END - key
    return Recurring(found, when)


def _calendar(last: int, days: int) -> tuple[Integers, Integers]:
    """Return each day's number in its month from the front, 1 to 31, and from the back, -1 to -31; the last column is day `last` [since the epoch]."""
    dates = np.datetime64(int(last), "D") - np.arange(days)[::-1]
    months = dates.astype("datetime64[M]")
    front = (dates - months.astype("datetime64[D]")).astype(np.int64) + 1
    return front, (dates - (months + 1).astype("datetime64[D]")).astype(np.int64)


def _levels(seen: Seen, base: Floats) -> Floats:
    """Return each day's largest use as far as it lasts, at least the base, shape (rows, days); NaN without a sample."""
    daily = seen.cpu_daily
    peak = daily.peak.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Of the busiest pod at each step: pods side by side do not make a peak longer, and quiet ones beside it not shorter.
        mean = np.where(daily.count > 0, seen.cpu_busiest_total / seen.steps, np.nan)
        usual = _median(mean)[:, None]
        lasts = (mean - usual) / (peak - usual) * seen.steps * seen.step_seconds
    share = np.clip((np.where(np.isfinite(lasts), lasts, 0) - WIDTH_SECONDS[0]) / (WIDTH_SECONDS[1] - WIDTH_SECONDS[0]), 0, 1)
    result: Floats = base[:, None] + share * np.maximum(peak - base[:, None], 0)
    return result


def _median(values: Floats) -> Floats:
    ordered, count = np.sort(values, axis=1), (~np.isnan(values)).sum(axis=1)
    result: Floats = ordered[np.arange(len(values)), np.maximum((count - 1) // 2, 0)]
    return result


def _second(level: Floats) -> Floats:
    """Return the second largest of each row, -inf where fewer than two are numbers."""
    result: Floats = np.sort(np.where(np.isnan(level), -np.inf, level), axis=1)[:, -2]
    return result


def _recurring(level: Floats, on: NDArray[np.bool_]) -> Floats:
    """Return how far the days that are as high are those that recur, shape (rows,). [1]."""
    with np.errstate(invalid="ignore"):
        high = level >= AS_HIGH * _second(level[:, on])[:, None]
    share = high[:, on].sum(axis=1) / np.maximum(high.sum(axis=1), 1)
    result: Floats = np.clip((share - OWN_SHARE[0]) / (OWN_SHARE[1] - OWN_SHARE[0]), 0, 1)
    return result
