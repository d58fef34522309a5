"""One pass of exponential smoothing over many series at once, with derivatives by its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PARAMETERS: Final = ("alpha", "beta", "gamma", "phi")
LEAST_FACTOR: Final = 1e-6  # of a multiplicative season or its level, in units of the series' scale: nothing is divided by less


@dataclass(slots=True)
class State:
    """Where a pass stands: level and slope per step, shape (rows,), and the seasonal terms, shape (period, rows), the next one first at `season[at]`."""

    level: Floats
    slope: Floats
    season: Floats

    def copy(self) -> State:
        """Return a state of its own."""
        return State(self.level.copy(), self.slope.copy(), self.season.copy())


@dataclass(frozen=True, slots=True)
class Pass:
    """`errors`, `expected`: one step ahead, shape (steps, rows), error 0 where the value is missing. `jacobian`: of errors, (steps, 4, rows), or None."""

    errors: Floats
    expected: Floats
    jacobian: Floats | None
    state: State


def smooth(values: Floats, parameters: Floats, start: State, *, multiplicative: bool, derivatives: bool = False) -> Pass:
    """Run exponential smoothing over `values`, shape (steps, rows); NaN = missing, where the state goes on as forecast.

    In error-correction form, with phi damping the slope b, level l, season s and error e of one step [1]_, chapter 8:
    l' = l + phi b + alpha e; b' = phi b + alpha beta e; s' = s + gamma (1 - alpha) e; a multiplicative season divides e by s for l and b, and by
    l + phi b for s. So every parameter may be chosen in [0, 1] by itself. Cost: O(steps * rows).

    Parameters
    ----------
    parameters : ndarray, shape (4, rows)
        alpha, beta, gamma, phi.

    References
    ----------
    .. [1] R. J. Hyndman and G. Athanasopoulos, Forecasting: Principles and Practice, 3rd ed. Melbourne: OTexts, 2021.
    """
    steps, rows = values.shape
    period = len(start.season)
    errors, expected = np.zeros((steps, rows)), np.empty((steps, rows))
    jacobian = np.zeros((steps, 4, rows)) if derivatives else None
    state = start.copy()
    alpha, beta, gamma, phi = parameters
    slope_share, season_share = alpha * beta, gamma * (1 - alpha)
    known = ~np.isnan(values)
    there, given = known.astype(np.float64), np.where(known, values, 0.0)
    change = _Change(period, rows) if derivatives else None
    for step in range(steps):
        at = step % period
        base = state.level + phi * state.slope
        season = state.season[at]
        guess = base * season if multiplicative else base + season
        expected[step] = guess
        error = (given[step] - guess) * there[step]
        errors[step] = error
        if change is not None and jacobian is not None:
            jacobian[step] = change.step(at, parameters, state, base, error, there[step], multiplicative)
        to_level, to_season = (error / _held(season), error / _held(base)) if multiplicative else (error, error)
        state.level = base + alpha * to_level
        state.slope = phi * state.slope + slope_share * to_level
        state.season[at] = season + season_share * to_season
    return Pass(errors, expected, jacobian, state)


def _held(divisor: Floats) -> Floats:
    return np.where(np.abs(divisor) < LEAST_FACTOR, np.copysign(LEAST_FACTOR, divisor), divisor)


class _Change:
    """Derivatives of a state by alpha, beta, gamma, phi: shape (4, rows), the season's (period, 4, rows)."""

    def __init__(self, period: int, rows: int) -> None:
        self.level, self.slope = np.zeros((4, rows)), np.zeros((4, rows))
        self.season = np.zeros((period, 4, rows))

    def step(  # noqa: PLR0917 a hot loop: names cost more than they tell
        self,
        at: int,
        parameters: Floats,
        state: State,
        base: Floats,
        error: Floats,
        there: Floats,
        multiplicative: bool,  # noqa: FBT001 as `smooth`
    ) -> Floats:
        """Go one step on and return the derivatives of its error."""
        alpha, beta, gamma, phi = parameters
        season, of_season = state.season[at], self.season[at]
        of_base = self.level + phi * self.slope
        of_base[3] += state.slope
        of_error: Floats = -(of_base * season + base * of_season) if multiplicative else -(of_base + of_season)
        of_error *= there
        to_level, to_season, of_to_level, of_to_season = error, error, of_error, of_error
        if multiplicative:
            by_season, by_base = _held(season), _held(base)
            to_level, to_season = error / by_season, error / by_base
            of_to_level = (of_error - to_level * of_season) / by_season
            of_to_season = (of_error - to_season * of_base) / by_base
        self.level = of_base + alpha * of_to_level
        self.level[0] += to_level
        self.slope = phi * self.slope + alpha * beta * of_to_level
        self.slope[0] += beta * to_level
        self.slope[1] += alpha * to_level
        self.slope[3] += state.slope
        self.season[at] = of_season + gamma * (1 - alpha) * of_to_season
        self.season[at][0] -= gamma * to_season
        self.season[at][2] += (1 - alpha) * to_season
        return of_error
