"""Every request that the yardstick judges: of the published rules and of ours over its knob, for each container and day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.published.rules import CPU_RULES, MEMORY_RULES
from upid.engine.rightsizing.yardstick.ours import our_requests
from upid.engine.rightsizing.yardstick.trace import Floats, Trace, cuts

HONEST_KNOBS: Final = (0.1, 0.05, 0.02, 0.01)
KNOBS: Final = tuple(sorted({*HONEST_KNOBS, *(float(f"{knob:.3g}") for knob in np.geomspace(0.5, 1e-6, 28))}, reverse=True))


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests capped at capacity, shape (points, days, containers), the rules first and our knobs behind them; NaN = none. [cores or bytes].

    `starts`: where each horizon begins [s since the epoch]; `after`: use in it, each of shape (containers, steps).
    """

    rules: tuple[str, ...]
    knobs: tuple[float, ...]
    values: Floats
    starts: NDArray[np.int64]
    after: list[Floats]


def all_requests(trace: Trace, *, fit_days: float, horizon_days: float) -> Requests:
    """Return what each rule asks for on each day, seeing its fit window alone.

    Raises
    ------
    ValueError
        If the trace is shorter than a fit window and a horizon.
    """
    rules = CPU_RULES if trace.resource == "cpu" else MEMORY_RULES
    days, starts, after = [], [], []
    for cut in cuts(trace, fit_days=fit_days, horizon_days=horizon_days):
        published = np.stack([rule(cut.seen) for rule in rules.values()])
        both = np.concatenate([published, our_requests(cut.seen, trace.resource, trace.capacity, KNOBS)])
        days.append(np.where(np.isnan(both), np.nan, np.fmin(both, trace.capacity)))
        starts.append(cut.seen.start + cut.seen.step_seconds * cut.seen.values.shape[1])
        after.append(cut.after)
    if not days:
        raise ValueError(f"A trace of {trace.values.shape[1]} steps has no {fit_days:g} days and {horizon_days:g} after them.")
    return Requests(tuple(rules), KNOBS, np.stack(days, axis=1), np.asarray(starts, dtype=np.int64), after)
