"""A series as trend, season and rest: classical, and by local regression (STL)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.forecasting.starting import centred_average
from upid.engine.seasonality.loess import loess

Floats = NDArray[np.float64]
LEAST_DIVISOR = 1e-300


@dataclass(frozen=True, slots=True)
class Parts:
    """Shape (rows, steps) each: values = trend + season + rest, or their product. NaN in trend and rest = not defined (classical: near the ends)."""

    trend: Floats
    season: Floats
    rest: Floats
    multiplicative: bool = False

    @property
    def seasonal_strength(self) -> Floats:
        """Share of the variance of season and rest that the season takes, in [0, 1], shape (rows,); 0 where there is none at all [1]_, section 4.3.

        References
        ----------
        .. [1] R. J. Hyndman and G. Athanasopoulos, Forecasting: Principles and Practice, 3rd ed. Melbourne: OTexts, 2021.
        """
        return _strength(self.rest, self.season, 1.0 if self.multiplicative else 0.0)

    @property
    def trend_strength(self) -> Floats:
        """Share of the variance of trend and rest that the trend takes, in [0, 1], shape (rows,)."""
        return _strength(self.rest, self.trend, 1.0 if self.multiplicative else 0.0)


def _strength(rest: Floats, part: Floats, neutral: float) -> Floats:
    known = ~(np.isnan(rest) | np.isnan(part))
    size = np.maximum(np.abs(np.where(known, part, 0)).max(axis=1, initial=0), np.abs(np.where(known, rest, 0)).max(axis=1, initial=0))
    size = np.where(size > 0, size, 1.0)[:, None]
    alone, both = _spread(np.where(known, rest / size, np.nan)), _spread(np.where(known, (rest - neutral + part) / size, np.nan))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(both > 1e-24, np.clip(1 - alone / both, 0, 1), 0.0)


def _spread(values: Floats) -> Floats:
    count = np.maximum((~np.isnan(values)).sum(axis=1), 1)
    mean = np.nansum(values, axis=1) / count
    result: Floats = np.nansum((values - mean[:, None]) ** 2, axis=1) / count
    return result


def classical(values: Floats, period: int, *, multiplicative: bool = False) -> Parts:
    """Return the classical decomposition of rows without gaps, shape (rows, steps).

    Trend: centred moving average over a period; season: the mean by phase of what is left, less its mean over a period.

    Raises
    ------
    ValueError
        With a period below 2, fewer than two cycles, or values not above 0 where it is multiplicative.
    """
    _hold(values, period)
    if multiplicative and (values <= 0).any():
        raise ValueError("A multiplicative decomposition needs values above 0.")
    steps = values.shape[1]
    trend = centred_average(values, period)
    away = values / trend if multiplicative else values - trend
    cycles = -(-steps // period)
    padded = np.full((len(values), cycles * period), np.nan)
    padded[:, :steps] = away
    phases = np.nanmean(padded.reshape(len(values), cycles, period), axis=1)
    mean = phases.mean(axis=1, keepdims=True)
    season = np.tile(phases / mean if multiplicative else phases - mean, cycles)[:, :steps]
    rest = away / season if multiplicative else away - season
    return Parts(trend, season, rest, multiplicative)


def stl(values: Floats, period: int, *, seasonal: int = 7, robust: bool = False) -> Parts:
    """Return the decomposition of rows without gaps, shape (rows, steps), by local regression (STL [1]_).

    seasonal: span of the season's smoother in cycles, odd, at least 3. robust: values far from the fit weigh less, in 15 more rounds.
    Spans of the trend and of the low-pass filter as the authors advise.

    Raises
    ------
    ValueError
        With a period below 2, fewer than two cycles, or a span that is even or below 3.

    References
    ----------
    .. [1] R. B. Cleveland et al., "STL: A Seasonal-Trend Decomposition Procedure Based on Loess," J. Off. Stat., vol. 6, 1990.
    """
    _hold(values, period)
    if seasonal < 3 or seasonal % 2 == 0:
        raise ValueError(f"seasonal must be odd and at least 3, got {seasonal}.")
    trend_span = int(np.ceil(1.5 * period / (1 - 1.5 / seasonal)))
    trend_span += 1 - trend_span % 2
    low_span = period + 1 + period % 2
    trend, season = np.zeros(values.shape), np.zeros(values.shape)
    weights: Floats | None = None
    for outer in range(16 if robust else 1):
        for _ in range(2 if robust else 5):
            cycles = _by_cycle(values - trend, period, seasonal, weights)
            low = loess(_average(_average(_average(cycles, period), period), 3), low_span)
            season = cycles[:, period:-period] - low
            trend = loess(values - season, trend_span, weights=weights)
        if robust and outer < 15:
            weights = _robust_weights(values - trend - season)
    return Parts(trend, season, values - trend - season)


def _hold(values: Floats, period: int) -> None:
    if period < 2 or values.shape[1] < 2 * period:
        raise ValueError(f"A period of {period} steps (at least 2) needs two cycles, got {values.shape[1]} steps.")


def _average(values: Floats, window: int) -> Floats:
    total = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    result: Floats = (total[:, window:] - total[:, :-window]) / window
    return result


def _by_cycle(values: Floats, period: int, span: int, weights: Floats | None) -> Floats:
    """Return every phase smoothed over its cycles, a cycle longer at both ends."""
    result = np.empty((len(values), values.shape[1] + 2 * period))
    for phase in range(period):
        own = None if weights is None else weights[:, phase::period]
        result[:, phase::period] = loess(values[:, phase::period], span, beyond=1, weights=own)
    return result


def _robust_weights(rest: Floats) -> Floats:
    """Return Tukey's biweights of the rest, with six median absolute deviations as the edge."""
    size = np.abs(rest)
    edge = 6 * np.median(size, axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        away = np.where(edge > 0, size / edge, 0.0)
    result: Floats = np.where(size <= 0.001 * edge, 1.0, np.where(size <= 0.999 * edge, (1 - away**2) ** 2, 0.0))
    return result
