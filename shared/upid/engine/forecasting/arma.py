"""Exact Gaussian likelihood of autoregressive moving averages, of many series and orders at once."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
MOST: Final = 3  # of p and of q
LEAST_VARIANCE: Final = 1e-30  # of errors in units of the series' scale: below it a series counts as told without error


class White(NamedTuple):
    """A series as white noise, `lanes` at once.

    `errors`: shape (steps, lanes), 0 beyond the end; `before`: what came before the first value, as standard normal states, (3, lanes);
    `mean`: by generalised least squares, (lanes,); `log_determinant` of the variance of the values in units of the errors' variance, (lanes,).
    """

    errors: Floats
    before: Floats
    mean: Floats
    log_determinant: Floats

    def squares(self) -> Floats:
        """Return the sum of squares whose logarithm times half of the length is the negative log-likelihood but for a constant, shape (lanes,)."""
        return np.asarray((self.errors**2).sum(axis=0) + (self.before**2).sum(axis=0), np.float64)


def negative_log_likelihood(white: White, count: Floats) -> Floats:
    """Return it with the errors' variance at its maximum-likelihood value, for `count` values, shape (lanes,)."""
    variance = np.maximum(white.squares() / count, LEAST_VARIANCE)
    return np.asarray(count / 2 * (np.log(2 * np.pi * variance) + 1) + white.log_determinant / 2, np.float64)


def coefficients(partial: Floats) -> Floats:
    """Return the coefficients of a stationary autoregression from its partial autocorrelations in (-1, 1), shape (3, lanes) both [1]_.

    References
    ----------
    .. [1] R. H. Jones, "Maximum Likelihood Fitting of ARMA Models to Time Series with Missing Observations," Technometrics, vol. 22, 1980.
       doi:10.1080/00401706.1980.10486171
    """
    one, two, three = partial
    first, second = one - two * one, two
    return np.stack([first - three * second, second - three * first, three])


def partials(coefficient: Floats, most: float = 0.95) -> Floats:
    """Return partial autocorrelations of an autoregression, shape (3, lanes) both, those of one that is not stationary cut to `most` in size."""
    one, two, three = coefficient
    third = np.clip(three, -most, most)
    wide = 1 - third**2
    first, second = (one + third * two) / wide, (two + third * one) / wide
    second = np.clip(second, -most, most)
    return np.stack([np.clip(first / (1 - second), -most, most), second, third])


def whitened(values: Floats, count: NDArray[np.int64], constant: Flags, ar: Floats, ma: Floats) -> White:
    """Return series as white noise under coefficients `ar` and `ma`, shape (3, lanes), of y_t = sum ar_i y_(t-i) + e_t + sum ma_j e_(t-j).

    The recursion is run as if nothing came before the first value. What came before adds a linear combination of the impulse responses of 1 / ma, at most
    three; its normal prior makes the sum of squares and the determinant exact [1]_. The mean (where `constant`) is a further column of the same least
    squares. So the cost is that of three recursions and a dozen sums of products, without a covariance matrix at every step as in a Kalman filter.

    Parameters
    ----------
    values : ndarray, shape (steps, lanes)
        Whatever lies at or beyond `count`, shape (lanes,), is not looked at.

    References
    ----------
    .. [1] G. M. Ljung and G. E. P. Box, "The Likelihood Function of Stationary Autoregressive-Moving Average Models," Biometrika, vol. 66, 1979.
       doi:10.1093/biomet/66.2.265
    """
    steps, lanes = values.shape
    inside = np.arange(steps)[:, None] < count
    errors, impulse = _filtered(np.where(inside, values, 0.0), ar, ma)
    errors *= inside
    columns = np.zeros((steps, 1 + MOST, lanes))
    columns[:, 0] = _autoregressed(impulse.cumsum(axis=0), ar) * constant
    for late in range(MOST):
        columns[late:, 1 + late] = impulse[: steps - late]
    columns *= inside[:, None]
    products, aims = crossed(columns), np.einsum("til,tl->il", columns, errors)
    root = _cholesky(state_covariance(ar, ma))
    turn = np.zeros((1 + MOST, 1 + MOST, lanes))
    turn[0, 0], turn[1:, 1:] = 1.0, root
    system = np.einsum("kil,kml,mjl->ijl", turn, products, turn, optimize=True)
    system[0, 0] += ~constant
    system[np.arange(1, 1 + MOST), np.arange(1, 1 + MOST)] += 1.0
    found = np.linalg.solve(np.moveaxis(system, 2, 0), np.einsum("kil,kl->li", turn, aims)[..., None])[..., 0].T
    _, log_determinant = np.linalg.slogdet(np.moveaxis(system[1:, 1:], 2, 0))
    left = errors - np.einsum("til,il->tl", columns, np.einsum("kil,il->kl", turn, found))
    return White(left, found[1:], np.where(constant, found[0], 0.0), np.asarray(log_determinant, np.float64))


def crossed(columns: Floats) -> Floats:
    """Return the sums of products of every two columns, shape (steps, columns, lanes) -> (columns, columns, lanes)."""
    found = np.empty((columns.shape[1], *columns.shape[1:]))
    for place in range(len(found)):
        found[place, place:] = np.einsum("tl,til->il", columns[:, place], columns[:, place:])
        found[place:, place] = found[place, place:]
    return found


def _autoregressed(values: Floats, ar: Floats) -> Floats:
    """Return values less what an autoregression tells of them, shape (steps, lanes), as if 0 came before."""
    found = values.copy()
    for lag in range(1, MOST + 1):
        if ar[lag - 1].any():
            found[lag:] -= ar[lag - 1] * values[:-lag]
    return found


def _filtered(values: Floats, ar: Floats, ma: Floats) -> tuple[Floats, Floats]:
    """Return values through the recursion, and a unit impulse through its moving average alone, shape (steps, lanes) each.

    Ones come out as the running sum of the impulse, through the autoregression: sums, shifts and lags change places.
    """
    steps, lanes = values.shape
    table = np.zeros((steps, 2, lanes))
    table[:, 0], table[0, 1] = _autoregressed(values, ar), 1.0
    own = np.empty((2, lanes))
    lags = [(lag, ma[lag - 1]) for lag in range(1, MOST + 1) if ma[lag - 1].any()]
    for step in range(1, steps if lags else 0):
        row = table[step]
        for lag, weight in lags:
            if lag <= step:
                row -= np.multiply(weight, table[step - lag], out=own)
    return table[:, 0], table[:, 1]


def state_covariance(ar: Floats, ma: Floats) -> Floats:
    """Return the covariance of what the past adds to the next three values, in units of the errors' variance, shape (3, 3, lanes).

    Solves v = t v t' + k k' with the companion matrix t of `ar`, shape (3, lanes), and k = ar + ma.
    """
    lanes = ar.shape[1]
    go, gain = np.zeros((lanes, MOST, MOST)), (ar + ma).T
    go[:, :, 0] = ar.T
    go[:, [0, 1], [1, 2]] = 1.0
    system = np.eye(MOST * MOST) - np.einsum("lij,lkm->likjm", go, go).reshape(lanes, MOST * MOST, -1)
    right = (gain[:, :, None] * gain[:, None, :]).reshape(lanes, -1, 1)
    return np.asarray(np.moveaxis(np.linalg.solve(system, right).reshape(lanes, MOST, MOST), 0, 2), np.float64)


def _cholesky(matrix: Floats) -> Floats:
    """Return lower triangular roots of matrices, shape (3, 3, lanes), that may be singular: a diagonal is held above the rounding error."""
    least = 1e-14 * np.einsum("iil->l", matrix) + 1e-30
    root = np.zeros(matrix.shape)
    for column in range(MOST):
        own = matrix[column, column] - (root[column, :column] ** 2).sum(axis=0)
        root[column, column] = np.sqrt(np.maximum(own, least))
        for row in range(column + 1, MOST):
            both = (root[row, :column] * root[column, :column]).sum(axis=0)
            root[row, column] = (matrix[row, column] - both) / root[column, column]
    return root
