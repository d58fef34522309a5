"""What resource models take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from functions.models.schemas.capacity import Target, WithCapacityIn
from functions.models.schemas.common import ModelBody, Name, NotNegative, Percentile, SeriesAnswer, SeriesModelIn, SeriesModelOut
from functions.optimization.schemas.recommendations import EvidenceOut, ReasonOut, ResourceValues, RiskOut
from functions.prediction.schemas.series import Moment, SeriesIn, Step, TrustOut, UsageSelectionIn, Value
from upid.http.schemas import Answer
from upid.services.models.requests import Reservation, SizingContainer, SizingPod, SizingQuestion
from upid.services.series import MOST_VALUES

Cores = Annotated[float, Field(ge=0, le=1_000_000, description="[cores]")]
Bytes = Annotated[float, Field(ge=0, le=1e18, description="[bytes]")]


class UtilizationIn(WithCapacityIn):
    """Series whose utilisation is wanted; `capacity` is what they are measured against: a request, a limit, what nodes can give."""

    percentile: Percentile = Field(default=95, description="Of use, by which it is judged. [%]")
    target_utilization: Target = 0.8
    idle_utilization: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.05, description="At or below this at the percentile it is idle. [1]"
    )


class UtilizationSeriesOut(SeriesAnswer):
    """Utilisation of a series. Shares are of the capacity."""

    capacity: float
    mean: float | None = Field(description="[1]")
    p50: float | None = Field(description="[1]")
    p95: float | None = Field(description="[1]")
    p99: float | None = Field(description="[1]")
    peak: float | None = Field(description="[1]")
    at_percentile: float | None = Field(description="At the percentile asked for. [1]")
    peak_to_mean: float | None = Field(description="How bursty use is. [1]")
    time_above_target: float | None = Field(description="Share of the values. [1]")
    time_above_capacity: float | None = Field(description="Share of the values. [1]")
    verdict: Literal["idle", "low", "good", "high", "over"] = Field(
        description="At the percentile: `idle`, `low` below half of the target, `good` to the target, `high` to the capacity, `over` above."
    )


class UtilizationOut(SeriesModelOut):
    """Utilisation, in the order of the series."""

    series: list[UtilizationSeriesOut]


class ResourceIn(ModelBody):
    """Use of one resource against what is reserved of it: exactly one of `values` and `selection`."""

    resource: Literal["cpu", "memory", "other"] = Field(description="`cpu` is in cores, `memory` in bytes: their prices have defaults.")
    reserved: NotNegative = Field(description="What is reserved (requested), in the unit of the values.")
    values: list[Value | None] | None = Field(default=None, min_length=1, max_length=MOST_VALUES, description="Use; null = missing.")
    start: Moment | None = None
    step_seconds: Step | None = None
    selection: UsageSelectionIn | None = Field(default=None, description="Stored usage, summed; it is not split here.")
    usd_per_unit_hour: Annotated[float, Field(gt=0, le=1e12)] | None = Field(
        default=None, description="Price; the default rate where it is not told. [USD per unit and hour]"
    )

    @model_validator(mode="after")
    def _one_source(self) -> ResourceIn:
        if (self.values is None) == (self.selection is None):
            raise ValueError("give either values or selection")
        if self.selection is not None and self.selection.split != "none":
            raise ValueError("a selection is summed here: leave split out")
        if self.resource == "other" and self.usd_per_unit_hour is None:
            raise ValueError("a resource other than cpu and memory needs usd_per_unit_hour")
        return self

    def reservation(self, pointer: str) -> Reservation:
        """Return what services take."""
        if self.selection is not None:
            return Reservation(self.resource, self.reserved, self.usd_per_unit_hour, self.selection.selection(f"{pointer}/selection"))
        series = SeriesIn(values=self.values, start=self.start, step_seconds=self.step_seconds).given(pointer, self.resource)
        return Reservation(self.resource, self.reserved, self.usd_per_unit_hour, (series,))


class ReservedIn(ModelBody):
    """Something with its resources."""

    name: Name = Field(examples=["checkout"])
    resources: list[ResourceIn] = Field(min_length=1, max_length=10)


class EfficiencyIn(ModelBody):
    """Things whose efficiency is wanted."""

    workloads: list[ReservedIn] = Field(min_length=1, max_length=200)

    def reservations(self) -> list[tuple[str, list[Reservation]]]:
        """Return what services take."""
        return [
            (each.name, [resource.reservation(f"#/workloads/{i}/resources/{j}") for j, resource in enumerate(each.resources)])
            for i, each in enumerate(self.workloads)
        ]


class WasteIn(EfficiencyIn):
    """Things whose waste is wanted."""

    percentile: Percentile = Field(default=99, description="Of use, that must still fit. [%]")
    margin: Annotated[float, Field(ge=0, le=10)] = Field(default=0.15, description="Kept above the percentile. [1]")
    least_share: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.2, description="Share of a reservation that must be reducible to call it waste. [1]"
    )


class ResourceEfficiencyOut(Answer):
    """How one resource is used."""

    resource: str
    unit: str
    reserved: float
    mean_use: float | None
    utilization: float | None = Field(description="Mean use over the reservation; null without one. [1]")
    weight: float | None = Field(description="Share of the cost. [1]")
    usd_per_unit_hour: float
    usd_per_month: float


class WorkloadEfficiencyOut(Answer):
    """How well what is paid for is used."""

    name: str
    score: float | None = Field(
        description="0 to 100: utilisation of each resource, at most 1, weighing what it costs; null where nothing is reserved."
    )
    grade: Literal["A", "B", "C", "D", "F"] | None = Field(description="From 80, 60, 40, 20 on; F below.")
    usd_per_month: float
    usd_unused_per_month: float
    resources: list[ResourceEfficiencyOut]
    warnings: list[str]
    confidence: TrustOut = Field(description="Of the resource that is known least.")


class EfficiencyOut(SeriesModelOut):
    """Efficiency, in the order of the workloads."""

    workloads: list[WorkloadEfficiencyOut]
    score: float | None = Field(description="Of all, weighing costs. 0 to 100.")


class ResourceWasteOut(Answer):
    """What is reserved and not used of one resource, in its unit."""

    resource: str
    unit: str
    reserved: float
    quantile: float | None = Field(description="Use at the percentile.")
    mean_idle: float | None = Field(description="Mean of what is reserved and not used.")
    share: float | None = Field(description="Of the reservation. [1]")
    reducible: float | None = Field(description="What can be given back while the percentile and the margin still fit.")
    over: float | None = Field(description="Mean of use above the reservation.")
    time_over: float | None = Field(description="Share of the values above the reservation. [1]")
    usd_per_month: float | None = Field(description="Cost of mean_idle.")
    reducible_usd_per_month: float | None
    verdict: Literal["unused", "over_provisioned", "fitting", "under_provisioned", "unknown"]


class WorkloadWasteOut(Answer):
    """Waste of one thing."""

    name: str
    usd_per_month: float
    reducible_usd_per_month: float
    resources: list[ResourceWasteOut]
    warnings: list[str]
    confidence: TrustOut = Field(description="Of the resource that is known least.")


class WasteOut(SeriesModelOut):
    """Waste, the dearest first."""

    workloads: list[WorkloadWasteOut]
    usd_per_month: float
    reducible_usd_per_month: float


class PeaksIn(SeriesModelIn):
    """Series whose peaks are wanted."""

    share: Annotated[float, Field(gt=0, le=0.5)] = Field(default=0.05, description="Share of the values that may count as peaks. [1]")
    least_seconds: Annotated[float, Field(ge=0, le=366 * 86400)] = Field(default=0, description="Shorter peaks are left out. [s]")
    join_seconds: Annotated[float, Field(ge=0, le=366 * 86400)] = Field(default=0, description="Peaks no further apart are one. [s]")
    most: int = Field(default=50, ge=1, le=1000, description="Peaks told of each series, the highest.")


class PeakOut(Answer):
    """A run of values above the level, in the unit of the series."""

    first_step: int
    last_step: int
    top_step: int
    start: str | None
    end: str | None
    top_at: str | None
    width_seconds: float
    value: float
    prominence: float = Field(description="Height above the median.")


class PeaksSeriesOut(SeriesAnswer):
    """Peaks of a series, oldest first."""

    level: float | None = Field(description="What counts as peak.")
    median: float | None
    found: int
    peak_time_share: float = Field(description="Share of the steps in peaks. [1]")
    peaks: list[PeakOut]


class PeaksOut(SeriesModelOut):
    """Peaks, in the order of the series."""

    series: list[PeaksSeriesOut]


MOST_PODS = 50
MOST_CONTAINERS = 50
Uses = Annotated[list[Annotated[float, Field(ge=0, le=1e18, allow_inf_nan=False)] | None], Field(max_length=MOST_VALUES)]


class PodUseIn(ModelBody):
    """Use of one pod's container on its container's grid; null = missing."""

    cpu_cores: Uses = Field(default=[], description="Mean rate of each step. [cores]")
    memory_bytes: Uses = Field(default=[], description="Largest working set of each step. [bytes]")
    throttled: Uses = Field(default=[], description="Share of CFS periods throttled. [1]")
    oom_kills: int = Field(default=0, ge=0, le=1_000_000)
    restarts: int = Field(default=0, ge=0, le=1_000_000)

    @model_validator(mode="after")
    def _something(self) -> PodUseIn:
        if not self.cpu_cores and not self.memory_bytes:
            raise ValueError("give cpu_cores, memory_bytes or both")
        return self


class CurrentIn(ModelBody):
    """What a container has now; null = not set."""

    cpu_request_cores: Cores | None = None
    cpu_limit_cores: Cores | None = None
    memory_request_bytes: Bytes | None = None
    memory_limit_bytes: Bytes | None = None


class ContainerUseIn(ModelBody):
    """A container to size, with the use of its pods."""

    name: Name = Field(examples=["checkout"])
    start: Moment | None = Field(default=None, description="Of the first step; a Monday at 00:00 UTC where it is not told.")
    step_seconds: int = Field(default=60, ge=1, le=86400, description="[s]")
    pods: list[PodUseIn] = Field(min_length=1, max_length=MOST_PODS)
    current: CurrentIn = CurrentIn()
    replicas: int = Field(default=1, ge=0, le=1_000_000)
    heap_bytes: Bytes | None = Field(default=None, description="Largest heap that its runtime is told to use. [bytes]")

    def container(self, pointer: str) -> SizingContainer:
        """Return what services take."""
        pods = [SizingPod(each.cpu_cores, each.memory_bytes, each.throttled, each.oom_kills, each.restarts) for each in self.pods]
        start = None if self.start is None else int(self.start.timestamp())
        return SizingContainer(
            self.name, pointer, start, self.step_seconds, pods, self.current.model_dump(), self.replicas, self.heap_bytes
        )


class StoredContainersIn(ModelBody):
    """Containers of a registered cluster, sized from what is stored."""

    cluster_id: str = Field(min_length=1, max_length=64)
    namespace: str = Field(default="", max_length=253)
    kind: str = Field(default="", max_length=63)
    workload: str = Field(default="", max_length=253)
    container: str = Field(default="", max_length=253)


class RightSizingIn(ModelBody):
    """What to size: exactly one of `containers` and `selection`."""

    containers: list[ContainerUseIn] | None = Field(default=None, min_length=1, max_length=MOST_CONTAINERS)
    selection: StoredContainersIn | None = None
    strategy: Literal["max-savings", "balanced", "high-availability", "development"] = "balanced"
    allowed_time_above: Annotated[float, Field(ge=1e-6, le=0.5)] | None = Field(
        default=None, description="Overrides the strategy's share of time that usage may lie above a CPU request. [1]"
    )

    @model_validator(mode="after")
    def _one_source(self) -> RightSizingIn:
        if (self.containers is None) == (self.selection is None):
            raise ValueError("give either containers or selection")
        return self

    def question(self) -> SizingQuestion:
        """Return what services take."""
        containers = [each.container(f"#/containers/{i}") for i, each in enumerate(self.containers or [])]
        stored = None if self.selection is None else self.selection.model_dump()
        return SizingQuestion(containers, stored, self.strategy, self.allowed_time_above)


class SizedOut(Answer):
    """What a container needs, why, how sure that is and what it saves: by the rule that analyses use."""

    namespace: str = Field(description="Empty for containers of the request.")
    kind: str
    workload: str
    container: str
    replicas: int
    status: Literal["recommended", "unchanged", "withheld"]
    withheld_code: str | None
    current: ResourceValues
    recommended: ResourceValues
    evidence: EvidenceOut
    reasons: list[ReasonOut]
    confidence: float | None
    backtest: dict[str, Any]
    risk: RiskOut
    savings_usd_per_month: float | None


class RightSizingOut(SeriesModelOut):
    """Sizes, in the order of the containers."""

    containers: list[SizedOut]
    savings_usd_per_month: float
    warnings: list[str]
