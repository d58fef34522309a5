"""Samples by UTC day: enough for growth, effective sample sizes and month-end peaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MAX_DAYS: Final = 93


@dataclass(frozen=True, slots=True)
class Daily:
    """Samples of one metric by UTC day, shape (rows, days): `count` [1], `total` and `squares` (sums of value and value squared), `peak` (NaN = none)."""

    count: NDArray[np.int32]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]
    peak: NDArray[np.float32]


def empty_daily(rows: int, days: int) -> Daily:
    """Return daily figures of `rows` rows and `days` days without samples."""
    shape = (rows, days)
    return Daily(np.zeros(shape, dtype=np.int32), np.zeros(shape), np.zeros(shape), np.full(shape, np.nan, dtype=np.float32))


def blank(dtype: np.dtype[Any], *, is_missing_nan: bool) -> Any:
    """Return what stands for nothing in an array of this kind: NaN or 0."""
    return np.nan if is_missing_nan and dtype.kind == "f" else 0


def placed(array: NDArray[Any], source: NDArray[np.int64], offset: int, days: int, *, is_missing_nan: bool = False) -> NDArray[Any]:
    """Return a copy of daily figures whose row i is row `source[i]` (-1 = empty) and whose first column is `offset` days after the old first one.

    Columns outside the old ones are empty; old columns outside the new ones are left out.
    """
    result = np.full((len(source), days), blank(array.dtype, is_missing_nan=is_missing_nan), dtype=array.dtype)
    begin, end = max(offset, 0), min(offset + days, array.shape[1])
    if begin < end:
        kept = np.flatnonzero(source >= 0)
        result[kept, begin - offset : end - offset] = array[source[kept], begin:end]
    return result


def placed_daily(daily: Daily, source: NDArray[np.int64], offset: int, days: int) -> Daily:
    """Return a copy of all four arrays as `placed` does it."""
    return Daily(
        placed(daily.count, source, offset, days),
        placed(daily.total, source, offset, days),
        placed(daily.squares, source, offset, days),
        placed(daily.peak, source, offset, days, is_missing_nan=True),
    )


def days_of_daily(daily: Daily, days: slice) -> Daily:
    """Return some of the days, as views."""
    return Daily(daily.count[:, days], daily.total[:, days], daily.squares[:, days], daily.peak[:, days])


def merge_daily(a: Daily, b: Daily) -> Daily:
    """Return what both saw, over the same days."""
    return Daily(a.count + b.count, a.total + b.total, a.squares + b.squares, np.fmax(a.peak, b.peak))
