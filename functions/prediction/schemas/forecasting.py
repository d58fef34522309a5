"""Forecasts as they are asked for and answered."""

from __future__ import annotations

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from functions.prediction.schemas.series import SeasonOut, SelectionQuery, SeriesBody, SeriesOut, TrustOut
from upid.http.schemas import Answer
from upid.services.analytic_requests import ForecastAsked, MethodName
from upid.services.series import MOST_FITTED, MOST_FITTED_OTHERWISE, MOST_HORIZON, MOST_PERIOD, MOST_USED

AUTOMATIC = "`auto` takes the simplest of those that a back-test finds as good as the best."
BOUNDS = (
    f"At most {MOST_FITTED['auto']} values of all series together for `auto`, {MOST_FITTED['arima']} for `arima`, {MOST_FITTED_OTHERWISE} for"
    f" others; of a series its newest {MOST_USED} count."
)


class PredictIn(SeriesBody):
    """What to forecast, and how."""

    horizon: int = Field(default=24, ge=1, le=MOST_HORIZON, description="[steps]")
    method: MethodName = Field(default="auto", description=f"{AUTOMATIC} {BOUNDS}")
    period_steps: int | None = Field(default=None, ge=1, le=MOST_PERIOD, description="Of the season; found where none is given, 1 = none.")
    non_negative: bool = Field(default=False, strict=True, description="Nothing below 0 is predicted.")
    store: bool = Field(default=True, strict=True, description="Keep it for 180 days, to be read and judged later.")

    def how(self) -> ForecastAsked:
        """Return what services take; use is never below 0."""
        return ForecastAsked(self.horizon, self.method, self.period_steps, self.non_negative or self.selection is not None, self.store)


class BacktestedMethod(Answer):
    """A method's errors in the back-test. `mase`: below 1 is better than the naive forecast. [1]"""

    method: str
    mase: float | None
    rmse: float | None
    bias: float | None
    covered80: float | None
    covered95: float | None


class BacktestOut(Answer):
    """Every method that was tried, from rolling origins."""

    folds: int
    horizon: int
    mase_scale: float | None
    methods: list[BacktestedMethod]


class ForecastOut(Answer):
    """A forecast: expected values and bounds that hold them with 80 and 95 %. `start`: when its first step begins."""

    series: SeriesOut
    method: str
    asked_method: str
    period_steps: int
    horizon: int
    unit: str
    step_seconds: float
    start: str | None
    parameters: dict[str, float]
    mean: list[float | None]
    deviation: list[float | None]
    low80: list[float | None]
    high80: list[float | None]
    low95: list[float | None]
    high95: list[float | None]
    backtest: BacktestOut | None
    confidence: TrustOut


class PredictionOut(ForecastOut):
    """A forecast as it was made, and where it is kept."""

    id: str | None = Field(description="To read it again; null where it was not stored.")
    created_at: str


class PredictionsOut(Answer):
    """A forecast of each series, in their order."""

    items: list[PredictionOut]


class DemandOut(Answer):
    """The forecast of a cluster and of its parts, which add up to it. `items` has the largest parts."""

    cluster_id: str
    metric: str
    unit: str
    split: str
    horizon: int
    parts: int
    total: ForecastOut
    items: list[ForecastOut]
    warnings: list[str] = Field(description="Which parts are held at their last value or left out, and what else to know of them.")


class DemandQuery(SelectionQuery):
    """What demand is predicted of, and how far."""

    horizon: int = Field(24, ge=1, le=MOST_HORIZON, description="[steps]")
    method: MethodName = Field(
        "auto", description=f"{AUTOMATIC} Parts of more than {MOST_FITTED['auto']} values are forecast by `theta` then."
    )

    def how(self) -> ForecastAsked:
        """Return what services take."""
        return ForecastAsked(self.horizon, self.method, None, non_negative=True, store=False, pointer="?")


DemandAsked = Annotated[DemandQuery, Query()]


class SeasonalAnalysisIn(SeriesBody):
    """What to decompose into trend, season and rest."""

    method: Literal["stl", "classical", "classical_multiplicative"] = "stl"
    period_steps: int | None = Field(default=None, ge=2, le=MOST_PERIOD, description="Found where none is given.")
    robust: bool = Field(default=False, strict=True, description="Values far from the fit weigh less (stl).")


class DecomposedOut(SeriesOut):
    """A series with its seasons and parts; parts are null where no season was found or named, and null near the ends of a classical trend."""

    seasons: list[SeasonOut]
    period_steps: int | None
    seasonal_strength: float | None
    trend_strength: float | None
    trend: list[float | None] | None
    season: list[float | None] | None
    rest: list[float | None] | None
    confidence: TrustOut


class SeasonalAnalysisOut(Answer):
    """Every series as decomposed, in their order."""

    method: str
    series: list[DecomposedOut]
