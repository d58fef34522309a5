"""What all models take and give."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from functions.prediction.schemas.series import SeriesBody, SeriesOut, TrustOut
from upid.domain.errors import NotFoundError
from upid.http.schemas import Answer, Body
from upid.services.analyses import NothingCollectedError
from upid.services.models.requests import Question

LARGEST = 1e100
READS = (NotFoundError, NothingCollectedError)
Name = Annotated[str, Field(min_length=1, max_length=253)]
NotNegative = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]
Positive = Annotated[float, Field(ge=1 / LARGEST, le=LARGEST, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Percentile = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Parameters = Annotated[dict[str, float | int | str | bool | None], Field(description="The parameters used, defaults included.")]


class ModelBody(Body):
    """A request that holds nothing unknown."""


class GoodnessOfFit(Answer):
    """How well a model fits its data; null = not defined for these data."""

    r_squared: float | None = Field(description="Share of the variance that the model explains. [1]")
    residual_deviation: float | None = Field(
        description="Standard deviation of what it leaves, in the unit of the values; of an exponential model of their logarithms."
    )
    points: int = Field(description="Values that it was fitted to.")
    aicc: float | None = Field(
        default=None, description="Akaike's criterion, corrected for few points: lower is better among models of the same values."
    )


class ModelAnswer(Answer):
    """What every answer tells beside its figures."""

    algorithm: str = Field(description="What was computed.", examples=["universal-scalability-law"])
    parameters: Parameters
    warnings: list[str] = Field(description="What the reader of the figures should know.")
    confidence: float | None = Field(ge=0, le=1, description="How far the figures can be relied on; null where there are none. [1]")


class SeriesModelIn(SeriesBody):
    """What every model over series takes."""

    unit: str = Field(default="", max_length=50, description="Unit of the values; of stored usage it is known.", examples=["cores"])

    def question(self) -> Question:
        """Return what services take: the series, and everything else by name."""
        return Question(self.asked(), self.model_dump(exclude={"series", "values", "start", "step_seconds", "selection"}))


class SeriesAnswer(SeriesOut):
    """What every answer tells of a series."""

    confidence: TrustOut


class SeriesModelOut(Answer):
    """What every model over series gives."""

    algorithm: str = Field(description="What was computed.")
    parameters: Parameters
