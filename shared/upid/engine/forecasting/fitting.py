"""Smoothing parameters of many series at once, by least squares of the errors one step ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.forecasting.recursion import State
from upid.engine.forecasting.sensitivity import NormalEquations, normal_equations

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]
LOW: Final = np.array([[0.0], [0.0], [0.0], [0.8]])  # of alpha, beta, gamma, phi
HIGH: Final = np.array([[1.0], [1.0], [1.0], [0.995]])
STARTS: Final = np.array([(0.3, 0.05, 0.2, 0.98), (0.0, 0.0, 0.05, 0.9), (0.05, 0.1, 0.05, 0.98), (0.9, 0.05, 0.5, 0.9)]).T
# Where phi is free there are more minima, some of them behind a bound that a bold first step runs into.
DAMPED_STARTS: Final = np.array([(0.3, 0.05, 0.2, 0.85), (0.1, 0.9, 0.1, 0.82)]).T
CAREFUL_STARTS: Final = np.array([(0.3, 0.05, 0.2, 0.98), (0.05, 0.1, 0.05, 0.98), (0.05, 0.1, 0.05, 0.85)]).T
CAREFUL_ROUNDS: Final = 3  # in which a careful search goes half of the way to a bound at most
LEAST_ROUNDS: Final = 4
MOST_ROUNDS: Final = 40
SAME: Final = 0.003  # two searches of a row whose parameters are nearer than this are one
GAIN: Final = 1e-6  # relative fall of the sum of squares below which a search ends
POOL: Final = 2048  # searches at once: their states stay in the cache


def fit_parameters(values: Floats, start: State, free: Flags, fixed: Floats, *, multiplicative: bool) -> Floats:
    """Return the parameters of each row, shape (4, rows), whose squared errors one step ahead are least; the start is given and stays.

    Levenberg-Marquardt searches [1]_ with exact derivatives, projected onto the bounds, from four points (nine where phi is free): errors have several
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
    searches = _Searches.begin(np.where(free[:, series], points, fixed[:, series]), free[:, series], series, careful)
    pool = _Pool.filled(values, start, series)
    while len(pool.jobs):
        found = normal_equations(
            pool.values, searches.trial(pool.jobs), pool.start, damped=bool(len(damped)), multiplicative=multiplicative
        )
        pool.refill(searches.judge(pool.jobs, found))
    return searches.found[:, searches.ahead]


@dataclass(slots=True)
class _Searches:
    """Where each search stands, the last axis of every array: parameters `found` with their `squares`, and the step that is tried from there.

    `series`: the row that each is of; `ahead`: the search of each row that stands best.
    """

    found: Floats
    free: Flags
    squares: Floats
    gradient: Floats
    matrix: Floats
    damping: Floats
    rounds: Places
    tried: Floats
    series: Places
    careful: Flags
    ahead: Places

    @classmethod
    def begin(cls, found: Floats, free: Flags, series: Places, careful: Flags) -> _Searches:
        """Return searches that have not yet looked at their starts; job r is one of row r."""
        jobs = len(series)
        nothing: dict[str, Any] = {
            "squares": np.full(jobs, np.inf), "gradient": np.zeros((4, jobs)), "matrix": np.zeros((4, 4, jobs)), "damping": np.full(jobs, 1e-3),
            "rounds": np.zeros(jobs, np.int64), "ahead": np.arange(int(series.max(initial=-1)) + 1),
        }  # fmt: skip
        return cls(found, free, tried=found.copy(), series=series, careful=careful, **nothing)

    def trial(self, jobs: Places) -> Floats:
        """Return where to try next, shape (4, jobs): the first time the start itself."""
        before, gradient = self.found[:, jobs], self.gradient[:, jobs]
        # A parameter at its bound that the gradient pushes further out is out of this step.
        stuck = ((before <= LOW) & (gradient > 0)) | ((before >= HIGH) & (gradient < 0))
        moving = self.free[:, jobs] & ~stuck
        step = _step(gradient, self.matrix[..., jobs], moving, self.damping[jobs])
        reach = np.where(self.careful[jobs] & (self.rounds[jobs] <= CAREFUL_ROUNDS), 0.5, 1.0)
        low, high = before + (LOW - before) * reach, before + (HIGH - before) * reach
        self.tried[:, jobs] = np.where(moving, np.clip(before + step, low, high), before)
        return self.tried[:, jobs]

    def judge(self, jobs: Places, found: NormalEquations) -> Flags:
        """Go where a trial was better, and tell which searches have ended."""
        squares, damping = self.squares[jobs], self.damping[jobs]
        better, begun = found.squares < squares, np.isfinite(squares)
        self.rounds[jobs] += 1
        with np.errstate(invalid="ignore"):
            done = np.where(better, (squares - found.squares <= GAIN * squares) & (damping <= 0.1), damping > 1e4)
        done = begun & (done | (np.abs(self.tried[:, jobs] - self.found[:, jobs]).max(axis=0) < 1e-7))
        done |= (self.rounds[jobs] >= MOST_ROUNDS) | (found.squares == 0)
        gone = jobs[better]
        self.found[:, gone], self.squares[gone] = self.tried[:, gone], found.squares[better]
        self.gradient[:, gone], self.matrix[..., gone] = found.gradient[:, better], found.matrix[..., better]
        self.damping[jobs] = np.clip(np.where(better, np.where(begun, damping / 5, damping), damping * 10), 1e-9, 1e9)
        return np.asarray(done | self._follows(jobs), np.bool_)

    def _follows(self, jobs: Places) -> Flags:
        """Tell which searches are where the best one of their row is: they would only end where it ends."""
        order = jobs[np.argsort(-self.squares[jobs], kind="stable")]
        nearer = order[self.squares[order] < self.squares[self.ahead[self.series[order]]]]
        self.ahead[self.series[nearer]] = nearer  # of several the last one stays: the best
        best = self.ahead[self.series[jobs]]
        apart = np.abs(self.found[:, jobs] - self.found[:, best]).max(axis=0)
        return np.asarray((self.rounds[jobs] >= LEAST_ROUNDS) & (best != jobs) & (apart < SAME), np.bool_)


def _step(gradient: Floats, matrix: Floats, moving: Flags, damping: Floats) -> Floats:
    """Return the damped Gauss-Newton step of what moves, shape (4, rows); 0 for what does not."""
    both = moving[:, None] & moving[None]
    system = np.where(both, matrix, 0.0)
    diagonal = np.einsum("ppr->pr", system)
    extra = np.where(moving, diagonal * damping + 1e-12 * diagonal.max(axis=0) + 1e-30, 1.0)
    system[np.arange(4), np.arange(4)] += extra
    solved = np.linalg.solve(np.moveaxis(system, 2, 0), np.where(moving, -gradient, 0.0).T[..., None])
    result: Floats = solved[..., 0].T
    return np.where(moving, result, 0.0)


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
