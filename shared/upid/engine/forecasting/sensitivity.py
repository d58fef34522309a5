"""Squared errors of exponential smoothing of many series at once, with their exact derivatives by the parameters."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.forecasting.recursion import State, held
from upid.engine.forecasting.searches import NormalEquations

Floats = NDArray[np.float64]
BLOCK: Final = 64  # steps whose errors and derivatives are kept before they are summed: they stay in the cache


def normal_equations(values: Floats, parameters: Floats, start: State, *, damped: bool, multiplicative: bool) -> NormalEquations:
    """Return the equations of smoothing `values`, shape (steps, rows), NaN = missing, as `recursion.smooth` does, by alpha, beta, gamma and phi.

    Those of phi are 0 unless `damped`. Squares that overflow are infinite.

    The state moves by three shares of an error: a = alpha to the level, b = alpha beta to the slope, c = gamma (1 - alpha) to the season. Derivatives by a
    share follow the recursion of the states themselves with the error added to one part of it, so they are lanes beside the state; the chain rule leads from
    shares to parameters. Cost: O(steps * rows), about four times a plain pass.
    """
    steps, rows = values.shape
    known = ~np.isnan(values)
    whole, given = (known.sum(axis=1) == rows).tolist(), np.where(known, values, 0.0)
    lanes = _Lanes(parameters, start, damped=damped)
    go = lanes.multiplicative if multiplicative else lanes.additive
    products = np.zeros((lanes.width, lanes.width, rows))
    block = np.empty((min(BLOCK, steps), lanes.width, rows))
    with np.errstate(over="ignore", invalid="ignore"):
        for begin in range(0, steps, BLOCK):
            part = block[: steps - begin]
            for step, away in enumerate(part, begin):
                go(step % len(start.season), given[step], None if whole[step] else known[step], away)
            for lane in range(lanes.width):
                products[lane, lane:] += np.einsum("tr,tqr->qr", part[:, lane], part[:, lane:])
        for lane in range(1, lanes.width):
            products[lane:, lane - 1] = products[lane - 1, lane:]
        return _chained(products, parameters)


def _chained(products: Floats, parameters: Floats) -> NormalEquations:
    """Return the equations by parameters from the products of errors and derivatives by shares."""
    alpha, beta, gamma, _ = parameters
    of_share = np.zeros((len(products) - 1, 4, len(alpha)))
    of_share[0, 0], of_share[1, 0], of_share[1, 1], of_share[2, 0], of_share[2, 2] = 1.0, beta, alpha, -gamma, 1 - alpha
    if len(of_share) == 4:
        of_share[3, 3] = 1.0
    gradient = np.einsum("ijr,ir->jr", of_share, products[0, 1:])
    matrix = np.einsum("ijr,ikr,klr->jlr", of_share, products[1:, 1:], of_share)
    return NormalEquations(
        np.nan_to_num(products[0, 0], nan=np.inf, posinf=np.inf),
        np.nan_to_num(gradient, posinf=0, neginf=0),
        np.nan_to_num(matrix, posinf=0, neginf=0),
    )


class _Lanes:
    """Level, slope and season, shape (width, rows), the season's (period, width, rows): lane 0 the states, 1 to 3 their derivatives by shares, 4 by phi."""

    def __init__(self, parameters: Floats, start: State, *, damped: bool) -> None:
        alpha, beta, gamma, self.phi = parameters
        self.shares = alpha, alpha * beta, gamma * (1 - alpha)
        self.width, self.damped = 4 + damped, damped
        self.level, self.slope, self.own = (np.zeros((self.width, len(alpha))) for _ in range(3))
        self.season = np.zeros((len(start.season), self.width, len(alpha)))
        self.level[0], self.slope[0], self.season[:, 0] = start.level, start.slope, start.season

    def _advance(self) -> None:
        if self.damped:
            before = self.slope[0].copy()
            self.slope *= self.phi
            self.slope[4] += before
        self.level += self.slope

    def additive(self, at: int, value: Floats, known: NDArray[np.bool_] | None, away: Floats) -> None:
        """Go one step on; `away` becomes the expected less the actual value, and the derivatives of that; 0 where the value is missing."""
        self._advance()
        season, (level_share, slope_share, season_share), own = self.season[at], self.shares, self.own
        np.add(self.level, season, out=away)
        away[0] -= value
        if known is not None:
            away *= known
        self.level -= np.multiply(level_share, away, out=own)
        self.slope -= np.multiply(slope_share, away, out=own)
        season -= np.multiply(season_share, away, out=own)
        self.level[1] -= away[0]
        self.slope[2] -= away[0]
        season[3] -= away[0]

    def multiplicative(self, at: int, value: Floats, known: NDArray[np.bool_] | None, away: Floats) -> None:
        """Do the same with a season that multiplies: the error in units of the season moves the level, in units of the level the season."""
        self._advance()
        level, season, (level_share, slope_share, season_share) = self.level, self.season[at], self.shares
        by_season, by_level = held(season[0]), held(level[0])
        np.multiply(level, season[0], out=away)
        away[1:] += np.multiply(season[1:], level[0], out=self.own[1:])
        away[0] -= value
        level_error, season_error = level[0] - value / by_season, season[0] - value / by_level
        to_level = value / by_season**2 * season + level
        to_season = np.multiply(level, value / by_level**2, out=self.own) + season
        to_level[0], to_season[0] = level_error, season_error
        if known is not None:
            away *= known
            to_level *= known
            to_season *= known
        season -= season_share * to_season
        season[3] -= to_season[0]
        level -= np.multiply(level_share, to_level, out=self.own)
        level[1] -= to_level[0]
        self.slope -= np.multiply(slope_share, to_level, out=self.own)
        self.slope[2] -= to_level[0]
