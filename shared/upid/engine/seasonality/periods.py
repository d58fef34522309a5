"""Whether a series has a season, and how long it is: periodogram and autocorrelation, tested against correlated noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc, ndtri

from upid.engine.forecasting.starting import centred_average
from upid.engine.statistics.rows import linear_fill

Floats = NDArray[np.float64]
HARMONICS: Final = 4
LEAST_STRENGTH: Final = 0.3  # share of variance that a season takes after the trend is out: less is of no use to anybody
TOP_PEAKS: Final = 8


class Season(NamedTuple):
    """A period in steps, the share of variance it takes [1], autocorrelation at it [1], p_value of noise having it, and at which step of a cycle it peaks.

    Step 0 of a cycle is the first value of the series.
    """

    period: int
    strength: float
    autocorrelation: float
    p_value: float
    peak_step: int
    trough_step: int


def autocorrelation(values: Floats, most: int) -> Floats:
    """Return the autocorrelation of a series without gaps at lags 0 to `most`, shape (most + 1,): sums over n, so that it is at most 1; 0 without spread."""
    n = len(values)
    size = float(np.abs(values).max(initial=0)) or 1.0
    away = values / size - (values / size).mean()
    length = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(away, length)
    found = np.fft.irfft(np.abs(spectrum) ** 2, length)[: most + 1]
    squares = float(away @ away)
    return np.asarray(found / squares if squares > 1e-26 * n else np.zeros(most + 1), np.float64)


def seasons(values: Floats, candidates: Sequence[int] = (), *, significance: float = 0.01) -> list[Season]:
    """Return the significant periods of one series, shape (steps,), strongest first and no multiple of a shorter one that explains as much.

    A line is taken out. Candidates are those given and the highest peaks of the periodogram; each needs two cycles. Its power, summed over four
    harmonics and divided by that of first-order autoregressive noise [1]_, is chi-squared under noise; Bonferroni over all periods that can
    be. Also its autocorrelation must be above the noise's bound and above that half a period away, and it must take 30 % of the variance. Where there is none,
    values beyond Tukey's outer fences are held there and looked at again: one event hides no season.

    Raises
    ------
    ValueError
        If significance is outside (0, 1).

    References
    ----------
    .. [1] C. Torrence and G. P. Compo, "A Practical Guide to Wavelet Analysis," Bull. Am. Meteorol. Soc., vol. 79, 1998, eq. 16.
       doi:10.1175/1520-0477(1998)079<0061:APGTWA>2.0.CO;2
    """
    if not 0 < significance < 1:
        raise ValueError(f"significance must be in (0, 1), got {significance}.")
    n = len(values)
    flat = _flattened(values) if np.isfinite(values).sum() >= 8 else np.zeros(n)
    if n < 8 or not flat.any():
        return []
    found = _significant(flat, candidates, significance)
    held = np.clip(flat, *_fences(flat))
    return found or ([] if np.array_equal(held, flat) else _significant(held - held.mean(), candidates, significance))


def _fences(flat: Floats) -> tuple[float, float]:
    """Return the bounds three interquartile ranges beyond the quartiles; the extremes where half of the values are alike."""
    low, high = (float(each) for each in np.quantile(flat, (0.25, 0.75)))
    wide = 3 * (high - low)
    return (low - wide, high + wide) if wide > 0 else (float(flat.min()), float(flat.max()))


def _significant(flat: Floats, candidates: Sequence[int], significance: float) -> list[Season]:
    n = len(flat)
    power, lags = np.abs(np.fft.rfft(flat)) ** 2 / n, autocorrelation(flat, n // 2 + 1)
    ratio = power / _noise(flat, lags[1], n)
    found = [_tested(flat, ratio, lags, period) for period in _candidates(ratio, lags, candidates, n)]
    bound = float(ndtri(1 - significance / 2)) / np.sqrt(n)
    kept = [s for s in found if s.p_value < significance and s.autocorrelation > bound and s.strength >= LEAST_STRENGTH]
    return _without_multiples(sorted((s for s in kept if s.autocorrelation > lags[s.period // 2]), key=lambda s: -s.strength))


def _flattened(values: Floats) -> Floats:
    filled = linear_fill(values[None])[0]
    size = float(np.abs(filled).max()) or 1.0
    unit = filled / size
    away = np.arange(len(unit)) - (len(unit) - 1) / 2
    about = unit - unit.mean()
    flat = about - away * float(away @ about) / float(away @ away)
    return np.where(np.abs(flat) < 1e-12, 0.0, flat)


def _noise(flat: Floats, lag: float, n: int) -> Floats:
    """Return the power that first-order autoregressive noise of the series' variance has at each frequency; infinite at 0."""
    r = float(np.clip(lag, 0.0, 0.99))
    frequency = np.arange(n // 2 + 1) / n
    shape = (1 - r**2) / (1 + r**2 - 2 * r * np.cos(2 * np.pi * frequency))
    shape[0] = np.inf
    return np.asarray(shape * float(flat @ flat) / n, np.float64)


def _candidates(ratio: Floats, lags: Floats, given: Sequence[int], n: int) -> list[int]:
    peaks = np.argsort(-np.where(np.isfinite(ratio), ratio, 0))[:TOP_PEAKS]
    around = [_highest(lags, round(n / int(k)), n) for k in peaks if k >= 2]
    return sorted({period for period in [*given, *around] if 2 <= period <= n // 2})


def _highest(lags: Floats, period: int, n: int) -> int:
    """Return the lag near a period at which the autocorrelation is highest: a frequency's neighbours lie apart by period ** 2 / n steps."""
    reach = max(1, period * period // (2 * n) + 1)
    begin, end = max(2, period - reach), min(n // 2, period + reach)
    return begin + int(np.argmax(lags[begin : end + 1])) if end >= begin else period


def _tested(flat: Floats, ratio: Floats, lags: Floats, period: int) -> Season:
    n = len(flat)
    places = {round(n * j / period) for j in range(1, HARMONICS + 1) if n * j / period < len(ratio) - 0.5}
    best = [max((float(ratio[k + d]) for d in (-1, 0, 1) if 0 < k + d < len(ratio)), default=0.0) for k in places]
    # One to four harmonics: a smooth season has one, a spiky one has many.
    chances = [float(gammaincc(count, sum(sorted(best, reverse=True)[:count]))) for count in range(1, len(best) + 1)]
    p_value = min(1.0, min(chances, default=1.0) * n / 2 * max(len(chances), 1))
    cycle, strength = _cycle(flat, period)
    return Season(period, strength, float(lags[period]), p_value, int(np.argmax(cycle)), int(np.argmin(cycle)))


def _cycle(flat: Floats, period: int) -> tuple[Floats, float]:
    """Return the mean cycle and the share of variance that it takes, corrected for its degrees: two cycles alone explain half of any noise."""
    about = flat - np.where(np.isnan(slow := centred_average(flat[None], period)[0]), 0.0, slow) if len(flat) >= 3 * period else flat
    phases = np.arange(len(flat)) % period
    cycle = np.bincount(phases, about, minlength=period) / np.bincount(phases, minlength=period)
    rest, degrees = about - cycle[phases], max(len(flat) - period, 1)
    total = float(((about - about.mean()) ** 2).sum()) / (len(flat) - 1)
    return cycle, max(0.0, 1 - float(rest @ rest) / degrees / total) if total > 0 else 0.0


def _without_multiples(found: list[Season]) -> list[Season]:
    """Drop periods that a shorter one explains: multiples that take no more than a tenth of the variance beyond it, and near neighbours."""
    kept: list[Season] = []
    for season in sorted(found, key=lambda s: s.period):
        same = [s for s in kept if abs(season.period / s.period - round(season.period / s.period)) < 0.08]
        if not any(season.strength < s.strength + 0.1 * (1 - s.strength) + 0.02 for s in same):
            kept.append(season)
    return sorted(kept, key=lambda s: (-s.strength, s.period))
