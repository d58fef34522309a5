"""What is wrong with samples: holes and early ends are counted, values that cannot be are dropped and counted."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.floating[Any]]
Booleans = NDArray[np.bool_]
SLACK: Final = 1.25  # scrapes are not to the second, so a rate may be a little above what there is


def holes(values: Samples) -> int:
    """Return how many steps without a sample lie between a row's first and last sample, over all rows, shape (rows, steps)."""
    there = ~np.isnan(values)
    seen = np.logical_or.accumulate(there, axis=1) & np.logical_or.accumulate(there[:, ::-1], axis=1)[:, ::-1]
    return int(np.count_nonzero(seen & ~there))


def ended_early(values: Samples, least: int = 2) -> Booleans:
    """Tell which rows have samples, but none in their last `least` steps or more, shape (rows,)."""
    there = ~np.isnan(values)
    behind = there[:, ::-1].argmax(axis=1)
    ended: Booleans = there.any(axis=1) & (behind >= least)
    return ended


def possible(values: Samples, most: float | Samples) -> tuple[Samples, int]:
    """Return the samples without those above `most` and a quarter, and how many these were; NaN for `most` holds nothing back.

    most: one for all, or of a shape that goes with that of `values`. `values` itself stays as it is.
    """
    with np.errstate(invalid="ignore"):
        beyond = values > most * SLACK
    count = int(np.count_nonzero(beyond))
    return (np.where(beyond, np.float32(np.nan), values).astype(values.dtype), count) if count else (values, 0)
