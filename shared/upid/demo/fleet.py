"""The nodes of the demo cluster: enough of real instance types for what the workloads ask."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from upid.demo.chance import uid
from upid.demo.plan import PlannedNode
from upid.demo.specs import ContainerSpec, WorkloadSpec
from upid.domain.quantities import parse_quantity

REGION: Final = "eu-west-1"
GIB: Final = 2**30
TYPES: Final = (
    ("m6i.4xlarge", "on-demand", 16, 64), ("m6i.4xlarge", "on-demand", 16, 64), ("r6i.2xlarge", "on-demand", 8, 64), ("m6i.2xlarge", "spot", 8, 32),
    ("c6i.4xlarge", "on-demand", 16, 32),
)  # fmt: skip
FULL: Final = 0.8  # share of a node that requests fill


def node_count(specs: Sequence[WorkloadSpec]) -> int:
    """Return how many nodes hold the requests of all workloads."""
    asked_cores = sum(spec.replicas * _asked(c.cpu_request) for spec in specs for c in _running(spec))
    asked_bytes = sum(spec.replicas * _asked(c.memory_request) for spec in specs for c in _running(spec))
    per_node_cores = sum(cores for _, _, cores, _ in TYPES) / len(TYPES)
    per_node_bytes = sum(gib for _, _, _, gib in TYPES) / len(TYPES) * GIB
    return max(3, math.ceil(asked_cores / (per_node_cores * FULL)), math.ceil(asked_bytes / (per_node_bytes * FULL)))


def nodes(seed: int, count: int) -> tuple[PlannedNode, ...]:
    """Return this many nodes."""
    return tuple(_node(seed, index) for index in range(count))


def _node(seed: int, index: int) -> PlannedNode:
    instance_type, capacity, cores, gib = TYPES[index % len(TYPES)]
    address = f"10.0.{index // 200}.{index % 200 + 10}"
    name = f"ip-{address.replace('.', '-')}.{REGION}.compute.internal"
    return PlannedNode(name, uid(f"{seed}/node/{index}"), address, instance_type, capacity, f"{REGION}{'abc'[index % 3]}", cores, gib * GIB)


def _running(spec: WorkloadSpec) -> list[ContainerSpec]:
    return [container for container in spec.containers if container.role != "init"]


def _asked(quantity: str) -> float:
    return parse_quantity(quantity) if quantity else 0.0
