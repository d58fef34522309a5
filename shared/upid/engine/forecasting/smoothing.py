"""Exponential smoothing and Theta: many methods, series and origins fitted in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.forecasting.fitting import fit_parameters, rough
from upid.engine.forecasting.outlook import Outlook, residual_deviation
from upid.engine.forecasting.recursion import PARAMETERS, State, smooth
from upid.engine.forecasting.starting import initial_state
from upid.engine.seasonality.decomposition import classical

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Form:
    """Which parts a method of smoothing has."""

    trend: bool = False
    damped: bool = False
    season: bool = False
    multiplicative: bool = False
    theta: bool = False

    @property
    def free(self) -> tuple[bool, bool, bool, bool]:
        """Which of alpha, beta, gamma and phi are fitted."""
        return True, self.trend, self.season, self.damped


FORMS: Final = {
    "ses": Form(), "holt": Form(trend=True), "holt_damped": Form(trend=True, damped=True), "theta": Form(theta=True),
    "holt_winters": Form(trend=True, season=True), "holt_winters_damped": Form(trend=True, damped=True, season=True),
    "holt_winters_multiplicative": Form(trend=True, season=True, multiplicative=True),
    "holt_winters_multiplicative_damped": Form(trend=True, damped=True, season=True, multiplicative=True),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """One method on rows that end at one origin: `season` is what Theta took out, shape (rows, period), and `drift` its slope, shape (rows,).

    `begun`: where a rough search begins, shape (4, rows), NaN = at a few points.
    """

    method: str
    values: Floats
    start: State
    season: Floats
    drift: Floats
    begun: Floats


def prepare(method: str, values: Floats, period: int, before: Outlook | None = None) -> Job:
    """Return a method's job on rows without gaps, shape (rows, steps), in units of their scale; ValueError where they are too short for it.

    `before`: the method's forecast of the same rows from an earlier origin, whose parameters a rough search begins at.
    """
    form, rows = FORMS[method], len(values)
    season, drift = np.zeros((rows, period)), np.zeros(rows)
    if form.theta:
        if period > 1 and values.shape[1] >= 2 * period:
            season = classical(values, period).season[:, :period]
        phases = np.arange(values.shape[1]) % period
        values = values - season[:, phases]
        drift = initial_slope(values) / 2
    start = initial_state(values, period if form.season else 1, trend=form.trend, multiplicative=form.multiplicative)
    if not form.season:
        start = State(start.level, start.slope, np.full((period, rows), 0.0))
    begun = np.full((len(PARAMETERS), rows), np.nan)
    if before is not None:
        begun = np.stack([before.parameters.get(name, np.zeros(rows)) for name in PARAMETERS])
    return Job(method, values, start, season, drift, begun)


def initial_slope(values: Floats) -> Floats:
    """Return the least-squares slope per step of rows without gaps, shape (rows,)."""
    away = np.arange(values.shape[1]) - (values.shape[1] - 1) / 2
    result: Floats = values @ away / max(float(away @ away), 1.0)
    return result


def run(jobs: Sequence[Job], horizon: int, period: int, *, roughly: bool = False) -> list[Outlook]:
    """Fit all jobs, which share `multiplicative`, in one batch, and return what each expects. `roughly`: near enough to compare methods."""
    longest = max(job.values.shape[1] for job in jobs) + horizon
    table = np.full((longest, sum(len(job.values) for job in jobs)), np.nan)
    free, fixed = np.empty((4, table.shape[1]), bool), np.empty((4, table.shape[1]))
    edges = np.cumsum([0, *(len(job.values) for job in jobs)])
    for job, begin, end in zip(jobs, edges[:-1], edges[1:], strict=True):
        form = FORMS[job.method]
        table[: job.values.shape[1], begin:end] = job.values.T
        free[:, begin:end] = np.array(form.free)[:, None]
        fixed[:, begin:end] = np.array([0.0, 0.0, 0.0, 1.0 if form.trend else 0.0])[:, None]
    start = State(
        np.concatenate([job.start.level for job in jobs]), np.concatenate([job.start.slope for job in jobs]),
        np.concatenate([job.start.season for job in jobs], axis=1),
    )  # fmt: skip
    multiplicative = FORMS[jobs[0].method].multiplicative
    begin = rough(np.concatenate([job.begun for job in jobs], axis=1)) if roughly else None
    parameters = fit_parameters(table[: longest - horizon], start, free, fixed, multiplicative=multiplicative, begin=begin)
    expected = smooth(table, parameters, start, multiplicative=multiplicative).expected
    pairs = pairwise(edges)
    return [_outlook(job, expected[:, a:b].T, parameters[:, a:b], horizon, period) for job, (a, b) in zip(jobs, pairs, strict=True)]


def _outlook(job: Job, expected: Floats, parameters: Floats, horizon: int, period: int) -> Outlook:
    form, steps = FORMS[job.method], job.values.shape[1]
    found = expected[:, : steps + horizon] + job.season[:, np.arange(steps + horizon) % period]
    alpha = np.maximum(parameters[0], 1e-6)
    # SES with drift is Theta (Hyndman and Billah, doi:10.1016/S0169-2070(01)00143-1).
    ahead = np.arange(horizon) + (1 - (1 - alpha[:, None]) ** steps) / alpha[:, None]
    average = found[:, steps:] + job.drift[:, None] * ahead if form.theta else found[:, steps:]
    values = job.values + job.season[:, np.arange(steps) % period]
    used = sum(form.free) + 1 + form.trend
    sigma = residual_deviation(values, found[:, :steps], used)
    told = {name: parameters[i] for i, name in enumerate(PARAMETERS) if form.free[i]}
    if form.theta:
        told["slope"] = job.drift * 2
    return Outlook(job.method, average, sigma[:, None] * _growth(parameters, form, horizon, period), found[:, :steps], told)


def _growth(parameters: Floats, form: Form, horizon: int, period: int) -> Floats:
    """Return by how much the deviation grows with the distance, shape (rows, horizon): the moving-average form of the recursion."""
    alpha, beta, gamma, phi = parameters
    weights = np.zeros((len(alpha), horizon))
    weights[:, 0] = 1.0
    damped = np.zeros(len(alpha))
    for ahead in range(1, horizon):
        damped = damped + phi**ahead if form.trend else damped
        seasonal = gamma * (1 - alpha) if form.season and ahead % period == 0 else 0.0
        weights[:, ahead] = alpha + alpha * beta * damped + seasonal
    result: Floats = np.sqrt(np.cumsum(weights**2, axis=1))
    return result
