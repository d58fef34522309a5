"""Bottlenecks: the utilisation law, asymptotic bounds, and queueing estimates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from upid.engine.performance.bottlenecks import Bottleneck, find_bottleneck, response_at
from upid.engine.performance.queues import wait_quantile
from upid.services.models.telling import Answer, head, shown

BUSY: Final = 0.8  # utilisation above which waits grow faster than load
ASSUMED: Final = 0.6  # confidence of estimates that rest on Poisson arrivals and exponential service


def detect_bottleneck(request: Mapping[str, Any]) -> Answer:
    """Return what limits the system as `BottleneckOut` names it."""
    resources, throughput = request["resources"], request["throughput_per_second"]
    utilization = np.array([each["utilization"] for each in resources], dtype=np.float64)
    servers = np.array([each["servers"] for each in resources], dtype=np.int64)
    found = find_bottleneck(throughput, utilization, servers, think_seconds=request["think_seconds"])
    waits = wait_quantile(found.queue, found.demand_seconds, servers, 0.95)
    stations = [_station(found, waits, i, each) for i, each in enumerate(resources)]
    steps = np.array(request["growth_steps"], dtype=np.float64)
    answers = response_at(found, servers, steps * throughput)
    responses = [
        shown({"growth": g, "throughput_per_second": g * throughput, "response_seconds": r}) for g, r in zip(steps, answers, strict=True)
    ]
    figures = shown({
        "most_throughput_per_second": found.most_throughput, "growth_left": found.growth - 1, "saturation_users": found.saturation_users,
        "least_response_seconds": found.least_response_seconds,
    })  # fmt: skip
    used = bool(utilization[found.index] > 0)
    name = {"bottleneck": resources[found.index]["name"] if used else None}
    asked = {"queue": "M/M/c", "think_seconds": request["think_seconds"], "throughput_per_second": throughput}
    ordered = [stations[i] for i in np.argsort(-utilization, kind="stable")]
    top = head("utilization-law", asked, _warnings(request, found), ASSUMED if used else None)
    return top | name | figures | {"resources": ordered, "responses": responses}


def _station(found: Bottleneck, waits: Any, row: int, each: Mapping[str, Any]) -> Answer:
    queue = found.queue
    return shown({
        "name": each["name"], "utilization": each["utilization"], "servers": each["servers"], "demand_seconds": found.demand_seconds[row],
        "most_throughput_per_second": found.most_per_second[row], "wait_probability": queue.wait_probability[row],
        "mean_wait_seconds": queue.wait_seconds[row], "p95_wait_seconds": waits[row], "mean_response_seconds": queue.response_seconds[row],
        "mean_waiting": queue.waiting[row],
    })  # fmt: skip


def _warnings(request: Mapping[str, Any], found: Bottleneck) -> list[str]:
    told = ["Waits assume Poisson arrivals, exponential service and equal servers: real ones are shorter where both are steadier."]
    top = request["resources"][found.index]
    if top["utilization"] >= 1:
        told.append(f"{top['name']} is busy all the time: its demand is a lower bound, and its wait has no end.")
    elif top["utilization"] > BUSY:
        told.append(f"{top['name']} is busy {top['utilization']:.0%} of the time: small growth makes long waits.")
    if not math.isfinite(found.most_throughput):
        told.append("No resource is used, so none limits.")
    return told
