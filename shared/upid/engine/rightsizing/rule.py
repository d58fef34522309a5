"""The sizing rule on what is seen, for both resources: the same for advice and for its back-test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.cost.savings import reserved
from upid.engine.rightsizing.advice import Advice, Bounds, Need, advise, is_guaranteed
from upid.engine.rightsizing.batch import run_counts
from upid.engine.rightsizing.cpu import THROTTLED_RAMP, CpuNeed, cpu_need, is_lower_bound
from upid.engine.rightsizing.current import CurrentResources
from upid.engine.rightsizing.memory import MemoryNeed, memory_need
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.seen import Seen
from upid.engine.usage.daily import Daily

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
BURST_FACTOR = 1.5  # a burst limit above the need at a tenth of the allowed time


@dataclass(frozen=True, slots=True)
class Sized:
    """Needs and advice of all rows. `cpu_enough`, `memory_enough`: whether there is enough data to say anything.

    by_resident: whether the memory request is made of resident sets: then that is the use that it is judged by.
    """

    cpu_need: CpuNeed
    memory_need: MemoryNeed
    cpu: Advice
    memory: Advice
    cpu_enough: Bools
    memory_enough: Bools
    by_resident: Bools


def is_enough(seen: Seen, daily: Daily, options: Options) -> Bools:
    """Tell which rows have the minimum data: steps of any pod, never summed over pods, and the time that they cover; or runs of a Job."""
    steps = seen.steps.sum(axis=1)
    counted = np.minimum(daily.count.sum(axis=1), steps)
    enough = (counted >= options.minimum_samples) & (counted * seen.step_seconds / 3600 >= options.minimum_hours)
    result: Bools = enough | ((run_counts(seen) >= options.minimum_runs) & (counted > 0))
    return result


def size(seen: Seen, current: CurrentResources, options: Options) -> Sized:
    """Return what each row needs and is advised by what is seen of it."""
    cpu, guaranteed = cpu_need(seen, options), is_guaranteed(current)
    memory = memory_need(seen, current.memory_limit_bytes, current.heap_bytes, cpu.likely_growth, options)
    cpu_enough, memory_enough = is_enough(seen, seen.cpu_daily, options), is_enough(seen, seen.memory_daily, options)
    cpu_advice = advise(
        _cpu(cpu, current, guaranteed=guaranteed, enough=cpu_enough, options=options), current.cpu_request_cores, current.cpu_limit_cores,
        Bounds(options.cpu_floor_cores, options.cpu_rounding_cores, current.largest_node_cores),
        frozen=current.scaled_on_cpu, guaranteed=guaranteed, options=options,
    )  # fmt: skip
    request = np.where(memory_enough, np.where(guaranteed, memory.limit, memory.request), np.nan)
    memory_advice = advise(
        Need(request, memory.limit, np.ones(len(request), dtype=bool), np.zeros(len(request), dtype=bool)), current.memory_request_bytes, current.memory_limit_bytes,
        Bounds(options.memory_floor_bytes, options.memory_rounding_bytes, current.largest_node_bytes),
        frozen=current.scaled_on_memory | memory.is_leak, guaranteed=guaranteed, options=options,
    )  # fmt: skip
    return Sized(cpu, memory, cpu_advice, memory_advice, cpu_enough, memory_enough, ~np.isnan(memory.resident) & ~guaranteed)


def _cpu(need: CpuNeed, current: CurrentResources, *, guaranteed: Bools, enough: Bools, options: Options) -> Need:
    """Return the CPU need: never below the current request where throttling hides demand; a limit only for class Guaranteed or where asked for.

    A limit lets start-ups through, so of class Guaranteed the request does too; a limit that throttles start-ups does harm.
    """
    request = np.where(guaranteed, np.fmax(need.tight, need.startup), need.request)
    floor = is_lower_bound(need.throttled) * reserved(current.cpu_request_cores, current.cpu_limit_cores)
    request = np.where(enough, np.maximum(request, floor), np.nan)
    wants = guaranteed if options.cpu_limit == "none" else np.ones(len(request), dtype=bool)
    limit = np.where(guaranteed, request, np.fmax(np.fmax(need.tight * BURST_FACTOR, need.startup), request))
    harmful = (need.throttled >= THROTTLED_RAMP[0]) | (need.startup_throttled >= THROTTLED_RAMP[1])
    return Need(request, limit, wants, ~wants & harmful)
