"""The classes, what each means, and what classification is asked. Light: API groups import it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple


class ClassType(NamedTuple):
    """A class: `measures` are what it is judged by, `bounds` the thresholds."""

    id: str
    group: str
    title: str
    definition: str
    measures: tuple[str, ...]
    bounds: tuple[str, ...] = ()


TYPES: Final = (
    ClassType("cpu-intensive", "resources", "CPU-intensive", "CPU use above `intensive` of the request, memory below `other_below`.",
              ("cpu_utilization", "memory_utilization"), ("intensive", "other_below")),
    ClassType("memory-intensive", "resources", "Memory-intensive", "Memory use above `intensive` of the request, CPU below `other_below`.",
              ("cpu_utilization", "memory_utilization"), ("intensive", "other_below")),
    ClassType("balanced", "resources", "Balanced", "CPU and memory from `balanced_low` to `balanced_high` of the request.",
              ("cpu_utilization", "memory_utilization"), ("balanced_low", "balanced_high")),
    ClassType("io-intensive", "resources", "I/O-intensive", "Disk or network above `io_high` of its capacity, CPU and memory below `io_low`.",
              ("io_utilization", "cpu_utilization", "memory_utilization"), ("io_high", "io_low")),
    ClassType("steady-state", "traffic", "Steady-state", "Coefficient of variation below `steady_below`.", ("variation",), ("steady_below",)),
    ClassType("bursty", "traffic", "Bursty", "Coefficient of variation above `bursty_above`.", ("variation",), ("bursty_above",)),
    ClassType("periodic", "traffic", "Periodic", "A daily, weekly or monthly cycle explains more than `periodic_above` of the variance.",
              ("cycle_strength",), ("periodic_above",)),
    ClassType("growing", "traffic", "Growing", "A significant upward trend of more than `growing_above` a week.", ("growth_per_week", "trend_weight"),
              ("growing_above",)),
    ClassType("web-application", "application", "Web application", "HTTP ports, web servers, daily traffic.", ("ports", "images", "kind")),
    ClassType("batch-job", "application", "Batch job", "Jobs, CronJobs, workers.", ("ports", "images", "kind")),
    ClassType("database", "application", "Database", "Database images and ports, StatefulSets.", ("ports", "images", "kind")),
    ClassType("microservice", "application", "Microservice", "Service meshes, RPC ports, small replicated services.", ("ports", "images", "kind")),
    ClassType("horizontal", "scaling", "Horizontal scaler", "More than one replica.", ("replicas",)),
    ClassType("vertical", "scaling", "Vertical scaler", "One replica of at least `large_cores` or `large_bytes`.",
              ("replicas", "cpu_request_cores", "memory_request_bytes"), ("large_cores", "large_bytes")),
    ClassType("elastic", "scaling", "Elastic", "An autoscaler sets the number of replicas.", ("autoscaled",)),
    ClassType("static", "scaling", "Static", "No autoscaler: replicas and resources are fixed.", ("autoscaled",)),
)  # fmt: skip
BY_ID: Final = {each.id: each for each in TYPES}
LARGE: Final = {"large_cores": 2.0, "large_bytes": 4 * 2.0**30}
DEFAULTS: Final = {
    "intensive": 0.7, "other_below": 0.5, "balanced_low": 0.4, "balanced_high": 0.7, "io_high": 0.7, "io_low": 0.4, "steady_below": 0.1,
    "bursty_above": 0.5, "growing_above": 0.05, "periodic_above": 0.3, **LARGE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """A workload as it is classified; None = not known. `hours`: time that its measures are of, None = taken as enough."""

    name: str
    namespace: str = ""
    kind: str = ""
    uid: str = ""
    cpu_utilization: float | None = None
    memory_utilization: float | None = None
    io_utilization: float | None = None
    variation: float | None = None
    growth_per_week: float | None = None
    trend_weight: float | None = None
    daily: float | None = None
    weekly: float | None = None
    monthly: float | None = None
    replicas: int | None = None
    autoscaled: bool | None = None
    cpu_request_cores: float | None = None
    memory_request_bytes: float | None = None
    cpu_cores: float | None = None
    memory_bytes: float | None = None
    images: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    containers: tuple[str, ...] = ()
    hours: float | None = None

    @property
    def cycle_strength(self) -> float | None:
        """The strength of the strongest known cycle."""
        return max((each for each in (self.daily, self.weekly, self.monthly) if each is not None), default=None)

    @property
    def cycle(self) -> str | None:
        """The strongest known cycle."""
        known = {name: getattr(self, name) for name in ("daily", "weekly", "monthly") if getattr(self, name) is not None}
        return max(known, key=lambda name: float(known[name])) if known else None

    def who(self) -> dict[str, Any]:
        """Return what names it."""
        return {"namespace": self.namespace, "kind": self.kind, "name": self.name, "uid": self.uid}


@dataclass(frozen=True, slots=True)
class ClassificationRequest:
    """Which workloads of a cluster, and with which thresholds in place of the defaults."""

    cluster_id: str
    namespaces: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vector:
    """A workload as given figures; None = not known."""

    name: str
    features: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class SimilarityRequest:
    """What to compare: the workloads of a cluster, or given `vectors`. `within`: distance that joins two into a group."""

    cluster_id: str | None = None
    namespaces: tuple[str, ...] = ()
    vectors: tuple[Vector, ...] = ()
    nearest: int = 5
    within: float = 0.5
