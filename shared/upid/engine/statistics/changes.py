"""Change points: where a series' level shifted."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MAD_OF_NORMAL = 0.6744897501960817  # the 75 % quantile of the standard normal
MOST_POINTS = 3000
MOST_CORRELATED = 0.99  # autocorrelation of noise that is believed


class Shift(NamedTuple):
    """A change of level: the column where the new level begins, the means before and after up to the neighbouring changes."""

    column: int
    before: float
    after: float


def level_shifts(values: Floats, *, least: int = 3, penalty: float = 3.0) -> list[Shift]:
    """Return where the mean of one series, shape (columns,), shifts, oldest first; NaN = missing.

    Optimal partitioning with pruning (PELT [1]_): the least sum of squares about the means of segments plus `penalty * sigma**2 * ln(n)` per change
    [2]_, sigma**2 being what noise adds to the variance of long means (`long_run_variance`). None where a straight line explains them at less cost. Segments
    have `least` values or more.
    Cost: O(n) to O(n ** 2) for n values.

    Raises
    ------
    ValueError
        With more than 3,000 values, least < 1 or penalty <= 0.

    References
    ----------
    .. [1] R. Killick et al., "Optimal Detection of Changepoints With a Linear Computational Cost," J. Am. Stat. Assoc., vol. 107, 2012.
       doi:10.1080/01621459.2012.737745
    .. [2] Y.-C. Yao, "Estimating the Number of Change-Points via Schwarz' Criterion," Stat. Probab. Lett., vol. 6, 1988.
       doi:10.1016/0167-7152(88)90118-6
    """
    if least < 1 or penalty <= 0:
        raise ValueError("least must be at least 1 and penalty above 0.")
    places = np.flatnonzero(~np.isnan(values))
    if len(places) > MOST_POINTS:
        raise ValueError(f"At most {MOST_POINTS} values, got {len(places)}: average them to longer steps first.")
    if len(places) < 2 * least:
        return []
    raw = values[places]
    scale = float(np.abs(raw).max()) or 1.0
    unit = raw / scale
    starts = _segments(unit - unit.mean(), least, penalty)
    if _line_is_better(unit, starts, penalty):
        return []
    edges = [0, *starts, len(raw)]
    means = [float(unit[a:b].mean() * scale) for a, b in pairwise(edges)]
    return [Shift(int(places[start]), means[i], means[i + 1]) for i, start in enumerate(starts)]


def long_run_variance(values: Floats) -> float:
    """Return n times the variance that first-order autoregressive noise gives the mean of n values, of a series without gaps.

    From differences one and two steps apart, so that levels and slopes count little: the one's variance is 2 s^2 (1 - r), the other's 2 s^2 (1 - r^2), and
    their ratio less 1 is the autocorrelation r [1]_, taken between 0 and 0.99. What is sought is s^2 (1 + r) / (1 - r).

    References
    ----------
    .. [1] S. Chakar et al., "A Robust Approach for Estimating Change-Points in the Mean of an AR(1) Process," Bernoulli, vol. 23, 2017.
       doi:10.3150/15-BEJ782
    """
    near = noise_deviation(values) ** 2
    far = noise_deviation(values, 2) ** 2 if len(values) > 3 else near
    r = min(max(far / near - 1, 0.0), MOST_CORRELATED) if near > 0 else 0.0
    return near * (1 + r) / (1 - r) ** 2


def noise_deviation(values: Floats, lag: int = 1) -> float:
    """Return the deviation of the noise of a series without gaps, from differences of values `lag` apart, so that levels and slopes count little.

    The larger of a robust estimate (median absolute deviation) and the root mean square without the largest tenth, which is not 0 where most are equal.
    """
    change = values[lag:] - values[:-lag]
    robust = float(np.median(np.abs(change - np.median(change)))) / MAD_OF_NORMAL
    kept = np.sort(np.abs(change))[: max(len(change) - max(len(change) // 10, 2), 1)]
    return max(robust, float(np.sqrt((kept**2).mean()))) / float(np.sqrt(2))


def _line_is_better(values: Floats, starts: list[int], penalty: float) -> bool:
    """Tell whether one straight line explains a series at less cost than its segments do: what rises steadily does not shift."""
    place = np.arange(len(values)) - (len(values) - 1) / 2
    about = values - values.mean()
    line = float(((about - place * float(place @ about) / float(place @ place)) ** 2).sum())
    pieces = sum(float(((part - part.mean()) ** 2).sum()) for part in np.split(values, starts))
    price = penalty * max(long_run_variance(values), 1e-20) * float(np.log(len(values)))
    return bool(starts) and line + price <= pieces + price * len(starts)


def _segments(values: Floats, least: int, penalty: float) -> list[int]:
    n = len(values)
    price = penalty * max(long_run_variance(values), 1e-20) * float(np.log(n))
    total, squares = np.concatenate([[0.0], np.cumsum(values)]), np.concatenate([[0.0], np.cumsum(values**2)])
    best, last = np.full(n + 1, np.inf), np.zeros(n + 1, np.int64)
    best[0] = -price
    candidates = np.zeros(1, np.int64)
    for end in range(least, n + 1):
        length = end - candidates
        cost = best[candidates] + squares[end] - squares[candidates] - (total[end] - total[candidates]) ** 2 / length
        choice = int(np.argmin(np.where(length >= least, cost, np.inf)))
        best[end], last[end] = cost[choice] + price, candidates[choice]
        kept = candidates[(cost <= best[end]) | (length < least)]
        candidates = np.append(kept, end - least + 1) if end - least + 1 >= least else kept
    starts: list[int] = []
    place = int(last[n])
    while place > 0:
        starts.append(place)
        place = int(last[place])
    return starts[::-1]
