"""Columns with a third truth value: what is missing or went wrong is neither true nor false."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.rules.catalogue import FEATURES, Kind

Array = NDArray[Any]
Bools = NDArray[np.bool_]
BLANK: Final[MappingProxyType[Kind, Any]] = MappingProxyType(
    {"bool": np.False_, "int": np.int64(0), "double": np.float64("nan"), "string": np.str_("")}
)


@dataclass(frozen=True, slots=True)
class Column:
    """Values of shape (rows,) or () for one of all rows; where `errors` (same shape) holds there is none, and the value means nothing."""

    values: Array
    errors: Bools


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """A column of shape (rows,) for every feature of the catalogue. Made by `feature_table`."""

    rows: int
    columns: Mapping[str, Column]


def known(values: Any) -> Column:
    """Return a column of values that are all there."""
    array = np.asarray(values)
    return Column(array, np.zeros(array.shape, dtype=bool))


def measured(values: Any) -> Column:
    """Return a column of float64 whose NaN are missing values, as everywhere in the engine."""
    array = np.asarray(values, dtype=np.float64)
    return Column(array, np.isnan(array))


def feature_table(rows: int, columns: Mapping[str, Column]) -> FeatureTable:
    """Return a table in which features that have no column are missing in every row.

    Raises
    ------
    ValueError
        If there is a column that is no feature, or one of another number of rows.
    """
    names = {feature.name for feature in FEATURES}
    wrong = [name for name, column in columns.items() if name not in names or column.values.shape != (rows,)]
    if wrong:
        raise ValueError(f"These are no features of {rows} rows: {', '.join(sorted(wrong))}.")
    missing = np.ones(rows, dtype=bool)
    blank = {feature.name: Column(np.full(rows, BLANK[feature.kind]), missing) for feature in FEATURES if feature.name not in columns}
    return FeatureTable(rows, {**blank, **columns})
