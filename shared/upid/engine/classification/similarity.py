"""How alike workloads are: distances over normalised features, nearest neighbours, groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST_ROWS: Final = 2000
IQR_OF_NORMAL: Final = 1.3489795003921634


@dataclass(frozen=True, slots=True)
class Normalised:
    """Values in units of their spread, shape (rows, features), NaN = missing; `centre` and `spread` of each feature."""

    values: Floats
    centre: Floats
    spread: Floats


def normalised(values: Floats) -> Normalised:
    """Return features as distances from their median in units of their robust deviation (IQR / 1.349).

    Where more than half of the values are equal the standard deviation stands for it, and 1 where all are.
    """
    known = ~np.isnan(values)
    centre, spread = np.zeros(values.shape[1]), np.ones(values.shape[1])
    for column in range(values.shape[1]):
        seen = values[known[:, column], column]
        if len(seen):
            low, middle, high = np.quantile(seen, (0.25, 0.5, 0.75))
            centre[column] = middle
            spread[column] = (high - low) / IQR_OF_NORMAL or float(seen.std()) or 1.0
    return Normalised((values - centre) / spread, centre, spread)


def distances(values: Floats) -> Floats:
    """Return the root mean square of the differences over the features that both rows have, shape (rows, rows); NaN where they share none.

    Raises
    ------
    ValueError
        With more than MOST_ROWS rows.
    """
    if len(values) > MOST_ROWS:
        raise ValueError(f"At most {MOST_ROWS} workloads are compared with each other.")
    known = ~np.isnan(values)
    total, shared = np.zeros((len(values),) * 2), np.zeros((len(values),) * 2)
    for column in range(values.shape[1]):
        both = known[:, column][:, None] & known[:, column][None, :]
        filled = np.where(known[:, column], values[:, column], 0.0)
        total += np.where(both, (filled[:, None] - filled[None, :]) ** 2, 0.0)
        shared += both
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Floats = np.sqrt(np.where(shared > 0, total / shared, np.nan))
    np.fill_diagonal(result, 0.0)
    return result


def neighbours(distance: Floats, count: int) -> NDArray[np.int64]:
    """Return the nearest other rows of each row, nearest first, ties by position, shape (rows, min(count, rows - 1)); unknown distances come last."""
    far = np.where(np.isnan(distance), np.inf, distance)
    np.fill_diagonal(far, np.inf)
    order: NDArray[np.int64] = np.argsort(far, axis=1, kind="stable")[:, : min(count, max(len(far) - 1, 0))]
    return order


def groups(distance: Floats, within: float) -> NDArray[np.int64]:
    """Return each row's group, numbered by first appearance: rows that a chain of distances of at most `within` joins (single linkage), shape (rows,)."""
    near = np.nan_to_num(distance, nan=np.inf) <= within
    group = np.full(len(distance), -1, dtype=np.int64)
    for row in range(len(distance)):
        if group[row] >= 0:
            continue
        number = group.max(initial=-1) + 1
        reached = near[row].copy()
        reached[row] = True
        while True:
            more = near[reached].any(axis=0) | reached
            if (more == reached).all():
                break
            reached = more
        group[reached] = number
    return group
