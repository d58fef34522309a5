"""From usage to recommendations, for all rows at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.options import Options
from upid.engine.usage.evidence import Evidence
from upid.engine.usage.profile import UsageProfile

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


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
    largest_node_cores, largest_node_bytes : ndarray of float64
        What the largest node can give; NaN = not known. [cores], [bytes]
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
    largest_node_cores: Floats
    largest_node_bytes: Floats


@dataclass(frozen=True, slots=True)
class PriceColumns:
    """Mean price of the nodes that each row's pods run on, shape (rows,). [USD per core and hour], [USD per GiB and hour]."""

    cpu_usd_per_core_hour: Floats
    memory_usd_per_gib_hour: Floats


@dataclass(frozen=True, slots=True)
class Assessment:
    """What each row needs. `columns`: name -> array of shape (rows,); `upid.engine.rightsizing.columns` names them all with unit and meaning of NaN."""

    columns: dict[str, NDArray[np.generic]]


def assess(profile: UsageProfile, evidence: Evidence, current: CurrentResources, prices: PriceColumns, options: Options) -> Assessment:
    """Return what every row needs, why, how sure that is, what it would have done on the held-out tail, and what it saves.

    A row without enough data, or with input that is no number, is withheld or left unchanged with a code; a NaN never counts as fine.

    Raises
    ------
    ValueError
        If the arrays' shapes differ.
    """
    raise NotImplementedError
