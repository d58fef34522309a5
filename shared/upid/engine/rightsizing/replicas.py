"""How many pods: an autoscaler's bounds from the summed demand, and advice on the count where nothing scales it.

An autoscaler adds a pod for every `request * target` of demand. Changing the request alone moves that point, and the bounds with it: so a request that
is scaled on stays (see `rule`), the target stays, and the bounds are counted in pods of the present request at the present target. Demand is what all
pods use together, which the number of pods does not change: there is no way back from the bounds to what they are made from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.columns import RECOMMENDED, SCALING_CODES, SCALING_REASONS, UNCHANGED, WITHHELD
from upid.engine.rightsizing.current import Columns
from upid.engine.rightsizing.demand import Demand, busiest_share, demand_of
from upid.engine.rightsizing.mean_pods import mean_pods
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.seen import seen
from upid.engine.usage.profile import UsageProfile

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
FILL: Final = 0.8  # share of its request that a pod may be filled to where nothing adds pods when it is more
UNEVEN: Final = 2.0  # even shares of the demand in one pod from which pods do not divide the work


@dataclass(frozen=True, slots=True)
class ReplicasNow:
    """What scales each workload now, shape (workloads,); NaN = none.

    `replicas` [1]; `minimum`, `maximum` of its autoscaler [1]; `cpu_target`, `memory_target`: share of the request that it aims at [1];
    `cpu_request_cores`, `memory_request_bytes` of a pod, over its running containers (NaN where any has none) [cores, bytes]; `is_fixed`: its kind has no
    count of pods to choose; `is_stateful`: each pod has its own data; `largest_node_cores` [cores].
    """

    replicas: NDArray[np.int64]
    minimum: Floats
    maximum: Floats
    cpu_target: Floats
    memory_target: Floats
    cpu_request_cores: Floats
    memory_request_bytes: Floats
    is_fixed: Bools
    is_stateful: Bools
    largest_node_cores: Floats


@dataclass(frozen=True, slots=True)
class _Pods:
    """Pods that the demand asks for, shape (workloads,), whole numbers, NaN = not to be told."""

    low: Floats
    high: Floats


def scale(profile: UsageProfile, now: ReplicasNow, options: Options) -> Columns:
    """Return how many pods each workload needs, as columns of shape (workloads,) named `scaling_*`; `columns.SCALING_COLUMNS` has their meaning.

    Where an autoscaler scales on CPU or memory, its bounds are recommended: the least number of pods carries the low demand at the target, the largest
    the high one. Elsewhere a count is advised, never recommended: it is another way to save than a smaller request, not one on top. Raises ValueError
    where the shapes differ.
    """
    view = seen(profile)
    cpu, memory = demand_of(profile, view, "cpu", options), demand_of(profile, view, "memory", options)
    if len(cpu.low) != len(now.replicas):
        raise ValueError("The profile and what scales now must have the same workloads.")
    scaled = ~np.isnan(now.minimum)
    pods = _at_target(cpu, memory, now)
    filled = _filled(cpu, memory, now)
    code = _withheld(cpu, now, scaled, filled, busiest_share(profile, view, cpu, options.allowed_time_above, now.replicas))
    bounds = _bounds(pods, now, options)
    count, node = _count(filled, cpu, now, options)
    known = code < 0
    low, high = np.where(scaled, bounds.low, count), np.where(scaled, bounds.high, count)
    now_low, now_high = np.where(scaled, now.minimum, now.replicas), np.where(scaled, now.maximum, now.replicas)
    changes = known & ((low != now_low) | (high != now_high))
    held_now, held = (_pods_within(cpu, memory, now, *ends) for ends in ((now_low, now_high), (low, high)))
    status = np.where(~known, WITHHELD, np.where(changes, RECOMMENDED, UNCHANGED)).astype(np.int8)
    reasons = {
        "replicas_low_demand": scaled, "replicas_high_demand": scaled, "replicas_cpu_target": scaled & ~np.isnan(now.cpu_target), "replicas_memory_target": scaled & ~np.isnan(now.memory_target),
        "replicas_available": (low > np.where(scaled, pods.low, filled)) & (low <= _floor(now_low, options)),
        "replicas_small_change": ~changes & (np.where(scaled, pods.low, filled) != now_low), "replicas_fill": ~scaled & ~node, "replicas_node": ~scaled & node,
    }  # fmt: skip
    return {
        "scaling_kind": np.where(now.is_fixed, 0, np.where(scaled, 1, 2)).astype(np.int8), "scaling_status": status,
        "scaling_code": code.astype(np.int8), "scaling_minimum": np.where(known, low, now_low), "scaling_maximum": np.where(known, high, now_high),
        "scaling_now_minimum": now_low.astype(np.float64), "scaling_now_maximum": now_high.astype(np.float64), "scaling_low_cores": cpu.low,
        "scaling_high_cores": cpu.high, "scaling_low_bytes": memory.low, "scaling_high_bytes": memory.high,
        "scaling_reasons": np.stack([reasons[reason.code] & known for reason in SCALING_REASONS], axis=1),
        "scaling_cpu_target": now.cpu_target, "scaling_memory_target": now.memory_target,
        "scaling_pod_cores": now.cpu_request_cores, "scaling_pod_bytes": now.memory_request_bytes,
        "scaling_now_pods": held_now, "scaling_pods": np.where(changes, held, held_now),
    }  # fmt: skip


def _pods(demand: Floats, carries: Floats) -> Floats:
    """Return how many pods carry a demand, at least 1; what is a whole number but for rounding errors stays."""
    with np.errstate(invalid="ignore", divide="ignore"):
        count = np.ceil(demand / carries * (1 - 1e-9))
    return np.where(np.isfinite(count), np.maximum(count, 1), np.nan)


def _at_target(cpu: Demand, memory: Demand, now: ReplicasNow) -> _Pods:
    """Return what the autoscaler would ask for: the most of any metric that it scales on."""
    cores, size = now.cpu_request_cores * now.cpu_target, now.memory_request_bytes * now.memory_target
    return _Pods(
        np.fmax(_pods(cpu.low, cores), _pods(memory.low, size)), np.fmax(_pods(cpu.high, cores), _pods(memory.high, size))
    )  # fmt: skip


def _pods_within(cpu: Demand, memory: Demand, now: ReplicasNow, low: Floats, high: Floats) -> Floats:
    """Return how many pods run in the mean within these bounds: what the metric that asks for more asks for, or the count where nothing scales."""
    found = low.astype(np.float64)
    chosen = np.flatnonzero(~np.isnan(now.minimum))
    of_metric = (
        mean_pods(demand.weights[chosen], demand.top[chosen], (request * target)[chosen], low[chosen], high[chosen])
        for demand, request, target in ((cpu, now.cpu_request_cores, now.cpu_target), (memory, now.memory_request_bytes, now.memory_target))
    )
    found[chosen] = np.fmax(*of_metric)
    return found


def _filled(cpu: Demand, memory: Demand, now: ReplicasNow) -> Floats:
    """Return the pods whose present requests carry the high demand, filled to FILL; both resources must be known."""
    found: Floats = np.maximum(_pods(cpu.high, now.cpu_request_cores * FILL), _pods(memory.high, now.memory_request_bytes * FILL))
    return found


def _withheld(cpu: Demand, now: ReplicasNow, scaled: Bools, filled: Floats, busiest: Floats) -> NDArray[np.int64]:
    """Return the position in SCALING_CODES of why nothing can be said, the gravest first; -1 where something can."""
    on_cpu, on_memory = ~np.isnan(now.cpu_target), ~np.isnan(now.memory_target)
    unset = (on_cpu & np.isnan(now.cpu_request_cores)) | (on_memory & np.isnan(now.memory_request_bytes))
    conditions = {
        "fixed_kind": now.is_fixed,
        "stateful": now.is_stateful & ~scaled,
        "scaled_to_zero": (now.replicas == 0) | (now.minimum == 0),
        "other_metric": scaled & ~on_cpu & ~on_memory,
        "no_request": np.where(scaled, unset, np.isnan(now.cpu_request_cores) | np.isnan(now.memory_request_bytes)),
        "not_enough_data": np.isnan(cpu.high) | (~scaled & np.isnan(filled)),
        "uneven_pods": ~scaled & (busiest >= UNEVEN) & (now.replicas > 1),
    }
    return np.select(list(conditions.values()), [SCALING_CODES.index(name) for name in conditions], default=-1)


def _floor(now_low: Floats, options: Options) -> Floats:
    """Return the least number of pods: what was at least two stays at two, so that one may fail."""
    return np.minimum(np.maximum(now_low, 1), options.available_replicas)


def _held(need: Floats, now: Floats, options: Options) -> Floats:
    """Return the need where it moves by more than the hysteresis, what is there now elsewhere."""
    moves = (need > now * (1 + options.raise_hysteresis)) | (need < now * (1 - options.lower_hysteresis))
    return np.where(moves, need, now)


def _bounds(pods: _Pods, now: ReplicasNow, options: Options) -> _Pods:
    low = _held(np.maximum(pods.low, _floor(now.minimum, options)), now.minimum, options)
    high = np.maximum(_held(np.maximum(pods.high, low), now.maximum, options), low)
    return _Pods(low, high)


def _count(filled: Floats, cpu: Demand, now: ReplicasNow, options: Options) -> tuple[Floats, Bools]:
    """Return the advised count, and whether it is more because a pod's share does not fit on the largest node."""
    with np.errstate(invalid="ignore", divide="ignore"):
        node = cpu.high / np.maximum(now.replicas, 1) > now.largest_node_cores * FILL
    fewer = np.minimum(np.maximum(filled, _floor(now.replicas.astype(np.float64), options)), now.replicas)
    count = np.where(node, _pods(cpu.high, now.largest_node_cores * FILL), fewer)
    return _held(count, now.replicas.astype(np.float64), options), node
