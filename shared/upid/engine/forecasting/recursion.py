"""One pass of exponential smoothing over many series at once."""

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

    def rows(self, chosen: NDArray[np.int64]) -> State:
        """Return the states of some rows, copied."""
        return State(self.level[chosen], self.slope[chosen], self.season[:, chosen])

    def put(self, places: NDArray[np.int64], other: State) -> None:
        """Take the states of `other` at these rows."""
        self.level[places], self.slope[places], self.season[:, places] = other.level, other.slope, other.season


@dataclass(frozen=True, slots=True)
class Pass:
    """`errors`, `expected`: one step ahead, shape (steps, rows), error 0 where the value is missing."""

    errors: Floats
    expected: Floats
    state: State


def smooth(values: Floats, parameters: Floats, start: State, *, multiplicative: bool) -> Pass:
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
    state = start.copy()
    alpha, beta, gamma, phi = parameters
    slope_share, season_share = alpha * beta, gamma * (1 - alpha)
    known = ~np.isnan(values)
    there, given = known.astype(np.float64), np.where(known, values, 0.0)
    for step in range(steps):
        at = step % period
        base = state.level + phi * state.slope
        season = state.season[at]
        guess = base * season if multiplicative else base + season
        expected[step] = guess
        error = (given[step] - guess) * there[step]
        errors[step] = error
        to_level, to_season = (error / held(season), error / held(base)) if multiplicative else (error, error)
        state.level = base + alpha * to_level
        state.slope = phi * state.slope + slope_share * to_level
        state.season[at] = season + season_share * to_season
    return Pass(errors, expected, state)


def held(divisor: Floats) -> Floats:
    """Return a divisor with its sign, at least LEAST_FACTOR in size."""
    return np.where(np.abs(divisor) < LEAST_FACTOR, np.copysign(LEAST_FACTOR, divisor), divisor)
