"""Autoregressive moving averages of many series and orders, fitted by their exact likelihood in one batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.forecasting.arma import MOST, White, coefficients, crossed, negative_log_likelihood, whitened
from upid.engine.forecasting.searches import GAIN, NormalEquations, Searches

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]
EDGE: Final = 0.9999  # of partial autocorrelations: nearer to 1 a process is as good as not stationary
NUDGE: Final = 1e-6  # of a parameter, for derivatives by differences
TABLE: Final = 400_000  # steps times lanes at once
MOST_ROUNDS: Final = 80
ROUGH_GAIN: Final = 1e-5  # relative fall of the squares below which a search for a comparison ends
PLAIN_STARTS: Final = np.array([(0, 0, 0, 0, 0, 0), (0.9, 0, 0, 0.5, 0, 0), (-0.5, 0, 0, -0.3, 0, 0), (0.5, 0.3, 0.1, -0.3, 0.1, 0.1)])
# Points of an additive recurrence, evenly spread over six dimensions: g is the root of g^7 = g + 1.
LATTICE: Final = 1.6 * ((np.arange(1, 17)[:, None] * 1.1127756842787055 ** -np.arange(1.0, 7.0)) % 1) - 0.8
SPREAD: Final = np.array([0, 4, 6, 8, 16, 16, 16])  # points of it that are tried, by p + q


@dataclass(frozen=True, slots=True)
class Problem:
    """Series to be fitted, each with an order: `values`, shape (steps, rows), of which `count` count; `constant`: with a mean; `order`: p and q, (2, rows)."""

    values: Floats
    count: Places
    constant: Flags
    order: Places

    @property
    def free(self) -> Flags:
        """Which of the three partial autocorrelations of either part are fitted, shape (6, rows)."""
        return np.asarray(np.arange(2 * MOST)[:, None] % MOST < np.repeat(self.order, MOST, axis=0), np.bool_)

    def take(self, rows: Places) -> Problem:
        """Return some rows, or some again."""
        return Problem(self.values[:, rows], self.count[rows], self.constant[rows], self.order[:, rows])


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients `ar` and `ma`, shape (3, rows), of y_t = sum ar_i y_(t-i) + e_t + sum ma_j e_(t-j); `white`, and the likelihood, (rows,).

    `partial`: the partial autocorrelations that they are of, shape (6, rows).
    """

    partial: Floats
    ar: Floats
    ma: Floats
    white: White
    negative_log_likelihood: Floats
    aicc: Floats

    def take(self, rows: Places, steps: int) -> Fit:
        """Return some rows, and of their errors the first steps."""
        errors, before, mean, determinant = self.white
        white = White(errors[:steps, rows], before[:, rows], mean[rows], determinant[rows])
        likelihood = self.negative_log_likelihood[rows], self.aicc[rows]
        return Fit(self.partial[:, rows], self.ar[:, rows], self.ma[:, rows], white, *likelihood)


def fit_arma(problem: Problem, starts: Floats, *, thorough: bool = True, roughly: bool = False) -> Fit:
    """Return each row's coefficients of the greatest exact likelihood found from `starts`, shape (starts, 6, rows), of partial autocorrelations.

    Both parts are kept stationary and invertible by their partial autocorrelations in [-EDGE, EDGE] (Jones 1980; the moving average's with the other
    sign); mean and variance follow from them. The likelihood is a sum of squares, which Levenberg-Marquardt searches lower with differences. It has many
    maxima where p and q are more than the series needs: where `thorough`, searches begin at points all over the cube too. `roughly`: they end earlier.
    """
    rows = np.arange(problem.values.shape[1])
    more = len(PLAIN_STARTS) + SPREAD[problem.order.sum(axis=0)] if thorough else 0
    points = np.concatenate([starts, np.repeat(np.concatenate([PLAIN_STARTS, LATTICE])[:, :, None], len(rows), axis=2)])
    place, series = np.nonzero(np.arange(len(points))[:, None] < np.broadcast_to(len(starts) + more, len(rows)))
    free = problem.free[:, series]
    begun = np.where(free, np.clip(points[place, :, series].T, -EDGE, EDGE), 0.0)
    edge, careful = np.full((2 * MOST, 1), EDGE), place >= len(starts) + len(PLAIN_STARTS)
    searches = Searches.begin(begun, free, series, (-edge, edge), careful, most_rounds=MOST_ROUNDS, gain=ROUGH_GAIN if roughly else GAIN)
    active = np.arange(len(series))
    while len(active):
        found = _in_parts(problem, series[active], searches.trial(active))
        active = active[~searches.judge(active, found)]
    return fitted(problem, searches.found[:, searches.ahead])


def _in_parts(problem: Problem, series: Places, partial: Floats) -> NormalEquations:
    size = max(1, TABLE // (len(problem.values) * (2 * MOST + 1)))
    parts = [slice(begin, begin + size) for begin in range(0, len(series), size)]
    found = [_equations(problem.take(series[part]), partial[:, part]) for part in parts]
    return NormalEquations(*(np.concatenate(each, axis=-1) for each in zip(*found, strict=True)))


def fitted(problem: Problem, partial: Floats) -> Fit:
    """Return the fit with given partial autocorrelations, shape (6, rows)."""
    white, ar, ma = _white(problem, partial)
    lost = negative_log_likelihood(white, problem.count.astype(np.float64))
    parameters = problem.order.sum(axis=0) + problem.constant + 1
    left = problem.count - parameters - 1
    with np.errstate(divide="ignore"):
        aicc = np.where(left > 0, 2 * lost + 2 * parameters + 2 * parameters * (parameters + 1) / np.maximum(left, 1), np.inf)
    return Fit(partial, ar, ma, white, lost, aicc)


def _white(problem: Problem, partial: Floats) -> tuple[White, Floats, Floats]:
    ar, ma = coefficients(partial[:MOST]), -coefficients(partial[MOST:])
    return whitened(problem.values, problem.count, problem.constant, ar, ma), ar, ma


def _equations(problem: Problem, partial: Floats) -> NormalEquations:
    """Return the normal equations of the likelihood as a sum of squares: its residuals by differences, each free parameter nudged towards 0."""
    rows = partial.shape[1]
    which, row = np.nonzero(problem.free)
    nudge = np.where(partial[which, row] > 0, -NUDGE, NUDGE)
    nudged = partial[:, row]
    nudged[which, np.arange(len(row))] += nudge
    lanes = np.concatenate([np.arange(rows), row])
    every = problem.take(lanes)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        white, _, _ = _white(every, np.concatenate([partial, nudged], axis=1))
        residuals = np.concatenate([white.errors, white.before]) * np.exp(white.log_determinant / 2 / every.count)
        own = residuals[:, :rows]
        columns = np.zeros((len(own), 1 + 2 * MOST, rows))
        columns[:, 0] = own
        columns[:, 1 + which, row] = (residuals[:, rows:] - own[:, row]) / nudge
        products = crossed(columns)
    squares, gradient, matrix = products[0, 0], products[0, 1:], products[1:, 1:]
    return NormalEquations(np.nan_to_num(squares, nan=np.inf), np.nan_to_num(gradient), np.nan_to_num(matrix))
