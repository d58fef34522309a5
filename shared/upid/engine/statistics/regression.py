"""Least squares with several predictors, and polynomials whose degree the data choose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Legendre, Polynomial
from numpy.typing import NDArray
from scipy.special import fdtrc, stdtr, stdtrit

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Regression:
    """A fit of n points with k predictors and an intercept, which comes first in the arrays of shape (k + 1,). NaN = not defined.

    `condition` is the condition number of the predictors, centred and scaled; `rank` below k says that some depend on others.
    """

    coefficients: Floats
    standard_errors: Floats
    low: Floats
    high: Floats
    p_values: Floats
    fitted: Floats
    r_squared: float
    adjusted_r_squared: float
    f_statistic: float
    p_value: float
    residual_deviation: float
    aicc: float
    condition: float
    rank: int
    points: int


def multiple_regression(x: Floats, y: Floats, *, confidence: float = 0.95) -> Regression:
    """Return the least-squares fit of y, shape (n,), on the columns of x, shape (n, k), with an intercept.

    By singular values of the centred and scaled columns; columns that depend on others share their weight (least norm), and have no tests then.

    Raises
    ------
    ValueError
        If shapes do not match, a value is not finite, confidence is outside (0, 1), or there are no more than k + 1 points.
    """
    n, k = x.shape
    if y.shape != (n,) or not (np.isfinite(x).all() and np.isfinite(y).all()) or not 0 < confidence < 1:
        raise ValueError("x must be (n, k), y (n,), both finite, and confidence in (0, 1).")
    if n <= k + 1:
        raise ValueError(f"{k} predictors and an intercept need more than {k + 1} points, got {n}.")
    middle, away = x.mean(axis=0), x - x.mean(axis=0)
    width = np.abs(away).max(axis=0)
    width = np.where(width > 1e-13 * np.abs(x).max(axis=0), width, 1.0)
    scale = float(np.abs(y - y.mean()).max()) or 1.0
    target = (y - y.mean()) / scale
    left, singular, right = np.linalg.svd(away / width, full_matrices=False)
    rank = int((singular > n * np.finfo(float).eps * max(singular[0], 1e-12)).sum()) if k else 0
    inverse = np.where(np.arange(len(singular)) < rank, 1 / np.where(singular > 0, singular, 1), 0.0)
    weights = right.T @ (inverse * (left.T @ target))
    rest = target - (away / width) @ weights
    with np.errstate(divide="ignore"):
        condition = float(singular[0] / singular[-1]) if k and singular[-1] > 0 else float("inf")
    slopes = weights * scale / width
    spread = (right.T * inverse**2) @ right
    errors = np.sqrt(np.concatenate([[1 / n + (middle / width) @ spread @ (middle / width)], np.maximum(np.diag(spread), 0)]))
    unit = np.concatenate([[scale], scale / width])
    return _tested(y, rest, scale, np.concatenate([[y.mean() - slopes @ middle], slopes]), errors * unit, rank, condition, confidence)


def _tested(  # noqa: PLR0917 what one fit gave
    y: Floats, rest: Floats, size: float, coefficients: Floats, per_deviation: Floats, rank: int, condition: float, confidence: float
) -> Regression:
    """Return the fit with its tests: `rest` in units of `size`, `per_deviation`: standard errors where the residual deviation is `size`."""
    n, k = len(y), len(coefficients) - 1
    squares, total = float((rest**2).sum()), float((((y - y.mean()) / size) ** 2).sum())
    squares = 0.0 if squares <= 1e-28 * n else squares
    degrees = n - k - 1
    deviation = np.sqrt(squares / degrees)
    errors = per_deviation * deviation if rank == k else np.full(k + 1, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        p_values = 2 * stdtr(degrees, -np.where(errors > 0, np.abs(coefficients) / errors, np.where(coefficients == 0, 0.0, np.inf)))
    wide = stdtrit(degrees, 0.5 + confidence / 2) * errors
    quality = 1 - squares / total if total > 0 else float("nan")
    f = (total - squares) / k / (squares / degrees) if squares > 0 and k else (float("inf") if k and total > 0 else float("nan"))
    return Regression(
        coefficients, errors, coefficients - wide, coefficients + wide, np.where(np.isnan(errors), np.nan, p_values), y - rest * size, quality,
        1 - (1 - quality) * (n - 1) / degrees, f, float(fdtrc(k, degrees, f)) if k and f == f else float("nan"),  # noqa: PLR0124 NaN differs from itself
        float(deviation) * size, aicc(squares, n, k + 2) + 2 * n * float(np.log(size)), condition, rank, n,
    )  # fmt: skip


def aicc(squares: float, n: int, parameters: int) -> float:
    """Return Akaike's criterion with Hurvich and Tsai's correction (doi:10.1093/biomet/76.2.297) of a sum of squared residuals; inf without degrees left.

    `parameters` counts the residual variance too.
    """
    if n - parameters - 1 <= 0:
        return float("inf")
    return n * float(np.log(max(squares / n, 1e-32))) + 2 * parameters + 2 * parameters * (parameters + 1) / (n - parameters - 1)


@dataclass(frozen=True, slots=True)
class PolynomialFit:
    """A polynomial: its `regression` on Legendre polynomials of (x - centre) / half_width, and `coefficients` of powers of x, constant first."""

    degree: int
    coefficients: Floats
    centre: float
    half_width: float
    regression: Regression

    def at(self, x: Floats) -> Floats:
        """Return its values; inf or NaN where one lies beyond what a double holds."""
        series = Legendre(self.regression.coefficients)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(series((x - self.centre) / self.half_width), np.float64)


def polynomial_regression(x: Floats, y: Floats, *, degree: int | None, most: int = 5, confidence: float = 0.95) -> PolynomialFit:
    """Return the least-squares polynomial of a degree, or of the one of 1 to `most` whose AICc is least (degree None).

    Fitted on Legendre polynomials over the range of x, which stay apart where powers of x do not.

    Raises
    ------
    ValueError
        As `multiple_regression`; if x has no more than `degree` different values, or the degree is outside 1 to 10.
    """
    distinct = len(np.unique(x))
    wanted = range(1, most + 1) if degree is None else range(degree, degree + 1)
    degrees = [each for each in wanted if each < distinct and each + 1 < len(x)]
    if not all(1 <= each <= 10 for each in wanted) or not degrees:
        raise ValueError(
            f"A polynomial of degree {degree or most} (1 to 10) needs more different x than that and one point more, got {distinct}."
        )
    centre, half = (float(x.max()) + float(x.min())) / 2, (float(x.max()) - float(x.min())) / 2
    basis: Floats = np.polynomial.legendre.legvander((x - centre) / half, max(degrees))[:, 1:].astype(np.float64)
    fits = [multiple_regression(basis[:, :each], y, confidence=confidence) for each in degrees]
    best = min(range(len(fits)), key=lambda i: fits[i].aicc)
    unit = Legendre(fits[best].coefficients).convert(kind=Polynomial)
    powers = np.asarray(unit(Polynomial([-centre / half, 1 / half])).coef, np.float64)
    return PolynomialFit(degrees[best], powers, centre, half, fits[best])
