"""What a cluster's API lists, reduced to what sizing needs. Identity is (namespace, kind, name, uid, container), never a name alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ContainerRole = Literal["main", "sidecar", "init"]


@dataclass(frozen=True, slots=True)
class Resources:
    """Requests and limits of one container; None = not set. [cores, bytes]"""

    cpu_request_cores: float | None = None
    cpu_limit_cores: float | None = None
    memory_request_bytes: float | None = None
    memory_limit_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a workload's pod template.

    `role` is `sidecar` for an init container with restartPolicy Always, `init` for one that ends. `heap_bytes` is the largest
    heap that its command line or environment tells the runtime to use (-Xmx, GOMEMLIMIT ...), None where none is told. [bytes]
    `shares_pod`: requests or limits are set for its whole pod, and its own must stay below those.
    """

    name: str
    resources: Resources = field(default_factory=Resources)
    role: ContainerRole = "main"
    image: str = ""
    heap_bytes: float | None = None
    ports: tuple[int, ...] = ()
    shares_pod: bool = False


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """A HorizontalPodAutoscaler of a workload. `cpu_utilization`, `memory_utilization`: target share of the request [%], None = not scaled by it.

    managed_by: what made it and keeps it as it is, as `kind/name`, "" = nothing does.
    """

    name: str
    min_replicas: int
    max_replicas: int
    cpu_utilization: float | None = None
    memory_utilization: float | None = None
    managed_by: str = ""


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload as the API lists it; `replicas` is the desired count (pods of a DaemonSet, parallelism of a Job, active pods of a CronJob).

    `node_names` are the nodes that its live pods run on, with repetition, for prices. `created_at`: seconds since the epoch.
    """

    namespace: str
    kind: str
    name: str
    uid: str
    replicas: int
    containers: tuple[Container, ...]
    created_at: float = 0.0
    labels: tuple[tuple[str, str], ...] = ()
    autoscaler: Autoscaler | None = None
    node_names: tuple[str, ...] = ()
    ready_replicas: int | None = None


@dataclass(frozen=True, slots=True)
class Pod:
    """A live pod and the workload that owns it at the end of its owner chain, by uid. `created_at`: seconds since the epoch, 0 = not told."""

    namespace: str
    name: str
    uid: str
    workload_uid: str
    node_name: str = ""
    phase: str = ""
    created_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Claim:
    """A PersistentVolumeClaim: what it asks for, what it got [bytes], and the workload whose pods mount it.

    workload_uid: "" = no pod mounts it. Where pods of several workloads do, the first by namespace, kind and name. None: the API does not tell (yet), or
    may not be asked for claims: a claim is known by the pods that mount it all the same. What it holds is in the usage history (`upid.domain.metrics`).
    """

    namespace: str
    name: str
    workload_uid: str = ""
    request_bytes: float | None = None
    capacity_bytes: float | None = None
    storage_class: str = ""
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A node: what it can give [cores, bytes] and what its price depends on ("" = unknown)."""

    name: str
    uid: str
    cpu_cores: float
    memory_bytes: float
    instance_type: str = ""
    region: str = ""
    capacity_type: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part of the cluster that could not be read, and why."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """A cluster at one moment. `replica_sets` maps (namespace, ReplicaSet) to the owning workload's uid, `jobs` the same for Jobs, for owner chains."""

    workloads: tuple[Workload, ...]
    pods: tuple[Pod, ...]
    nodes: tuple[Node, ...]
    namespaces: tuple[str, ...]
    unreadable: tuple[Unreadable, ...] = ()
    replica_sets: tuple[tuple[str, str, str], ...] = ()
    jobs: tuple[tuple[str, str, str], ...] = ()
    server_version: str = ""
    claims: tuple[Claim, ...] = ()
