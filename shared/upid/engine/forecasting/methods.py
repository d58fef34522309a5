"""Every method of forecasting by name, with what it needs and how simple it is; and their use on many rows and origins at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.forecasting import plain
from upid.engine.forecasting.arima import arima
from upid.engine.forecasting.outlook import Outlook
from upid.engine.forecasting.smoothing import FORMS, prepare, run
from upid.engine.statistics.rows import linear_fill, power_of_two

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Method:
    """`rank`: lower is simpler. `least`: values needed where the period is 1; `cycles`: cycles needed, 0 = it takes no season; `positive`: values > 0 only."""

    name: str
    rank: int
    least: int
    cycles: int
    positive: bool
    title: str

    def fits(self, values: Floats, period: int) -> bool:
        """Tell whether rows without gaps are long enough for it and of the right sign."""
        season = period > 1 or self.cycles == 0
        return season and values.shape[1] >= max(self.least, self.cycles * period) and (not self.positive or bool((values > 0).all()))


METHODS: Final[Mapping[str, Method]] = MappingProxyType({
    method.name: method
    for method in (
        Method("naive", 0, 2, 0, False, "The last value"),
        Method("mean", 1, 3, 0, False, "The mean"),
        Method("seasonal_naive", 2, 3, 2, False, "The last cycle"),
        Method("ses", 3, 4, 0, False, "Simple exponential smoothing"),
        Method("linear", 4, 4, 0, False, "A straight line by least squares"),
        Method("theta", 5, 5, 0, False, "Theta: smoothing with half of the trend, the season taken out before"),
        Method("holt", 6, 6, 0, False, "Double exponential smoothing (Holt)"),
        Method("holt_damped", 7, 7, 0, False, "Double exponential smoothing with a damped trend"),
        Method("holt_winters", 8, 8, 2, False, "Triple exponential smoothing, additive season (Holt-Winters)"),
        Method("holt_winters_damped", 9, 8, 2, False, "Triple exponential smoothing, additive season, damped trend"),
        Method("holt_winters_multiplicative", 10, 8, 2, True, "Triple exponential smoothing, multiplicative season"),
        Method("holt_winters_multiplicative_damped", 11, 8, 2, True, "Triple exponential smoothing, multiplicative season, damped trend"),
        Method("arima", 12, 12, 0, False, "ARIMA, p and q to 3 by AICc, one difference by a test, exact likelihood; the season taken out before"),
        Method("combination", 13, 7, 0, False, "The mean of Theta, the damped trend (with the season where there is one) and the naive forecast"),
    )
})  # fmt: skip
PLAIN: Final[Mapping[str, Callable[[Floats, int, int], Outlook]]] = MappingProxyType({
    "naive": lambda values, horizon, _: plain.naive(values, horizon), "mean": lambda values, horizon, _: plain.mean(values, horizon),
    "linear": lambda values, horizon, _: plain.linear(values, horizon), "seasonal_naive": plain.seasonal_naive,
})  # fmt: skip


def outlooks(names: Sequence[str], values: Floats, origins: Sequence[int], horizon: int, period: int) -> dict[tuple[str, int], Outlook]:
    """Return the forecasts of rows, shape (rows, steps), by method and origin: each sees the columns before its origin alone.

    Gaps (NaN) are filled on a straight line from what the origin sees. Smoothing methods of all origins are fitted in one batch. Origins go from early to late. A method that an origin
    is too short for is left out.

    Raises
    ------
    ValueError
        For a name that is not in METHODS, a horizon or period below 1, a row without a value before an origin, or an infinite value.
    """
    unknown = [name for name in names if name not in METHODS]
    if unknown or horizon < 1 or period < 1:
        raise ValueError(f"Unknown methods {unknown}, or horizon {horizon} or period {period} below 1.")
    seen = {origin: _unit(linear_fill(values[:, :origin])) for origin in origins}
    parts = {part for name in names for part in (_members(period) if name == "combination" else (name,))}
    wanted = [(name, origin) for origin in origins for name in METHODS if name in parts and METHODS[name].fits(seen[origin][0], period)]
    found = {key: PLAIN[key[0]](seen[key[1]][0], horizon, period) for key in wanted if key[0] in PLAIN}
    for multiplicative in (False, True):
        keys = [key for key in wanted if key[0] in FORMS and FORMS[key[0]].multiplicative == multiplicative]
        if keys:
            jobs = [prepare(name, seen[origin][0], period) for name, origin in keys]
            found |= dict(zip(keys, run(jobs, horizon, period), strict=True))
    keys = [key for key in wanted if key[0] == "arima"]
    if keys:
        found |= dict(zip(keys, arima([seen[origin][0] for _, origin in keys], horizon, period), strict=True))
    if "combination" in names:
        for origin in origins:
            members = [found[name, origin] for name in _members(period) if (name, origin) in found]
            if len(members) == 3:
                found["combination", origin] = _combined(members)
    return {(name, origin): each.scaled(seen[origin][1]) for (name, origin), each in found.items() if name in names}


def _members(period: int) -> tuple[str, str, str]:
    return ("theta", "holt_winters_damped", "seasonal_naive") if period > 1 else ("theta", "holt_damped", "naive")


def _unit(filled: Floats) -> tuple[Floats, Floats]:
    if not np.isfinite(filled).all():
        raise ValueError("Every row needs a value before its origin, and none may be infinite.")
    scale = power_of_two(np.abs(filled).max(axis=1, initial=0.0))
    return filled / scale[:, None], scale


def _combined(members: Sequence[Outlook]) -> Outlook:
    # Errors of methods on the same series go together, so their deviations average as if they were one.
    mean, deviation, fitted = (np.mean([getattr(each, name) for each in members], axis=0) for name in ("mean", "deviation", "fitted"))
    return Outlook("combination", mean, deviation, fitted)
