"""Smoothing parameters of many series at once, by least squares of the errors one step ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.forecasting.recursion import State
from upid.engine.forecasting.searches import Searches
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
POOL: Final = 2048  # searches at once: their states stay in the cache


def fit_parameters(values: Floats, start: State, free: Flags, fixed: Floats, *, multiplicative: bool) -> Floats:
    """Return the parameters of each row, shape (4, rows), whose squared errors one step ahead are least; the start is given and stays.

    Levenberg-Marquardt searches [1]_ with exact derivatives, projected onto the bounds, from four points (thirteen where phi is free): errors have several
    minima, most often one without an alpha and one with. The best end is taken. A search that has ended makes room for the next one.

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
    rows = np.arange(values.shape[1])
    damped = rows[free[3]]
    starts = [(STARTS, rows), (DAMPED_STARTS, damped), (CAREFUL_STARTS, damped)]
    series = np.concatenate([np.tile(which, points.shape[1]) for points, which in starts])
    points = np.concatenate([np.repeat(points, len(which), axis=1) for points, which in starts], axis=1)
    careful = np.arange(len(series)) >= len(series) - CAREFUL_STARTS.shape[1] * len(damped)
    searches = Searches.begin(np.where(free[:, series], points, fixed[:, series]), free[:, series], series, (LOW, HIGH), careful)
    pool = _Pool.filled(values, start, series)
    while len(pool.jobs):
        found = normal_equations(
            pool.values, searches.trial(pool.jobs), pool.start, damped=bool(len(damped)), multiplicative=multiplicative
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
