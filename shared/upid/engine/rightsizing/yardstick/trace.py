"""A trace: one resource's use of many containers on one grid, and the fit windows and horizons that it is cut into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.published.window import Window

Floats = NDArray[np.float64]
Resource = Literal["cpu", "memory"]


@dataclass(frozen=True, slots=True)
class Trace:
    """Use of one resource. `values`: shape (containers, steps), NaN = not running; `capacity`: shape (containers,), NaN = not known. [cores or bytes]."""

    resource: Resource
    values: Floats
    start: int
    step_seconds: int
    capacity: Floats

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.capacity.shape != self.values.shape[:1]:
            raise ValueError(f"A trace is containers x steps with one capacity each, got {self.values.shape} and {self.capacity.shape}.")
        if self.step_seconds <= 0:
            raise ValueError(f"step_seconds must be above 0, got {self.step_seconds}.")
        if np.isinf(self.values).any() or (self.values < 0).any():
            raise ValueError("Use must be 0 or more and finite; NaN where a container does not run.")


@dataclass(frozen=True, slots=True)
class Cut:
    """What every rule sees, and what comes then, shape (containers, horizon steps)."""

    seen: Window
    after: Floats


def cuts(trace: Trace, *, fit_days: float, horizon_days: float) -> Iterator[Cut]:
    """Yield fit windows and horizons, moved on by a horizon each time, as long as a whole horizon is there.

    Raises
    ------
    ValueError
        If either is shorter than a step.
    """
    fit, horizon = (int(days * 86400 // trace.step_seconds) for days in (fit_days, horizon_days))
    if fit < 1 or horizon < 1:
        raise ValueError(f"Fit window and horizon must be a step of {trace.step_seconds} s at least.")
    for begin in range(0, trace.values.shape[1] - fit - horizon + 1, horizon):
        middle = begin + fit
        seen = Window(trace.values[:, begin:middle], trace.start + begin * trace.step_seconds, trace.step_seconds)
        yield Cut(seen, trace.values[:, middle : middle + horizon])
