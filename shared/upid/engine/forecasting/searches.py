"""Many least-squares searches at once: Levenberg and Marquardt's steps, kept within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]
CAREFUL_ROUNDS: Final = 3  # in which a careful search goes half of the way to a bound at most
LEAST_ROUNDS: Final = 4
MOST_ROUNDS: Final = 40
SAME: Final = 0.003  # two searches of a row whose parameters are nearer than this are one
HOPE: Final = 1000.0  # times what its steps promise, which a search may be above the best of its row and go on
ROUGH_HOPE: Final = 20.0  # the same of searches for a comparison, whose gain is more than GAIN
GAIN: Final = 1e-6  # relative fall of the sum of squares below which a search ends


class NormalEquations(NamedTuple):
    """Sum of squares, shape (rows,); half of its gradient by the parameters, (parameters, rows); Gauss-Newton matrix, (parameters, parameters, rows)."""

    squares: Floats
    gradient: Floats
    matrix: Floats


@dataclass(slots=True)
class Searches:
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
    promised: Floats
    series: Places
    low: Floats
    high: Floats
    careful: Flags
    ahead: Places
    most_rounds: int
    gain: float

    @classmethod
    def begin(
        cls, found: Floats, free: Flags, series: Places, bounds: tuple[Floats, Floats], careful: Flags, *, most_rounds: int = MOST_ROUNDS,
        gain: float = GAIN,
    ) -> Searches:  # fmt: skip
        """Return searches that have not yet looked at their starts `found`, shape (parameters, jobs); job r is one of row r. `bounds`: (parameters, 1)."""
        size, jobs = found.shape
        nothing: dict[str, Any] = {
            "squares": np.full(jobs, np.inf), "gradient": np.zeros(found.shape), "matrix": np.zeros((size, size, jobs)), "damping": np.full(jobs, 1e-3),
            "rounds": np.zeros(jobs, np.int64), "promised": np.full(jobs, np.inf), "ahead": np.arange(int(series.max(initial=-1)) + 1),
        }  # fmt: skip
        kept: dict[str, Any] = {
            "series": series,
            "low": bounds[0],
            "high": bounds[1],
            "careful": careful,
            "most_rounds": most_rounds,
            "gain": gain,
        }
        return cls(found, free, tried=found.copy(), **nothing, **kept)

    def trial(self, jobs: Places) -> Floats:
        """Return where to try next, shape (parameters, jobs): the first time the start itself."""
        before, gradient = self.found[:, jobs], self.gradient[:, jobs]
        # A parameter at its bound that the gradient pushes further out is out of this step.
        stuck = ((before <= self.low) & (gradient > 0)) | ((before >= self.high) & (gradient < 0))
        moving = self.free[:, jobs] & ~stuck
        matrix = self.matrix[..., jobs]
        step = _step(gradient, matrix, moving, self.damping[jobs])
        self.promised[jobs] = -np.einsum("pr,pr->r", step, 2 * gradient + np.einsum("pqr,qr->pr", matrix, step))
        reach = np.where(self.careful[jobs] & (self.rounds[jobs] <= CAREFUL_ROUNDS), 0.5, 1.0)
        low, high = before + (self.low - before) * reach, before + (self.high - before) * reach
        self.tried[:, jobs] = np.where(moving, np.clip(before + step, low, high), before)
        return self.tried[:, jobs]

    def judge(self, jobs: Places, found: NormalEquations) -> Flags:
        """Go where a trial was better, and tell which searches have ended."""
        squares, damping = self.squares[jobs], self.damping[jobs]
        better, begun = found.squares < squares, np.isfinite(squares)
        self.rounds[jobs] += 1
        with np.errstate(invalid="ignore"):
            done = np.where(better, (squares - found.squares <= self.gain * squares) & (damping <= 0.1), damping > 1e4)
        done = begun & (done | (np.abs(self.tried[:, jobs] - self.found[:, jobs]).max(axis=0) < 1e-7))
        done |= (self.rounds[jobs] >= self.most_rounds) | (found.squares == 0)
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
        behind = self.squares[jobs] - self.squares[best]
        hopeless = behind > (HOPE if self.gain <= GAIN else ROUGH_HOPE) * self.promised[jobs]
        return np.asarray((self.rounds[jobs] >= LEAST_ROUNDS) & (best != jobs) & ((apart < SAME) | hopeless), np.bool_)


def _step(gradient: Floats, matrix: Floats, moving: Flags, damping: Floats) -> Floats:
    """Return the damped Gauss-Newton step of what moves, shape (parameters, rows); 0 for what does not."""
    both = moving[:, None] & moving[None]
    system = np.where(both, matrix, 0.0)
    diagonal = np.einsum("ppr->pr", system)
    extra = np.where(moving, diagonal * damping + 1e-12 * diagonal.max(axis=0) + 1e-30, 1.0)
    places = np.arange(len(system))
    system[places, places] += extra
    solved = np.linalg.solve(np.moveaxis(system, 2, 0), np.where(moving, -gradient, 0.0).T[..., None])
    result: Floats = solved[..., 0].T
    return np.where(moving, result, 0.0)
