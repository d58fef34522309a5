"""What all models take and give."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LARGEST = 1e100
Name = Annotated[str, Field(min_length=1, max_length=253)]
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=LARGEST, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Confidence = Annotated[float, Field(gt=0, lt=1, description="Of the bounds, two-sided. [1]")]


class ModelBody(BaseModel):
    """A request that holds nothing unknown."""

    model_config = ConfigDict(extra="forbid")


class ModelWarning(BaseModel):
    """Something that the reader of a figure should know."""

    code: str = Field(examples=["gaps"])
    text: str


class GoodnessOfFit(BaseModel):
    """How well a model fits its data; null = not defined for these data."""

    r_squared: float | None = Field(description="Share of the variance that the model explains. [1]")
    residual_deviation: float | None = Field(description="Standard deviation of what it leaves, in the unit of the values.")
    points: int = Field(description="Values that it was fitted to.")
    aicc: float | None = Field(
        default=None, description="Akaike's criterion, corrected for few points: lower is better among models of the same values."
    )


class ModelAnswer(BaseModel):
    """What every answer tells beside its figures."""

    algorithm: str = Field(description="What was computed, as docs/algorithms.md has it.", examples=["universal-scalability-law"])
    parameters: dict[str, float | int | str | bool | None] = Field(description="The parameters used, defaults included.")
    units: dict[str, str] = Field(description="Units of figures whose name does not tell it.")
    warnings: list[ModelWarning]
    confidence: float | None = Field(ge=0, le=1, description="How far the figures can be relied on, 0 to 1; null where there are none. [1]")
