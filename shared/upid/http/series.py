"""What analytic endpoints are asked about, as requests say it: series, bare values, or a selection of stored usage."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from upid.domain.times import parse_time
from upid.services.series import DEFAULT_STEP_SECONDS, MOST_SERIES, MOST_SIZE, MOST_VALUES, Asked, Metric, Selection, SeriesInput, Split

LAST_MOMENT = 4e9  # a century from now: times beyond cannot be written as text everywhere


def moment_of(text: str | float) -> float:
    """Return a time of a request in seconds since the epoch; ValueError where it is none, or outside 1970 to 2096."""
    found = parse_time(text) if isinstance(text, str) else float(text)
    if not 0 <= found <= LAST_MOMENT:
        raise ValueError("a time lies between 1970 and 2096")
    return found


Moment = Annotated[
    str | float, Field(union_mode="left_to_right", description="RFC 3339, or seconds since the epoch.", examples=["2026-11-23T10:00:00Z"])
]
Time = Annotated[Moment, AfterValidator(moment_of)]
Value = Annotated[float, Field(ge=-MOST_SIZE, le=MOST_SIZE, allow_inf_nan=False)]
Step = Annotated[float, Field(gt=0, le=366 * 86400, allow_inf_nan=False, description="Distance of the values. [s]")]
Values = Annotated[list[Value | None], Field(min_length=1, max_length=MOST_VALUES, description="Values on a regular grid; null = missing.")]


class PointIn(BaseModel):
    """A value at a time."""

    model_config = ConfigDict(extra="forbid")

    time: Time
    value: Value | None = Field(description="null = missing.")


class SeriesIn(BaseModel):
    """A series: `values` on a regular grid, or `points` at times."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=253, examples=["checkout"])
    values: Values | None = None
    start: Time | None = Field(default=None, description="Time of the first value.")
    step_seconds: Step | None = Field(default=None, description="Distance of the values, 60 where it is not told. [s]")
    points: list[PointIn] | None = Field(default=None, min_length=1, max_length=MOST_VALUES, description="In the order of time.")

    @model_validator(mode="after")
    def _one_kind(self) -> SeriesIn:
        if (self.values is None) == (self.points is None):
            raise ValueError("give either values or points")
        if self.points is not None and (self.start is not None or self.step_seconds is not None):
            raise ValueError("points tell their times: start and step_seconds go with values")
        return self

    def given(self, pointer: str) -> SeriesInput:
        """Return what services take; `pointer` is where this stands in the request."""
        points = None if self.points is None else [(moment_of(point.time), point.value) for point in self.points]
        return series_input(self.name, pointer, self.values or (), self.start, self.step_seconds, points=points)


def series_input(
    name: str, pointer: str, values: Any, start: str | float | None, step_seconds: float | None, *, points: Any = None
) -> SeriesInput:
    """Return a series as services take it, with the default step where none is told."""
    begin = None if start is None else moment_of(start)
    return SeriesInput(name, pointer, values, begin, step_seconds or DEFAULT_STEP_SECONDS, step_seconds is not None, points)


class SelectionIn(BaseModel):
    """Stored usage of a cluster; what is not named is all of it."""

    model_config = ConfigDict(extra="forbid")

    cluster_id: str = Field(
        min_length=1, max_length=64, description="Id of a registered cluster.", examples=["cl_01KB0000000000000000000000"]
    )
    metric: Metric = "cpu_cores"
    namespace: str = Field(default="", max_length=253)
    kind: str = Field(default="", max_length=63)
    workload: str = Field(default="", max_length=253, description="Name of a workload.")
    container: str = Field(default="", max_length=253)
    start: Time | None = Field(default=None, description="Begin of the window; a week before its end where it is not told.")
    end: Time | None = Field(default=None, description="End of the window; the newest that is collected where it is not told.")
    step_seconds: int | None = Field(default=None, ge=1, le=366 * 86400, description="A multiple of the stored step. [s]")
    split: Split = Field(default="none", description="One series for each of these; `none`: their sum.")

    def selection(self, pointer: str) -> Selection:
        """Return what services take; `pointer` is where this stands in the request."""
        times = {name: None if value is None else moment_of(value) for name, value in (("start", self.start), ("end", self.end))}
        return Selection(
            self.cluster_id, self.metric, self.namespace, self.kind, self.workload, self.container, times["start"], times["end"],
            self.step_seconds, self.split, pointer,
        )  # fmt: skip


class SeriesBody(BaseModel):
    """Exactly one of `series`, `values` (one series) and `selection` (stored usage)."""

    model_config = ConfigDict(extra="forbid")

    series: list[SeriesIn] | None = Field(default=None, min_length=1, max_length=MOST_SERIES)
    values: Values | None = None
    start: Time | None = Field(default=None, description="Time of the first of `values`.")
    step_seconds: Step | None = Field(default=None, description="Distance of `values`, 60 where it is not told. [s]")
    selection: SelectionIn | None = None

    @model_validator(mode="after")
    def _one_source(self) -> SeriesBody:
        if sum(each is not None for each in (self.series, self.values, self.selection)) != 1:
            raise ValueError("give exactly one of series, values and selection")
        if self.values is None and (self.start is not None or self.step_seconds is not None):
            raise ValueError("start and step_seconds go with values")
        return self

    def asked(self, pointer: str = "#") -> Asked:
        """Return what services take; `pointer` is where this stands in the request."""
        if self.selection is not None:
            return self.selection.selection(f"{pointer}/selection")
        if self.series is not None:
            return tuple(each.given(f"{pointer}/series/{i}") for i, each in enumerate(self.series))
        return (series_input("values", pointer, self.values or (), self.start, self.step_seconds),)


class SeriesTold(BaseModel):
    """What every answer says of a series that it is about."""

    name: str
    unit: str = Field(description="Unit of the values: of stored usage it is known, of a request's series as it says.")
    labels: dict[str, str]
    start: str | None = Field(description="Time of the first step; null where the request tells none.")
    step_seconds: float
    steps: int
    missing: int = Field(description="Steps without a value.")
    warnings: list[str]
