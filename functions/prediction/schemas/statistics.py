"""Statistics as they are asked for and answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from functions.prediction.schemas.series import Level, SeasonOut, SeriesBody, SeriesIn, SeriesOut, TrustOut, UsageSelectionIn, Value
from upid.http.schemas import Answer, Body
from upid.services.analytic_requests import AverageAsked, CorrelationAsked, Part, RegressionAsked
from upid.services.series import MOST_VALUES

Column = Annotated[list[Value], Field(min_length=1, max_length=MOST_VALUES)]


class AverageIn(Body):
    """A moving average."""

    kind: Literal["simple", "exponential", "weighted"]
    window: int = Field(default=12, ge=1, le=1000, description="[steps]")
    alpha: float | None = Field(default=None, gt=0, le=1, description="Of an exponential one; 2 / (window + 1) where none is given. [1]")


class AnalyzeSeriesIn(SeriesBody):
    """What to analyze, and which parts are wanted."""

    include: list[Part] = Field(default=["summary", "trend", "changes", "seasons"], max_length=4)
    averages: list[AverageIn] = Field(default=[], max_length=5)
    confidence_level: Level = 0.95

    def wanted(self) -> list[AverageAsked]:
        """Return the averages as services take them."""
        return [AverageAsked(each.kind, each.window, each.alpha) for each in self.averages]


class SummaryOut(Answer):
    """Moments and quantiles, in the unit of the series; null = not defined."""

    count: int
    mean: float | None
    deviation: float | None
    variation: float | None = Field(description="Coefficient of variation. [1]")
    minimum: float | None
    maximum: float | None
    autocorrelation: float | None = Field(description="At lag one. [1]")
    effective_samples: float | None
    quantiles: dict[str, float | None]


class LeastSquaresOut(Answer):
    """A straight line by least squares. `p_value_correlated` allows for correlated residuals. [unit per week]"""

    slope_per_week: float | None
    low_per_week: float | None
    high_per_week: float | None
    at_start: float | None
    at_end: float | None
    r_squared: float | None
    p_value: float | None
    p_value_correlated: float | None
    residual_deviation: float | None


class TheilSenOut(Answer):
    """The median slope of all pairs with Sen's bounds [unit per week], and the Mann-Kendall test."""

    slope_per_week: float | None
    low_per_week: float | None
    high_per_week: float | None
    tau: float | None
    z: float | None
    p_value: float | None


class TrendOut(Answer):
    """A trend. `growth_per_week` is the least-squares slope as a share of the line's middle. [1 per week]"""

    direction: Literal["rising", "falling", "none"]
    growth_per_week: float | None
    least_squares: LeastSquaresOut
    theil_sen: TheilSenOut
    warnings: list[str]


class ChangeOut(Answer):
    """A shift of the level: where the new one begins."""

    time: str | None
    step: int
    before: float | None
    after: float | None


class AverageOut(Answer):
    """A moving average at each step; null until it is known."""

    kind: str
    parameters: dict[str, float]
    values: list[float | None]


class AnalyzedSeriesOut(SeriesOut):
    """A series and the parts that were asked for; null = not asked for."""

    summary: SummaryOut | None
    trend: TrendOut | None
    changes: list[ChangeOut] | None
    seasons: list[SeasonOut] | None
    averages: list[AverageOut]
    confidence: TrustOut


class AnalyzedOut(Answer):
    """Every series as analyzed, in their order."""

    confidence_level: float
    series: list[AnalyzedSeriesOut]


class PartTrendOut(Answer):
    """The trend of one part of a cluster."""

    name: str
    labels: dict[str, str | None]
    mean: float | None
    trend: TrendOut
    warnings: list[str]
    confidence: TrustOut


class ClusterTrendsOut(Answer):
    """Trends of a cluster's parts, the strongest growth or fall first."""

    cluster_id: str
    metric: str
    unit: str
    split: str
    start: str | None
    end: str | None
    step_seconds: float
    total: int = Field(description="How many parts there are; `items` has at most `limit` of them.")
    items: list[PartTrendOut]
    confidence_level: float


class HourSpreadOut(Answer):
    """Use in one hour of the day (UTC)."""

    hour: int
    count: int
    mean: float | None
    deviation: float | None
    variation: float | None


class AnovaOut(Answer):
    """One-way analysis of variance. `explained`: share of the variance between groups. [1]"""

    f: float | None
    p_value: float | None
    between_degrees: int
    within_degrees: int
    explained: float | None


class PartVarianceOut(Answer):
    """How the use of one part of a cluster varies."""

    name: str
    labels: dict[str, str | None]
    mean: float | None
    deviation: float | None
    variation: float | None
    minimum: float | None
    maximum: float | None
    count: int
    effective_samples: float | None
    confidence: TrustOut


class ClusterVarianceOut(Answer):
    """How a cluster's use varies: in all by hour, between its parts, and within each, most varying first."""

    cluster_id: str
    metric: str
    unit: str
    split: str
    start: str | None
    end: str | None
    step_seconds: float
    by_hour: list[HourSpreadOut]
    hour_anova: AnovaOut
    between_parts: AnovaOut
    total: int
    items: list[PartVarianceOut]
    warnings: list[str]


class CorrelateIn(SeriesBody):
    """`x` and `y` (bare values or series), or several series or parts of stored usage, whose every pair is correlated."""

    x: list[Value | None] | SeriesIn | None = Field(default=None)
    y: list[Value | None] | SeriesIn | None = Field(default=None)
    method: Literal["pearson", "spearman"] = "pearson"
    max_lag: int = Field(default=0, ge=0, le=500, description="Also y against x so many steps earlier and later. [steps]")
    confidence_level: Level = 0.95

    @model_validator(mode="after")
    def _one_source(self) -> CorrelateIn:
        given = sum(each is not None for each in (self.x or self.y, self.series, self.selection))
        if given != 1 or (self.x is None) != (self.y is None) or self.values is not None:
            raise ValueError("give x and y, or series, or a selection with split")
        for each in (self.x, self.y):
            if isinstance(each, list) and not 1 <= len(each) <= MOST_VALUES:
                raise ValueError(f"a series has 1 to {MOST_VALUES} values")
        return self

    def correlation(self) -> CorrelationAsked:
        """Return what services take."""
        pair = tuple(
            (SeriesIn(values=each, step_seconds=1.0) if isinstance(each, list) else each).given(f"#/{name}", name)
            for name, each in (("x", self.x), ("y", self.y))
            if each is not None
        )
        return CorrelationAsked(pair, None if pair else self.asked(), self.method, self.max_lag, self.confidence_level)


class LagOut(Answer):
    """Correlation of x with y so many steps later."""

    lag: int
    lag_seconds: float
    coefficient: float | None
    p_value: float | None
    pairs: int


class PairOut(Answer):
    """The correlation of a pair; p-value of there being none, samples taken as independent, and by what they are worth where they follow each other slowly."""

    x: str
    y: str
    coefficient: float | None
    p_value: float | None
    low: float | None
    high: float | None
    pairs: int
    effective_pairs: float | None = Field(description="What the pairs are worth as independent ones, by both autocorrelations.")
    p_value_correlated: float | None = Field(description="As `p_value`, of that many.")
    best_lag: int | None = Field(description="At which the correlation is farthest from 0; above 0: y follows x. [steps]")
    lags: list[LagOut]
    warnings: list[str]
    confidence: TrustOut


class CorrelatedOut(Answer):
    """Every pair as correlated."""

    method: str
    confidence_level: float
    pairs: list[PairOut]


class PredictorIn(Body):
    """A predictor of a multiple regression."""

    name: str = Field(min_length=1, max_length=253)
    values: Column


class RegressIn(Body):
    """y on x (linear, polynomial), or on several predictors (multiple), or stored usage (summed) on the days since its first step."""

    y: Column | None = None
    x: Column | None = None
    selection: UsageSelectionIn | None = None
    predictors: list[PredictorIn] | None = Field(default=None, min_length=1, max_length=20)
    kind: Literal["linear", "polynomial", "multiple"] = "linear"
    degree: int | None = Field(default=None, ge=1, le=10, description="Of a polynomial; chosen by AICc where none is given.")
    most_degree: int = Field(default=5, ge=1, le=10)
    confidence_level: Level = 0.95
    predict_at: list[Annotated[list[Value], Field(min_length=1, max_length=20)]] = Field(default=[], max_length=1000)

    @model_validator(mode="after")
    def _lengths(self) -> RegressIn:
        if self.selection is not None:
            if self.y or self.x or self.predictors or self.kind == "multiple" or self.selection.split != "none":
                raise ValueError("a selection is summed here, and is the y over days: leave out y, x, predictors and split")
            return self
        if self.y is None or (self.x is None) == (self.predictors is None) or (self.kind == "multiple") != (self.predictors is not None):
            raise ValueError("give y with x for linear and polynomial, with predictors for multiple; or a selection")
        columns = [self.x] if self.x is not None else [each.values for each in self.predictors or []]
        if any(len(column) != len(self.y) for column in columns):
            raise ValueError("predictors must have as many values as y")
        return self

    @model_validator(mode="after")
    def _predicted(self) -> RegressIn:
        columns = len(self.predictors or [None])
        if any(len(row) != columns for row in self.predict_at):
            raise ValueError(f"each row of predict_at needs {columns} values")
        return self

    def asked(self) -> RegressionAsked:
        """Return what services take."""
        predictors = [("x", self.x)] if self.x is not None else [(each.name, each.values) for each in self.predictors or []]
        how = (self.degree, self.most_degree, self.confidence_level, self.predict_at)
        selection = None if self.selection is None else self.selection.selection()
        return RegressionAsked(self.kind, self.y or (), predictors, *how, selection)


class CoefficientOut(Answer):
    """A coefficient with its test; null where some predictors depend on others."""

    name: str
    value: float | None
    standard_error: float | None
    low: float | None
    high: float | None
    p_value: float | None


class PolynomialScaling(Answer):
    """Legendre polynomials are of (x - centre) / half_width."""

    centre: float
    half_width: float


class RegressedOut(Answer):
    """A regression: what was fitted, how well, and what it predicts."""

    kind: str
    degree: int | None
    points: int
    confidence_level: float
    coefficients: list[CoefficientOut]
    powers: list[float | None] | None = Field(description="Of a polynomial: coefficients of powers of x, constant first.")
    scaling: PolynomialScaling | None
    r_squared: float | None
    adjusted_r_squared: float | None
    f: float | None
    p_value: float | None
    aicc: float | None
    residual_deviation: float | None
    condition: float | None = Field(description="Condition number of the centred and scaled predictors.")
    fitted: list[float | None]
    predicted: list[float | None]
    warnings: list[str]
    confidence: TrustOut
