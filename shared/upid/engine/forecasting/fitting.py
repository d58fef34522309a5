"""Smoothing parameters of many series at once, by least squares of the errors one step ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.engine.forecasting.recursion import State
from upid.engine.forecasting.searches import GAIN, Searches
from upid.engine.forecasting.sensitivity import normal_equations

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]
LOW: Final = np.array([[0.0], [0.0], [0.0], [0.8]])  # of alpha, beta, gamma, phi
HIGH: Final = np.array([[1.0], [1.0], [1.0], [0.995]])
STARTS: Final = np.array([(0.3, 0.05, 0.2, 0.98), (0.0, 0.0, 0.05, 0.9), (0.05, 0.1, 0.05, 0.98), (0.9, 0.05, 0.5, 0.9)]).T
# Where phi is free there are more minima, some of them behind a bound that a bold first step runs into.
DAMPED_STARTS: Final = np.array([(0.3, 0.05, 0.2, 0.85), (0.1, 0.9, 0.1, 0.82)]).T
CAREFUL_STARTS: Final = np.array([
    (0.3, 0.05, 0.2, 0.98), (0.05, 0.1, 0.05, 0.98), (0.05, 0.1, 0.05, 0.85), (0.05, 0.5, 0.05, 0.98), (0.9, 0.05, 0.5, 0.97),
    (0.03, 0.02, 0.2, 0.99), (0.98, 0.5, 0.7, 0.83),
]).T  # fmt: skip
FEW_STARTS: Final = STARTS[:, [0, 1, 3]]  # for comparing methods, where the last per mille of a fit does not count
POOL: Final = 2048  # searches at once: their states stay in the cache
ROUGH_GAIN: Final = 1e-4  # relative fall of the squares below which a search for a comparison ends


class Beginnings(NamedTuple):
    """Where searches begin: `points`, shape (4, searches), each for the row in `series`; `careful` ones approach bounds by halves; `gain` ends them."""

    points: Floats
    series: Places
    careful: Flags
    gain: float


def thorough(free: Flags) -> Beginnings:
    """Return four points for every row, and thirteen where phi is free, shape of `free` (4, rows): for fits that are to be the best there are."""
    rows, damped = np.arange(free.shape[1]), np.flatnonzero(free[3])
    parts = [(STARTS, rows), (DAMPED_STARTS, damped), (CAREFUL_STARTS, damped)]
    series = np.concatenate([np.tile(which, points.shape[1]) for points, which in parts])
    careful = np.arange(len(series)) >= len(series) - CAREFUL_STARTS.shape[1] * len(damped)
    return Beginnings(np.concatenate([np.repeat(points, len(which), axis=1) for points, which in parts], axis=1), series, careful, GAIN)


def rough(begun: Floats) -> Beginnings:
    """Return the points `begun`, shape (4, rows), NaN = a few for that row: for fits that are to be compared only."""
    fresh = np.flatnonzero(np.isnan(begun[0]))
    warm = np.flatnonzero(~np.isnan(begun[0]))
    series = np.concatenate([warm, np.tile(fresh, FEW_STARTS.shape[1])])
    points = np.concatenate([begun[:, warm], np.repeat(FEW_STARTS, len(fresh), axis=1)], axis=1)
    return Beginnings(points, series, np.zeros(len(series), np.bool_), ROUGH_GAIN)


def fit_parameters(
    values: Floats, start: State, free: Flags, fixed: Floats, *, multiplicative: bool, begin: Beginnings | None = None
) -> Floats:
    """Return the parameters of each row, shape (4, rows), whose squared errors one step ahead are least; the start is given and stays.

    Levenberg-Marquardt searches [1]_ with exact derivatives, projected onto the bounds, from several points (`thorough` where `begin` is None): errors have
    several minima, most often one without an alpha and one with. The best end is taken. A search that has ended makes room for the next one.

    Parameters
    ----------
    values : ndarray, shape (steps, rows)
        In units of their scale; NaN = missing.
    free : ndarray of bool, shape (4, rows)
        Which of alpha, beta, gamma and phi are fitted; the others stay as in `fixed`, shape (4, rows).

    References
    ----------
    .. [1] D. W. Marquardt, "An Algorithm for Least-Squares Estimation of Nonlinear Parameters," J. SIAM, vol. 11, 1963. doi:10.1137/0111030
    """
    points, series, careful, gain = begin or thorough(free)
    points = np.where(free[:, series], points, fixed[:, series])
    searches = Searches.begin(points, free[:, series], series, (LOW, HIGH), careful, gain=gain)
    pool = _Pool.filled(values, start, series)
    while len(pool.jobs):
        found = normal_equations(
            pool.values, searches.trial(pool.jobs), pool.start, damped=bool(free[3].any()), multiplicative=multiplicative
        )
        pool.refill(searches.judge(pool.jobs, found))
    return searches.found[:, searches.ahead]


@dataclass(slots=True)
class _Pool:
    """The searches that run, `jobs`, with the values and starts of their rows beside them; `series`: the row of every search, `next`: the first that waits."""

    every: Floats
    starts: State
    series: Places
    jobs: Places
    values: Floats
    start: State
    next: int

    @classmethod
    def filled(cls, values: Floats, start: State, series: Places) -> _Pool:
        """Return the first searches, with the values and starts of their rows."""
        jobs = np.arange(min(POOL, len(series)))
        return cls(values, start, series, jobs, values[:, series[jobs]], start.rows(series[jobs]), len(jobs))

    def refill(self, done: Flags) -> None:
        """Put waiting searches in the place of those that are done; close up once none waits."""
        places = np.flatnonzero(done)[: len(self.series) - self.next]
        if len(places):
            self.jobs[places] = np.arange(self.next, self.next + len(places))
            self.next += len(places)
            rows = self.series[self.jobs[places]]
            self.values[:, places] = self.every[:, rows]
            self.start.put(places, self.starts.rows(rows))
            done = done.copy()
            done[places] = False
        if done.any():
            self.jobs, self.values, self.start = self.jobs[~done], self.values[:, ~done], self.start.rows(np.flatnonzero(~done))
