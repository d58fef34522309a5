"""Scores to alarms: one event is one alarm, however often its score comes and goes."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Side = Literal["both", "above", "below"]


class Alarm(NamedTuple):
    """An event: its first and last step at or beyond the threshold, the step of its highest score, that score, and how many steps were beyond."""

    first: int
    last: int
    peak: int
    score: float
    steps: int


def alarms(score: Floats, *, threshold: float, cool_down: int, side: Side = "both") -> list[Alarm]:
    """Return the alarms of one series' scores, shape (steps,), oldest first; NaN = no score, which neither raises an alarm nor ends one.

    An alarm begins where the score reaches the threshold, and ends once it has stayed below it for `cool_down` steps with a score.

    Raises
    ------
    ValueError
        With a threshold not above 0, or cool_down below 1.
    """
    if threshold <= 0 or cool_down < 1:
        raise ValueError(f"threshold must be above 0 and cool_down at least 1, got {threshold} and {cool_down}.")
    size = {"both": np.abs(score), "above": score, "below": -score}[side]
    known = np.flatnonzero(~np.isnan(size))
    beyond = np.flatnonzero(size[known] >= threshold)
    if not len(beyond):
        return []
    # Between two hits of one event lie fewer than `cool_down` scores.
    groups = np.split(beyond, np.flatnonzero(np.diff(beyond) > cool_down) + 1)
    return [_alarm(known[group], score, size) for group in groups]


def _alarm(steps: NDArray[np.int64], score: Floats, size: Floats) -> Alarm:
    peak = int(steps[np.argmax(size[steps])])
    return Alarm(int(steps[0]), int(steps[-1]), peak, float(score[peak]), len(steps))
