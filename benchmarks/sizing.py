"""How far the sizing rule holds away from the traces that it was made on: made sets of known shape, and with traces, sets derived from these.

Each is judged by the yardstick of `upid bench rightsizing`, seven days seen and one judged. Prints JSON:
python benchmarks/sizing.py [--containers 40] [--days 14] [--traces PATH...]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upid.cli.benching.rightsizing import read
from upid.engine.rightsizing.yardstick.report import report
from upid.engine.rightsizing.yardstick.requests import all_requests
from upid.engine.rightsizing.yardstick.trace import Trace

Floats = NDArray[np.float64]
PER_DAY = 288
MONDAY = 1_700_438_400 // 604_800 * 604_800 + 4 * 86_400  # 00:00 UTC
GIB = 2.0**30


class Shapes:
    """Factors of shape (containers, steps) around 1, five minutes a step, the same each time."""

    def __init__(self, seed: int, containers: int, days: int) -> None:
        self.random = np.random.default_rng(seed)
        self.shape = (containers, days * PER_DAY)
        self.time_days = np.arange(self.shape[1]) / PER_DAY

    def size(self, median: float) -> Floats:
        """Return a size of each container, log-normal."""
        return median * np.exp(self.random.normal(0, 0.8, (self.shape[0], 1)))

    def noise(self, sigma: float) -> Floats:
        """Return independent log-normal noise."""
        return np.exp(self.random.normal(0, sigma, self.shape))

    def wave(self, height: float, low_weekend: float = 1.0) -> Floats:
        """Return a daily wave at an hour of each container's own, lower at weekends."""
        weekend = np.where(self.time_days % 7 >= 5, low_weekend, 1.0)
        return weekend * (1 + height * np.sin(2 * np.pi * (self.time_days + self.random.random((self.shape[0], 1)))))

    def walk(self, sigma: float) -> Floats:
        """Return a random walk of so much a day."""
        return np.exp(np.cumsum(self.random.normal(0, sigma / np.sqrt(PER_DAY), self.shape), axis=1))

    def remembering(self, keeps: float, sigma: float) -> Floats:
        """Return noise that keeps a share of itself from step to step."""
        level, drawn = np.empty(self.shape), self.random.normal(0, sigma, self.shape)
        level[:, 0] = drawn[:, 0]
        for step in range(1, self.shape[1]):
            level[:, step] = keeps * level[:, step - 1] + np.sqrt(1 - keeps**2) * drawn[:, step]
        return np.exp(level)

    def levels(self, a_day: float, sigma: float) -> Floats:
        """Return levels that shift at random times, as after a deployment."""
        shifts = self.random.random(self.shape) < a_day / PER_DAY
        which, drawn = np.cumsum(shifts, axis=1), self.random.normal(0, sigma, self.shape)
        return np.exp(np.take_along_axis(drawn, which, axis=1))

    def bursts(self, share: float, heaviness: float, steps: int = 1) -> Floats:
        """Return one and, for a share of the steps, Pareto bursts of some steps on top."""
        high = np.where(self.random.random(self.shape) < share, self.random.pareto(heaviness, self.shape) + 1, 0.0)
        return 1 + np.max([np.roll(high, back, axis=1) for back in range(steps)], axis=0)

    def growth(self, a_day: float) -> Floats:
        """Return growth by up to so much a day, of a pace of each container's own."""
        return 1 + self.time_days * self.random.uniform(0, a_day, (self.shape[0], 1))


CPU: dict[str, Callable[[Shapes], Floats]] = {
    "diurnal": lambda s: s.wave(0.6) * s.noise(0.15),
    "weekly": lambda s: s.wave(0.4, 0.5) * s.noise(0.15),
    "web": lambda s: s.wave(0.5, 0.7) * s.walk(0.05) * s.remembering(0.9, 0.15) * s.levels(0.05, 0.2),
    "level shifts": lambda s: s.levels(0.15, 0.5) * s.noise(0.1),
    "deployments": lambda s: s.wave(0.5) * s.levels(0.1, 0.25) * s.noise(0.15),
    "drift": lambda s: s.walk(0.1) * s.noise(0.1),
    "fast drift": lambda s: s.walk(0.25) * s.noise(0.1),
    "growth": lambda s: s.growth(0.06) * s.noise(0.2),
    "bursts": lambda s: s.bursts(0.01, 2.5) * s.noise(0.2),
    "wide bursts": lambda s: s.bursts(0.002, 2.2, 8) * s.noise(0.2),
    "remembering": lambda s: s.remembering(0.995, 0.5),
    "noise": lambda s: s.noise(0.6),
    "quantised": lambda s: np.ceil(s.wave(0.3, 0.6) * s.noise(0.2) * 8) / 8,
}
MEMORY: dict[str, Callable[[Shapes], Floats]] = {
    "diurnal": lambda s: s.wave(0.2) * s.remembering(0.98, 0.06),
    "bursts": lambda s: s.bursts(0.003, 5.0) * s.noise(0.03),
    "level shifts": lambda s: s.levels(0.15, 0.3) * s.noise(0.03),
    "deployments": lambda s: s.levels(0.3, 0.12) * s.noise(0.03),
    "drift": lambda s: s.walk(0.15) * s.noise(0.02),
    "remembering": lambda s: s.remembering(0.99, 0.15),
    "noise": lambda s: s.noise(0.15),
}


def made(containers: int, days: int) -> Iterator[tuple[str, Trace]]:
    """Yield sets of known shape."""
    unknown = np.full(containers, np.nan)
    for seed, (name, shape) in enumerate(CPU.items()):
        shapes = Shapes(seed, containers, days)
        yield f"cpu, {name}", Trace("cpu", shapes.size(0.2) * shape(shapes), MONDAY, 300, unknown)
    for seed, (name, shape) in enumerate(MEMORY.items()):
        shapes = Shapes(100 + seed, containers, days)
        yield f"memory, {name}", Trace("memory", shapes.size(0.4 * GIB) * shape(shapes), MONDAY, 300, unknown)


def derived(name: str, trace: Trace) -> Iterator[tuple[str, Trace]]:
    """Yield a trace's halves, itself in longer steps, with gaps, with containers that come later, and as large as others."""
    values, capacity = trace.values, trace.capacity
    random, rows = np.random.default_rng(0), np.arange(len(trace.values))
    large = values.mean(axis=1) > np.median(values.mean(axis=1))
    for which, part in (("even", rows % 2 == 0), ("odd", rows % 2 == 1), ("small", ~large), ("large", large)):
        yield f"{name}, {which}", Trace(trace.resource, values[part], trace.start, trace.step_seconds, capacity[part])
    for steps in (2, 6, 12):
        blocks = values[:, : values.shape[1] // steps * steps].reshape(len(values), -1, steps)
        for how, longer in (("mean", blocks.mean(axis=2)), ("max", blocks.max(axis=2))):
            yield f"{name}, {steps} steps {how}", Trace(trace.resource, longer, trace.start, trace.step_seconds * steps, capacity)
    gaps = np.where(random.random(values.shape) < 0.1, np.nan, values)
    later = np.where(np.arange(values.shape[1]) < random.integers(0, 9 * PER_DAY, len(values))[:, None], np.nan, values)
    equal = values / np.maximum(values.mean(axis=1, keepdims=True), 1e-12) * np.median(values.mean(axis=1))
    for how, other in (("gaps", gaps), ("later", later)):
        yield f"{name}, {how}", Trace(trace.resource, other, trace.start, trace.step_seconds, capacity)
    yield f"{name}, of one size", Trace(trace.resource, equal, trace.start, trace.step_seconds, np.full(len(values), np.nan))


def row(name: str, trace: Trace) -> dict[str, Any]:
    """Return a set's figures: our violations over the rules', and how much of the allowed share was measured; or why it is left out."""
    try:
        found = report(trace, all_requests(trace, fit_days=7, horizon_days=1))
    except ValueError as error:
        return {"set": name, "left_out": str(error)}
    judged = {rule["rule"]: rule["ratio"] for rule in found["rules"] if rule["judged"]}
    return {
        "set": name, "geometric_mean": found["geometric_mean"], "worst": max(judged, key=judged.__getitem__, default=None),
        "worst_ratio": found["worst_ratio"] if judged else None, "judged": len(judged),
        "measured_over_allowed": [round(each["measured"] / each["allowed_time_above"], 2) for each in found["knob"] or ()],
    }  # fmt: skip


def main() -> None:
    """Judge every set and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--containers", type=int, default=40)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--traces", type=Path, nargs="*", default=[])
    asked = parser.parse_args()
    found = [row(name, trace) for name, trace in made(asked.containers, asked.days)]
    for path in asked.traces:
        found += [row(name, each) for trace in read(path) for name, each in derived(path.stem, trace)]
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
