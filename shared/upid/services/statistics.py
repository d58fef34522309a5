"""Statistics of series: description, trends, changes, correlation, regression, variance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final

import numpy as np

from upid.domain.errors import InvalidRequestError
from upid.engine.confidence import scoring
from upid.engine.seasonality.decomposition import classical
from upid.engine.seasonality.periods import seasons
from upid.engine.statistics import averages, correlation, regression
from upid.engine.statistics.changes import level_shifts
from upid.engine.statistics.describing import describe
from upid.engine.statistics.linear import least_squares_line, robust_trend
from upid.engine.statistics.rows import linear_fill
from upid.engine.statistics.variance import GroupSpread, anova, spread_by_group
from upid.services.analytic_requests import AverageAsked, CorrelationAsked, Part, RegressionAsked
from upid.services.panels import IRREGULAR, Floats, Panel, array_of, coarser, number, numbers, panel_of
from upid.services.series import Asked, Selection
from upid.services.usage_series import SeriesReader

WEEK_SECONDS: Final = 7 * 86400.0
DAY_SECONDS: Final = 86400.0
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
MOST_ROBUST: Final = 1500  # points that Theil-Sen's pairs are made of
MOST_SHIFTED: Final = 2000
MOST_PAIRS: Final = 1225  # of 50 series
WELL_CONDITIONED: Final = 1e6
SLOW: Final = 0.5  # independent pairs per pair below which a correlation is warned of


@dataclass(frozen=True, slots=True)
class StatisticsService:
    """Says what series look like; every figure comes with what it rests on."""

    reader: SeriesReader

    def analyze(
        self, tenant: str, asked: Asked, *, parts: Sequence[Part], wanted: Sequence[AverageAsked], confidence: float
    ) -> dict[str, Any]:
        """Return the parts asked for of each series. Errors as `SeriesReader.read`."""
        panels = self.reader.read(tenant, asked)
        return {"series": [_analyzed(panel, parts, wanted, confidence) for panel in panels], "confidence_level": confidence}

    def trends(self, tenant: str, asked: Selection, *, limit: int, confidence: float) -> dict[str, Any]:
        """Return the trends of a cluster's parts, those that grow or fall most in a week first. Errors as `SeriesReader.read`."""
        panels = self.reader.select(tenant, asked)
        items = sorted((_trend_item(panel, confidence) for panel in panels), key=lambda each: -abs(each["trend"]["growth_per_week"] or 0.0))
        return _of_cluster(asked, panels) | {"total": len(items), "items": items[:limit], "confidence_level": confidence}

    def variance(self, tenant: str, asked: Selection, *, limit: int) -> dict[str, Any]:
        """Return how a cluster's use varies: by hour of day (UTC) with its analysis of variance, and by part, most varying first."""
        panels = self.reader.select(tenant, asked)
        whole = self.reader.select(tenant, replace(asked, split="none"))[0]
        hours = (((whole.start or 0.0) + whole.times) % DAY_SECONDS // 3600).astype(np.int64)
        items = sorted((_variance_item(panel) for panel in panels), key=lambda each: -(each["variation"] or 0.0))
        return _of_cluster(asked, panels) | {
            "by_hour": _groups(spread_by_group(whole.values, hours, 24)), "hour_anova": _anova(spread_by_group(whole.values, hours, 24)),
            "between_parts": _between(panels), "total": len(items), "items": items[:limit], "warnings": whole.all_warnings(),
        }  # fmt: skip

    def correlate(self, tenant: str, asked: CorrelationAsked) -> dict[str, Any]:
        """Return the correlation of x and y, also at lags, or of every pair of several series. InvalidRequestError where they don't go together."""
        panels = [panel_of(each) for each in asked.pair] if asked.pair else self.reader.read(tenant, asked.series or ())
        if len(panels) < 2 or len(panels) * (len(panels) - 1) // 2 > MOST_PAIRS:
            raise InvalidRequestError([{"pointer": "#/series", "detail": f"Two to 50 series can be correlated, got {len(panels)}."}])
        pairs = [_pair(one, other, asked) for one, other in combinations(panels, 2)]
        return {"method": asked.method, "confidence_level": asked.confidence, "pairs": pairs}

    def regress(self, tenant: str, asked: RegressionAsked) -> dict[str, Any]:
        """Return a regression with its tests; InvalidRequestError where there are too few points, or predictors of another length.

        Errors of a selection as `SeriesReader.read`.
        """
        if asked.selection is not None:
            asked = _over_days(self.reader.select(tenant, asked.selection)[0], asked)
        y = array_of(asked.y)
        columns = np.array([array_of(column) for _, column in asked.predictors]).T
        try:
            if asked.kind == "polynomial":
                return _polynomial(columns[:, 0], y, asked)
            fit = regression.multiple_regression(columns, y, confidence=asked.confidence)
        except ValueError as error:
            raise InvalidRequestError([{"pointer": "#/y" if asked.selection is None else "#/selection", "detail": str(error)}]) from None
        names = ["intercept", *(name for name, _ in asked.predictors)]
        at = (
            np.asarray(asked.predict_at, np.float64).reshape(len(asked.predict_at), -1)
            if asked.predict_at
            else np.empty((0, columns.shape[1]))
        )
        predicted = fit.coefficients[0] + at @ fit.coefficients[1:]
        return _regression(asked, fit, names, predicted) | {"degree": None, "powers": None}


def _analyzed(panel: Panel, parts: Sequence[Part], wanted: Sequence[AverageAsked], confidence: float) -> dict[str, Any]:
    made: dict[str, Any] = {
        "summary": lambda: summary(panel), "trend": lambda: trend(panel, confidence), "changes": lambda: changes(panel),
        "seasons": lambda: [season_told(panel, each) for each in seasons(panel.values, common_periods(panel))],
    }  # fmt: skip
    told = {name: made[name]() if name in parts else None for name in made}
    return panel.told() | told | {"averages": [_average(panel, each) for each in wanted], "confidence": trust(panel)}


def trust(panel: Panel, **more: float) -> dict[str, Any]:
    """Return the confidence in a panel's figures with the metrics that it is made of."""
    found = scoring.of_series(panel.values) | more
    known = {name: float(np.clip(value, 0, 1)) if not math.isnan(value) else value for name, value in found.items()}
    weakest = min((name for name in known if not math.isnan(known[name])), key=lambda name: known[name], default=None)
    return {"score": scoring.score(known), "metrics": {name: number(value) for name, value in known.items()}, "weakest": weakest}


def summary(panel: Panel) -> dict[str, Any]:
    """Return count, mean, deviation, quantiles and what the values are worth as independent ones."""
    told = describe(panel.values[None], QUANTILES)
    names = ("mean", "deviation", "variation", "minimum", "maximum", "autocorrelation", "effective_samples")
    figures = {name: number(getattr(told, name)[0]) for name in names}
    return figures | {
        "count": int(told.count[0]),
        "quantiles": {f"p{round(100 * p):02d}": number(v) for p, v in zip(QUANTILES, told.quantiles[0], strict=True)},
    }


def trend(panel: Panel, confidence: float) -> dict[str, Any]:
    """Return the least-squares and the robust trend, in units per week, with growth per week as a share of the line's middle."""
    line = least_squares_line(panel.times, panel.values[None], confidence=confidence)
    thin = coarser(panel, MOST_ROBUST)
    robust = robust_trend(thin.times, thin.values, confidence=confidence)
    middle = float(line.at_mean[0])
    least_squares = {
        "slope_per_week": number(line.slope[0] * WEEK_SECONDS), "low_per_week": number(line.low[0] * WEEK_SECONDS),
        "high_per_week": number(line.high[0] * WEEK_SECONDS), "at_start": number(line.at(0.0)[0]), "at_end": number(line.at(float(panel.times[-1]))[0]),
        "r_squared": number(line.r_squared[0]), "p_value": number(line.p_value[0]), "p_value_correlated": number(line.p_value_correlated[0]),
        "residual_deviation": number(line.residual_deviation[0]),
    }  # fmt: skip
    theil_sen = {
        "slope_per_week": number(robust.slope * WEEK_SECONDS), "low_per_week": number(robust.low * WEEK_SECONDS),
        "high_per_week": number(robust.high * WEEK_SECONDS), "tau": number(robust.tau), "z": number(robust.z), "p_value": number(robust.p_value),
    }  # fmt: skip
    p_value = line.p_value_correlated[0]
    growth = line.slope[0] * WEEK_SECONDS / abs(middle) if middle else math.nan
    direction = "none" if not p_value < 1 - confidence else "rising" if line.slope[0] > 0 else "falling"
    return {
        "direction": direction,
        "growth_per_week": number(growth),
        "least_squares": least_squares,
        "theil_sen": theil_sen,
        "warnings": list(thin.warnings),
    }


def changes(panel: Panel) -> list[dict[str, Any]]:
    """Return where the level shifted, the strongest season taken out before: its ups and downs are no shifts."""
    found = seasons(panel.values, common_periods(panel))
    if found:
        season = classical(linear_fill(panel.values[None]), found[0].period).season[0]
        panel = replace(panel, values=panel.values - season)
    thin = coarser(panel, MOST_SHIFTED)
    return [
        {"time": thin.moment(shift.column), "step": round(shift.column * thin.step_seconds / panel.step_seconds), "before": number(shift.before), "after": number(shift.after)}
        for shift in level_shifts(thin.values)
    ]  # fmt: skip


def common_periods(panel: Panel) -> list[int]:
    """Return the steps that a day, a week and a month (30 days) have."""
    found = [days * DAY_SECONDS / panel.step_seconds for days in (1, 7, 30)]
    return [round(steps) for steps in found if 2 <= steps < math.inf and abs(steps - round(steps)) < 1e-6 * steps]


def season_told(panel: Panel, season: Any) -> dict[str, Any]:
    """Return a season as answers have it."""
    seconds = season.period * panel.step_seconds
    names = {DAY_SECONDS: "daily", WEEK_SECONDS: "weekly"}
    months = 28 * DAY_SECONDS < seconds <= 31 * DAY_SECONDS  # four weeks are no month
    return {
        "name": "monthly" if months else names.get(seconds, "other"), "period_steps": season.period, "period_seconds": seconds, "strength": season.strength,
        "autocorrelation": season.autocorrelation, "p_value": season.p_value, "peak_step": season.peak_step, "trough_step": season.trough_step,
        "next_peak": panel.moment(season.peak_step + season.period * max(0, -(-(len(panel.values) - season.peak_step) // season.period))),
    }  # fmt: skip


def _average(panel: Panel, asked: AverageAsked) -> dict[str, Any]:
    values = panel.values[None]
    if asked.kind == "exponential":
        alpha = asked.alpha if asked.alpha is not None else 2 / (asked.window + 1)
        found, parameters = averages.exponential_average(values, alpha), {"alpha": alpha}
    else:
        made = {"simple": averages.simple_average, "weighted": averages.weighted_average}[asked.kind]
        found, parameters = made(values, asked.window), {"window": float(asked.window)}
    return {"kind": asked.kind, "parameters": parameters, "values": numbers(found[0])}


def _trend_item(panel: Panel, confidence: float) -> dict[str, Any]:
    found = trend(panel, confidence)
    p_value = found["least_squares"]["p_value_correlated"]
    return {"name": panel.name, "labels": panel.shown_labels, "mean": number(float(np.nanmean(panel.values))), "trend": found, "warnings": panel.all_warnings(),
            "confidence": trust(panel, significance=math.nan if p_value is None else 1 - p_value)}  # fmt: skip


def _variance_item(panel: Panel) -> dict[str, Any]:
    told = summary(panel)
    kept = ("mean", "deviation", "variation", "minimum", "maximum", "count", "effective_samples")
    return {"name": panel.name, "labels": panel.shown_labels, "confidence": trust(panel)} | {name: told[name] for name in kept}


def _of_cluster(asked: Selection, panels: Sequence[Panel]) -> dict[str, Any]:
    first = panels[0]
    return {
        "cluster_id": asked.cluster_id, "metric": asked.metric, "unit": first.unit, "split": asked.split, "start": first.moment(0),
        "end": first.moment(len(first.values)), "step_seconds": first.step_seconds,
    }  # fmt: skip


def _groups(spread: GroupSpread) -> list[dict[str, Any]]:
    columns = zip(spread.counts, spread.mean, spread.deviation, spread.variation, strict=True)
    return [
        {"hour": hour, "count": int(n), "mean": number(mean), "deviation": number(dev), "variation": number(cv)}
        for hour, (n, mean, dev, cv) in enumerate(columns)
    ]


def _anova(spread: GroupSpread) -> dict[str, Any]:
    found = anova(spread)
    return {
        "f": number(found.f), "p_value": number(found.p_value), "between_degrees": found.between_degrees, "within_degrees": found.within_degrees,
        "explained": number(found.explained),
    }  # fmt: skip


def _between(panels: Sequence[Panel]) -> dict[str, Any]:
    values = np.concatenate([panel.values for panel in panels])
    return _anova(spread_by_group(values, np.repeat(np.arange(len(panels)), [len(panel.values) for panel in panels]), len(panels)))


def _over_days(panel: Panel, asked: RegressionAsked) -> RegressionAsked:
    """Return the regression of stored usage on the days since its first step."""
    known = ~np.isnan(panel.values)
    days = (panel.times[known] / DAY_SECONDS).tolist()
    return replace(asked, y=panel.values[known].tolist(), predictors=[("days", days)])


def _aligned(one: Panel, other: Panel, pointer: str) -> tuple[Panel, Panel]:
    """Return the steps that two series have in common, by time where both have times; InvalidRequestError where there are none."""
    if one.start is None or other.start is None:
        if len(one.values) == len(other.values):
            return one, other
        detail = f"{one.name} has {len(one.values)} values and {other.name} {len(other.values)}: without times they must be of one length."
        raise InvalidRequestError([{"pointer": pointer, "detail": detail}])
    late = (other.start - one.start) / one.step_seconds
    if abs(one.step_seconds - other.step_seconds) > 1e-9 * one.step_seconds or abs(late - round(late)) > IRREGULAR:
        raise InvalidRequestError([{"pointer": pointer, "detail": f"{one.name} and {other.name} lie on different steps of time."}])
    begin, end = max(round(late), 0), min(len(one.values), round(late) + len(other.values))
    if begin >= end:
        raise InvalidRequestError([{"pointer": pointer, "detail": f"{one.name} and {other.name} have no time in common."}])
    cut = end - begin
    return replace(one, values=one.values[begin:end]), replace(other, values=other.values[begin - round(late) :][:cut])


def _pair(one: Panel, other: Panel, asked: CorrelationAsked) -> dict[str, Any]:
    one, other = _aligned(one, other, "#/y" if asked.pair else "#/series")
    x, y = one.values, other.values
    if asked.method == "spearman":
        x, y = correlation.mean_ranks(x), correlation.mean_ranks(y)
        found = correlation.spearman(one.values[None], other.values[None], confidence=asked.confidence)
    else:
        found = correlation.pearson(x[None], y[None], confidence=asked.confidence)
    most = min(asked.max_lag, max(len(x) - 3, 0))
    lags = np.arange(-most, most + 1)
    lagged = correlation.cross_correlation(x, y, lags, confidence=asked.confidence) if most else None
    pairs = int(found.pairs[0])
    warnings = [] if found.pairs[0] >= 3 else ["Fewer than three values in common: there is no coefficient."]
    if pairs >= 3 and math.isnan(found.coefficient[0]):
        warnings.append("One of them is constant: there is no coefficient.")
    worth = correlation.effective_pairs(x[None], y[None])
    p_value = correlation.p_value_of(found.coefficient, worth)
    if worth[0] < SLOW * pairs:
        warnings.append(
            f"Both move slowly: {pairs} pairs are worth {worth[0]:.3g} independent ones, and go together by chance more often than p_value says."
        )
    return {
        "x": one.name, "y": other.name, "coefficient": number(found.coefficient[0]), "p_value": number(found.p_value[0]), "low": number(found.low[0]),
        "high": number(found.high[0]), "pairs": pairs, "lags": [] if lagged is None else _lags(lags, lagged, one), "best_lag": _best(lags, lagged),
        "effective_pairs": number(worth[0]), "p_value_correlated": number(p_value[0]), "warnings": warnings,
        "confidence": trust(one, significance=1 - float(p_value[0])),
    }  # fmt: skip


def _lags(lags: Any, found: correlation.Correlation, panel: Panel) -> list[dict[str, Any]]:
    columns = zip(lags, found.coefficient, found.p_value, found.pairs, strict=True)
    return [
        {"lag": int(lag), "lag_seconds": float(lag * panel.step_seconds), "coefficient": number(r), "p_value": number(p), "pairs": int(n)}
        for lag, r, p, n in columns
    ]


def _best(lags: Any, found: correlation.Correlation | None) -> int | None:
    if found is None or np.isnan(found.coefficient).all():
        return None
    return int(lags[np.nanargmax(np.abs(found.coefficient))])


def _polynomial(x: Floats, y: Floats, asked: RegressionAsked) -> dict[str, Any]:
    fit = regression.polynomial_regression(x, y, degree=asked.degree, most=asked.most_degree, confidence=asked.confidence)
    at = np.asarray([row[0] for row in asked.predict_at], np.float64)
    names = ["intercept", *(f"legendre_{power}" for power in range(1, fit.degree + 1))]
    scaled = {"centre": fit.centre, "half_width": fit.half_width}
    return _regression(asked, fit.regression, names, fit.at(at)) | {
        "degree": fit.degree,
        "powers": numbers(fit.coefficients),
        "scaling": scaled,
    }


def _regression(asked: RegressionAsked, fit: regression.Regression, names: Sequence[str], predicted: Floats) -> dict[str, Any]:
    columns = zip(names, fit.coefficients, fit.standard_errors, fit.low, fit.high, fit.p_values, strict=True)
    warnings = []
    if not fit.condition < WELL_CONDITIONED:
        warnings.append("Predictors nearly depend on each other: coefficients are not certain to more than a few digits.")
    if fit.rank < len(names) - 1:
        warnings.append("Some predictors depend on others: the weight is shared, and there are no tests.")
    if not np.isfinite(predicted).all():
        warnings.append("Some predictions lie beyond what a number holds: they are null.")
    volume = fit.points / (fit.points + scoring.HALF_VOLUME)
    parts: Mapping[str, float] = {"volume": volume, "significance": 1 - fit.p_value}
    return {
        "kind": asked.kind, "points": fit.points, "confidence_level": asked.confidence, "residual_deviation": number(fit.residual_deviation),
        "coefficients": [
            {"name": name, "value": number(value), "standard_error": number(error), "low": number(low), "high": number(high), "p_value": number(p)}
            for name, value, error, low, high, p in columns
        ],
        "r_squared": number(fit.r_squared), "adjusted_r_squared": number(fit.adjusted_r_squared), "f": number(fit.f_statistic), "p_value": number(fit.p_value),
        "aicc": number(fit.aicc), "condition": number(fit.condition), "fitted": numbers(fit.fitted), "predicted": numbers(predicted), "warnings": warnings,
        "confidence": {"score": scoring.score(parts), "metrics": {name: number(value) for name, value in parts.items()}, "weakest": min(parts, key=lambda n: parts[n])},
        "scaling": None,
    }  # fmt: skip
