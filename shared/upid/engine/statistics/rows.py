"""Sums over rows with gaps, at any magnitude: what the other modules of statistics are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Centred:
    """Rows about their means, in units of their scale, so that no square over- or underflows.

    `values`: (value - mean) / scale, 0 where missing; `mean`: NaN without a value; `scale`: the power of two above the largest absolute value, so that scaling is exact, 1 where all is 0;
    `count`: values; `known`: where they are.
    """

    values: Floats
    mean: Floats
    scale: Floats
    count: NDArray[np.int64]
    known: NDArray[np.bool_]


def centred(values: Floats) -> Centred:
    """Return the rows of `values`, shape (rows, columns), about their means; NaN = missing. A constant row is exactly 0."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    zeroed = np.where(known, values, 0.0)
    largest = np.abs(zeroed).max(axis=1, initial=0.0)
    scale = power_of_two(largest)
    unit = zeroed / scale[:, None]
    first = unit[np.arange(len(unit)), np.argmax(known, axis=1)] if values.shape[1] else np.zeros(len(values))
    # The mean is taken of differences to the first value: a constant row has the mean that it is made of, to the last bit.
    away = np.where(known, unit - first[:, None], 0.0)
    shift = away.sum(axis=1) / np.maximum(count, 1)
    about = np.where(known, away - shift[:, None], 0.0)
    return Centred(about, np.where(count > 0, (first + shift) * scale, np.nan), scale, count, known)


def power_of_two(size: Floats) -> Floats:
    """Return the power of two above each size (>= 0), 1 for 0: dividing by it changes no digit."""
    return np.where(size > 0, np.ldexp(1.0, np.frexp(size)[1]), 1.0)


def row_deviation(rows: Centred, *, ddof: int = 1) -> Floats:
    """Return the standard deviation of each row, which is a number even where its square is none; NaN with no more than `ddof` values."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.sqrt((rows.values**2).sum(axis=1) / (rows.count - ddof)) * rows.scale
    return np.where(rows.count > ddof, found, np.nan)


def linear_fill(values: Floats) -> Floats:
    """Return the rows with gaps filled on a straight line between neighbours, and held at the ends; a row without a value stays NaN."""
    filled = values.copy()
    places = np.arange(values.shape[1])
    for row in np.flatnonzero(np.isnan(values).any(axis=1)):
        known = ~np.isnan(values[row])
        if known.any():
            filled[row] = np.interp(places, places[known], values[row, known])
    return filled
