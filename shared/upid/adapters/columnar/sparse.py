"""Many short series in the room of a few long ones: a day of a CronJob has a thousand pods, of which a few ran at any moment.

Series that do not meet lie behind one another on a lane; where each lies is told beside. Nothing is lost: every series comes out as it went in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.domain.lanes import lanes_of
from upid.engine.ranges import cells_in

LEAST_CELLS: Final = 4096  # below that there is nothing to win
PLACES: Final = ("lane", "first", "end")
Arrays = Mapping[str, NDArray[Any]]


class Laid(NamedTuple):
    """Samples by metric, each of shape (lanes, steps), and the place of each series: `lane`, `first`, `end`, each of shape (series,)."""

    samples: dict[str, NDArray[Any]]
    places: dict[str, NDArray[np.int32]]


def laid(samples: Arrays) -> Laid | None:
    """Return samples of one shape (series, steps), NaN = none, on lanes; None where that takes not less than half of the room."""
    shape = next(iter(samples.values())).shape if samples else (0, 0)
    if shape[0] * shape[1] < LEAST_CELLS:
        return None
    there = np.any([~np.isnan(values) for values in samples.values()], axis=0)
    some = there.any(axis=1)
    first = np.where(some, there.argmax(axis=1), 0)
    end = np.where(some, shape[1] - there[:, ::-1].argmax(axis=1), 0)
    if 2 * int((end - first).sum()) > shape[0] * shape[1]:
        return None
    lane = np.zeros(shape[0], np.int64)
    lane[some] = lanes_of(list(zip(first[some].tolist(), end[some].tolist(), strict=True)))
    lanes = int(lane.max()) + 1
    if 2 * lanes > shape[0]:
        return None
    series, steps = cells_in(first, end)
    found = {}
    for name, values in samples.items():
        found[name] = np.full((lanes, shape[1]), np.nan, np.float32)
        found[name][lane[series], steps] = values[series, steps]
    return Laid(found, {name: part.astype(np.int32) for name, part in zip(PLACES, (lane, first, end), strict=True)})


def taken_up(samples: Arrays, places: Arrays) -> dict[str, NDArray[Any]]:
    """Return what `laid` was given, each of shape (series, steps); ValueError for places that cannot be."""
    lane, first, end = (np.asarray(places[name], np.int64) for name in PLACES)
    found = {}
    for name, values in samples.items():
        lanes, steps = values.shape
        if (lane < 0).any() or (lane >= lanes).any() or (first < 0).any() or (first > end).any() or (end > steps).any():
            raise ValueError("Series lie where there is no lane.")
        row, step = cells_in(first, end)
        found[name] = np.full((len(lane), steps), np.nan, np.float32)
        found[name][row, step] = values[lane[row], step]
    return found
