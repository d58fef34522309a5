"""Throughput from counters, from counts and from Little's law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Throughput:
    """`per_second` of each interval, shape (rows, intervals), NaN = unknown; of each row: `total` events, `seconds` known, `resets` of the counter."""

    per_second: Floats
    total: Floats
    seconds: Floats
    resets: NDArray[np.int64]

    @property
    def mean_per_second(self) -> Floats:
        """Events over the time that is known, shape (rows,); NaN without any. [1/s]."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Floats = np.where(self.seconds > 0, self.total / self.seconds, np.nan)
        return found


def counter_throughput(times: Floats, counters: Floats) -> Throughput:
    """Return the throughput between the readings of cumulative counters; a fall is a reset, after which the reading counts from 0.

    As Prometheus' `increase` without its extrapolation to the window's ends [1]_. Where readings are missing, the interval between their neighbours
    stands in the column of the later one.

    Parameters
    ----------
    times : ndarray, shape (readings,)
        Rising. [s]
    counters : ndarray, shape (rows, readings)
        >= 0; NaN = not read. [1]

    Raises
    ------
    ValueError
        If shapes do not match, times do not rise, or a counter is below 0.

    References
    ----------
    .. [1] Prometheus, ``promql/functions.go``, function ``extrapolatedRate``.
    """
    if counters.ndim != 2 or counters.shape[1:] != times.shape or not (np.diff(times) > 0).all():
        raise ValueError("counters must be 2-D with a column for each time, and times rise.")
    if (counters < 0).any():
        raise ValueError("counters must be 0 or more.")
    known = ~np.isnan(counters)
    # The index of the reading before each one, -1 without.
    latest = np.maximum.accumulate(np.where(known, np.arange(counters.shape[1]), -1), axis=1)
    before = latest[:, :-1]
    has = known[:, 1:] & (before >= 0)
    earlier = np.take_along_axis(counters, np.maximum(before, 0), axis=1)
    rise = counters[:, 1:] - earlier
    reset = has & (rise < 0)
    events = np.where(has, np.where(reset, counters[:, 1:], rise), 0.0)
    width = np.where(has, times[1:] - times[np.maximum(before, 0)], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.where(has, events / width, np.nan)
    return Throughput(rate, events.sum(axis=1), width.sum(axis=1), reset.sum(axis=1))


def counted_throughput(step_seconds: Floats, counts: Floats) -> Throughput:
    """Return the throughput of counts of events per step, shape (rows, steps), each `step_seconds` long, shape (rows,); NaN = unknown.

    Raises
    ------
    ValueError
        If shapes do not match, a step is not above 0, or a count is below 0.
    """
    if counts.ndim != 2 or step_seconds.shape != counts.shape[:1] or not (step_seconds > 0).all() or (counts < 0).any():
        raise ValueError("counts must be 2-D and 0 or more, with a step above 0 for each row.")
    known = ~np.isnan(counts)
    total = np.where(known, counts, 0.0).sum(axis=1)
    return Throughput(counts / step_seconds[:, None], total, known.sum(axis=1) * step_seconds, np.zeros(len(counts), dtype=np.int64))


def closed_throughput(users: Floats, response_seconds: Floats, think_seconds: Floats) -> Floats:
    """Return the throughput of a closed system by Little's law [1]_: users / (response + think time). [1/s].

    Raises
    ------
    ValueError
        If an input is below 0, or both times are 0.

    References
    ----------
    .. [1] J. D. C. Little, "A Proof for the Queuing Formula: L = lambda W," Oper. Res., vol. 9, no. 3, 1961. doi:10.1287/opre.9.3.383
    """
    if (users < 0).any() or (response_seconds < 0).any() or (think_seconds < 0).any() or (response_seconds + think_seconds <= 0).any():
        raise ValueError("users and times must be 0 or more, and response_seconds + think_seconds above 0.")
    found: Floats = users / (response_seconds + think_seconds)
    return found
