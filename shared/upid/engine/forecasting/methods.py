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
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Method:
    """`rank`: lower is simpler. `least`: values needed where the period is 1; `cycles`: cycles needed, 0 = it takes no season; `positive`: values > 0 only."""

    name: str
    rank: int
    least: int
    cycles: int
    positive: bool
    title: str

    def fits(self, values: Floats, period: int) -> Flags:
        """Tell which rows without gaps, shape (rows, steps), are long enough for it and of the right sign, shape (rows,)."""
        long_enough = (period > 1 or self.cycles == 0) and values.shape[1] >= max(self.least, self.cycles * period)
        signed = (values > 0).all(axis=1) if self.positive else np.ones(len(values), np.bool_)
        return np.asarray(long_enough & signed, np.bool_)


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


@dataclass(frozen=True, slots=True)
class _Task:
    """A method at an origin, on those rows that it suits: `places`, shape (some,), and their `values`, (some, steps), in units of their scale."""

    method: str
    origin: int
    places: Places
    values: Floats

    @property
    def key(self) -> tuple[str, int]:
        """Whose forecast it is: method and origin."""
        return self.method, self.origin


def outlooks(
    names: Sequence[str], values: Floats, origins: Sequence[int], horizon: int, period: int, *, only: Mapping[str, Flags] | None = None,
    roughly: bool = False,
) -> dict[tuple[str, int], Outlook]:  # fmt: skip
    """Return the forecasts of rows, shape (rows, steps), by method and origin: each sees the columns before its origin alone.

    Gaps (NaN) are filled on a straight line from what the origin sees. Origins go from early to late. A method that an origin is too short for is left out;
    rows of the wrong sign for it, and those that it is not wanted for, are NaN. Methods, rows and origins are searched in one batch.

    Parameters
    ----------
    only : mapping of str to ndarray of bool, shape (rows,)
        Which rows a method is wanted for; all where None. Methods without a search are cheap, and forecast all rows.
    roughly : bool
        Near enough to compare methods: the first origin is searched from a few points, the others from where the first one ended.

    Raises
    ------
    ValueError
        For a name that is not in METHODS, a horizon or period below 1, a row without a value before an origin, or an infinite value.
    """
    unknown = [name for name in names if name not in METHODS]
    if unknown or horizon < 1 or period < 1:
        raise ValueError(f"Unknown methods {unknown}, or horizon {horizon} or period {period} below 1.")
    seen = {origin: _unit(linear_fill(values[:, :origin])) for origin in origins}
    wanted = _wanted(names, len(values), period, only)
    tasks = [
        each
        for origin in origins
        for name in METHODS
        if name in wanted and (each := _task(name, origin, seen[origin][0], wanted[name], period))
    ]
    found = {task.key: PLAIN[task.method](task.values, horizon, period) for task in tasks if task.method in PLAIN}
    smooth = [task for task in tasks if task.method in FORMS]
    first = [task for task in smooth if task.origin == origins[0] or not roughly]
    found |= _smoothed(first, {}, len(values), horizon, period, roughly=roughly)
    later = [task for task in smooth if task not in first and (task.method, origins[0]) in found]
    found |= _smoothed(
        later, {key[0]: each for key, each in found.items() if key[1] == origins[0]}, len(values), horizon, period, roughly=roughly
    )
    arimas = [task for task in tasks if task.method == "arima"]
    if arimas:
        made = arima([task.values for task in arimas], horizon, period, roughly=roughly)
        found |= {task.key: each.spread(task.places, len(values)) for task, each in zip(arimas, made, strict=True)}
    if "combination" in names:
        for origin in origins:
            members = [found[name, origin] for name in _members(period) if (name, origin) in found]
            if len(members) == 3:
                found["combination", origin] = _combined(members)
    return {(name, origin): each.scaled(seen[origin][1]) for (name, origin), each in found.items() if name in names}


def _wanted(names: Sequence[str], rows: int, period: int, only: Mapping[str, Flags] | None) -> dict[str, Flags]:
    """Return which rows every method is wanted for, those that a combination is made of included."""
    wanted: dict[str, Flags] = {}
    for name in names:
        chosen = np.ones(rows, np.bool_) if only is None or name in PLAIN else only.get(name, np.zeros(rows, np.bool_))
        for part in _members(period) if name == "combination" else (name,):
            wanted[part] = wanted.get(part, np.zeros(rows, np.bool_)) | (chosen | (part in PLAIN))
    return wanted


def _task(name: str, origin: int, filled: Floats, wanted: Flags, period: int) -> _Task | None:
    places = np.flatnonzero(wanted & METHODS[name].fits(filled, period))
    return _Task(name, origin, places, filled[places]) if len(places) else None


def _smoothed(
    tasks: Sequence[_Task], before: Mapping[str, Outlook], rows: int, horizon: int, period: int, *, roughly: bool
) -> dict[tuple[str, int], Outlook]:
    found: dict[tuple[str, int], Outlook] = {}
    for multiplicative in (False, True):
        own = [task for task in tasks if FORMS[task.method].multiplicative == multiplicative]
        if own:
            jobs = [prepare(task.method, task.values, period, before[task.method].rows(task.places) if before else None) for task in own]
            made = run(jobs, horizon, period, roughly=roughly)
            found |= {task.key: each.spread(task.places, rows) for task, each in zip(own, made, strict=True)}
    return found


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
