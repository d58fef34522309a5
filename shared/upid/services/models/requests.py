"""What models are asked, as API groups say it: without numerics, so that they start fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from upid.services.series import Asked


class Question(NamedTuple):
    """What a model over series is asked: the series, and everything else of the request by name."""

    asked: Asked
    request: Mapping[str, Any]


class Reservation(NamedTuple):
    """One resource of a workload: what is reserved of it, its price (None = the default rate) [USD per unit and hour], and the use that is asked for."""

    resource: str
    reserved: float
    usd_per_unit_hour: float | None
    asked: Asked


class XyQuestion(NamedTuple):
    """A regression: y on x by name; `columns` None = of each series over its time."""

    columns: tuple[Sequence[float], Sequence[float]] | None
    question: Question | None
    request: Mapping[str, Any]


class SizingPod(NamedTuple):
    """Use of one pod's container on the grid of its container; None = missing. throttled: share of CFS periods."""

    cpu_cores: Sequence[float | None]
    memory_bytes: Sequence[float | None]
    throttled: Sequence[float | None]
    oom_kills: int
    restarts: int


class SizingContainer(NamedTuple):
    """A container to size: its pods' use on a grid, and what it has now (names as `Resources` has them). `pointer`: where it stands in the request."""

    name: str
    pointer: str
    start: int | None
    step_seconds: int
    pods: Sequence[SizingPod]
    current: Mapping[str, float | None]
    replicas: int
    heap_bytes: float | None


class SizingQuestion(NamedTuple):
    """What is sized: containers of the request, or `stored` usage by cluster_id, namespace, kind, workload and container."""

    containers: Sequence[SizingContainer]
    stored: Mapping[str, str] | None
    strategy: str
    allowed_time_above: float | None
