"""The demo cluster in time: which workloads, revisions, pods and container runs there are, from a seed, a size and an anchor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from upid.demo.specs import WorkloadSpec

FOREVER: Final = 1 << 40
DAY: Final = 86400


@dataclass(frozen=True, slots=True)
class Scale:
    """What a cluster follows from. `anchor`: the moment that ages count back from, whole hours [s]; `until`: how far ahead it is planned [s]."""

    seed: int
    pods: int
    anchor: int
    until: int


@dataclass(frozen=True, slots=True)
class Revision:
    """A ReplicaSet of a Deployment or a Job of a CronJob, in [start, end)."""

    name: str
    uid: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A workload with its identity. `revisions`: what stands between it and its pods, oldest first."""

    index: int
    spec: WorkloadSpec
    uid: str
    created: int
    revisions: tuple[Revision, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """A node of a real instance type."""

    name: str
    uid: str
    address: str
    instance_type: str
    capacity_type: str
    zone: str
    cpu_cores: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class PlannedPod:
    """A pod in [start, end). `owner`: kind, name and uid of what controls it, None = nothing."""

    index: int
    workload: Planned
    name: str
    uid: str
    start: int
    end: int
    node: PlannedNode
    owner: tuple[str, str, str] | None
    address: str


def claim_of(pod: PlannedPod) -> str:
    """Return the name of the PersistentVolumeClaim of a pod, "" where it has none: volume, workload and number, as a StatefulSet names it."""
    volume = pod.workload.spec.volume
    return f"{volume.name}-{pod.name}" if volume else ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a container of a pod in [start, end); `number` counts its restarts before."""

    pod: PlannedPod
    position: int
    number: int
    start: int
    end: int
    id: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole cluster."""

    scale: Scale
    nodes: tuple[PlannedNode, ...]
    workloads: tuple[Planned, ...]
    pods: tuple[PlannedPod, ...]
    runs: tuple[Run, ...] = field(repr=False)
