"""Rows of any magnitude, and exact figures of them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Floats = NDArray[np.float64]
magnitudes = st.sampled_from([1e-100, 1e-9, 1.0, 1e9, 1e100])
units = st.floats(-1, 1, allow_nan=False, width=32)


@st.composite
def rows(draw: st.DrawFn, least: int = 3, most: int = 25, *, gaps: bool = True) -> Floats:
    """One series of a magnitude, perhaps far from 0, perhaps with gaps."""
    scale = draw(magnitudes)
    shift = draw(st.sampled_from([0.0, 1.0, 1000.0]))
    values = [(draw(units) + shift) * scale for _ in range(draw(st.integers(least, most)))]
    holes = draw(st.sets(st.integers(0, len(values) - 1), max_size=len(values) - least)) if gaps else set()
    return np.array([np.nan if i in holes else value for i, value in enumerate(values)])


def exact(values: Floats) -> list[Fraction]:
    """The known values as fractions."""
    return [Fraction(float(value)) for value in values if not np.isnan(value)]


def mean_of(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def near(found: float, reference: Fraction | float, scale: float) -> bool:
    """Whether a figure is within 1e-9 of the larger of its reference and the scale of the input."""
    return abs(Fraction(float(found)) - Fraction(reference)) <= Fraction(1, 10**9) * max(abs(Fraction(reference)), Fraction(scale))
