"""Peaks with their time and width, and those of them that come again."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

Floats = NDArray[np.float64]
LEAST_CYCLES: Final = 2
LEAST_SHARE: Final = 0.6  # of the cycles that must have the peak
SIGNIFICANCE: Final = 0.01


class Peak(NamedTuple):
    """A run of values above the level: steps [first, last], the step of the highest value, that value, and its height above the median."""

    first: int
    last: int
    top: int
    value: float
    prominence: float

    @property
    def width(self) -> int:
        """Steps that it lasts."""
        return self.last - self.first + 1


def peaks(values: Floats, *, share: float = 0.05, least_width: int = 1, join: int = 1) -> tuple[float, list[Peak]]:
    """Return the level, and the runs of one series, shape (steps,), above it, oldest first; NaN = missing.

    The level is the value that `share` of the values lie above, or half way from the median to the maximum where that is lower than the level of a
    series that is flat most of the time. Runs no more than `join` steps apart are one; those shorter than `least_width` steps are left out.

    Raises
    ------
    ValueError
        If share is outside (0, 0.5], or least_width or join below 1.
    """
    if not 0 < share <= 0.5 or least_width < 1 or join < 1:
        raise ValueError("share must be in (0, 0.5], least_width and join at least 1.")
    known = values[~np.isnan(values)]
    if not len(known) or known.max() == known.min():
        return float(known.max(initial=0.0)) if len(known) else float("nan"), []
    middle, top = float(np.median(known)), float(known.max())
    level = max(float(np.quantile(known, 1 - share)), middle + (top - middle) * 0.25)
    above = np.flatnonzero(np.nan_to_num(values, nan=-np.inf) >= level)
    groups = np.split(above, np.flatnonzero(np.diff(above) > join) + 1)
    return level, [_peak(group, values, middle) for group in groups if group[-1] - group[0] + 1 >= least_width]


def _peak(steps: NDArray[np.int64], values: Floats, middle: float) -> Peak:
    top = int(steps[np.argmax(values[steps])])
    return Peak(int(steps[0]), int(steps[-1]), top, float(values[top]), float(values[top]) - middle)


class Recurring(NamedTuple):
    """A peak that comes again at a phase of a period.

    `phase`: step of the cycle where it begins; `width`: steps, the median; `value`: its highest value, the median over cycles; `cycles` that have it of
    `of_cycles`; `strength` = cycles / of_cycles [1]; p_value: chance of so many by chance alone; `next_first`: step of the next one, counted on from the series.
    """

    period: int
    phase: int
    width: int
    value: float
    cycles: int
    of_cycles: int
    strength: float
    p_value: float
    next_first: int


def recurring_peaks(found: list[Peak], steps: int, period: int, *, origin: int = 0, tolerance: int = 1) -> list[Recurring]:
    """Return the peaks that come again at the same phase of `period` (steps), most certain first.

    origin: the phase of step 0. A group of peaks whose beginnings lie within `tolerance` steps of each other's phase recurs if it is there in 60 % of the
    cycles seen, in two at least, and would be by chance in less than 1 % (binomial tail, corrected for the number of phases).

    Raises
    ------
    ValueError
        If period is below 2 or tolerance below 0.
    """
    if period < 2 or tolerance < 0:
        raise ValueError(f"period must be at least 2 and tolerance at least 0, got {period} and {tolerance}.")
    of_cycles = -(-steps // period)
    if steps < LEAST_CYCLES * period:
        return []
    by_phase = sorted((((peak.first + origin) % period, peak) for peak in found), key=lambda pair: pair[0])
    result = []
    while by_phase:
        counts = [sum(_apart(phase, other, period) <= tolerance for other, _ in by_phase) for phase, _ in by_phase]
        middle = by_phase[int(np.argmax(counts))][0]
        group = [pair for pair in by_phase if _apart(middle, pair[0], period) <= tolerance]
        by_phase = [pair for pair in by_phase if pair not in group]
        one = _recurring([peak for _, peak in group], steps, period, middle, origin, of_cycles, len(found), tolerance)
        if one is not None:
            result.append(one)
    return sorted(result, key=lambda each: (each.p_value, each.phase))


def _apart(one: int, other: int, period: int) -> int:
    return min((one - other) % period, (other - one) % period)


def _recurring(  # noqa: PLR0917 what is known of one group
    group: list[Peak], steps: int, period: int, phase: int, origin: int, of_cycles: int, total: int, tolerance: int
) -> Recurring | None:
    cycles = len({(peak.first + origin + tolerance) // period for peak in group})
    whole = max(steps // period, 1)
    chance = min(total / of_cycles * (2 * tolerance + 1) / period, 0.999)
    p_value = min(1.0, float(bdtrc(cycles - 1, of_cycles, chance)) * period)
    if cycles < LEAST_CYCLES or cycles < LEAST_SHARE * whole or p_value >= SIGNIFICANCE:
        return None
    ahead = (phase - (steps + origin)) % period
    return Recurring(
        period, phase, int(np.median([peak.width for peak in group])), float(np.median([peak.value for peak in group])), cycles, of_cycles,
        min(cycles / whole, 1.0), p_value, steps + ahead,
    )  # fmt: skip
