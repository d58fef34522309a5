"""Weekends: a request that is made on a Sunday evening is for the working week."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.seen import Seen
from upid.engine.usage.histogram import HALF_LIFE_DAYS

Floats = NDArray[np.float64]
DAYS: Final = 8  # newest days that are looked at: one weekend is among them
QUIETER: Final = (0.1, 0.4)  # how far the busiest weekend day lies below the quietest working day, from no effect to the whole of it
WORKING_SHARE: Final = 5 / 7
LEAST_WORKING_DAYS: Final = 4
_THURSDAY: Final = 3  # weekday of day 0, Monday is 0


def working_week(seen: Seen, daily_means: Floats) -> Floats:
    """Return the part of the allowed time above that a row may have when its weekends are quiet, shape (rows,), in (0, 1]. [1].

    Samples weigh by age, so after a weekend quiet days are most of the weight, and the allowed share of all of it would be a larger one of the working
    days that come. Where every day of the last weekend lies below every working day, the share is held over a week instead: that part of the weight that
    working days have, over five sevenths.

    Parameters
    ----------
    daily_means : ndarray, shape (rows, days)
        Mean use of whole days, NaN = not whole, ending with the last day that is seen. [cores]
    """
    means, steps = daily_means[:, -DAYS:], seen.steps[:, -DAYS:].astype(np.float64)
    days = (seen.end - 1) // 86400 - np.arange(means.shape[1])[::-1]
    free = (days + _THURSDAY) % 7 >= 5
    if np.count_nonzero(free) < 2 or np.count_nonzero(~free) < LEAST_WORKING_DAYS:
        return np.ones(len(means))
    weight = steps * np.exp2(-np.arange(means.shape[1])[::-1] / HALF_LIFE_DAYS)
    known = (~np.isnan(means[:, free])).sum(axis=1) >= 2
    known &= (~np.isnan(means[:, ~free])).sum(axis=1) >= LEAST_WORKING_DAYS
    with np.errstate(invalid="ignore", divide="ignore"):
        below = 1 - np.fmax.reduce(means[:, free], axis=1) / np.fmin.reduce(means[:, ~free], axis=1)
        share = weight[:, ~free].sum(axis=1) / weight.sum(axis=1)
    effect = np.where(known & np.isfinite(below), np.clip((below - QUIETER[0]) / (QUIETER[1] - QUIETER[0]), 0, 1), 0.0)
    part: Floats = 1 - effect * (1 - np.minimum(np.where(np.isfinite(share), share, 1.0) / WORKING_SHARE, 1.0))
    return part
