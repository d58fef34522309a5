"""Log histograms of many rows: 256 buckets, each 3 % wide, below the highest value of the row, by UTC day and decayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

BUCKETS: Final = 256
GROWTH: Final = 1.03  # a bucket's upper edge over its lower edge
DAY_SLOTS: Final = 3  # UTC days that stand apart: the newest, and two before, so that two days can be held out at any hour
HALF_LIFE_DAYS: Final = 2.0
EMPTY: Final = np.iinfo(np.int32).min


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of samples by value. Bucket `b` of a row covers [GROWTH**e, GROWTH**(e + 1)) with e = top - (BUCKETS - 1) + b; the lowest takes all below.

    Attributes
    ----------
    top : ndarray, shape (rows,), int32
        Exponent of the highest bucket; EMPTY where a row has no sample.
    days : ndarray, shape (rows, DAY_SLOTS, BUCKETS), int32
        Samples of the newest UTC days, newest first. [1]
    older : ndarray, shape (rows, BUCKETS), float64
        Samples of the days before, each weighing 2 ** ((day - reference_day) / HALF_LIFE_DAYS) with the profile's reference day. [1]
    """

    top: NDArray[np.int32]
    days: NDArray[np.int32]
    older: NDArray[np.float64]
