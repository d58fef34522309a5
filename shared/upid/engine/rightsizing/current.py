"""What rows have now, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class CurrentResources:
    """What each row has now and what it is, shape (rows,). NaN = not set.

    Attributes
    ----------
    cpu_request_cores, cpu_limit_cores, memory_request_bytes, memory_limit_bytes : ndarray of float64
        [cores], [bytes]
    heap_bytes : ndarray of float64
        Largest heap that the container is told to use. [bytes]
    replicas : ndarray of int64
        Desired pods. [1]
    is_init : ndarray of bool
        An init container that ends.
    scaled_on_cpu, scaled_on_memory : ndarray of bool
        A HorizontalPodAutoscaler scales the workload on this metric's utilisation.
    is_batch : ndarray of bool
        Of a Job or CronJob: no pods now does not mean that none will come.
    largest_node_cores, largest_node_bytes : ndarray of float64
        What the largest node can give; NaN = not known. [cores], [bytes]
    shares_pod : ndarray of bool, optional
        Requests or limits are set for its whole pod; None = for no row.
    """

    cpu_request_cores: Floats
    cpu_limit_cores: Floats
    memory_request_bytes: Floats
    memory_limit_bytes: Floats
    heap_bytes: Floats
    replicas: NDArray[np.int64]
    is_init: Bools
    scaled_on_cpu: Bools
    scaled_on_memory: Bools
    is_batch: Bools
    largest_node_cores: Floats
    largest_node_bytes: Floats
    shares_pod: Bools | None = None


@dataclass(frozen=True, slots=True)
class PriceColumns:
    """Mean price of the nodes that each row's pods run on, shape (rows,). [USD per core and hour], [USD per GiB and hour]."""

    cpu_usd_per_core_hour: Floats
    memory_usd_per_gib_hour: Floats
