"""Whether workloads are of a class, and how clearly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.classification.thresholds import Thresholds

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
CLEAR = 0.5  # a value this far beyond its bound, relative to the bound, leaves no doubt


@dataclass(frozen=True, slots=True)
class Judged:
    """Shape (rows,): `holds`; `known`: false where a measure is missing that could change it; `clarity`: 0.5 at a bound, 1 far from it, NaN = unknown."""

    holds: Bools
    known: Bools
    clarity: Floats


@dataclass(frozen=True, slots=True)
class Measures:
    """What classes are judged by, shape (rows,), NaN = not known.

    Use of CPU and memory over the request, of disk or network over its capacity [1]; `variation` of use [1]; `growth_per_week` [1] and how significant it
    is, 0 to 1; `strength` of the strongest cycle [1].
    """

    cpu: Floats
    memory: Floats
    io: Floats
    variation: Floats
    growth_per_week: Floats
    trend_weight: Floats
    strength: Floats


def above(values: Floats, bound: float) -> Judged:
    """Return whether values lie above a bound."""
    return _side(values, bound, values > bound)


def below(values: Floats, bound: float) -> Judged:
    """Return whether values lie below a bound."""
    return _side(values, bound, values < bound)


def _side(values: Floats, bound: float, holds: Bools) -> Judged:
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(values - bound) / (abs(bound) or 1.0)
    return Judged(holds & known, known, np.where(known, 0.5 + 0.5 * np.minimum(distance / CLEAR, 1), np.nan))


def both(first: Judged, second: Judged) -> Judged:
    """Return whether both hold: known to be false where one is, however little is known of the other; as clear as what decides it."""
    holds = first.holds & second.holds
    no = (~first.holds & first.known) | (~second.holds & second.known)
    refuted = np.fmax(np.where(first.holds, np.nan, first.clarity), np.where(second.holds, np.nan, second.clarity))
    return Judged(holds, holds | no, np.where(holds, np.minimum(first.clarity, second.clarity), np.where(no, refuted, np.nan)))


def judge(measures: Measures, bounds: Thresholds) -> Mapping[str, Judged]:
    """Return the judgement of each class of resources and traffic, by its id."""
    cpu, memory, io = measures.cpu, measures.memory, measures.io
    low, high = bounds.balanced_low, bounds.balanced_high
    # Balanced holds its bounds: the next number outside is the first that is not.
    inside = [both(above(values, float(np.nextafter(low, -1))), below(values, float(np.nextafter(high, 2)))) for values in (cpu, memory)]
    idle = both(below(cpu, bounds.io_low), below(memory, bounds.io_low))
    growth = above(measures.growth_per_week, bounds.growing_above)
    return {
        "cpu-intensive": both(above(cpu, bounds.intensive), below(memory, bounds.other_below)),
        "memory-intensive": both(above(memory, bounds.intensive), below(cpu, bounds.other_below)),
        "balanced": both(inside[0], inside[1]),
        "io-intensive": both(above(io, bounds.io_high), idle),
        "steady-state": below(measures.variation, bounds.steady_below),
        "bursty": above(measures.variation, bounds.bursty_above),
        "periodic": above(measures.strength, bounds.periodic_above),
        "growing": both(growth, above(measures.trend_weight, 0.0)),
    }
