"""What analytic endpoints take beside series. Light: API groups import it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from upid.domain.errors import NotFoundError
from upid.services.series import Asked, Selection, SeriesInput

Part = Literal["summary", "trend", "changes", "seasons"]
MethodName = Literal[
    "auto", "naive", "mean", "seasonal_naive", "linear", "ses", "holt", "holt_damped", "theta", "holt_winters", "holt_winters_damped",
    "holt_winters_multiplicative", "holt_winters_multiplicative_damped", "arima", "combination",
]  # fmt: skip
DetectorName = Literal["standard_deviation", "z_score", "robust_z", "iqr", "percentile_band", "seasonal_residual"]


class UnknownPredictionError(NotFoundError):
    """There is no stored prediction of this id for the tenant."""

    title = "No such prediction"


@dataclass(frozen=True, slots=True)
class AverageAsked:
    """A moving average over `window` steps; `alpha` of an exponential one, None = 2 / (window + 1)."""

    kind: Literal["simple", "exponential", "weighted"]
    window: int
    alpha: float | None = None


@dataclass(frozen=True, slots=True)
class CorrelationAsked:
    """x and y as `pair`, or every pair of `series`; `max_lag` in steps."""

    pair: tuple[SeriesInput, ...]
    series: Asked | None
    method: Literal["pearson", "spearman"]
    max_lag: int
    confidence: float


@dataclass(frozen=True, slots=True)
class RegressionAsked:
    """y on named predictors; `degree` of a polynomial, None = chosen up to `most_degree`; `predict_at`: rows of predictors.

    `selection`: stored usage in their place, over the days since its first step.
    """

    kind: Literal["linear", "polynomial", "multiple"]
    y: Sequence[float]
    predictors: Sequence[tuple[str, Sequence[float]]]
    degree: int | None
    most_degree: int
    confidence: float
    predict_at: Sequence[Sequence[float]]
    selection: Selection | None = None


@dataclass(frozen=True, slots=True)
class ForecastAsked:
    """How to forecast: steps ahead, method, the season's steps (None = found, 1 = none), whether what is predicted is kept above 0 and stored.

    `pointer`: where its fields stand in the request, `#/` for a body and `?` for a query.
    """

    horizon: int
    method: MethodName = "auto"
    period: int | None = None
    non_negative: bool = False
    store: bool = True
    pointer: str = "#/"

    def place(self, name: str) -> str:
        """Return where a field of this stands in the request."""
        return self.pointer + name


@dataclass(frozen=True, slots=True)
class DetectionAsked:
    """How to look for anomalies; `window`, `period` and `cool_down` in steps, 0 and None = chosen."""

    detector: DetectorName = "robust_z"
    threshold: float = 3.5
    window: int = 0
    causal: bool = False
    period: int | None = None
    tail: float = 0.01
    cool_down: int = 3
    side: Literal["both", "above", "below"] = "both"
    scores: bool = True


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came after a stored prediction: a series of the request, or None = read from the history that it was made of."""

    prediction_id: str
    actual: SeriesInput | None
