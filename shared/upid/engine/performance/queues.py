"""Queues of many stations at once: Erlang's formulas and the M/M/c queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
MOST_SERVERS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Queue:
    """Steady state of M/M/c queues, shape (stations,). inf where the load is at or above what the servers can do.

    `utilization` [1] is busy servers / servers; `wait_probability` [1] that an arrival waits; `wait_seconds` and `response_seconds` are means,
    `waiting` and `present` mean numbers of customers.
    """

    utilization: Floats
    wait_probability: Floats
    wait_seconds: Floats
    response_seconds: Floats
    waiting: Floats
    present: Floats


def erlang_b(offered: Floats, servers: Integers) -> Floats:
    """Return the probability that all servers are busy where nobody waits (Erlang's loss formula), shape (stations,). [1].

    B(0) = 1, 1 / B(k) = 1 + k / a / B(k - 1) [1]_. Each step is well conditioned: the relative error grows by a few ulp per server. Cost: O(servers).

    Parameters
    ----------
    offered : ndarray, shape (stations,)
        Arrival rate times service time, finite and >= 0. [erlang]
    servers : ndarray, shape (stations,)
        From 1 to 100,000. [1]

    Raises
    ------
    ValueError
        If an input is outside of that.

    References
    ----------
    .. [1] A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic telephone exchanges," Post Office
       Electrical Engineers' Journal, vol. 10, 1917; recursion as in V. B. Iversen, Teletraffic Engineering Handbook, ITU-D, 2001, section 7.3.
    """
    if offered.shape != servers.shape or not (np.isfinite(offered) & (offered >= 0)).all():
        raise ValueError("offered must be finite and >= 0, and servers of the same shape.")
    if not ((servers >= 1) & (servers <= MOST_SERVERS)).all():
        raise ValueError(f"servers must be from 1 to {MOST_SERVERS}.")
    blocked, found = np.ones(len(offered)), np.ones(len(offered))
    for k in range(1, int(servers.max(initial=0)) + 1):
        # a B / (k + a B), written so that a tiny `a` does not underflow the whole.
        blocked = offered * blocked / (k + offered * blocked)
        found = np.where(servers == k, blocked, found)
    return found


def erlang_c(offered: Floats, servers: Integers) -> Floats:
    """Return the probability that an arrival waits in an M/M/c queue (Erlang's delay formula), shape (stations,); 1 at or above saturation. [1].

    C = B / (1 - rho (1 - B)), rho = offered / servers, B from `erlang_b`, whose input and errors these are.
    """
    lost = erlang_b(offered, servers)
    rho = offered / servers
    # 1 - rho from the difference of what was given: 1 - offered / servers would lose digits near saturation.
    free = (servers - offered) / servers
    with np.errstate(invalid="ignore", divide="ignore"):
        waits = lost / (free + rho * lost)
    return np.where(rho < 1, waits, 1.0)


def mmc_queue(arrivals_per_second: Floats, service_seconds: Floats, servers: Integers) -> Queue:
    """Return the steady state of M/M/c queues: Poisson arrivals, exponential service, c equal servers, first come first served [1]_.

    Parameters
    ----------
    arrivals_per_second : ndarray, shape (stations,)
        Finite, >= 0. [1/s]
    service_seconds : ndarray, shape (stations,)
        Mean time that one server needs for one customer, finite, >= 0. [s]
    servers : ndarray, shape (stations,)
        From 1 to 100,000. [1]

    Raises
    ------
    ValueError
        If an input is outside of that, or its product overflows.

    References
    ----------
    .. [1] L. Kleinrock, Queueing Systems, vol. 1. New York: Wiley, 1975, section 3.5.
    """
    if not (np.isfinite(service_seconds) & (service_seconds >= 0) & np.isfinite(arrivals_per_second) & (arrivals_per_second >= 0)).all():
        raise ValueError("arrivals_per_second and service_seconds must be finite and >= 0.")
    offered = arrivals_per_second * service_seconds
    waits = erlang_c(offered, servers)
    stable = offered < servers
    with np.errstate(invalid="ignore", divide="ignore"):
        wait = np.where(stable, waits * service_seconds / (servers - offered), np.inf)
        waiting = np.where(stable, waits * offered / (servers - offered), np.inf)
    return Queue(offered / servers, waits, wait, wait + service_seconds, waiting, waiting + offered)


def wait_quantile(queue: Queue, service_seconds: Floats, servers: Integers, probability: float) -> Floats:
    """Return the waiting time that a share of arrivals stays within, shape (stations,); inf at or above saturation. [s].

    P(W > t) = C exp(-(c / s - lambda) t), so t = max(0, ln(C / (1 - p)) s / (c - a)).

    Raises
    ------
    ValueError
        If probability is outside (0, 1).
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability must be in (0, 1), got {probability}.")
    stable = queue.utilization < 1
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(queue.wait_probability / (1 - probability)) * service_seconds / (servers * (1 - queue.utilization))
    return np.where(stable, np.maximum(np.nan_to_num(found, nan=0.0, neginf=0.0), 0.0), np.inf)
