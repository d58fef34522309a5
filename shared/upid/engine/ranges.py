"""Ranges of steps by row, unfolded into the cells that they hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def cells_in(begin: Integers, end: Integers) -> tuple[Integers, Integers]:
    """Return row and step of every cell in [begin, end) of each row, row by row, arrays of shape (cells,); a range that ends before it begins has none.

    Parameters
    ----------
    begin, end : ndarray of int64, shape (rows,)
        The range of each row. [steps]
    """
    lengths = np.maximum(end - begin, 0)
    row = np.repeat(np.arange(len(lengths)), lengths)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths - begin, lengths)
