"""What collectors take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from functions.metrics.schemas.collections import CollectionErrorOut, CollectionQualityOut, FamilyResultOut, GapOut, duration_text
from upid.domain.clusters import MetricsKind
from upid.domain.metrics import FamilyName, ServiceMetric, ServiceQuery
from upid.domain.times import parse_duration
from upid.http.schemas import Answer, Body
from upid.services.collectors import CollectorSettings

DurationText = Annotated[str, AfterValidator(duration_text), Field(max_length=32)]
State = Literal["running", "stopped"]


class ServiceQueryIn(Body):
    """A PromQL query that measures a workload. It is asked as it stands, at the end of each step, and must give one series."""

    namespace: str = Field(min_length=1, max_length=253)
    kind: str = Field(min_length=1, max_length=63, examples=["Deployment"])
    workload: str = Field(min_length=1, max_length=253)
    metric: ServiceMetric
    query: str = Field(min_length=1, max_length=2000, examples=['sum(rate(http_requests_total{namespace="shop",app="api"}[5m]))'])


class ServiceQueryOut(Answer):
    """The same, as it is kept."""

    namespace: str
    kind: str
    workload: str
    metric: ServiceMetric
    query: str


class CollectorIn(Body):
    """What a client decides of a collector."""

    interval: DurationText | None = Field(
        default=None, examples=["5m"], description="How often the schedule collects (15s to 1d); null = as often as samples are apart."
    )
    history: DurationText = Field(default="7d", examples=["7d"], description="How far back the first collection goes, at most 93d.")
    families_history: DurationText = Field(
        default="1d", examples=["1d"],
        description="How far back the first collection goes for families beside CPU, memory, `memory_detail` and `storage`, at most 93d and no further than `history`.",
    )  # fmt: skip
    state: State = Field(default="running", description="A stopped collector is not started by the schedule.")

    families: list[FamilyName] | None = Field(
        default=None, max_length=16, examples=[["network", "storage"]],
        description="What to collect beside CPU, memory, throttling, restarts and OOM kills, which always are; null = all that there is.",
    )  # fmt: skip

    queries: list[ServiceQueryIn] = Field(
        default=[],
        max_length=50,
        description="What the family `service` is measured by: requests, errors, latency and queues of workloads.",
    )

    def settings(self) -> CollectorSettings:
        """Return what the service takes."""
        interval = None if self.interval is None else int(parse_duration(self.interval))
        families = None if self.families is None else tuple(self.families)
        return CollectorSettings(
            interval,
            int(parse_duration(self.history)),
            self.state,
            families,
            tuple(ServiceQuery(**query.model_dump()) for query in self.queries),
            int(parse_duration(self.families_history)),
        )


class NewCollectorIn(CollectorIn):
    """A collector for a cluster whose collector was deleted."""

    cluster_id: str = Field(min_length=1, max_length=64, examples=["cl_01KB0000000000000000000000"])


class CollectorSourceOut(Answer):
    """Where a collector reads."""

    kind: MetricsKind
    url: str


class CollectorOut(Answer):
    """A collector. It is made with its cluster and goes with it."""

    id: str
    cluster_id: str
    cluster_name: str
    source: CollectorSourceOut
    families: list[str] = Field(
        description="What is collected: CPU and memory of every container, and the families that the collector names."
    )
    queries: list[ServiceQueryOut] = Field(description="What the family `service` is measured by.")
    interval_seconds: int = Field(description="How often the schedule collects. [s]")
    step_seconds: int = Field(description="How far samples are apart. [s]")
    history_seconds: int = Field(description="How far back the first collection goes. [s]")
    families_history_seconds: int = Field(description="How far it goes for families beside CPU, memory, `memory_detail` and `storage`. [s]")
    state: State
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, view: dict[str, Any]) -> CollectorOut:
        """Return the answer for a collector's view."""
        return cls.model_validate(view)


class FamilyGapOut(Answer):
    """A window that the source refused to tell of a family. CPU and memory of it, and later windows, are there."""

    family: str
    namespaces: list[str] = Field(description="The namespaces that were asked for together.")
    start: str
    end: str
    reason: str = Field(description="What the source said last.")
    tries: int = Field(description="How often it was asked for again in vain.")
    next_try_at: str | None = Field(
        description="From when on a collection asks for the next piece of it; null = it is older than a week, and stays a gap."
    )


class CollectorHealthOut(Answer):
    """How a collector does."""

    id: str
    cluster_id: str
    state: State
    status: Literal["healthy", "degraded", "late", "failing", "waiting", "stopped"] = Field(
        description="`late`: more than three intervals behind; `degraded`: the last collection was partial, or there are gaps; `waiting`: nothing yet."
    )
    watermark: str | None = Field(description="End of what has been collected.")
    lag_seconds: float | None = Field(description="How long ago that was. [s]")
    lag_intervals: float | None = Field(description="The same in intervals of the collector. [1]")
    gaps: list[GapOut]
    family_gaps: list[FamilyGapOut] = Field(description="What the source refused of families beside CPU and memory, until it is filled in.")
    collection_id: str | None = Field(description="The last collection.")
    collection_status: Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"] | None
    last_error: CollectionErrorOut | None = Field(description="The first error of the last collection.")
    errors: list[CollectionErrorOut] = Field(description="All of its errors: groups, families and queries that failed, each by name.")
    samples: int | None = Field(description="What the last collection brought.")
    samples_per_second: float | None = Field(description="How fast it did; null before it ended with any.")
    families: dict[str, FamilyResultOut] = Field(description="What the last collection brought of each family beside CPU and memory.")
    quality: CollectionQualityOut | None = Field(description="What was missing from it or dropped; null before it ended with any.")

    @classmethod
    def of(cls, view: dict[str, Any]) -> CollectorHealthOut:
        """Return the answer for a health view."""
        return cls.model_validate({name: value for name, value in view.items() if name in cls.model_fields})
