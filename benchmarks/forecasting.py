"""How fast forecasts are fitted and how good they are, against statsmodels. Prints JSON: seconds, ratios, and how far fits end above statsmodels'.

python benchmarks/forecasting.py [--series 10000] [--steps 336] [--period 24] [--sample 100]
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.holtwinters import ExponentialSmoothing

from upid.engine.forecasting.fitting import fit_parameters
from upid.engine.forecasting.likelihood import Problem, fit_arma
from upid.engine.forecasting.orders import ORDERS, hannan_rissanen
from upid.engine.forecasting.recursion import smooth
from upid.engine.forecasting.selection import AUTO, forecast, mase_scale
from upid.engine.forecasting.starting import initial_state
from upid.services.series import MOST_FITTED, MOST_FITTED_OTHERWISE

Floats = NDArray[np.float64]
FORMS = {
    "additive": (False, False), "additive_damped": (True, False), "multiplicative": (False, True), "multiplicative_damped": (True, True),
}  # fmt: skip
ARMA = ((1, 0), (0, 1), (1, 1), (2, 1), (1, 2), (2, 2))
LARGEST = {
    **MOST_FITTED,
    "holt_winters_damped": MOST_FITTED_OTHERWISE,
}  # values of the largest request by method: the slowest of the others last
AS_GOOD = 1e-4  # relative: what counts as no worse than statsmodels


def made(rows: int, steps: int, period: int, seed: int = 11) -> Floats:
    """Return series above 0 of eight kinds by turns: season and noise, wandering, noise alone, walks, lines, growing spread, shifts, bursts."""
    random, t = np.random.default_rng(seed), np.arange(steps)
    phase, size, spread = (random.uniform(*edges, (rows, 1)) for edges in ((0, 6), (0.2, 3), (0.05, 1)))
    season, noise = size * np.sin(2 * np.pi * t / period + phase), random.normal(size=(rows, steps)) * spread
    walk = random.normal(size=(rows, steps)).cumsum(axis=1)
    shift = (t > steps * random.uniform(0.3, 0.8, (rows, 1))) * random.normal(size=(rows, 1)) * 4
    burst = (random.uniform(size=(rows, steps)) < 0.05) * np.abs(noise) * 20
    kinds = [10 + season + noise, 10 + season + noise + 0.2 * walk, 10 + noise, 10 + 0.3 * walk, 10 + season + noise + random.normal(size=(rows, 1)) * 0.02 * t,
             10 * np.exp(0.2 * (season + noise)), 10 + season + noise + shift, 10 + season + 0.2 * noise + burst]  # fmt: skip
    chosen = np.abs(np.stack(kinds)[np.arange(rows) % len(kinds), np.arange(rows)]) + 0.01
    return np.asarray(chosen / chosen.max(axis=1, keepdims=True))


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what the work gives, and how long it took on the clock and on processors. [s]"""
    wall, busy = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - wall, time.process_time() - busy


def smoothing(values: Floats, period: int, form: str, sample: int) -> dict[str, Any]:
    """Fit all rows, and the first of them by statsmodels from the same initial states."""
    damped, multiplicative = FORMS[form]
    start = initial_state(values, period, trend=True, multiplicative=multiplicative)
    table, free = np.ascontiguousarray(values.T), np.repeat(np.array([[True], [True], [True], [damped]]), len(values), axis=1)
    fit, wall, busy = timed(lambda: fit_parameters(table, start, free, np.ones((4, len(values))), multiplicative=multiplicative))
    squares = (smooth(table, fit, start, multiplicative=multiplicative).errors ** 2).sum(axis=0)

    def theirs(row: int) -> float:
        model = ExponentialSmoothing(
            values[row], trend="add", damped_trend=damped, seasonal="mul" if multiplicative else "add", seasonal_periods=period,
            initialization_method="known", initial_level=start.level[row], initial_trend=start.slope[row], initial_seasonal=start.season[:, row],
            bounds={"damping_trend": (0.8, 0.995)} if damped else None,
        )  # fmt: skip
        return float(model.fit().sse)

    return told(len(values), wall, busy, squares[:sample], theirs)


def arma(values: Floats, p: int, q: int) -> dict[str, Any]:
    """Fit all rows by exact likelihood, and by statsmodels."""
    rows, steps = values.shape
    place = ORDERS.tolist().index([p, q])

    def ours() -> Floats:
        starts = hannan_rissanen(values, np.ones(rows, bool))[1][place]
        order, count = np.tile([[p], [q]], (1, rows)), np.full(rows, steps)
        return fit_arma(Problem(np.ascontiguousarray(values.T), count, np.ones(rows, bool), order), starts[None]).negative_log_likelihood

    found, wall, busy = timed(ours)
    return told(rows, wall, busy, found, lambda row: float(-ARIMA(values[row], order=(p, 0, q), trend="c").fit().llf))


def told(rows: int, wall: float, busy: float, found: Floats, theirs: Callable[[int], float]) -> dict[str, Any]:
    """Return seconds, the ratio to statsmodels, and how far the objective ends above its."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.showwarning = lambda *_, **__: None
        other, _, theirs_busy = timed(lambda: np.array([theirs(row) for row in range(len(found))]))
    above = (found - other) / np.abs(other)
    return {
        "series": rows, "seconds": round(wall, 3), "processor_seconds": round(busy, 3), "sample": len(found),
        "times_as_fast_as_statsmodels": round(theirs_busy / len(found) / (busy / rows), 1), "share_as_good": round(float(np.mean(above <= AS_GOOD)), 4),
        "share_better": round(float(np.mean(above < -AS_GOOD)), 4), "most_above": float(f"{above.max():.2g}"),
    }  # fmt: skip


def chosen(rows: int, period: int) -> dict[str, Any]:
    """Forecast a cycle of seasonal series by `auto`: errors beside those of the last cycle, and how often intervals held."""
    steps = 8 * period
    values = made(8 * rows, steps + period, period)[[i for i in range(8 * rows) if i % 8 in {0, 1, 4, 5}][:rows]]
    history, future = values[:, :steps], values[:, steps:]
    found, wall, busy = timed(lambda: forecast(history, period, period))
    each = [(found.outlooks[name], row) for row, name in enumerate(found.chosen)]
    scale = mase_scale(history, period)
    errors = {
        "auto": [np.abs(outlook.mean[row] - future[row]).mean() / scale[row] for outlook, row in each],
        "seasonal_naive": np.abs(found.outlooks["seasonal_naive"].mean - future).mean(axis=1) / scale,
    }
    covered = {}
    for share in (0.8, 0.95):
        bounds = [[edge[row] for edge in outlook.interval(share)] for outlook, row in each]
        covered[str(share)] = round(
            float(np.mean([(low <= future[row]) & (future[row] <= high) for row, (low, high) in enumerate(bounds)])), 4
        )
    counts = {name: found.chosen.count(name) for name in sorted(set(found.chosen))}
    return {"series": rows, "forecasts": future.size, "seconds": round(wall, 3), "processor_seconds": round(busy, 3), "covered": covered, "chosen": counts,
            "mase": {name: round(float(np.mean(value)), 4) for name, value in errors.items()}}  # fmt: skip


def largest(steps: int, period: int, method: str) -> dict[str, Any]:
    """Forecast a cycle of as many series as one request may have: where ARIMA may be chosen as if they had no season, which takes longest."""
    rows = max(LARGEST[method] // steps, 1)
    values, season = made(rows, steps, period), 1 if method in MOST_FITTED else period
    _, wall, busy = timed(lambda: forecast(values, period, season, methods=AUTO if method == "auto" else (method,)))
    return {"series": rows, "seconds": round(wall, 3), "processor_seconds": round(busy, 3)}


def measured(series: int, steps: int, period: int, sample: int) -> dict[str, Any]:
    """Return all figures."""
    values = made(series, steps, period)
    first = {form: smoothing(values if form == "additive" else values[:sample], period, form, sample) for form in FORMS}
    orders = {f"p={p} q={q}": arma(values[:sample, :120], p, q) for p, q in ARMA}
    return {"steps": steps, "period": period, "holt_winters": first, "arma_120_steps": orders, "auto": chosen(max(sample, 4), 12),
            "largest_request": {method: largest(steps, period, method) for method in LARGEST}}  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("series", 10_000), ("steps", 336), ("period", 24), ("sample", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    print(json.dumps(measured(**vars(parser.parse_args())), indent=2))


if __name__ == "__main__":
    main()
