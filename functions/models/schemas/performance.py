"""What performance models take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from functions.models.schemas.common import (
    GoodnessOfFit,
    ModelAnswer,
    ModelBody,
    Name,
    NotNegative,
    Positive,
    SeriesAnswer,
    SeriesModelIn,
    SeriesModelOut,
    Share,
)
from upid.http.schemas import Answer
from upid.services.models.requests import Question

MOST_VALUES = 100_000
MOST_BUCKETS = 500
MOST_POINTS = 10_000
Edge = Annotated[float, Field(ge=-1e100, allow_inf_nan=True)]


class BucketIn(ModelBody):
    """A bucket of a cumulative histogram, as Prometheus has it."""

    le: float | Literal["+Inf"] = Field(description="Upper edge; `+Inf` for the last bucket. [s]", examples=[0.25])
    count: NotNegative = Field(description="Observations at or below the edge. [1]", examples=[940])


class LatencySampleIn(ModelBody):
    """Latencies of one thing: raw values, or buckets."""

    name: Name = "latency"
    values_seconds: list[NotNegative | None] | None = Field(
        default=None, min_length=1, max_length=MOST_VALUES, description="Raw latencies; null = missing. [s]"
    )
    buckets: list[BucketIn] | None = Field(
        default=None, min_length=2, max_length=MOST_BUCKETS, description="A cumulative histogram by rising edge."
    )
    sum_seconds: NotNegative | None = Field(
        default=None, description="Sum of all observations of the histogram (`_sum`), for the mean. [s]"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> LatencySampleIn:
        if (self.values_seconds is None) == (self.buckets is None):
            raise ValueError("give either values_seconds or buckets")
        return self


class LatencyIn(ModelBody):
    """Latencies to analyze."""

    samples: list[LatencySampleIn] = Field(min_length=1, max_length=100)
    percentiles: list[Annotated[float, Field(ge=0, le=100)]] = Field(
        default=[50, 90, 95, 99], min_length=1, max_length=20, description="[%]"
    )
    objective_seconds: Positive | None = Field(default=None, description="What a request should stay within. [s]", examples=[0.3])
    objective_share: Share = Field(default=0.99, description="Share of requests that should stay within the objective. [1]")
    apdex_target_seconds: Positive | None = Field(default=None, description="Apdex target T: satisfied up to T, tolerating up to 4 T. [s]")


class PercentileOut(Answer):
    """A percentile, and what the data leave open."""

    percentile: float = Field(description="[%]")
    seconds: float | None = Field(description="The latency; null without observations. [s]")
    low_seconds: float | None = Field(description="Least that it can be: a bucket's lower edge. [s]")
    high_seconds: float | None = Field(description="Most that it can be; null = no upper bound. [s]")


class ObjectiveOut(Answer):
    """How an objective was kept."""

    seconds: float
    wanted_share: float
    share: float | None = Field(
        description="Share of requests within the objective; of a histogram whose edges miss it, the least it can be. [1]"
    )
    most_share: float | None = Field(description="The most it can be. [1]")
    is_met: bool | None = Field(description="null where the buckets leave it open.")
    error_budget_used: float | None = Field(
        description="Share of requests beyond the objective over the share that may be; above 1 = spent. [1]"
    )


class LatencySampleOut(ModelAnswer):
    """The latencies of one thing."""

    name: str
    source: Literal["values", "buckets"]
    observations: float
    mean_seconds: float | None
    deviation_seconds: float | None = Field(description="Standard deviation of raw values; null for a histogram. [s]")
    max_seconds: float | None = Field(description="Largest raw value; null for a histogram. [s]")
    tail_ratio: float | None = Field(description="99th percentile over the median. [1]")
    percentiles: list[PercentileOut]
    objective: ObjectiveOut | None
    apdex: float | None = Field(description="Apdex score, 0 to 1; of a histogram whose edges miss T or 4 T the least it can be. [1]")


class LatencyOut(Answer):
    """Latencies, analyzed."""

    samples: list[LatencySampleOut]


class LoadCurveIn(ModelBody):
    """How a system answered to loads."""

    name: Name = "system"
    x: list[Positive] = Field(
        min_length=1,
        max_length=MOST_POINTS,
        description="Load: users, threads, replicas or offered requests. [1]",
        examples=[[1, 2, 4, 8, 16, 32]],
    )
    y: list[Positive] = Field(
        min_length=1, max_length=MOST_POINTS, description="Throughput at each load. [1/s]", examples=[[955, 1878, 3548, 6531, 9897, 13250]]
    )
    latency_seconds: list[NotNegative] | None = Field(default=None, max_length=MOST_POINTS, description="Mean latency at each load. [s]")


class SaturationIn(ModelBody):
    """Load curves whose saturation point is wanted."""

    curves: list[LoadCurveIn] = Field(min_length=1, max_length=100)
    sensitivity: Share = Field(default=0.05, description="Least distance from the chord that makes a knee, both axes from 0 to 1. [1]")
    target_utilization: Share = Field(default=0.8, description="Share of the peak throughput that the safe load gives. [1]")


class KneeOut(Answer):
    """Where a curve bends."""

    load: float
    throughput_per_second: float
    latency_seconds: float | None


class SaturationCurveOut(ModelAnswer):
    """The saturation of one system."""

    name: str
    rate_per_second: float | None = Field(description="Throughput of one unit of load (lambda). [1/s]")
    contention: float | None = Field(description="Share of work that is serial (sigma). [1]")
    coherency: float | None = Field(description="Cost of keeping workers consistent (kappa). [1]")
    limit: Literal["none", "contention", "coherency", "unknown"] = Field(description="What bounds the throughput.")
    peak_load: float | None = Field(description="Load with the largest throughput; null where it never falls.")
    peak_throughput_per_second: float | None = Field(description="Throughput there, or what it nears; null where it has no bound. [1/s]")
    peak_is_extrapolated: bool | None = Field(description="Whether the peak lies beyond the loads that were measured.")
    safe_load: float | None = Field(description="Smallest load that gives the wanted share of the peak throughput.")
    throughput_knee: KneeOut | None
    latency_knee: KneeOut | None
    goodness_of_fit: GoodnessOfFit | None


class SaturationOut(Answer):
    """Saturation points."""

    curves: list[SaturationCurveOut]


class StationIn(ModelBody):
    """A resource that every request needs."""

    name: Name = Field(examples=["cpu"])
    utilization: Annotated[float, Field(ge=0, le=1)] = Field(
        description="Mean share of time that one of its servers is busy. [1]", examples=[0.72]
    )
    servers: int = Field(default=1, ge=1, le=100_000, description="Cores, disks, connections, workers. [1]")


class BottleneckIn(ModelBody):
    """Resources of a system and the throughput at which they were measured."""

    throughput_per_second: Positive = Field(description="Completions of the whole. [1/s]", examples=[120])
    resources: list[StationIn] = Field(min_length=1, max_length=200)
    think_seconds: NotNegative = Field(default=0, description="Time of a user between two requests. [s]")
    growth_steps: list[Positive] = Field(
        default=[1, 1.1, 1.25, 1.5, 2], max_length=50, description="Multiples of today's throughput to estimate the response at. [1]"
    )


class StationOut(Answer):
    """One resource; null where it is saturated or unused."""

    name: str
    utilization: float
    servers: int
    demand_seconds: float = Field(description="Time of a server per completion: utilisation * servers / throughput. [s]")
    most_throughput_per_second: float | None = Field(description="Throughput at which it saturates; null where it is not used. [1/s]")
    wait_probability: float | None = Field(description="That a request finds all servers busy (Erlang C). [1]")
    mean_wait_seconds: float | None = Field(description="[s]")
    p95_wait_seconds: float | None = Field(description="[s]")
    mean_response_seconds: float | None = Field(description="[s]")
    mean_waiting: float | None = Field(description="Requests that wait. [1]")


class ResponseOut(Answer):
    """The response at another throughput."""

    growth: float
    throughput_per_second: float
    response_seconds: float | None = Field(description="Mean response of the whole; null from saturation on. [s]")


class BottleneckOut(ModelAnswer):
    """What limits the system."""

    bottleneck: str | None = Field(description="The resource that saturates first; null where none is used.")
    most_throughput_per_second: float | None = Field(description="What the bottleneck allows. [1/s]")
    growth_left: float | None = Field(description="By how much of itself the throughput can grow until then. [1]")
    saturation_users: float | None = Field(description="Users of a closed system from which the bottleneck sets the throughput. [1]")
    least_response_seconds: float = Field(description="Sum of the demands: the response without any queue. [s]")
    resources: list[StationOut] = Field(description="The busiest first.")
    responses: list[ResponseOut]


class ClosedSystemIn(ModelBody):
    """Users who each send a request, wait for the answer, and think."""

    users: NotNegative
    response_seconds: NotNegative = Field(description="Mean response. [s]")
    think_seconds: NotNegative = Field(default=0, description="Mean time between an answer and the next request. [s]")

    @model_validator(mode="after")
    def _some_time(self) -> ClosedSystemIn:
        if self.response_seconds + self.think_seconds < 1e-100:
            raise ValueError("response_seconds and think_seconds cannot both be 0")
        return self


class ThroughputIn(SeriesModelIn):
    """Counters or counts, or a closed system: exactly one of `series`, `values`, `selection` and `closed`."""

    kind: Literal["counter", "count"] = Field(
        default="counter", description="`counter`: cumulative, a fall is a restart; `count`: events of each step."
    )
    rates: bool = Field(default=True, strict=True, description="Whether the throughput of every interval is wanted.")
    closed: ClosedSystemIn | None = None

    @model_validator(mode="after")
    def _one_source(self) -> ThroughputIn:
        if sum(each is not None for each in (self.series, self.values, self.selection, self.closed)) != 1:
            raise ValueError("give exactly one of series, values, selection and closed")
        return self

    def question(self) -> Question:
        """Return what services take: of a closed system no series."""
        if self.closed is not None:
            return Question((), self.closed.model_dump())
        rest = self.model_dump(exclude={"series", "values", "start", "step_seconds", "selection", "closed"})
        return Question(self.asked(), rest)


class ThroughputSeriesOut(SeriesAnswer):
    """Throughput of a series. [1/s]"""

    mean_per_second: float | None = Field(description="Events over the time that is known.")
    p50_per_second: float | None
    p95_per_second: float | None
    p99_per_second: float | None
    peak_per_second: float | None
    deviation_per_second: float | None
    peak_to_mean: float | None = Field(description="[1]")
    total: float = Field(description="Events.")
    seconds: float = Field(description="Time that is known. [s]")
    resets: int = Field(description="Times that the counter fell.")
    per_second: list[float | None] | None = Field(description="Of each interval; null = unknown.")


class ClosedSystemOut(Answer):
    """Throughput by Little's law: users / (response + think time)."""

    throughput_per_second: float
    busy_users: float = Field(description="Users who wait for an answer. [1]")


class ThroughputOut(SeriesModelOut):
    """Throughput, in the order of the series, or of the closed system."""

    series: list[ThroughputSeriesOut]
    closed: ClosedSystemOut | None
