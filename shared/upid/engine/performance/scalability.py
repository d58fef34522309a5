"""How throughput grows with load: Gunther's Universal Scalability Law, fitted to many systems at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ITERATIONS: Final = 200
ENOUGH: Final = 1e-12  # relative step below which a fit has settled
LEAST_POINTS: Final = 4  # three parameters and one degree of freedom


@dataclass(frozen=True, slots=True)
class Scalability:
    """X(N) = rate N / (1 + contention (N - 1) + coherency N (N - 1)), shape (rows,); NaN = not fitted (too few loads).

    `rate` is the throughput of one unit of load; `contention` (sigma) and `coherency` (kappa) are >= 0 [1]. `peak_load` is where throughput is
    largest, inf where it never falls; `peak_throughput` what it is there: its limit where it never falls, inf where load has no limit.
    """

    rate: Floats
    contention: Floats
    coherency: Floats
    peak_load: Floats
    peak_throughput: Floats
    r_squared: Floats
    residual_deviation: Floats
    points: NDArray[np.int64]

    def throughput(self, load: Floats) -> Floats:
        """Return the fitted throughput, shape of `load`, (rows, loads)."""
        return usl_throughput(load, self.rate, self.contention, self.coherency)


def usl_throughput(load: Floats, rate: Floats, contention: Floats, coherency: Floats) -> Floats:
    """Return throughput by the Universal Scalability Law [1]_ at loads of shape (rows, loads), parameters of shape (rows,). [unit of `rate`].

    References
    ----------
    .. [1] N. J. Gunther, Guerrilla Capacity Planning. Berlin: Springer, 2007, chapter 4. doi:10.1007/978-3-540-31010-5
    """
    slowed = 1 + contention[:, None] * (load - 1) + coherency[:, None] * load * (load - 1)
    found: Floats = rate[:, None] * load / slowed
    return found


def usl_peak(rate: Floats, contention: Floats, coherency: Floats) -> tuple[Floats, Floats]:
    """Return the load with the largest throughput and that throughput, shape (rows,) each.

    N* = sqrt((1 - sigma) / kappa), at least 1. Without coherency throughput only nears rate / sigma (Amdahl), and without both it has no limit: inf.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        best = np.where(coherency > 0, np.sqrt(np.maximum(1 - contention, 0) / coherency), np.inf)
        best = np.where((coherency == 0) & (contention > 1), 1.0, np.maximum(best, 1.0))
        limit = np.where(contention > 0, rate / contention, np.inf)
        there = usl_throughput(np.where(np.isfinite(best), best, 1.0)[:, None], rate, contention, coherency)[:, 0]
    return np.where(np.isnan(rate), np.nan, best), np.where(np.isfinite(best), there, limit)


def fit_scalability(load: Floats, throughput: Floats) -> Scalability:
    """Return the law of each row that leaves the least squared error in throughput, its parameters held at 0 or above.

    Starts from the line that N / X makes of the law, then Levenberg-Marquardt steps of all rows together on parameters in units of each row's scale.

    Parameters
    ----------
    load, throughput : ndarray, shape (rows, points)
        Load > 0 (users, threads, replicas) and throughput > 0; NaN in either = no point.

    Returns
    -------
    Scalability
        NaN in rows with fewer than four different loads.

    Raises
    ------
    ValueError
        If shapes differ, or a value is not above 0.
    """
    if load.shape != throughput.shape or load.ndim != 2:
        raise ValueError(f"load and throughput must be 2-D of one shape, got {load.shape} and {throughput.shape}.")
    known = ~(np.isnan(load) | np.isnan(throughput))
    if not ((load > 0) & (throughput > 0) & np.isfinite(load) & np.isfinite(throughput))[known].all():
        raise ValueError("load and throughput must be finite and above 0.")
    n = np.where(known, load, 1.0)
    height = np.where(known, throughput, 0.0).max(axis=1, initial=0.0)
    x = np.where(known, throughput, 0.0) / np.where(height > 0, height, 1.0)[:, None]
    enough = np.array([len(np.unique(row[keep])) >= LEAST_POINTS for row, keep in zip(n, known, strict=True)], dtype=bool)
    basis = np.stack([np.ones_like(n), n - 1, n * (n - 1)], axis=2)
    # In units of the largest value of each column, so that kappa at 10,000 users weighs as much as the rate.
    unit = np.where(known[:, :, None], np.abs(basis), 0).max(axis=1, initial=0.0)
    unit = np.where(unit > 0, unit, 1.0)
    scaled = _settle(basis / unit[:, None, :], n, x, known)
    line = scaled / unit
    return _told(line, height, n, throughput, known=known, enough=enough)


def _settle(basis: Floats, n: Floats, x: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return b >= 0 of shape (rows, 3) with the least squares of x - n / (basis b)."""
    b = _start(basis, n, x, known)
    damping = np.full(len(b), 1e-3)
    cost, gap, slope = _errors(basis, n, x, known, b)
    for _ in range(ITERATIONS):
        gradient = np.einsum("rpk,rp->rk", slope, gap)
        held = (b <= 0) & (gradient > 0)  # moving off the bound would not help
        free = np.where(held[:, None, :], 0.0, slope)
        square = np.einsum("rpk,rpl->rkl", free, free)
        across = np.einsum("rkk->rk", square)
        lifted = square + np.einsum("rk,kl->rkl", damping[:, None] * across + 1e-300 + held, np.eye(3))
        step = np.linalg.solve(lifted, np.where(held, 0.0, -gradient)[:, :, None])[:, :, 0]
        tried = np.maximum(b + step, 0.0)
        after, gap_after, slope_after = _errors(basis, n, x, known, tried)
        better = after <= cost
        moved = np.abs(tried - b).max(axis=1, initial=0.0) > ENOUGH * np.abs(b).max(axis=1, initial=0.0)
        b, cost = np.where(better[:, None], tried, b), np.where(better, after, cost)
        gap, slope = np.where(better[:, None], gap_after, gap), np.where(better[:, None, None], slope_after, slope)
        damping = np.where(better, np.maximum(damping / 10, 1e-12), damping * 10)
        if not (moved & (damping < 1e12)).any():
            break
    return b


def _start(basis: Floats, n: Floats, x: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return the weights of N / X on the basis by ridge least squares, held at 0 or above, the first a little above it."""
    weight = np.where(known, x / n, 0.0)  # relative errors: small loads have small N / X
    most = weight.max(axis=1, initial=0.0)
    most = np.where(most > 0, most, 1.0)
    left = basis * (weight / most[:, None])[:, :, None]  # of any magnitude of load, what is squared and lifted is near one
    square = np.einsum("rpk,rpl->rkl", left, left) + 1e-9 * np.eye(3)
    found = np.linalg.solve(square, (left * known[:, :, None]).sum(axis=1)[:, :, None])[:, :, 0] / most[:, None]
    first = np.maximum(found[:, 0], 0.1 / most)
    return np.column_stack([first, np.maximum(found[:, 1:], 0.0)])


def _errors(basis: Floats, n: Floats, x: Floats, known: NDArray[np.bool_], b: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the sum of squares (rows,), the gaps model - x (rows, points), and their slopes (rows, points, 3)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        below = np.einsum("rpk,rk->rp", basis, b)
        model = n / below
        gap = np.where(known, model - x, 0.0)
        slope = np.where(known[:, :, None], -(model / below)[:, :, None] * basis, 0.0)
        cost = (gap**2).sum(axis=1)
    return np.where(np.isfinite(cost), cost, np.inf), gap, slope


def _told(
    line: Floats, height: Floats, n: Floats, throughput: Floats, *, known: NDArray[np.bool_], enough: NDArray[np.bool_]
) -> Scalability:
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(enough, height / line[:, 0], np.nan)
        contention, coherency = (np.where(enough, line[:, k] / line[:, 0], np.nan) for k in (1, 2))
        best, there = usl_peak(rate, contention, coherency)
        count = known.sum(axis=1)
        x = np.where(known, throughput, 0.0) / height[:, None]
        mean = x.sum(axis=1) / count
        gap = np.where(known, usl_throughput(n, rate, contention, coherency) / height[:, None] - x, 0.0)
        squares, total = (gap**2).sum(axis=1), (np.where(known, x - mean[:, None], 0.0) ** 2).sum(axis=1)
        quality = np.where(enough & (total > 0), 1 - squares / total, np.nan)
        left = np.where(enough & (count > 3), np.sqrt(squares / (count - 3)) * height, np.nan)
    return Scalability(rate, contention, coherency, best, np.where(enough, there, np.nan), quality, left, count)
