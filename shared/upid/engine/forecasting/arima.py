"""ARIMA: differences by a test, order by AICc, coefficients by exact likelihood, for many series and origins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.forecasting.arma import MOST
from upid.engine.forecasting.likelihood import Fit, Problem, fit_arma
from upid.engine.forecasting.orders import ORDERS, hannan_rissanen, wanders
from upid.engine.forecasting.outlook import Outlook
from upid.engine.seasonality.decomposition import classical

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]
CANDIDATES: Final = 4  # orders of each series that are fitted by exact likelihood
MOST_FITTED: Final = 1000  # newest values: what is older changes coefficients by less than their error


@dataclass(frozen=True, slots=True)
class _Stationary:
    """Rows made stationary.

    `season`: what was taken out, shape (rows, period); `values` without it, (rows, steps); `moved`: their differences where `wanders`, themselves less
    `middle` elsewhere, with `count` of them, 0 beyond. `criteria` of each order, (orders, rows), and `starts`, (orders, 6, rows), by regressions.
    """

    season: Floats
    values: Floats
    wanders: Flags
    middle: Floats
    moved: Floats
    count: Places
    criteria: Floats
    starts: Floats

    def start(self, order: Places) -> Floats:
        """Return where the fit of these orders, shape (2, rows), begins, (6, rows)."""
        return self.starts[order[0] * (MOST + 1) + order[1], :, np.arange(order.shape[1])].T

    def candidates(self) -> list[Places]:
        """Return the orders worth a fit, shape (2, rows) each, the simplest first, so that it wins a tie."""
        best = np.sort(np.argsort(self.criteria, axis=0, kind="stable")[:CANDIDATES], axis=0)
        return [np.asarray(ORDERS[each].T, np.int64) for each in best]


def arima(rows_by_origin: Sequence[Floats], horizon: int, period: int, *, roughly: bool = False) -> list[Outlook]:
    """Return the forecasts of rows without gaps, shape (rows, steps) each, in units of their scale, from several origins, the earliest first.

    The newest MOST_FITTED values are used, and the season is taken out before as Theta does. Differences are taken where a KPSS test finds no level
    (d = 1), a mean is fitted where it does (d = 0). Of all orders p, q <= 3 the four best by Hannan and Rissanen's regressions are fitted by exact
    likelihood, and the one of the least AICc of what the first origin sees stays [1]_. The fit of each origin begins where that one ended, and at points all
    over unless `roughly`: near enough to compare methods. Deviations are those of the infinite moving average.

    References
    ----------
    .. [1] R. J. Hyndman and Y. Khandakar, "Automatic Time Series Forecasting: The forecast Package for R," J. Stat. Softw., vol. 27, 2008.
       doi:10.18637/jss.v027.i03
    """
    parts = [_stationary(rows[:, -MOST_FITTED:], period) for rows in rows_by_origin]
    rows = len(parts[0].values)
    order, begun = _chosen(parts[0], roughly=roughly)
    fit = fit_arma(_problem(parts, [order] * len(parts)), np.tile(begun, len(parts))[None], thorough=not roughly, roughly=roughly)
    found = []
    for place, (part, seen) in enumerate(zip(parts, rows_by_origin, strict=True)):
        own = fit.take(np.arange(place * rows, (place + 1) * rows), part.values.shape[1])
        outlook = _outlook(part, order, own, horizon, period)
        unused = np.full((rows, seen.shape[1] - part.values.shape[1]), np.nan)
        found.append(replace(outlook, fitted=np.concatenate([unused, outlook.fitted], axis=1)))
    return found


def _problem(parts: Sequence[_Stationary], orders: Sequence[Places]) -> Problem:
    """Return the fits of all parts as one."""
    longest = max(part.moved.shape[1] for part in parts)
    padded = [np.pad(part.moved, ((0, 0), (0, longest - part.moved.shape[1]))) for part in parts]
    count, constant = np.concatenate([part.count for part in parts]), ~np.concatenate([part.wanders for part in parts])
    return Problem(np.ascontiguousarray(np.concatenate(padded).T), count, constant, np.concatenate(orders, axis=1))


def _chosen(part: _Stationary, *, roughly: bool) -> tuple[Places, Floats]:
    """Return p and q of all rows, shape (2, rows), of the least AICc of the candidates, and the partial autocorrelations of that fit, (6, rows)."""
    orders = part.candidates()
    hint = np.array([0.9, 0.0, 0.0, 0.5, 0.0, 0.0])[:, None]
    starts = [np.stack([own := part.start(order), np.broadcast_to(hint, own.shape)]) for order in orders]
    problem = _problem([part] * len(orders), orders)
    fit = fit_arma(problem, np.concatenate(starts, axis=2), thorough=False, roughly=roughly)
    rows = len(part.values)
    place = np.argmin(fit.aicc.reshape(len(orders), rows), axis=0) * rows + np.arange(rows)
    return problem.order[:, place], fit.partial[:, place]


def _stationary(values: Floats, period: int) -> _Stationary:
    rows, steps = values.shape
    season = np.zeros((rows, period))
    if period > 1 and steps >= 2 * period:
        season = classical(values, period).season[:, :period]
    rest = values - season[:, np.arange(steps) % period]
    wander = wanders(rest)
    middle = np.where(wander, 0.0, rest.mean(axis=1))
    moved = rest - middle[:, None]
    moved[wander] = np.diff(rest[wander], axis=1, append=0.0)
    moved[wander, -1] = 0.0
    criteria, starts = np.empty((len(ORDERS), rows)), np.empty((len(ORDERS), 2 * MOST, rows))
    for differenced in (False, True):
        chosen = np.flatnonzero(wander == differenced)
        if len(chosen):
            constant = np.full(len(chosen), not differenced)
            criteria[:, chosen], starts[:, :, chosen] = hannan_rissanen(moved[chosen, : steps - differenced], constant)
    return _Stationary(season, rest, wander, middle, moved, steps - wander.astype(np.int64), criteria, starts)


def _outlook(part: _Stationary, order: Places, fit: Fit, horizon: int, period: int) -> Outlook:
    rows, steps = part.values.shape
    everyone, mean = np.arange(rows), fit.white.mean
    told = part.moved - fit.white.errors.T + part.middle[:, None]
    within = told.copy()
    within[part.wanders, 1:] = part.values[part.wanders, :-1] + told[part.wanders, :-1]
    within[part.wanders, 0] = np.nan
    past = [(part.moved[everyone, part.count - lag] - mean, fit.white.errors[part.count - lag, everyone]) for lag in range(1, MOST + 1)]
    ahead = _ahead(fit, past, horizon) + (mean + part.middle)[:, None]
    ahead[part.wanders] = part.values[part.wanders, -1:] + np.cumsum(ahead[part.wanders], axis=1)
    degrees = np.maximum(part.count - order.sum(axis=0) - ~part.wanders, 1)
    sigma = np.sqrt(fit.white.squares() / degrees)
    season = part.season[:, np.arange(steps + horizon) % period]
    parameters = {"p": order[0] * 1.0, "d": part.wanders * 1.0, "q": order[1] * 1.0, "level": mean + part.middle}
    parameters |= {f"{name}{lag + 1}": each[lag] for name, each in (("ar", fit.ar), ("ma", fit.ma)) for lag in range(MOST)}
    growth = np.sqrt(np.cumsum(_weights(fit, part.wanders, horizon) ** 2, axis=1))
    return Outlook("arima", ahead + season[:, steps:], sigma[:, None] * growth, within + season[:, :steps], parameters)


def _ahead(fit: Fit, past: Sequence[tuple[Floats, Floats]], horizon: int) -> Floats:
    """Return what is expected next of values about their mean, shape (rows, horizon), from the last three values and errors, newest first."""
    values, errors = [value for value, _ in past], [error for _, error in past]
    result = np.empty((fit.ar.shape[1], horizon))
    for step in range(horizon):
        result[:, step] = sum(fit.ar[lag] * values[lag] + fit.ma[lag] * errors[lag] for lag in range(MOST))
        values = [result[:, step], *values[:-1]]
        errors = [np.zeros(len(result)), *errors[:-1]]
    return result


def _weights(fit: Fit, wander: Flags, horizon: int) -> Floats:
    """Return the weights of the infinite moving average, shape (rows, horizon)."""
    weights = np.zeros((fit.ar.shape[1], horizon))
    weights[:, 0] = 1.0
    for step in range(1, horizon):
        for lag in range(1, min(step, MOST) + 1):
            weights[:, step] += fit.ar[lag - 1] * weights[:, step - lag]
        if step <= MOST:
            weights[:, step] += fit.ma[step - 1]
    return np.where(wander[:, None], np.cumsum(weights, axis=1), weights)
