"""Smoothing parameters of many series at once, by least squares of the errors one step ahead."""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.forecasting.recursion import State, smooth

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
LOW: Final = np.array([0.0, 0.0, 0.0, 0.8])  # of alpha, beta, gamma, phi
HIGH: Final = np.array([1.0, 1.0, 1.0, 0.995])
GRID: Final = ((0.1, 0.5), (0.05,), (0.1, 0.4), (0.95,))
MOST_ROUNDS: Final = 25
GAIN: Final = 1e-6  # relative fall of the sum of squares below which a search ends
CHUNK: Final = 512  # rows at once: their states stay in the cache


def fit_parameters(values: Floats, start: State, free: Flags, fixed: Floats, *, multiplicative: bool) -> Floats:
    """Return the parameters of each row, shape (4, rows), whose squared errors one step ahead are least; the start is given and stays.

    The best point of a coarse grid, improved by a Levenberg-Marquardt search [1]_ with exact derivatives, projected onto the bounds.

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
    rows = values.shape[1]
    found = np.empty((4, rows))
    for begin in range(0, rows, CHUNK):
        part = slice(begin, begin + CHUNK)
        state = State(start.level[part], start.slope[part], start.season[:, part])
        best = _from_grid(values[:, part], state, free[:, part], fixed[:, part], multiplicative=multiplicative)
        found[:, part] = _improved(values[:, part], state, free[:, part], best, multiplicative=multiplicative)
    return found


def _from_grid(values: Floats, start: State, free: Flags, fixed: Floats, *, multiplicative: bool) -> Floats:
    points = list(product(*(axis if free[i].any() else (np.nan,) for i, axis in enumerate(GRID))))
    rows = values.shape[1]
    tried = np.where(free[:, None, :], np.array(points).T[:, :, None], fixed[:, None, :]).reshape(4, -1)
    many = State(*(np.tile(part, len(points)) for part in (start.level, start.slope, start.season)))
    with np.errstate(over="ignore", invalid="ignore"):
        errors = smooth(np.tile(values, len(points)), tried, many, multiplicative=multiplicative).errors
        squares = np.nan_to_num((errors**2).sum(axis=0), nan=np.inf).reshape(len(points), rows)
    best: Floats = tried.reshape(4, len(points), rows)[:, np.argmin(squares, axis=0), np.arange(rows)]
    return best


def _improved(values: Floats, start: State, free: Flags, found: Floats, *, multiplicative: bool) -> Floats:
    """Search on from the grid's best; a row that no step improves by more than GAIN leaves, so that the rest goes faster."""
    found, active, damping = found.copy(), np.arange(values.shape[1]), np.full(values.shape[1], 1e-3)
    squares, gradient, matrix = _normal_equations(values, start, found, multiplicative=multiplicative)
    for _ in range(MOST_ROUNDS):
        before = found[:, active]
        # A parameter at its bound that the gradient pushes further out is out of this step.
        stuck = ((before <= LOW[:, None]) & (gradient > 0)) | ((before >= HIGH[:, None]) & (gradient < 0))
        moving = free[:, active] & ~stuck
        step = _step(gradient, matrix, moving, damping)
        trial = np.where(moving, np.clip(before + step, LOW[:, None], HIGH[:, None]), before)
        part = State(start.level[active], start.slope[active], start.season[:, active])
        tried = _normal_equations(values[:, active], part, trial, multiplicative=multiplicative)
        better = tried[0] < squares
        done = np.where(better, squares - tried[0] <= GAIN * squares, damping > 1e3) | (np.abs(trial - before).max(axis=0) < 1e-6)
        found[:, active] = np.where(better, trial, before)
        if done.all():
            break
        squares, gradient, matrix = (
            np.where(better, new, old)[..., ~done] for new, old in zip(tried, (squares, gradient, matrix), strict=True)
        )
        damping = np.clip(np.where(better, damping / 5, damping * 10), 1e-9, 1e9)[~done]
        active = active[~done]
    return found


def _normal_equations(values: Floats, start: State, parameters: Floats, *, multiplicative: bool) -> tuple[Floats, Floats, Floats]:
    with np.errstate(over="ignore", invalid="ignore"):
        run = smooth(values, parameters, start, multiplicative=multiplicative, derivatives=True)
        jacobian = run.jacobian
        assert jacobian is not None
        squares = (run.errors**2).sum(axis=0)
        gradient = np.einsum("tpr,tr->pr", jacobian, run.errors)
        matrix = np.stack([np.einsum("tr,tqr->qr", jacobian[:, p], jacobian) for p in range(4)])
    return (
        np.nan_to_num(squares, nan=np.inf, posinf=np.inf),
        np.nan_to_num(gradient, posinf=0, neginf=0),
        np.nan_to_num(matrix, posinf=0, neginf=0),
    )


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
