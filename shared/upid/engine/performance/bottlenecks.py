"""Which resource limits a system, and what that means: the operational laws and asymptotic bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.performance.queues import Queue, mmc_queue

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """Of each resource, shape (resources,): `demand_seconds` of one completion, `most_per_second` that it could do, its `queue` at today's throughput.

    Of the system: `index` of the resource that limits, `most_throughput` [1/s] and how many times today's that is (`growth`, inf where nothing is
    used), `saturation_users` (the closed system's knee) and `least_response_seconds`.
    """

    demand_seconds: Floats
    most_per_second: Floats
    queue: Queue
    index: int
    most_throughput: float
    growth: float
    saturation_users: float
    least_response_seconds: float


def find_bottleneck(throughput: float, utilization: Floats, servers: Integers, *, think_seconds: float = 0.0) -> Bottleneck:
    """Return the resource that saturates first, by the utilisation law: demand = utilisation * servers / throughput [1]_.

    The response of the whole is the sum of its resources'; the knee of a closed system is (sum of demands + think time) / largest demand per server.

    Parameters
    ----------
    throughput : float
        Completions of the system, > 0. [1/s]
    utilization : ndarray, shape (resources,)
        Mean share of time that a server of each resource is busy, in [0, 1]. [1]
    servers : ndarray, shape (resources,)
        Cores, disks, workers: from 1 to 100,000. [1]
    think_seconds : float
        Time of a user between two requests, >= 0. [s]

    Raises
    ------
    ValueError
        If an input is outside of that.

    References
    ----------
    .. [1] E. D. Lazowska, J. Zahorjan, G. S. Graham and K. C. Sevcik, Quantitative System Performance. Prentice Hall, 1984, chapters 3 and 5.
    """
    if not (np.isfinite(throughput) and throughput > 0) or not (np.isfinite(think_seconds) and think_seconds >= 0):
        raise ValueError("throughput must be finite and above 0, think_seconds 0 or more.")
    if not len(utilization) or not ((utilization >= 0) & (utilization <= 1)).all():
        raise ValueError("utilization must be in [0, 1], of one resource or more.")
    demand = utilization * servers / throughput
    with np.errstate(divide="ignore", over="ignore"):
        most = np.where(utilization > 0, throughput / utilization, np.inf)
    index = int(np.argmax(utilization))
    queue = mmc_queue(np.full(len(demand), throughput), demand, servers)
    largest = float((demand / servers)[index])
    knee = (float(demand.sum()) + think_seconds) / largest if largest > 0 else float("inf")
    return Bottleneck(
        demand, most, queue, index, float(most[index]), float(most[index]) / throughput, knee, float(demand.sum())
    )  # fmt: skip


def response_at(bottleneck: Bottleneck, servers: Integers, throughputs: Floats) -> Floats:
    """Return the mean response of the whole at other throughputs, M/M/c at each resource, shape (throughputs,); inf from the bottleneck's limit on. [s]."""
    count = len(servers)
    rates = np.repeat(throughputs, count)
    queue = mmc_queue(rates, np.tile(bottleneck.demand_seconds, len(throughputs)), np.tile(servers, len(throughputs)))
    found: Floats = queue.response_seconds.reshape(len(throughputs), count).sum(axis=1)
    return found
