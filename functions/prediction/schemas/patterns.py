"""Patterns and anomalies as they are asked for and answered."""

from __future__ import annotations

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from functions.prediction.schemas.series import SeasonOut, SelectionQuery, SeriesBody, SeriesOut, TrustOut
from functions.prediction.schemas.statistics import ChangeOut, SummaryOut, TrendOut
from upid.http.schemas import Answer
from upid.services.analytic_requests import DetectionAsked, DetectorName
from upid.services.series import MOST_PERIOD, MOST_VALUES

Kind = Literal["periodic", "growing", "falling", "bursty", "steady"]


class DetectPatternsIn(SeriesBody):
    """What to find patterns in."""


class SeriesPeakOut(Answer):
    """A run of values above the peak level. `prominence`: above the median."""

    start: str | None
    end: str | None
    top: str | None
    first_step: int
    width_steps: int
    width_seconds: float
    value: float
    prominence: float


class RecurringPeakOut(Answer):
    """A peak that comes again. `phase_seconds`: from the beginning of the period, which for days and weeks is that since the epoch (UTC; weeks begin Thursday)."""

    period_steps: int
    period_seconds: float
    phase_step: int
    phase_seconds: float
    width_seconds: float
    value: float
    cycles: int
    of_cycles: int
    strength: float
    p_value: float
    next: str | None


class PatternsOut(SeriesOut):
    """The patterns of a series."""

    kind: Kind
    summary: SummaryOut
    trend: TrendOut
    seasons: list[SeasonOut]
    changes: list[ChangeOut]
    peak_level: float | None
    peak_count: int
    peaks: list[SeriesPeakOut]
    recurring: list[RecurringPeakOut]
    confidence: TrustOut


class DetectedPatternsOut(Answer):
    """The patterns of every series, in their order."""

    series: list[PatternsOut]


class ClusterPatternsQuery(SelectionQuery):
    """Which parts of a cluster to look at."""

    limit: int = Field(20, ge=1, le=100, description="How many parts, the most used first, the answer has at most.")


ClusterPatternsAsked = Annotated[ClusterPatternsQuery, Query()]


class ClusterPatternsOut(Answer):
    """The patterns of a cluster's most used parts; `kinds` counts those in `items`."""

    cluster_id: str
    metric: str
    total: int
    kinds: dict[str, int]
    items: list[PatternsOut]


class SeasonalIn(SeriesBody):
    """What to find seasons in."""

    significance: float = Field(default=0.01, gt=0, lt=0.5, description="Chance of taking noise for a season. [1]")


class PhaseOut(Answer):
    """The values at one step of a cycle."""

    step: int
    mean: float | None
    deviation: float | None


class SeasonalSeriesOut(SeriesOut):
    """The seasons of a series, and the mean cycle of the strongest."""

    seasons: list[SeasonOut]
    profile: list[PhaseOut]
    confidence: TrustOut


class SeasonalOut(Answer):
    """The seasons of every series, in their order."""

    significance: float
    series: list[SeasonalSeriesOut]


class RecurringQuery(SelectionQuery):
    """Which cluster's usage to look for recurring peaks in."""

    cluster_id: str = Field(min_length=1, max_length=64, description="Id of a registered cluster.")


RecurringAsked = Annotated[RecurringQuery, Query()]


class PartRecurringOut(RecurringPeakOut):
    """A recurring peak and whose it is."""

    name: str
    labels: dict[str, str | None]


class RecurringOut(Answer):
    """Recurring peaks of a cluster's parts, the most certain first."""

    cluster_id: str
    metric: str
    unit: str
    start: str | None
    end: str | None
    looked_at: int
    total: int
    items: list[PartRecurringOut]


class DetectAnomaliesIn(SeriesBody):
    """Where to look for anomalies, and how."""

    detector: DetectorName = "robust_z"
    threshold: float = Field(default=3.5, ge=1e-6, le=1e6, description="Score from which a value is out of the ordinary. [1]")
    window_steps: int = Field(default=0, ge=0, le=MOST_VALUES, description="Newest values that a causal score rests on; 0 = all before.")
    causal: bool = Field(default=False, strict=True, description="Judge every value by those before it alone, as when they stream in.")
    period_steps: int | None = Field(default=None, ge=1, le=MOST_PERIOD, description="Of `seasonal_residual`; found where none is given.")
    tail: float = Field(default=0.01, ge=1e-6, lt=0.5, description="Share beyond either end of `percentile_band`. [1]")
    cool_down_steps: int = Field(default=3, ge=1, le=MOST_VALUES, description="An alarm ends when the score stayed below so long.")
    side: Literal["both", "above", "below"] = "both"
    scores: bool = Field(default=True, strict=True, description="Answer the score of every step too.")

    def how(self) -> DetectionAsked:
        """Return what services take."""
        return DetectionAsked(
            self.detector, self.threshold, self.window_steps, self.causal, self.period_steps, self.tail, self.cool_down_steps, self.side, self.scores
        )  # fmt: skip


class AlarmOut(Answer):
    """One event: from its first to its last value beyond the threshold. `score`: the highest, signed."""

    start: str | None
    end: str | None
    peak: str | None
    first_step: int
    last_step: int
    peak_step: int
    steps: int
    score: float
    value: float | None


class AnomalySeriesOut(SeriesOut):
    """The alarms of a series, the first 200, and the score, expected value and band of every step; null = no score."""

    period_steps: int
    alarm_count: int
    alarms: list[AlarmOut]
    score: list[float | None] | None
    expected: list[float | None] | None
    low: list[float | None] | None
    high: list[float | None] | None
    confidence: TrustOut


class AnomaliesOut(Answer):
    """The anomalies of every series, in their order, and what they were found with."""

    detector: str
    threshold: float
    causal: bool
    window_steps: int
    cool_down_steps: int
    side: str
    series: list[AnomalySeriesOut]
