"""Peaks that recur: the same hour of day on two days, or the same hour of week in two weeks, for half an hour or more."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.hourly import Hourly

Floats = NDArray[np.float64]
HOLD_FROM: Final = 0.05  # knob values at and above which recurring peaks are averaged away, and
HOLD_FULL: Final = 0.01  # at and below which the allowed share holds inside of them too
RAMP: Final = 0.1  # how far an hour's mean must lie above the request without it until it counts in full
WIDTH: Final = 0.25  # how far above its mean a peak hour is followed at most


DAY_OF_MONTH: Final = 200  # and the day, 1 to 31: a peak that comes back every month
DAY_TO_END: Final = 300  # and the day counted from the month's end, 1 = the last


class Recurring(NamedTuple):
    """Shape (rows,): what recurring peaks need [cores], at least the base, and when they come, -1 = there is none.

    `hour`: hour of week (0 = Monday 00:00 UTC), 168 and the hour of day, or DAY_OF_MONTH and DAY_TO_END with a day.
    """

    need: Floats
    hour: NDArray[np.int64]


def _second_largest(values: Floats) -> Floats:
    """Return the second largest over axis 1 of shape (rows, 7, 24); -inf where fewer than two are numbers."""
    known = np.where(np.isnan(values), -np.inf, values)
    high, second = known[:, 0], np.full_like(known[:, 0], -np.inf)
    for day in range(1, known.shape[1]):
        second = np.maximum(second, np.minimum(high, known[:, day]))
        high = np.maximum(high, known[:, day])
    return second


def _twice(latest: Floats, past: Floats) -> Floats:
    """Return what each hour of week reached in two weeks, and each hour of day on two days of the latest one, shape (rows, 168 + 24)."""
    return np.concatenate([np.minimum(latest, past), _second_largest(latest.reshape(-1, 7, 24))], axis=1)


def _level(mean: Floats, peak: Floats, allowed_time_above: float) -> Floats:
    """Return what an hour needs so that use lies above it for the allowed share of it: between its mean and its peak, WIDTH above the mean at most."""
    return mean + np.minimum((peak - mean) * (1 - 2 * allowed_time_above), WIDTH * mean)


def hold_of(allowed_time_above: float) -> float:
    """Return how far recurring peaks are held at a knob: 0 from HOLD_FROM up, 1 from HOLD_FULL down. [1]."""
    return float(np.clip(np.log(HOLD_FROM / allowed_time_above) / np.log(HOLD_FROM / HOLD_FULL), 0, 1))


def recurring_need(hourly: Hourly, base: Floats, *, allowed_time_above: float) -> Recurring:
    """Return the need with recurring peaks counted as time of their own: never below `base`, shape (rows,), NaN where that is NaN. [cores].

    An hour counts when its mean, so at least half an hour of it, lies above the base at least twice. Weight rises continuously with that and as the
    knob falls from HOLD_FROM to HOLD_FULL.
    """
    hold = hold_of(allowed_time_above)
    nowhere = np.full(len(base), -1, dtype=np.int64)
    if hold == 0 or len(base) == 0:
        return Recurring(base, nowhere)
    # Most rows have no hour above their base: the largest hour tells which are worth looking at.
    some = np.flatnonzero(np.fmax.reduce(hourly.mean, axis=1, initial=-np.inf) > base)
    mean, peak, past_mean, past_peak = (
        getattr(hourly, name)[some].astype(np.float64) for name in ("mean", "peak", "past_mean", "past_peak")
    )
    twice = _twice(mean, past_mean)
    reach = _twice(_level(mean, peak, allowed_time_above), _level(past_mean, past_peak, allowed_time_above))
    least = base[some][:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        need = least + hold * np.clip((twice / least - 1) / RAMP, 0, 1) * np.maximum(reach - least, 0)
    need = np.where(np.isfinite(need), need, -np.inf)
    hour = np.argmax(need, axis=1)
    best = need[np.arange(len(some)), hour]
    lifted = best > base[some]
    result = base.copy()
    result[some[lifted]], nowhere[some[lifted]] = best[lifted], hour[lifted]
    return Recurring(result, nowhere)
