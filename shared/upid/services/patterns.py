"""Patterns: seasons, peaks, what recurs, and what is out of the ordinary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from upid.domain.errors import InvalidRequestError
from upid.engine.anomalies.alarms import Alarm, alarms
from upid.engine.anomalies.detectors import Scores, detect
from upid.engine.patterns.peaks import Peak, Recurring, peaks, recurring_peaks
from upid.engine.seasonality.periods import seasons
from upid.engine.statistics.describing import describe
from upid.services.analytic_requests import DetectionAsked
from upid.services.forecasts import period_of
from upid.services.panels import Floats, Panel, batches, number, numbers
from upid.services.series import Asked, Selection
from upid.services.statistics import changes, common_periods, season_told, summary, trend, trust
from upid.services.usage_series import SeriesReader

MOST_TOLD: Final = 200  # peaks and alarms of one series in an answer
MOST_WINDOWED: Final = 20_000_000  # steps times window of a causal detection
BURSTY: Final = 0.5  # coefficient of variation from which use counts as bursty
GROWING: Final = 0.02  # growth per week from which a significant trend counts
LEAST_SEASONAL: Final = 32  # steps that a season is looked for in, where scores must not look ahead
Periods = tuple[tuple[int, int], ...]  # from which step on which period is used


@dataclass(frozen=True, slots=True)
class PatternsService:
    """Finds patterns."""

    reader: SeriesReader

    def detect(self, tenant: str, asked: Asked) -> dict[str, Any]:
        """Return the patterns of each series: kind, seasons, trend, changes, peaks, and which peaks recur. Errors as `SeriesReader.read`."""
        return {"series": [_patterns(panel) for panel in self.reader.read(tenant, asked)]}

    def of_cluster(self, tenant: str, asked: Selection, *, limit: int) -> dict[str, Any]:
        """Return the patterns of a cluster's parts, the most used first. Errors as `SeriesReader.read`."""
        panels = sorted(self.reader.select(tenant, asked), key=lambda panel: -float(np.nanmean(panel.values)))
        items = [_patterns(panel) for panel in panels[:limit]]
        kinds = [item["kind"] for item in items]
        counts = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
        return {"cluster_id": asked.cluster_id, "metric": asked.metric, "total": len(panels), "kinds": counts, "items": items}

    def seasonal(self, tenant: str, asked: Asked, *, significance: float) -> dict[str, Any]:
        """Return the significant seasons of each series with the mean of every phase of the strongest. Errors as `SeriesReader.read`."""
        return {"significance": significance, "series": [_seasonal(panel, significance) for panel in self.reader.read(tenant, asked)]}

    def recurring(self, tenant: str, asked: Selection, *, limit: int) -> dict[str, Any]:
        """Return the peaks that come again in a cluster's parts, the most certain first. Errors as `SeriesReader.read`."""
        panels = self.reader.select(tenant, asked)
        found = [
            {"name": panel.name, "labels": panel.shown_labels, **_recurring(panel, each)}
            for panel in panels
            for each in _all_recurring(panel)
        ]
        ordered = sorted(found, key=lambda each: (each["p_value"], each["name"], each["phase_step"]))
        return {
            "cluster_id": asked.cluster_id, "metric": asked.metric, "unit": panels[0].unit, "start": panels[0].moment(0),
            "end": panels[0].moment(len(panels[0].values)), "looked_at": len(panels), "total": len(found), "items": ordered[:limit],
        }  # fmt: skip

    def anomalies(self, tenant: str, asked: Asked, how: DetectionAsked) -> dict[str, Any]:
        """Return the scores and alarms of each series. Errors as `SeriesReader.read`, InvalidRequestError for windows that are too long."""
        panels = self.reader.read(tenant, asked)
        result: list[dict[str, Any]] = [{}] * len(panels)
        for batch in batches(panels):
            steps = batch.values.shape[1]
            if how.causal and steps * min(how.window or steps, steps) * len(batch.panels) > MOST_WINDOWED:
                detail = f"Steps times window times series may be {MOST_WINDOWED} when causal: name a shorter window."
                raise InvalidRequestError([{"pointer": "#/window_steps", "detail": detail}])
            periods = [_periods(panel, how) for panel in batch.panels]
            for used in sorted(set(periods)):
                rows = [row for row, each in enumerate(periods) if each == used]
                scores = _scores(batch.values[rows], used, how)
                for place, row in enumerate(rows):
                    result[batch.places[row]] = _anomalies(batch.panels[row], scores, place, used, how)
        return {"detector": how.detector, "threshold": how.threshold, "causal": how.causal, "window_steps": how.window, "cool_down_steps": how.cool_down,
                "side": how.side, "series": result}  # fmt: skip


def _patterns(panel: Panel) -> dict[str, Any]:
    found = seasons(panel.values, common_periods(panel))
    told, line = summary(panel), trend(panel, 0.95)
    level, runs = peaks(panel.values)
    recurring = [_recurring(panel, each) for each in _all_recurring(panel)]
    growing = line["direction"] != "none" and abs(line["growth_per_week"] or 0.0) >= GROWING
    kind = (
        "periodic"
        if found
        else "growing"
        if growing and line["direction"] == "rising"
        else "falling"
        if growing
        else "bursty"
        if (told["variation"] or 0.0) >= BURSTY
        else "steady"
    )
    significance = {"significance": 1 - found[0].p_value} if found else {}
    return panel.told() | {
        "kind": kind, "seasons": [season_told(panel, each) for each in found], "trend": line, "changes": changes(panel), "summary": told,
        "peak_level": number(level), "peaks": [_peak(panel, each) for each in _highest(runs)], "peak_count": len(runs), "recurring": recurring,
        "confidence": trust(panel, **significance),
    }  # fmt: skip


def _highest(found: Sequence[Peak]) -> list[Peak]:
    highest = sorted(found, key=lambda peak: -peak.value)[:MOST_TOLD]
    return sorted(highest, key=lambda peak: peak.first)


def _peak(panel: Panel, peak: Peak) -> dict[str, Any]:
    return {
        "start": panel.moment(peak.first), "end": panel.moment(peak.last + 1), "top": panel.moment(peak.top), "first_step": peak.first,
        "width_steps": peak.width, "width_seconds": peak.width * panel.step_seconds, "value": peak.value, "prominence": peak.prominence,
    }  # fmt: skip


def _all_recurring(panel: Panel) -> list[Recurring]:
    """Return the recurring peaks by day, by week and by what season there is; one that recurs every day is not told again as weekly."""
    _, runs = peaks(panel.values)
    found: list[Recurring] = []
    for period in sorted({*common_periods(panel), *(each.period for each in seasons(panel.values, common_periods(panel)))}):
        offset = int((panel.start or 0.0) / panel.step_seconds) % period
        for each in recurring_peaks(runs, len(panel.values), period, origin=offset, tolerance=max(1, period // 48)):
            if not any(
                period % other.period == 0 and abs(each.phase % other.period - other.phase) <= max(1, period // 48) for other in found
            ):
                found.append(each)
    return found


def _recurring(panel: Panel, each: Recurring) -> dict[str, Any]:
    return {
        "period_steps": each.period, "period_seconds": each.period * panel.step_seconds, "phase_step": each.phase,
        "phase_seconds": each.phase * panel.step_seconds, "width_seconds": each.width * panel.step_seconds, "value": each.value, "cycles": each.cycles,
        "of_cycles": each.of_cycles, "strength": each.strength, "p_value": each.p_value, "next": panel.moment(each.next_first),
    }  # fmt: skip


def _seasonal(panel: Panel, significance: float) -> dict[str, Any]:
    found = seasons(panel.values, common_periods(panel), significance=significance)
    profile = []
    if found:
        period = found[0].period
        padded = np.full(-(-len(panel.values) // period) * period, np.nan)
        padded[: len(panel.values)] = panel.values
        told = describe(np.ascontiguousarray(padded.reshape(-1, period).T), (0.5,))
        profile = [{"step": step, "mean": number(told.mean[step]), "deviation": number(told.deviation[step])} for step in range(period)]
    told_seasons = [season_told(panel, each) for each in found]
    return panel.told() | {
        "seasons": told_seasons,
        "profile": profile,
        "confidence": trust(panel, **({"significance": 1 - found[0].p_value} if found else {})),
    }


def _periods(panel: Panel, how: DetectionAsked) -> Periods:
    """Return which period is used from which step on.

    Where it is to be found and the detection is causal, it is found from the values before that step, anew each time that there are twice as many: what
    comes later changes no score.
    """
    if how.detector != "seasonal_residual":
        return ((0, 1),)
    if how.period or not how.causal:
        return ((0, how.period or period_of(panel)),)
    found = [(0, 1)]
    step = LEAST_SEASONAL
    while step < len(panel.values):
        period = period_of(replace(panel, values=panel.values[:step]))
        found += [(step, period)] if period != found[-1][1] else []
        step *= 2
    return tuple(found)


def _scores(values: Floats, periods: Periods, how: DetectionAsked) -> Scores:
    """Return the scores of rows, shape (rows, steps), each step by the period that is used there."""
    options: dict[str, Any] = {"threshold": how.threshold, "window": how.window, "causal": how.causal, "tail": how.tail}
    made = {period: detect(values, how.detector, period=period, **options) for period in {period for _, period in periods}}
    edges = [*(begin for begin, _ in periods), values.shape[1]]
    parts = [(made[period], begin, end) for (_, period), (begin, end) in zip(periods, pairwise(edges), strict=True)]
    names = ("score", "expected", "low", "high")
    return Scores(*(np.concatenate([getattr(each, name)[:, begin:end] for each, begin, end in parts], axis=1) for name in names))


def _anomalies(panel: Panel, scores: Scores, row: int, periods: Periods, how: DetectionAsked) -> dict[str, Any]:
    begun, period = periods[-1]
    found = alarms(scores.score[row], threshold=how.threshold, cool_down=how.cool_down, side=how.side)
    warnings = panel.all_warnings()
    if how.detector == "seasonal_residual" and period == 1:
        warnings.append("No significant season was found: values are compared with the median of all.")
    if begun:
        warnings.append(
            f"The season is the one that the values before step {begun} have: earlier steps were judged by what was known then."
        )
    unscored = int((np.isnan(scores.score[row]) & ~np.isnan(panel.values)).sum())
    if unscored:
        warnings.append(f"{unscored} values have no score: too little was seen before them.")
    per_step = {name: numbers(getattr(scores, name)[row]) if how.scores else None for name in ("score", "expected", "low", "high")}
    return panel.told() | {
        "period_steps": period, "alarm_count": len(found), "alarms": [_alarm(panel, each) for each in found[:MOST_TOLD]], **per_step, "warnings": warnings,
        "confidence": trust(panel),
    }  # fmt: skip


def _alarm(panel: Panel, alarm: Alarm) -> dict[str, Any]:
    return {
        "start": panel.moment(alarm.first), "end": panel.moment(alarm.last + 1), "peak": panel.moment(alarm.peak), "first_step": alarm.first,
        "last_step": alarm.last, "peak_step": alarm.peak, "steps": alarm.steps, "score": alarm.score, "value": number(panel.values[alarm.peak]),
    }  # fmt: skip
