"""Our rule on a fit window: folded to a profile and sized as every analysis does it."""

from __future__ import annotations

import numpy as np

from upid.engine.rightsizing.current import CurrentResources
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.published.window import Window
from upid.engine.rightsizing.rule import size
from upid.engine.rightsizing.seen import seen
from upid.engine.rightsizing.yardstick.trace import Floats, Resource
from upid.engine.usage.folding import fold
from upid.engine.usage.profile import empty_profile
from upid.engine.usage.samples import Samples


def our_requests(window: Window, resource: Resource, capacity: Floats, knobs: tuple[float, ...]) -> Floats:
    """Return the requests at each knob, all else default, for containers of which nothing is set yet, shape (knobs, rows). [cores or bytes].

    They are what is needed before floors and rounding, which are made for containers and not for whole machines; NaN below the minimum data.
    """
    samples = _samples(window, resource)
    view, current = seen(fold(empty_profile(samples.workload), samples)), _nothing_set(resource, capacity)
    sized = (size(view, current, Options(allowed_time_above=knob)) for knob in knobs)
    if resource == "cpu":
        return np.stack([np.where(each.cpu_enough, each.cpu_need.request, np.nan) for each in sized])
    return np.stack([np.where(each.memory_enough, each.memory_need.request, np.nan) for each in sized])


def _samples(window: Window, resource: Resource) -> Samples:
    rows = len(window.values)
    values = window.values.astype(np.float32)
    none = np.full_like(values, np.nan)
    nothing = np.zeros(rows, dtype=np.int32)
    return Samples(
        window.start, window.step_seconds, values if resource == "cpu" else none, values if resource == "memory" else none, none,
        nothing, nothing, np.full(rows, np.nan), np.arange(rows), np.arange(rows),
    )  # fmt: skip


def _nothing_set(resource: Resource, capacity: Floats) -> CurrentResources:
    unset = np.full(len(capacity), np.nan)
    no = np.zeros(len(capacity), dtype=bool)
    return CurrentResources(
        unset, unset, unset, unset, unset, np.ones(len(capacity), dtype=np.int64), no, no, no, no,
        capacity if resource == "cpu" else unset, capacity if resource == "memory" else unset,
    )  # fmt: skip
