"""How use grows, and where that leads: linear and exponential growth with prediction bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from upid.engine.statistics.linear import least_squares_line
from upid.engine.statistics.regression import aicc

Floats = NDArray[np.float64]
Model = Literal["linear", "exponential"]


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth of rows, shape (rows,), and its projection, shape (rows, ahead); NaN = no model.

    `rate` is growth per unit of time: absolute for a linear model [unit of the values per unit of time], relative (exp(b) - 1) for an exponential
    one [1]. `relative` is linear growth over the level, or `rate`. `aicc` compares models of the same values. `low` and `high` bound single values.
    `residual_deviation` is in the unit of the values, of an exponential model of their logarithms [1].
    """

    level: Floats
    rate: Floats
    relative: Floats
    r_squared: Floats
    aicc: Floats
    p_value: Floats
    projected: Floats
    low: Floats
    high: Floats
    residual_deviation: Floats


def grow(times: Floats, values: Floats, ahead: Floats, *, model: Model, confidence: float = 0.9) -> Growth:
    """Return the growth of each row by a least-squares line over its values (linear) or over their logarithms (exponential).

    Parameters
    ----------
    times : ndarray, shape (columns,)
        Rising.
    values : ndarray, shape (rows, columns)
        NaN = missing; above 0 for an exponential model.
    ahead : ndarray, shape (ahead,)
        How far behind the last time to project, >= 0. [unit of the times]
    model : {"linear", "exponential"}
    confidence : float
        Of the bounds of single values, two-sided, in (0, 1). [1]

    Raises
    ------
    ValueError
        If shapes do not match, or a value of an exponential model is not above 0.

    Notes
    -----
    The likelihood of logarithms is brought to the scale of the values by its Jacobian, -sum(log value), so that AICc of both models compare.
    """
    if values.ndim != 2 or values.shape[1:] != times.shape or (ahead < 0).any():
        raise ValueError("values must be 2-D with a column for each time, and ahead 0 or more.")
    if model == "exponential" and (values <= 0).any():
        raise ValueError("An exponential model needs values above 0.")
    known = ~np.isnan(values)
    y = np.log(values) if model == "exponential" else values
    line = least_squares_line(times, y, confidence=confidence)
    count = known.sum(axis=1)
    last = times[-1] if len(times) else 0.0
    level, at = line.at(float(last)), np.stack([line.at(float(last + each)) for each in ahead], axis=1)
    wide = _half_widths(times, known, count, line.residual_deviation, last + ahead, confidence=confidence)
    criterion = np.array(
        [aicc(*each) for each in zip(line.residual_deviation**2 * np.maximum(count - 2, 0), count, np.full(len(count), 3), strict=True)]
    )
    if model == "linear":
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = np.where(level > 0, line.slope / level, np.nan)
        return Growth(
            level,
            line.slope,
            relative,
            line.r_squared,
            criterion,
            line.p_value_correlated,
            at,
            at - wide,
            at + wide,
            line.residual_deviation,
        )
    criterion = criterion + 2 * np.where(known, y, 0.0).sum(axis=1)
    with np.errstate(over="ignore", under="ignore"):
        rate, now = np.expm1(line.slope), np.exp(level)
        low, high, middle = np.exp(at - wide), np.exp(at + wide), np.exp(at)
        quality = _quality(values, np.exp(_fitted(line.slope, line.at(float(last)), times - last)))
    return Growth(now, rate, rate, quality, criterion, line.p_value_correlated, middle, low, high, line.residual_deviation)


def _half_widths(
    times: Floats, known: NDArray[np.bool_], count: NDArray[np.int64], deviation: Floats, at: Floats, *, confidence: float
) -> Floats:
    """Return half the width of the prediction interval of a single value: t s sqrt(1 + 1 / n + (t - mean)^2 / Sxx), shape (rows, ahead)."""
    away = times - times[0] if len(times) else times
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, away, 0.0).sum(axis=1) / count
        sxx = (np.where(known, away - mean[:, None], 0.0) ** 2).sum(axis=1)
        far = (at[None, :] - times[0] - mean[:, None]) ** 2 / sxx[:, None] if len(times) else np.full((len(known), len(at)), np.nan)
        factor = np.sqrt(1 + 1 / count[:, None] + far)
        times_of = np.where(count > 2, stdtrit(np.maximum(count - 2, 1), 0.5 + confidence / 2), np.nan)
    found: Floats = times_of[:, None] * deviation[:, None] * factor
    return found


def _fitted(slope: Floats, level: Floats, away: Floats) -> Floats:
    found: Floats = level[:, None] + slope[:, None] * away
    return found


def _quality(values: Floats, fitted: Floats) -> Floats:
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, values, 0.0).sum(axis=1) / known.sum(axis=1)
        total = (np.where(known, values - mean[:, None], 0.0) ** 2).sum(axis=1)
        left = (np.where(known, values - fitted, 0.0) ** 2).sum(axis=1)
        return np.where(total > 0, 1 - left / total, np.nan)
