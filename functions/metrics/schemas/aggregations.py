"""What figures over whole windows take and give."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from functions.metrics.schemas.history import Labels, UsageHistoryOut, UsageQueryIn, UsageWindowOut
from upid.domain.metrics import MetricName
from upid.http.schemas import Answer, Body


class UsageFiguresOut(Answer):
    """Figures of the stored steps of a window."""

    unit: str
    mean: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    max: float | None
    samples: int = Field(description="Steps with a sample.")


class GroupFiguresOut(Answer):
    """Figures of a group, by metric."""

    labels: Labels
    metrics: dict[MetricName, UsageFiguresOut]


class UsageSummaryOut(UsageWindowOut):
    """Figures of a cluster and of its groups, the largest first."""

    groups: int
    total: dict[MetricName, UsageFiguresOut] = Field(
        description="Of the whole selection, joined as its groups are; empty without any sample."
    )
    items: list[GroupFiguresOut]


class CalculateIn(Body):
    """Queries whose windows are each brought to one value."""

    queries: list[UsageQueryIn] = Field(min_length=1, max_length=50, description="`step` and `fill` have no meaning here.")


class CalculatedValueOut(Answer):
    """One value of a group."""

    metric: MetricName
    unit: str
    labels: Labels
    value: float | None


class CalculatedOut(UsageWindowOut):
    """The values of a query."""

    aggregation: str
    groups: int
    values: list[CalculatedValueOut]


class CalculationErrorOut(Answer):
    """Why a query has no values."""

    title: str
    detail: str


class CalculationOut(Answer):
    """What came of one query: its values, or its error."""

    cluster_id: str
    result: CalculatedOut | None
    error: CalculationErrorOut | None


class CalculationsOut(Answer):
    """What came of each query, in their order."""

    items: list[CalculationOut]


class AggregationErrorOut(Answer):
    """Why an aggregation has no answer."""

    code: str
    detail: str
    subject: str


class AggregationOut(Answer):
    """A stored aggregation and how it stands. It is kept for a week, or until its cluster is deleted."""

    id: str
    cluster_id: str
    status: Literal["queued", "running", "succeeded", "failed"]
    progress: float = Field(description="[1]")
    errors: list[AggregationErrorOut]
    created_at: str
    started_at: str | None
    ended_at: str | None
    result: UsageHistoryOut | None = Field(description="null until it succeeded.")

    @classmethod
    def of(cls, view: dict[str, Any]) -> AggregationOut:
        """Return the answer for an aggregation's view."""
        return cls.model_validate(view)
