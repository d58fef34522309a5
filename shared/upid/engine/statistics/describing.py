"""What rows look like: moments, quantiles, autocorrelation, effective samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.statistics.quantiles import sorted_quantiles
from upid.engine.statistics.rows import centred, row_deviation

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Description:
    """Shape (rows,), in the unit of the values unless noted; NaN = not defined (no value; one value for the deviation; a mean of 0 for the variation).

    `deviation` has n - 1 in its denominator; `variation` is deviation / |mean| [1]; `autocorrelation` is of lag one [1]; `effective_samples` is
    n (1 - r) / (1 + r) with r = max(autocorrelation, 0), what the values are worth as independent ones under first-order autocorrelation [1].
    """

    count: NDArray[np.int64]
    mean: Floats
    deviation: Floats
    variation: Floats
    minimum: Floats
    maximum: Floats
    quantiles: Floats
    autocorrelation: Floats
    effective_samples: Floats


def describe(values: Floats, probabilities: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)) -> Description:
    """Return a description of each row of `values`, shape (rows, columns); NaN = missing.

    Quantiles by Hyndman and Fan's definition 7. Effective samples as in [1]_, section 3.

    References
    ----------
    .. [1] H. J. Thiebaux and F. W. Zwiers, "The Interpretation and Estimation of Effective Sample Size," J. Climate Appl. Meteorol., vol. 23, 1984.
       doi:10.1175/1520-0450(1984)023<0800:TIAEOE>2.0.CO;2
    """
    rows = centred(values)
    deviation = row_deviation(rows)
    ordered = np.sort(values, axis=1)
    quantiles = (
        sorted_quantiles(ordered, rows.count, probabilities) if values.shape[1] else np.full((len(values), len(probabilities)), np.nan)
    )
    edges = sorted_quantiles(ordered, rows.count, (0.0, 1.0)) if values.shape[1] else np.full((len(values), 2), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        variation = np.where(rows.mean == 0, np.nan, deviation / np.abs(rows.mean))
    after_one = lag_one(values)
    # Where gaps leave no neighbours, the next values known stand for them: gaps do not make values independent.
    in_a_row = lag_one(np.take_along_axis(values, np.argsort(np.isnan(values), axis=1, kind="stable"), axis=1))
    lag = np.clip(np.nan_to_num(np.where(np.isnan(after_one), in_a_row, after_one)), 0.0, 0.999)
    effective = np.where(rows.count > 0, np.maximum(rows.count * (1 - lag) / (1 + lag), 1.0), 0.0)
    return Description(rows.count, rows.mean, deviation, variation, edges[:, 0], edges[:, 1], quantiles, after_one, effective)


def lag_one(values: Floats) -> Floats:
    """Return each row's autocorrelation at lag one over the pairs that are both there, in [-1, 1]; NaN with fewer than three pairs or no spread."""
    rows = centred(values)
    if values.shape[1] < 2:
        return np.full(len(values), np.nan)
    pairs = rows.known[:, 1:] & rows.known[:, :-1]
    together = (rows.values[:, 1:] * rows.values[:, :-1]).sum(axis=1)
    squares = (rows.values**2).sum(axis=1)
    count = pairs.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = together / squares * (rows.count / np.maximum(count, 1)) * ((rows.count - 1) / rows.count)
    return np.where((count >= 3) & (squares > 0), np.clip(found, -1, 1), np.nan)
