"""What is asked of stored usage, and what is answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, Field

from functions.metrics.schemas.collections import duration_text
from upid.domain.metrics import MetricName
from upid.domain.times import parse_time
from upid.http.schemas import Answer, Body
from upid.services.usage_requests import AGGREGATION, DIMENSIONS, Across, Dimension, Fill, Selection, Span, UsageQuery

METRICS: tuple[MetricName, ...] = ("cpu_cores", "memory_bytes")


def _time(text: str) -> str:
    parse_time(text)
    return text


def _aggregation(text: str) -> str:
    if not AGGREGATION.fullmatch(text):
        raise ValueError("this is none of mean, max, min, sum, count, rate and p0 to p100")
    return text


def _unique(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise ValueError("each is named once")
    return values


def _dimensions(text: str) -> str:
    names = [name for name in text.split(",") if name]
    if set(names) - set(DIMENSIONS):
        raise ValueError(f"names of {', '.join(DIMENSIONS)}, separated by commas")
    _unique(names)
    return text


TimeText = Annotated[str, AfterValidator(_time), Field(max_length=40, examples=["2026-11-23T00:00:00Z"])]
Length = Annotated[str, AfterValidator(duration_text), Field(max_length=32, examples=["1h"])]
Aggregation = Annotated[str, AfterValidator(_aggregation), Field(max_length=10, examples=["p95"])]
Name = Annotated[str, Field(max_length=253)]
Labels = Annotated[
    dict[str, str | None],
    Field(
        description='By dimension: "" = it has none, as a volume has no pod; `node` is null where it is not known which one a pod ran on.'
    ),
]

AGGREGATION_TEXT = "Of the samples of a step: mean, max, min, sum, count, rate (per second, first to last), or p0 to p100."
ACROSS_TEXT = "How the series of a group are joined, sample by sample, before that."


class SpanFilters(Answer):
    """Whose usage, over which window, in which groups."""

    metric: MetricName | None = Field(None, description="Only this one; CPU and memory where none is named.")
    namespace: Name = Field("", description="Only this namespace.")
    kind: Name = Field("", description="Only workloads of this kind.")
    workload: Name = Field("", description="Only workloads of this name.")
    container: Name = Field("", description="Only containers of this name.")
    pod: Name = Field("", description="Only this pod.")
    volume: Name = Field("", description="Only this PersistentVolumeClaim.")
    uid: Name = Field("", description="Only the workload of this uid: one of its name may have been there before or since.")
    node: Name = Field("", description="Only what ran on this node, while it did.")
    start: TimeText | None = Field(None, description="Begin of the window.")
    end: TimeText | None = Field(None, description="End of the window; the end of what is collected where none is told.")
    window: Length | None = Field(None, description="Length of the window, instead of its begin.")
    group_by: Annotated[str, AfterValidator(_dimensions)] = Field(
        "namespace",
        max_length=100,
        description="namespace, kind, workload, uid, container, pod, volume, node, separated by commas; empty = the whole cluster.",
    )
    across: Across = Field("sum", description=ACROSS_TEXT)
    top: int = Field(20, ge=1, le=500, description="How many groups at most: those of the highest use.")

    def query(self, cluster_id: str) -> UsageQuery:
        """Return what the service takes."""
        groups: tuple[Dimension, ...] = tuple(name for name in DIMENSIONS if name in self.group_by.split(","))
        return UsageQuery(
            cluster_id, METRICS if self.metric is None else (self.metric,), Selection(self.namespace, self.kind, self.workload, self.container, self.pod, self.volume, self.uid, self.node),
            Span(self.start or "", self.end or "", self.window or "", "?"), across=self.across, group_by=groups, top=self.top,
        )  # fmt: skip


class HistoryFilters(SpanFilters):
    """The same, with the steps of the answer."""

    step: Length | None = Field(
        None,
        description="Length of the answer's steps, a multiple of the stored ones; about 300 in the window by default. Refused where all of the window is kept on longer steps alone.",
    )
    aggregation: Aggregation = Field("mean", description=AGGREGATION_TEXT)
    fill: Fill = Field("none", description="What stands where there is no sample.")

    def query(self, cluster_id: str) -> UsageQuery:
        """Return what the service takes."""
        return replace(super().query(cluster_id), step=self.step or "", aggregation=self.aggregation, fill=self.fill)


Spans = Annotated[SpanFilters, Query()]
Histories = Annotated[HistoryFilters, Query()]


class SelectionIn(Body):
    """Whose usage; what is not named is not asked for."""

    namespace: Name = ""
    kind: Name = ""
    workload: Name = ""
    container: Name = ""
    pod: Name = ""
    volume: Name = ""
    uid: Name = Field(default="", description="Of a workload.")
    node: Name = Field(default="", description="What ran on it, while it did.")


class UsageQueryIn(Body):
    """A query of stored usage."""

    cluster_id: str = Field(min_length=1, max_length=64, examples=["cl_01KB0000000000000000000000"])
    metrics: Annotated[list[MetricName], AfterValidator(_unique)] = Field(default=list(METRICS), min_length=1, max_length=8)
    selection: SelectionIn = SelectionIn()
    start: TimeText | None = None
    end: TimeText | None = Field(default=None, description="The end of what is collected where none is told.")
    window: Length | None = Field(default=None, description="Length of the window, instead of its begin.")
    step: Length | None = Field(
        default=None,
        description="A multiple of the stored steps; about 300 in the window by default. Refused where all of the window is kept on longer steps alone.",
    )
    aggregation: Aggregation = Field(default="mean", description=AGGREGATION_TEXT)
    across: Across = Field(default="sum", description=ACROSS_TEXT)
    group_by: Annotated[list[Dimension], AfterValidator(_unique)] = Field(default=["namespace"], max_length=8)
    fill: Fill = "none"
    top: int | None = Field(
        default=100, ge=1, le=10_000, description="How many groups at most, those of the highest use; null = all, by name."
    )

    def query(self) -> UsageQuery:
        """Return what the service takes."""
        return UsageQuery(
            self.cluster_id, tuple(self.metrics), Selection(**self.selection.model_dump()), Span(self.start or "", self.end or "", self.window or ""),
            self.step or "", self.aggregation, self.across, tuple(name for name in DIMENSIONS if name in self.group_by), self.fill, self.top,
        )  # fmt: skip


class UsageWindowOut(Answer):
    """What every answer says of its question."""

    cluster_id: str
    start: str
    end: str
    stored_step_seconds: int = Field(description="How far stored samples are apart. [s]")
    resolution: Literal["stored", "5m", "1h", "1d"] = Field(
        description="What this was answered from: the stored samples, or what is left of them on longer steps. There the series of a group are joined "
        "by the figures of each step: means and sums stay what they are, the highest of a group is at most that. Percentiles of one series are within 1.5 %, "
        "those of several at a time as if their samples of the same rank fell together. A rate goes from the mean of the first step to that of the last.",
    )
    group_by: list[Dimension]
    across: Across
    warnings: list[str] = Field(
        default=[], description="What the answer lacks: pods whose node is not known, values that are not kept any more."
    )


class UsageSeriesOut(Answer):
    """One metric of one group."""

    metric: MetricName
    unit: str
    labels: Labels
    values: list[float | None] = Field(description="One for each step; null = no sample.")


class UsageHistoryOut(UsageWindowOut):
    """Series on one grid: value `i` is of the step that begins `i` steps behind `start`."""

    aggregation: str
    fill: Fill
    step_seconds: int
    steps: int
    groups: int = Field(description="How many groups there are, shown or not.")
    series: list[UsageSeriesOut]


class UsageTrendOut(Answer):
    """Where the use of a group goes."""

    metric: MetricName
    unit: str
    labels: Labels
    points: int = Field(description="Days (or hours) with samples; fewer than five tell nothing.")
    slope_per_day: float | None = Field(description="Theil-Sen slope. [unit per day]")
    level: float | None = Field(description="Use at the end of the window, on the trend's line. [unit]")
    relative_per_day: float | None = Field(description="Slope as a share of the level. [1 per day]")
    z: float = Field(description="Of the Mann-Kendall test.")
    significant: bool = Field(description="Whether that is significant at 5 %.")
    direction: Literal["rising", "falling", "flat"]


class UsageTrendsOut(UsageWindowOut):
    """Trends of groups, the largest first."""

    step_seconds: int
    groups: int
    items: list[UsageTrendOut]


class UsagePeakOut(Answer):
    """The highest use of a group, of the stored steps."""

    metric: MetricName
    unit: str
    labels: Labels
    peak: float | None
    at: str | None = Field(description="Begin of the step that had it, the first of several.")
    peak_to_mean: float | None = Field(description="[1]")
    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    samples: int


class UsagePeaksOut(UsageWindowOut):
    """Peaks of groups, the highest first."""

    groups: int
    items: list[UsagePeakOut]


class UsageWeekOut(Answer):
    """The usual week of a group: 168 values each, hour 0 = Monday 00:00 UTC; null = never seen."""

    metric: MetricName
    unit: str
    labels: Labels
    mean: list[float | None]
    p50: list[float | None]
    p95: list[float | None]
    max: list[float | None]
    samples: list[int]


class UsageBaselineOut(UsageWindowOut):
    """Usual weeks of groups, the largest first."""

    items: list[UsageWeekOut]
