"""Confidence: a weighted geometric mean of metrics in [0, 1], each of which says what is weak; and whether stated probabilities came true."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from upid.engine.statistics.describing import describe
from upid.engine.statistics.variance import anova, spread_by_group

Floats = NDArray[np.float64]
HALF_VOLUME: Final = 10.0  # effective samples that are worth one half
RECENT_SECONDS: Final = 7 * 86400.0  # an age at which recency is 1 / e
LEAST: Final = 0.01  # of a metric in the mean: one that is 0 makes little of it, not nothing
OUTLYING: Final = 3.5  # robust z beyond which a value counts as an outlier (Iglewicz and Hoaglin, 1993)


class Metric(NamedTuple):
    """A metric of confidence: what it says and how it is made; `weight` in the mean."""

    name: str
    weight: float
    title: str
    formula: str


METRICS: Final = (
    Metric("volume", 1.0, "Enough independent samples", "n / (n + 10), n = samples x (1 - r) / (1 + r), r = autocorrelation at lag one"),
    Metric("coverage", 1.0, "Few gaps", "values known / steps"),
    Metric("stability", 0.5, "The level stays", "1 - share of the variance that lies between thirds of the window"),
    Metric("regularity", 0.5, "Few outliers", "1 - 5 x share of values beyond 3.5 robust deviations of the median, at least 0"),
    Metric("recency", 0.5, "The newest value is fresh", "exp(-age / 7 days)"),
    Metric("accuracy", 1.5, "The back-test's errors are small", "1 / (1 + MASE): 1/2 where errors are as large as the naive forecast's"),
    Metric("calibration", 1.0, "Intervals hold what they promise", "1 - |share within the 95 % interval - 0.95| / 0.95"),
    Metric("significance", 1.0, "It is unlikely to be chance", "1 - p-value"),
)  # fmt: skip
WEIGHTS: Final = {metric.name: metric.weight for metric in METRICS}


def score(parts: Mapping[str, float]) -> float:
    """Return the weighted geometric mean of metrics by name, in [0, 1]; NaN ones do not count, 0 where none is known.

    Raises
    ------
    ValueError
        For a name that is not in METRICS, or a value outside [0, 1].
    """
    if any(name not in WEIGHTS or value < 0 or value > 1 for name, value in parts.items()):
        raise ValueError("Metrics of confidence must be known by name and lie in [0, 1].")
    known = {name: max(value, LEAST) for name, value in parts.items() if not math.isnan(value)}
    weight = sum(WEIGHTS[name] for name in known)
    return math.exp(sum(WEIGHTS[name] * math.log(value) for name, value in known.items()) / weight) if weight else 0.0


def of_series(values: Floats) -> dict[str, float]:
    """Return volume, coverage, stability and regularity of one series, shape (steps,); NaN = missing. stability is NaN with fewer than six values."""
    told = describe(values[None], (0.25, 0.5, 0.75))
    effective, count = float(told.effective_samples[0]), int(told.count[0])
    third = np.minimum(np.arange(len(values)) * 3 // max(len(values), 1), 2)
    explained = anova(spread_by_group(values, third, 3)).explained if count >= 6 else float("nan")
    constant = count >= 6 and float(told.deviation[0]) == 0
    return {
        "volume": effective / (effective + HALF_VOLUME),
        "coverage": count / len(values) if len(values) else 0.0,
        "stability": 1.0 if constant else 1 - explained,
        "regularity": max(0.0, 1 - 5 * outlying_share(values)) if count else float("nan"),
    }


def outlying_share(values: Floats) -> float:
    """Return the share of known values beyond 3.5 robust deviations of the median; 0 where the median deviation is 0."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0
    away = np.abs(known - np.median(known))
    spread = float(np.median(away)) / 0.6744897501960817
    return float((away > OUTLYING * spread).mean()) if spread > 0 else 0.0


def of_backtest(mase: float, covered95: float) -> dict[str, float]:
    """Return accuracy and calibration from a back-test's mean absolute scaled error and the share of values within the 95 % interval; NaN stays NaN."""
    return {"accuracy": 1 / (1 + mase), "calibration": 1 - abs(covered95 - 0.95) / 0.95}


def of_age(age_seconds: float) -> dict[str, float]:
    """Return recency of the newest value's age; below 0 counts as 0."""
    return {"recency": math.exp(-max(age_seconds, 0.0) / RECENT_SECONDS)}


class Outcome(NamedTuple):
    """What came of one forecast: values compared, errors (forecast less actual) in the unit of the values, and shares within its intervals; NaN = none."""

    points: int
    mae: float
    rmse: float
    bias: float
    mase: float
    mape: float
    covered80: float
    covered95: float


def outcome(actual: Floats, mean: Floats, deviation: Floats, mase_scale: float) -> Outcome:
    """Compare a forecast with what came, shape (steps,) each; NaN in `actual` = not known. mape counts values other than 0 alone. [1]

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if not actual.shape == mean.shape == deviation.shape:
        raise ValueError("actual, mean and deviation must be of one shape.")
    known = ~np.isnan(actual)
    count = int(known.sum())
    if not count:
        return Outcome(0, *[float("nan")] * 7)
    size = max(float(np.abs(actual[known]).max()), float(np.abs(mean[known]).max())) or 1.0
    error = (mean - actual)[known] / size
    nonzero = actual[known] != 0
    relative = np.abs(error[nonzero] * size / actual[known][nonzero])
    mae = float(np.abs(error).mean()) * size
    away = np.abs(error) * size
    return Outcome(
        count, mae, float(np.sqrt((error**2).mean())) * size, float(error.mean()) * size,
        mae / mase_scale if mase_scale > 0 else float("nan"), float(relative.mean()) if len(relative) else float("nan"),
        *(float((away <= times * deviation[known]).mean()) for times in (1.2815515655446004, 1.959963984540054)),
    )  # fmt: skip


class Calibration(NamedTuple):
    """One line of a calibration table: the probability that was stated, the share that came true, and of how many values."""

    stated: float
    observed: float
    points: int


def calibration_table(away: Floats, levels: Sequence[float]) -> list[Calibration]:
    """Return for each probability the share of standardised errors, shape (points,), that lie within the normal interval of it; NaN ones do not count."""
    known = np.abs(away[~np.isnan(away)])
    return [
        Calibration(level, float((known <= ndtri(0.5 + level / 2)).mean()) if len(known) else float("nan"), len(known)) for level in levels
    ]
