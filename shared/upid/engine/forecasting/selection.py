"""Which method to believe: a back-test from rolling origins, and the simplest of those that are as good as the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.forecasting.methods import METHODS, outlooks
from upid.engine.forecasting.outlook import Outlook
from upid.engine.statistics.rows import linear_fill

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
FOLDS: Final = 5
PRIOR_FOLDS: Final = 2.0  # what the method's own deviation is worth beside the folds' errors
AUTO: Final = tuple(name for name in METHODS if name not in {"mean", "holt_winters_multiplicative_damped", "combination"})


@dataclass(frozen=True, slots=True)
class Backtest:
    """Errors of methods from rolling origins. `mase` by method: mean absolute error of each fold in units of the scale, shape (rows, folds), NaN = none.

    `mase_scale`: mean absolute difference of a cycle (a step where the period is 1) over the history, shape (rows,), in the unit of the values.
    `rmse`, `bias`: by method, shape (rows,); `covered80`, `covered95`: share of values within the intervals, shape (rows,).
    `stretch`: by method, what the deviations are to be multiplied by, so that they are as wide as the errors were, shape (rows,).
    """

    origins: tuple[int, ...]
    horizon: int
    mase_scale: Floats
    mase: Mapping[str, Floats]
    rmse: Mapping[str, Floats]
    bias: Mapping[str, Floats]
    covered80: Mapping[str, Floats]
    covered95: Mapping[str, Floats]
    stretch: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Forecast:
    """`outlooks` by method, from the end of the history; `chosen`: each row's method; `backtest`: None where there was too little history for one."""

    outlooks: Mapping[str, Outlook]
    chosen: tuple[str, ...]
    backtest: Backtest | None


def forecast(values: Floats, horizon: int, period: int, *, methods: Sequence[str] = AUTO, folds: int = FOLDS) -> Forecast:
    """Forecast rows, shape (rows, steps), NaN = missing, by the best of `methods` for each row; ValueError where none fits so few values.

    Each method is fitted anew at up to `folds` origins, and judged on the horizon (a sixth of the history at most) behind each. Best is the least mean of
    absolute errors in units of the naive forecast's (MASE [1]_); of those whose excess over the best is within one standard error of the fold
    differences, the simplest is taken. Deviations are stretched to the errors that were seen.

    References
    ----------
    .. [1] R. J. Hyndman and A. B. Koehler, "Another Look at Measures of Forecast Accuracy," Int. J. Forecast., vol. 22, 2006.
       doi:10.1016/j.ijforecast.2006.03.001
    """
    steps = values.shape[1]
    origins, tested = fold_origins(steps, horizon, period, folds)
    test = _backtest(outlooks(methods, values, origins, tested, period, roughly=True), values, origins, tested, period) if origins else None
    filled = linear_fill(values)
    fits = {name: METHODS[name].fits(filled, period) for name in METHODS if name in methods}
    if not np.any(list(fits.values()), axis=0).all():
        raise ValueError(f"{steps} values are too few, or of the wrong sign, for {', '.join(methods)}.")
    choice = _choose(test, fits)
    only = {name: np.array([name == each for each in choice]) for name in fits}
    final = outlooks(methods, values, [steps], horizon, period, only=only)
    return Forecast({name: _stretched(each, test) for (name, _), each in final.items()}, tuple(choice), test)


def fold_origins(steps: int, horizon: int, period: int, folds: int) -> tuple[list[int], int]:
    """Return the origins of a back-test, oldest first, and how far behind each is judged; none where the history is too short."""
    tested = max(1, min(horizon, steps // 6))
    least = max(2 * period, 8)
    origins = [steps - tested * (fold + 1) for fold in range(folds)]
    return sorted(origin for origin in origins if origin >= least), tested


def _backtest(found: Mapping[tuple[str, int], Outlook], values: Floats, origins: Sequence[int], tested: int, period: int) -> Backtest:
    # Only what every origin is long enough for can be compared.
    names = [name for name in METHODS if all((name, origin) in found for origin in origins)]
    scale = mase_scale(values, period)
    held = np.stack([values[:, origin : origin + tested] for origin in origins], axis=1)
    errors, spreads = {}, {}
    for name in names:
        mean = np.stack([found[name, origin].mean[:, :tested] for origin in origins], axis=1)
        errors[name] = held - mean
        spreads[name] = np.stack([found[name, origin].deviation[:, :tested] for origin in origins], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        by_fold = {name: _mean(np.abs(error) / scale[:, None, None], (2,)) for name, error in errors.items()}
        squared = {name: _mean((errors[name] / np.where(spreads[name] > 0, spreads[name], np.nan)) ** 2, (2,)) for name in names}
    stretch = {
        name: np.sqrt((PRIOR_FOLDS + np.nansum(each, axis=1)) / (PRIOR_FOLDS + (~np.isnan(each)).sum(axis=1)))
        for name, each in squared.items()
    }
    unit = np.where(scale > 0, scale, 1.0)[:, None, None]
    rmse = {name: np.sqrt(_mean((error / unit) ** 2, (1, 2))) * unit[:, 0, 0] for name, error in errors.items()}
    bias = {name: -_mean(error, (1, 2)) for name, error in errors.items()}
    wide = {name: stretch[name][:, None, None] * spreads[name] for name in names}
    narrow, broad = ({name: _covered(errors[name], times * wide[name]) for name in names} for times in (1.2816, 1.96))
    return Backtest(tuple(origins), tested, scale, by_fold, rmse, bias, narrow, broad, stretch)


def mase_scale(values: Floats, period: int) -> Floats:
    """Return the mean absolute difference to the value a cycle before, shape (rows,): of a step where that is 0 or there is none; NaN where both are."""
    found = np.full(len(values), np.nan)
    for lag in (1, period):
        if values.shape[1] > lag:
            each = _mean(np.abs(values[:, lag:] - values[:, :-lag]), (1,))
            found = np.where(each > 0, each, found)
    return found


def _mean(values: Floats, axes: tuple[int, ...]) -> Floats:
    known = ~np.isnan(values)
    count = known.sum(axis=axes)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, np.where(known, values, 0.0).sum(axis=axes) / count, np.nan)


def _covered(errors: Floats, wide: Floats) -> Floats:
    return _mean(np.where(np.isnan(errors), np.nan, np.abs(errors) <= wide), (1, 2))


def _choose(test: Backtest | None, fits: Mapping[str, Flags]) -> list[str]:
    """Return each row's method, of those that fit it: names come in the order of METHODS, the simplest first."""
    names = list(fits)
    able = np.stack([fits[name] for name in names])
    simplest = [names[place] for place in np.argmax(able, axis=0)]
    judged = [name for name in names if test is not None and name in test.mase]
    if test is None or not judged:
        return simplest
    table = np.stack([np.where(fits[name][:, None], test.mase[name], np.nan) for name in judged])
    # A fold that nothing came in judges nobody; a method that failed where another did not is out.
    silent = np.isnan(table).all(axis=0)
    table = np.where(np.isnan(table) & ~silent, np.inf, table)
    count = (~silent).sum(axis=1)
    best = np.argmin(_mean(table, (2,)), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        over = table - table[best, np.arange(table.shape[1])]
        excess = _mean(over, (2,))
        error = np.sqrt(_mean((over - excess[..., None]) ** 2, (2,)) / np.maximum(count - 1, 1))
        tie = excess <= error
    tie[best, np.arange(table.shape[1])] = True
    chosen = np.argmax(tie, axis=0)
    return [judged[place] if count[row] else simplest[row] for row, place in enumerate(chosen)]


def _stretched(outlook: Outlook, test: Backtest | None) -> Outlook:
    stretch = test.stretch.get(outlook.method) if test is not None else None
    return outlook if stretch is None else replace(outlook, deviation=outlook.deviation * stretch[:, None])
