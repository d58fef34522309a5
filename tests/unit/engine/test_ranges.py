from __future__ import annotations

import numpy as np

from upid.engine.ranges import cells_in


def test_cells_come_row_by_row() -> None:
    row, step = cells_in(np.array([2, 0, 5, 4]), np.array([4, 1, 5, 3]))

    assert (row.tolist(), step.tolist()) == ([0, 0, 1], [2, 3, 0])


def test_no_row_has_no_cell() -> None:
    row, step = cells_in(np.empty(0, np.int64), np.empty(0, np.int64))

    assert (len(row), len(step)) == (0, 0)
