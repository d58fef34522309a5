"""What capacity models take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from functions.models.schemas.common import (
    GoodnessOfFit,
    ModelBody,
    Name,
    Percentile,
    Positive,
    SeriesAnswer,
    SeriesModelIn,
    SeriesModelOut,
)
from upid.http.schemas import Answer

Target = Annotated[float, Field(gt=0, le=1, description="Share of the capacity that use should stay below. [1]")]
Days = Annotated[float, Field(gt=0, le=3650, description="[d]")]
Bound = Annotated[float, Field(gt=0, lt=1, description="Confidence of the bounds, two-sided. [1]")]


class WithCapacityIn(SeriesModelIn):
    """Series and what there is for them."""

    capacity: Positive | None = Field(
        default=None, description="What there is, in the unit of the values: for every series that has none of its own.", examples=[16]
    )
    capacities: dict[Name, Positive] = Field(default={}, max_length=500, description="Capacities by the name of the series.")


class NodeIn(ModelBody):
    """The nodes that carry the demand."""

    capacity: Positive = Field(description="Of one node, in the unit of the values.")
    count: int | None = Field(default=None, ge=0, le=1_000_000, description="How many there are.")
    spare: int = Field(default=1, ge=0, le=1000, description="How many may be gone: 1 is N+1.")


class PlanningIn(WithCapacityIn):
    """Series whose capacity may run out."""

    confidence: Bound = 0.9
    horizon_days: Days = 30
    percentile: Percentile = Field(default=95, description="Of use, which nodes are planned for. [%]")
    target_utilization: Target = 0.8
    node: NodeIn | None = None


class NodesOut(Answer):
    """Nodes that hold the demand at the target utilisation while the spare ones are gone."""

    needed_now: int
    needed_at_horizon: int
    spare: int
    count: int | None
    missing_at_horizon: int | None
    survives_loss_of_spare: bool | None = Field(description="Whether what is left without the spare nodes holds today's demand.")


class PlanningSeriesOut(SeriesAnswer):
    """When a capacity is full. Amounts are in the unit of the series."""

    capacity: float
    level: float | None = Field(description="Use at the last step, by the line.")
    growth_per_day: float | None
    demand: float | None = Field(description="Use at the percentile.")
    status: Literal["full", "growing", "not_growing", "unknown"]
    days_until_full: float | None = Field(description="null = not at this growth. [d]")
    earliest_days: float | None = Field(description="Where the upper bound of the line reaches the capacity; null = never. [d]")
    latest_days: float | None = Field(description="Where the lower bound does; null = never. [d]")
    full_at: str | None
    earliest_at: str | None
    latest_at: str | None
    goodness_of_fit: GoodnessOfFit
    nodes: NodesOut | None


class PlanningOut(SeriesModelOut):
    """Plans, in the order of the series."""

    series: list[PlanningSeriesOut]


class GrowthIn(SeriesModelIn):
    """Series whose growth is wanted."""

    model: Literal["linear", "exponential", "auto"] = Field(default="auto", description="`auto` takes the one with the lower AICc.")
    horizons_days: list[Days] = Field(default=[7, 30, 90], min_length=1, max_length=50)
    confidence: Bound = 0.9


class ProjectionOut(Answer):
    """Use at a time to come; `low` and `high` bound single values."""

    days: float
    time: str | None
    value: float | None
    low: float | None
    high: float | None


class GrowthSeriesOut(SeriesAnswer):
    """The growth of a series. Amounts are in its unit."""

    model: Literal["linear", "exponential"]
    level: float | None = Field(description="Use at the last step, by the model.")
    growth_per_day: float | None
    relative_growth_per_day: float | None = Field(description="Of the level. [1]")
    relative_growth_per_week: float | None = Field(description="Of the level. [1]")
    doubling_days: float | None = Field(description="null where it does not grow. [d]")
    p_value: float | None = Field(description="Chance of such a slope without growth; residuals may follow each other. [1]")
    projections: list[ProjectionOut]
    goodness_of_fit: GoodnessOfFit


class GrowthOut(SeriesModelOut):
    """Projections, in the order of the series."""

    series: list[GrowthSeriesOut]


class ThresholdsIn(WithCapacityIn):
    """Series that should be watched."""

    method: Literal["percentile", "deviation", "robust", "iqr"] = Field(
        default="percentile",
        description="`percentile`: the share below; `deviation`: mean + k s; `robust`: median + k 1.4826 MAD; `iqr`: Q3 + k IQR.",
    )
    warning: Positive = Field(default=0.95, description="Share below (`percentile`), or k (the others). [1]")
    critical: Positive = Field(default=0.99, description="As `warning`, above it. [1]")
    for_seconds: Annotated[float, Field(ge=0, le=366 * 86400)] = Field(
        default=0, description="How long use must stay above for an alarm. [s]"
    )
    lead_days: Days = Field(default=7, description="With a capacity: time that an alarm leaves at today's growth. [d]")


class ThresholdOut(Answer):
    """A threshold, and what it would have done on the series."""

    value: float | None
    time_above: float | None = Field(description="Share of the values above it. [1]")
    alarms: int
    longest_seconds: float


class LeadTimeOut(Answer):
    """The threshold that leaves time to react."""

    value: float | None
    capacity: float
    growth_per_day: float | None
    lead_days: float


class ThresholdsSeriesOut(SeriesAnswer):
    """Thresholds of a series, in its unit."""

    warning: ThresholdOut
    critical: ThresholdOut
    lead_time: LeadTimeOut | None


class ThresholdsOut(SeriesModelOut):
    """Thresholds, in the order of the series."""

    series: list[ThresholdsSeriesOut]


class HeadroomIn(WithCapacityIn):
    """Series whose room to grow is wanted."""

    percentile: Percentile = Field(default=95, description="Of use. [%]")
    target_utilization: Target = 0.8
    nodes: list[Positive] = Field(
        default=[], max_length=10_000, description="Capacity of each node: their sum is the capacity where none is told."
    )
    spare: int = Field(default=1, ge=0, le=1000, description="How many of the largest nodes may be gone.")


class SpareOut(Answer):
    """Room while the spare nodes are gone, in the unit of the series."""

    capacity_left: float
    spare: int
    of_peak: float | None
    survives: bool


class HeadroomSeriesOut(SeriesAnswer):
    """Room above a series, in its unit; below 0 = over it."""

    capacity: float
    mean: float | None
    quantile: float | None
    peak: float | None
    of_mean: float | None = Field(description="Free at the mean.")
    of_quantile: float | None = Field(description="Free at the percentile.")
    of_peak: float | None = Field(description="Free at the peak.")
    to_target: float | None = Field(description="Free below the target utilisation, at the percentile.")
    share_free: float | None = Field(description="Share of the capacity that is free at the percentile. [1]")
    growth_left: float | None = Field(description="By how much of itself use can grow until the target; null where there is none. [1]")
    time_above_target: float | None = Field(description="Share of the values. [1]")
    time_above_capacity: float | None = Field(description="Share of the values. [1]")
    nodes: SpareOut | None


class HeadroomOut(SeriesModelOut):
    """Headroom, in the order of the series."""

    series: list[HeadroomSeriesOut]
