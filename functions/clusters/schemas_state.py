"""How clusters stand, as it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from pydantic import Field

from upid.http.schemas import Answer


class LiveQuery(Answer):
    """Of which moment an answer is."""

    live: bool = Field(default=False, description="Ask the cluster now, instead of answering from what the last collection saw.")


class ClusterObservedOut(Answer):
    """When what is told was so: null before the first collection."""

    cluster_id: str
    source: Literal["live", "snapshot"]
    observed_at: str | None
    age_seconds: float | None


class ClusterCheckOut(Answer):
    """One item of a validation."""

    check: str = Field(examples=["reachable", "permission:list pods"])
    outcome: Literal["passed", "warning", "failed", "skipped"]
    detail: str
    needed: bool = Field(description="Without it nothing can be collected.")
    remedy: str = Field(description="What would mend it, empty where nothing has to be.")


class ClusterManifestsOut(Answer):
    """Manifests (YAML) of an account with the least rights: for collecting, and with what rollouts need."""

    read_only: str
    with_apply: str


class ClusterValidationOut(Answer):
    """A validation, item by item."""

    cluster_id: str
    checked_at: str
    usable: bool = Field(description="Every needed item passed.")
    can_apply: bool = Field(description="It is usable, and some kind of workload may be patched.")
    checks: list[ClusterCheckOut]
    manifests: ClusterManifestsOut

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> ClusterValidationOut:
        """Return the answer for a validation."""
        return cls.model_validate({**view, "checks": [asdict(check) for check in view["checks"]]})


class ClusterUnreadableOut(Answer):
    """A part of the cluster that could not be read."""

    what: str
    reason: str


class ClusterCollectionOut(Answer):
    """How the collection of the cluster's usage stands."""

    watermark: str | None
    lag_seconds: float | None
    step_seconds: int | None
    collection_id: str | None
    status: str | None


class ClusterStatusOut(ClusterObservedOut):
    """What is known of a cluster."""

    name: str
    server_version: str = Field(description="Empty before the first collection.")
    counts: dict[str, int] = Field(description="How many objects of each kind there are.", examples=[{"pods": 150, "nodes": 5}])
    unreadable: list[ClusterUnreadableOut] = Field(description="What the last collection could not read and sizing needs.")
    missing: list[ClusterUnreadableOut] = Field(description="Lists that are only shown and could not be read.")
    collection: ClusterCollectionOut

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> ClusterStatusOut:
        """Return the answer for a status."""
        return cls.model_validate(view)


class ClusterCircuitOut(Answer):
    """The circuit breaker to one of the cluster's systems. Open: it is not asked until some time has passed."""

    system: str = Field(examples=["kubernetes", "metrics"])
    state: Literal["closed", "open", "half_open"]
    since: str
    failures: int = Field(description="Failures in a row when it last changed.")
    last_error: str


class ClusterHealthPartOut(Answer):
    """One part of a cluster's health."""

    name: str = Field(examples=["kubernetes", "metrics", "collection", "nodes", "pods"])
    state: Literal["healthy", "degraded", "unhealthy", "unknown"]
    detail: str


class ClusterHealthOut(ClusterObservedOut):
    """How well a cluster is: as well as its worst part."""

    state: Literal["healthy", "degraded", "unhealthy", "unknown"]
    parts: list[ClusterHealthPartOut]
    circuits: list[ClusterCircuitOut] = Field(description="Circuits that ever changed; one that is not here is closed.")

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> ClusterHealthOut:
        """Return the answer for a health."""
        return cls.model_validate({**view, "parts": [asdict(part) for part in view["parts"]]})


class ClusterResourceShareOut(Answer):
    """A resource of the whole cluster. [cores or bytes]"""

    allocatable: float
    requested: float
    used: float | None = Field(description="As metrics-server tells it, null where there is none.")


class ClusterNamespaceRequestsOut(Answer):
    """What the pods of a namespace ask for."""

    name: str
    pods: int
    cpu_request_cores: float
    memory_request_bytes: float


class ClusterMetricsOut(ClusterObservedOut):
    """How much of a cluster is asked for and used."""

    nodes: int
    pods: int = Field(description="Pods that run or are going to.")
    pod_capacity: int
    cpu: ClusterResourceShareOut
    memory: ClusterResourceShareOut
    namespaces: list[ClusterNamespaceRequestsOut]

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> ClusterMetricsOut:
        """Return the answer for a cluster's metrics."""
        return cls.model_validate(view)
