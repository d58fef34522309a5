"""What statistical models take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from functions.models.schemas.common import Parameters, SeriesModelIn, SeriesModelOut
from functions.prediction.schemas.forecasting import DecomposedOut, ForecastOut
from functions.prediction.schemas.series import Level, SeriesOut, TrustOut, Value
from functions.prediction.schemas.statistics import AverageOut, RegressedOut
from upid.http.schemas import Answer
from upid.services.models.requests import Question, XyQuestion
from upid.services.series import MOST_HORIZON, MOST_PERIOD, MOST_VALUES

Column = Annotated[list[Value], Field(min_length=1, max_length=MOST_VALUES)]


class LinearModelIn(SeriesModelIn):
    """y on x, or each series over its time: exactly one of `x` with `y`, `series`, `values` and `selection`."""

    x: Column | None = None
    y: Column | None = None
    confidence_level: Level = 0.95
    predict_at: list[Value] = Field(default=[], max_length=1000, description="x to predict at; of series: days since the first step.")

    @model_validator(mode="after")
    def _one_source(self) -> LinearModelIn:
        given = sum(each is not None for each in (self.x, self.series, self.values, self.selection))
        if given != 1 or (self.x is None) != (self.y is None):
            raise ValueError("give x and y, or exactly one of series, values and selection")
        if len(self.x or []) != len(self.y or []):
            raise ValueError("x must have as many values as y")
        return self

    def regression(self) -> XyQuestion:
        """Return what services take."""
        rest = self.model_dump(exclude={"series", "values", "start", "step_seconds", "selection", "x", "y"})
        if self.x is not None and self.y is not None:
            return XyQuestion((self.x, self.y), None, rest)
        return XyQuestion(None, Question(self.asked(), rest), rest)


class PolynomialModelIn(LinearModelIn):
    """As for a line, by a polynomial."""

    degree: int | None = Field(default=None, ge=1, le=10, description="Chosen by AICc where none is given.")
    most_degree: int = Field(default=5, ge=1, le=10, description="Of those to choose from.")


class FitOut(RegressedOut):
    """A regression of one series over its time, or of y on x."""

    name: str
    x_unit: str = Field(description="`days` since the first step for series; empty for x of the request.")
    unit: str


class FitsOut(Answer):
    """Regressions, in the order of the series."""

    algorithm: str
    parameters: Parameters
    fits: list[FitOut]


class SmoothingModelIn(SeriesModelIn):
    """Series to smooth and carry on."""

    method: Literal["ses", "holt", "holt_damped", "holt_winters", "holt_winters_damped", "holt_winters_multiplicative"] = "ses"
    horizon: int = Field(default=24, ge=1, le=MOST_HORIZON, description="[steps]")
    period_steps: int | None = Field(default=None, ge=1, le=MOST_PERIOD, description="Of the season; found where none is given, 1 = none.")


class SmoothedOut(ForecastOut):
    """A series smoothed: the fitted parameters, and where it goes with bounds."""


class SmoothingModelOut(Answer):
    """Smoothed series, in their order."""

    algorithm: str
    parameters: Parameters
    series: list[SmoothedOut]


class AverageModelIn(SeriesModelIn):
    """Series to average."""

    kind: Literal["simple", "exponential", "weighted"] = "simple"
    window: int = Field(default=12, ge=1, le=1000, description="[steps]")
    alpha: float | None = Field(default=None, gt=0, le=1, description="Of an exponential one; 2 / (window + 1) where none is given. [1]")


class AveragedOut(SeriesOut):
    """A series averaged."""

    average: AverageOut
    deviation: float | None = Field(description="Standard deviation of the values about the average, in the unit of the series.")
    last: float | None = Field(description="The newest average.")
    confidence: TrustOut


class AverageModelOut(SeriesModelOut):
    """Averages, in the order of the series."""

    series: list[AveragedOut]


class DecompositionModelIn(SeriesModelIn):
    """Series to decompose into trend, season and rest."""

    method: Literal["stl", "classical", "classical_multiplicative"] = "stl"
    period_steps: int | None = Field(default=None, ge=2, le=MOST_PERIOD, description="Found where none is given.")
    robust: bool = Field(default=False, strict=True, description="Values far from the fit weigh less (stl).")


class DecompositionModelOut(SeriesModelOut):
    """Parts, in the order of the series."""

    series: list[DecomposedOut]
