"""Series as requests bring them, and what every answer says of a series."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, AwareDatetime, Field, field_validator, model_validator

from upid.http.schemas import Answer, Body
from upid.services.series import DEFAULT_STEP_SECONDS, MOST_SERIES, MOST_SIZE, MOST_VALUES, Asked, Metric, Selection, SeriesInput, Split

Value = Annotated[float, Field(strict=True, ge=-MOST_SIZE, le=MOST_SIZE, allow_inf_nan=False, description="Below 1e-100 counts as 0.")]
Level = Annotated[float, Field(gt=0, lt=1, description="Confidence of bounds. [1]")]
Step = Annotated[float, Field(ge=0.001, le=31_536_000, allow_inf_nan=False, description="[s]")]
Name = Annotated[str, Field(max_length=253)]
EARLIEST, LATEST = 0.0, 4_000_000_000.0  # 1970 to 2096


def _moment(time: datetime) -> datetime:
    if not EARLIEST <= time.timestamp() <= LATEST:
        raise ValueError("times lie between 1970 and 2096")
    return time


Moment = Annotated[AwareDatetime, AfterValidator(_moment), Field(description="RFC 3339 with a zone.")]


class PointIn(Body):
    """A value at a time; null = missing."""

    time: Moment
    value: Value | None


class SeriesIn(Body):
    """A series: `values` on a regular grid, or `points` at times that never go back."""

    name: Name = ""
    values: list[Value | None] | None = Field(default=None, min_length=1, max_length=MOST_VALUES, description="null = missing.")
    points: list[PointIn] | None = Field(default=None, min_length=1, max_length=MOST_VALUES)
    start: Moment | None = Field(default=None, description="When the first of `values` begins.")
    step_seconds: Step | None = Field(default=None, description="Between `values`; 60 where none is given. [s]")

    @model_validator(mode="after")
    def _one_form(self) -> SeriesIn:
        if (self.values is None) == (self.points is None):
            raise ValueError("give either values or points")
        if self.points is not None and self.start is not None:
            raise ValueError("points have times of their own: no start beside them")
        return self

    def given(self, pointer: str, name: str) -> SeriesInput:
        """Return what services take; `name` where it has none."""
        points = None if self.points is None else [(point.time.timestamp(), point.value) for point in self.points]
        start = None if self.start is None else self.start.timestamp()
        step = self.step_seconds or DEFAULT_STEP_SECONDS
        return SeriesInput(self.name or name, pointer, self.values or (), start, step, self.step_seconds is not None, points)


class UsageSelectionIn(Body):
    """Stored usage of a cluster: summed over all that is selected, or apart by `split`."""

    cluster_id: str = Field(min_length=1, max_length=64, examples=["cl_01KB0000000000000000000000"])
    metric: Metric = "cpu_cores"
    namespace: Name = ""
    kind: str = Field(default="", max_length=63)
    workload: Name = ""
    container: Name = ""
    start: Moment | None = Field(default=None, description="A week before `end` where none is given.")
    end: Moment | None = Field(default=None, description="The newest sample where none is given.")
    step_seconds: int | None = Field(default=None, ge=1, le=2_592_000, description="A multiple of the stored step. [s]")
    split: Split = Field(default="none", description="What gets a series of its own.")
    node: Name = Field(default="", description="What ran on it, while it did.")

    def selection(self, pointer: str = "#/selection") -> Selection:
        """Return what services take."""
        start, end = (None if each is None else each.timestamp() for each in (self.start, self.end))
        parts = (self.cluster_id, self.metric, self.namespace, self.kind, self.workload, self.container)
        return Selection(*parts, start, end, self.step_seconds, self.split, pointer, self.node)


class SelectionQuery(Answer):
    """Which stored usage, as a query: all of the cluster unless narrowed."""

    metric: Metric = "cpu_cores"
    namespace: Name = Field("", description="Only this namespace.")
    kind: str = Field("", max_length=63, description="Only workloads of this kind.")
    workload: Name = Field("", description="Only workloads of this name.")
    container: Name = Field("", description="Only containers of this name.")
    start: Moment | None = Field(None, description="A week before `end` where none is given.")
    end: Moment | None = Field(None, description="The newest sample where none is given.")
    step_seconds: int | None = Field(None, ge=1, le=2_592_000, description="A multiple of the stored step. [s]")
    split: Literal["namespace", "workload", "container", "node"] = Field("workload", description="What gets figures of its own.")
    node: Name = Field("", description="Only what ran on this node, while it did.")
    limit: int = Field(100, ge=1, le=500, description="How many items the answer has at most.")

    def selection(self, cluster_id: str) -> Selection:
        """Return what services take."""
        start, end = (None if each is None else each.timestamp() for each in (self.start, self.end))
        return Selection(
            cluster_id,
            self.metric,
            self.namespace,
            self.kind,
            self.workload,
            self.container,
            start,
            end,
            self.step_seconds,
            self.split,
            "?",
            self.node,
        )


Selected = Annotated[SelectionQuery, Query()]


class SeriesBody(Body):
    """What to work on: exactly one of `series`, `values` (one bare series) and `selection` (stored usage)."""

    series: list[SeriesIn] | None = Field(default=None, min_length=1, max_length=MOST_SERIES)
    values: list[Value | None] | None = Field(default=None, min_length=1, max_length=MOST_VALUES)
    start: Moment | None = Field(default=None, description="Of `values`.")
    step_seconds: Step | None = Field(default=None, description="Of `values`; 60 where none is given. [s]")
    selection: UsageSelectionIn | None = None

    @field_validator("series")
    @classmethod
    def _own_names(cls, series: list[SeriesIn] | None) -> list[SeriesIn] | None:
        names = [each.name for each in series or [] if each.name]
        if len(names) != len(set(names)):
            raise ValueError("two series have the same name")
        return series

    @model_validator(mode="after")
    def _one_source(self) -> SeriesBody:
        if sum(each is not None for each in (self.series, self.values, self.selection)) != 1:
            raise ValueError("give exactly one of series, values and selection")
        if self.values is None and (self.start is not None or self.step_seconds is not None):
            raise ValueError("start and step_seconds go with values")
        return self

    def asked(self) -> Asked:
        """Return what services take."""
        if self.selection is not None:
            return self.selection.selection()
        if self.series is not None:
            return tuple(each.given(f"#/series/{i}", f"series {i + 1}") for i, each in enumerate(self.series))
        return (SeriesIn(values=self.values, start=self.start, step_seconds=self.step_seconds).given("#", "values"),)


class TrustOut(Answer):
    """Confidence in [0, 1], what it is made of (`GET /confidence/metrics`), and the weakest part; null = not known."""

    score: float
    metrics: dict[str, float | None]
    weakest: str | None


class SeriesOut(Answer):
    """What a series is: times are null where the request gave none."""

    name: str
    unit: str = Field(description="Empty for series of the request: figures are in the unit that it was sent in.")
    labels: dict[str, str | None]
    start: str | None
    step_seconds: float
    steps: int
    missing: int
    warnings: list[str]


class SeasonOut(Answer):
    """A period that is significant. `strength`: share of variance that it takes, of what is left without the slow trend. [1]"""

    name: Literal["daily", "weekly", "monthly", "other"]
    period_steps: int
    period_seconds: float
    strength: float
    autocorrelation: float
    p_value: float
    peak_step: int = Field(description="Step of a cycle, counted from the first value, at which it is highest.")
    trough_step: int
    next_peak: str | None
