"""Stored usage, asked: history, trends, peaks, the usual week, figures of a whole window. Everything is computed from what was collected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.domain.errors import AppError
from upid.domain.metrics import METRICS
from upid.domain.times import format_time
from upid.engine.statistics.trend import trend
from upid.engine.usage.queries import by_hour_of_week, fill, hours_of_week, quantiles
from upid.ports.blobs import Blobs
from upid.ports.clock import Clock
from upid.ports.usage_history import UsageHistory
from upid.ports.usage_rollups import UsageRollups
from upid.services.analyses import NothingCollectedError
from upid.services.cluster_records import ClusterRecords
from upid.services.downsampling import DONE
from upid.services.profiles import KEEP_GONE_SECONDS
from upid.services.retention import SHORTEST_DAYS, Retention
from upid.services.rosters import Names, Rosters
from upid.services.shards import shard_of
from upid.services.usage_frames import Frame, Group, Wanted
from upid.services.usage_levels import EXACT_SECONDS, OVER, SPREAD, kept_level, level_of
from upid.services.usage_places import UNKNOWN, Places
from upid.services.usage_reading import UsageReader
from upid.services.usage_requests import (
    AGGREGATION,
    MOST_POINTS,
    Answer,
    UsageQuery,
    fault,
    step_of,
)
from upid.services.usage_scope import Scope
from upid.services.usage_steps import Kept, kept_step

Floats = NDArray[np.float64]
DAY_SECONDS: Final = 86400
FIGURES: Final = (0.5, 0.9, 0.95, 0.99)
SIGNIFICANT_Z: Final = 1.96  # 5 %, two-sided
HISTORY_SECONDS: Final = DAY_SECONDS
LONG_SECONDS: Final = 28 * DAY_SECONDS


@dataclass(frozen=True, slots=True)
class UsageService:
    """Answers questions about usage. NotFoundError without the cluster, NothingCollectedError before its first collection, InvalidRequestError by pointer."""

    clusters: ClusterRecords
    blobs: Blobs
    history: UsageHistory
    rollups: UsageRollups
    retention: Retention
    rosters: Rosters
    clock: Clock

    def query(self, tenant: str, query: UsageQuery) -> Answer:
        """Return one series for each group and metric on steps of the window, the largest on average first."""
        _hold_aggregation(query)
        scope = self._scope(tenant, query, HISTORY_SECONDS, how=query.aggregation)
        steps = scope.wanted.steps // scope.width
        found: list[tuple[Group, dict[str, Floats]]] = []
        for frame in scope.reader.frames(scope.wanted):
            wide = {m: scope.over_time(v, scope.width, query.aggregation) for m, v in frame.trimmed().items()}
            found += [(group, {metric: wide[metric][row] for metric in wide}) for row, group in enumerate(frame.groups)]
        chosen = _top(found, query)
        _hold_size(query, len(chosen) * steps * len(query.metrics))
        series = [
            {"metric": metric, "unit": _unit(metric, query.aggregation), "labels": _labels(query, group), "values": _listed(metric, fill(values[metric][None], query.fill)[0])}
            for group, values in chosen for metric in query.metrics
        ]  # fmt: skip
        asked = {"aggregation": query.aggregation, "fill": query.fill, "step_seconds": scope.step_seconds, "steps": steps}
        return scope.told(query) | asked | {"groups": len(found), "series": series}

    def trends(self, tenant: str, query: UsageQuery) -> Answer:
        """Return where each group's use goes: Theil-Sen slope, Mann-Kendall significance, level at the end; by days, or by hours in short windows that have them."""
        scope = self._scope(tenant, query, LONG_SECONDS, how="mean", step_of_window=lambda start, end: self._trend_step(tenant, start, end))
        step = scope.step_seconds
        found = [
            (group, {metric: values[row] for metric, values in means.items()})
            for frame, means in self._wide(scope, "mean") for row, group in enumerate(frame.groups)
        ]  # fmt: skip
        chosen = _top(found, query)
        items = [entry for metric in query.metrics for entry in _trends(metric, query, chosen, step)]
        return scope.told(query) | {"step_seconds": step, "groups": len(found), "items": items}

    def peaks(self, tenant: str, query: UsageQuery) -> Answer:
        """Return each group's highest use and when it was, beside its quantiles and mean, the highest first."""
        scope = self._scope(tenant, query, 7 * DAY_SECONDS, instead=DAY_SECONDS)
        found: list[tuple[Group, dict[str, Answer]]] = []
        for groups, values, means in scope.samples(scope.wanted):
            figures = {metric: _peaks(metric, values[metric], means[metric], scope.wanted) for metric in values}
            found += [(group, {metric: figures[metric][row] for metric in figures}) for row, group in enumerate(groups)]
        found.sort(key=lambda entry: (-(entry[1][query.metrics[0]]["peak"] or 0.0), entry[0]))
        items = [
            {"metric": metric, "unit": METRICS[metric].unit, "labels": _labels(query, group), **figures[metric]}
            for group, figures in found[: query.top] for metric in query.metrics
        ]  # fmt: skip
        return scope.told(query) | {"groups": len(found), "items": items}

    def baseline(self, tenant: str, query: UsageQuery) -> Answer:
        """Return each group's usual week: mean, median, p95 and highest use for each of its 168 hours (0 = Monday 00:00 UTC)."""
        scope = self._scope(tenant, query, LONG_SECONDS, instead=3600)
        hours = hours_of_week(scope.wanted.start, scope.wanted.step_seconds, scope.wanted.steps)
        found: list[tuple[Group, dict[str, Any]]] = []
        means: dict[Group, dict[str, Any]] = {}
        for groups, values, meant in scope.samples(scope.wanted):
            found += [(group, {metric: table[row] for metric, table in values.items()}) for row, group in enumerate(groups)]
            means |= {group: {metric: table[row] for metric, table in meant.items()} for row, group in enumerate(groups)}
            found = _top(found, query) if query.top is not None else found
            means = {group: means[group] for group, _ in found}
        _hold_size(query, len(found) * 168 * 5 * len(query.metrics))
        items = [
            _week(metric, query, group, values[metric], hours, means=means[group][metric])
            for group, values in found
            for metric in query.metrics
        ]
        return scope.told(query) | {"items": items}

    def calculate(self, tenant: str, queries: Sequence[UsageQuery]) -> list[Answer]:
        """Return for each query one value for each group over its whole window, or the problem that it has; one that fails leaves the others."""
        answers: list[Answer] = []
        for query in queries:
            try:
                answers.append({"cluster_id": query.cluster_id, "result": self._calculated(tenant, query), "error": None})
            except AppError as error:
                answers.append({"cluster_id": query.cluster_id, "result": None, "error": {"title": error.title, "detail": error.detail}})
        return answers

    def summary(self, tenant: str, query: UsageQuery) -> Answer:
        """Return the figures of a window for the whole cluster (`total`) and for each group: mean, quantiles, highest, samples."""
        scope = self._scope(tenant, query, 7 * DAY_SECONDS, instead=DAY_SECONDS)
        grouped = [
            (group, {metric: _figures(metric, values[row : row + 1], means[metric][row]) for metric, values in tables.items()})
            for groups, tables, means in scope.samples(scope.wanted) for row, group in enumerate(groups)
        ]  # fmt: skip
        (whole,) = scope.samples(scope.wanted._replace(group_by=()))
        total = {metric: _figures(metric, values, whole.means[metric][0]) for metric, values in whole.values.items()}
        grouped.sort(key=lambda entry: (-(entry[1][query.metrics[0]]["mean"] or 0.0), entry[0]))
        items = [{"labels": _labels(query, group), "metrics": figures} for group, figures in grouped[: query.top]]
        return scope.told(query) | {"groups": len(grouped), "total": total, "items": items}

    def reader(self, tenant: str, cluster_id: str) -> tuple[UsageReader, Mapping[str, Any]]:
        """Return the reader of a cluster's usage and the cluster's record."""
        body = self.clusters.get(tenant, cluster_id).body
        if body["watermark"] is None or body["shards"] is None:
            raise NothingCollectedError(f"No usage of {cluster_id} was collected yet: start a collection first.", cluster_id=cluster_id)
        return UsageReader(self.history, self.blobs, tenant, cluster_id, body["shards"], self.rollups), body

    def _scope(
        self,
        tenant: str,
        query: UsageQuery,
        default_seconds: int,
        *,
        how: str = "",
        step_of_window: Callable[[float, float], int] | None = None,
        instead: int = 0,
    ) -> Scope:
        """Return how a query is read.

        how: the figure that longer steps may give, "" = only the samples themselves will do, while they are kept. instead: how long steps may be that
        stand in for samples that are gone; 0 = those alone that the answer's are multiples of. [s]
        """
        reader, body = self.reader(tenant, query.cluster_id)
        start, end = query.span.resolve(body["watermark"], default_seconds)
        stored, warnings = body["step_seconds"], list[str]()
        kept = Kept.of(self.retention, tenant, body, start, self.clock.now())
        if step_of_window:
            step = step_of_window(start, end)
        elif instead:
            step = step_of(query, stored, end - start)
        else:
            step, warnings = kept_step(query, stored, start, end, kept)
        wanted = Wanted(tuple(query.metrics), query.selection, tuple(query.group_by), query.across, int(start), -int(-end // 1), stored)
        wanted = _levelled(wanted, body, kept, how, step=step, instead=instead)
        return Scope(self._knowing(reader, wanted, body["watermark"]), wanted, step, stored, tuple(warnings))

    def _knowing(self, reader: UsageReader, wanted: Wanted, watermark: int) -> UsageReader:
        """Return a reader that knows who was there, as far as that is asked for: where pods were, and workloads that no profile knows any more."""
        is_by_node, is_long_ago = "node" in wanted.group_by or wanted.selection.node, wanted.start < watermark - KEEP_GONE_SECONDS
        if not (is_by_node or is_long_ago):
            return reader
        roster = self.rosters.read(reader.tenant, reader.cluster_id, start=wanted.start, end=wanted.end)
        gone = _by_shard(roster.workloads, reader.shards) if is_long_ago else {}
        return replace(reader, gone=gone, places=Places(roster.by_pod()) if is_by_node else None)

    def _trend_step(self, tenant: str, start: float, end: float) -> int:
        age = self.clock.now() - start
        is_short = end - start < 7 * DAY_SECONDS
        # Samples, which hours can be made of, are kept no longer than hours.
        return 3600 if is_short and (age <= SHORTEST_DAYS * DAY_SECONDS or self.retention.of(tenant).reaches(3600, age)) else DAY_SECONDS

    def _wide(self, scope: Scope, how: str) -> Iterator[tuple[Frame, dict[str, Floats]]]:
        for frame in scope.reader.frames(scope.wanted):
            yield frame, {metric: scope.over_time(values, scope.width, how) for metric, values in frame.trimmed().items()}

    def _calculated(self, tenant: str, query: UsageQuery) -> Answer:
        _hold_aggregation(query)
        scope = self._scope(tenant, query, HISTORY_SECONDS, how=query.aggregation if query.aggregation in OVER else "", instead=DAY_SECONDS)
        found: list[tuple[Group, dict[str, Floats]]] = []
        for groups, whole in scope.calculated(query.aggregation):
            found += [(group, {metric: whole[metric][row : row + 1] for metric in whole}) for row, group in enumerate(groups)]
        values = [
            {"metric": metric, "unit": _unit(metric, query.aggregation), "labels": _labels(query, group), "value": _listed(metric, by_metric[metric])[0]}
            for group, by_metric in _top(found, query) for metric in query.metrics
        ]  # fmt: skip
        return scope.told(query) | {"aggregation": query.aggregation, "groups": len(found), "values": values}


def _by_shard(workloads: Iterable[Names], shards: int) -> dict[int, list[Names]]:
    found: dict[int, list[Names]] = {}
    for each in workloads:
        found.setdefault(shard_of(each.namespace, each.kind, each.name, each.uid, shards), []).append(each)
    return found


def _levelled(wanted: Wanted, body: Mapping[str, Any], kept: Kept | None, how: str, *, step: int, instead: int) -> Wanted:
    """Return what is wanted with the steps that it is read from, its window on their grid, or on that of the answer's steps. Arguments as of `_scope`."""
    stored, is_old = body["step_seconds"], kept is not None or wanted.start < body["watermark"] - EXACT_SECONDS
    level = level_of(how, step, stored) if how and is_old and body.get(DONE) else None
    if level:
        return _aligned(wanted._replace(level=level, step_seconds=step), step)
    longest = instead or (step // 2 if how == "rate" else 0)
    level = (
        kept_level(kept.policy, "mean" if how == "rate" else how or SPREAD, stored, kept.now - wanted.start, longest=longest)
        if kept and longest
        else None
    )
    if level is None or not (instead or step % level.step_seconds == 0):
        return _aligned(wanted, step)
    wanted = wanted._replace(level=level, step_seconds=stored if level.how == SPREAD else level.step_seconds)
    return _aligned(wanted, level.step_seconds if instead else step)


def _aligned(wanted: Wanted, step: int) -> Wanted:
    return wanted._replace(start=wanted.start // step * step, end=-(-wanted.end // step) * step)


def _hold_aggregation(query: UsageQuery) -> None:
    if not AGGREGATION.fullmatch(query.aggregation):
        raise fault(query.pointer("aggregation"), f"{query.aggregation!r} is none of mean, max, min, sum, count, rate and p0 to p100.")


def _hold_size(query: UsageQuery, points: int) -> None:
    if points > MOST_POINTS:
        raise fault(
            query.pointer("top"), f"The answer would have {points} values, {MOST_POINTS} at most: ask for fewer groups or longer steps."
        )


def _top(found: list[tuple[Group, dict[str, Any]]], query: UsageQuery) -> list[tuple[Group, dict[str, Any]]]:
    """Return the groups with the highest mean of the first metric, highest first; all by name where no number is asked for."""
    if query.top is None:
        return sorted(found, key=lambda entry: entry[0])

    def rank(entry: tuple[Group, dict[str, Any]]) -> tuple[float, Group]:
        """Return what to sort by: the highest mean first, then the name."""
        values = entry[1][query.metrics[0]]
        there = values[~np.isnan(values)]
        return (-float(there.mean(dtype=np.float64)) if len(there) else np.inf, entry[0])

    return sorted(found, key=rank)[: query.top]


def _labels(query: UsageQuery, group: Group) -> dict[str, str | None]:
    labels: dict[str, str | None] = dict(zip(query.group_by, group, strict=True))
    return labels | {"node": None} if labels.get("node") == UNKNOWN else labels


def _unit(metric: str, aggregation: str) -> str:
    return "1" if aggregation == "count" else f"{METRICS[metric].unit}/s" if aggregation == "rate" else METRICS[metric].unit


def _listed(metric: str, values: NDArray[Any]) -> list[float | None]:
    rounded = np.round(values.astype(np.float64), METRICS[metric].decimals)
    return [None if value != value else value for value in rounded.tolist()]  # noqa: PLR0124 only NaN differs from itself


def _one(metric: str, value: float) -> float | None:
    return _listed(metric, np.array([value]))[0]


def _figures(metric: str, values: NDArray[Any], means: NDArray[Any]) -> Answer:
    """Return the figures of one row of samples; `means` of the row as in Samples."""
    count = int(np.count_nonzero(~np.isnan(values)))
    low = quantiles(values, (*FIGURES, 1.0))[0]
    mean = float(np.nanmean(means, dtype=np.float64)) if count else np.nan
    named = zip(("p50", "p90", "p95", "p99", "max"), low, strict=True)
    return {
        "unit": METRICS[metric].unit,
        "mean": _one(metric, mean),
        **{name: _one(metric, value) for name, value in named},
        "samples": count,
    }


def _peaks(metric: str, values: NDArray[Any], means: NDArray[Any], wanted: Wanted) -> list[Answer]:
    read = wanted.level.step_seconds if wanted.level else wanted.step_seconds
    place = np.where(np.isnan(values), -np.inf, values).argmax(axis=1)
    answers = []
    for row, step in enumerate(place):
        figures = _figures(metric, values[row : row + 1], means[row])
        peak = figures.pop("max")
        at = None if peak is None else format_time(wanted.start + int(step) * wanted.step_seconds // read * read)
        ratio = round(peak / figures["mean"], 4) if peak and figures["mean"] else None
        answers.append(
            {name: figures[name] for name in ("mean", "p50", "p95", "p99", "samples")} | {"peak": peak, "at": at, "peak_to_mean": ratio}
        )
    return answers


def _trends(metric: str, query: UsageQuery, chosen: Sequence[tuple[Group, dict[str, Floats]]], step: int) -> Iterator[Answer]:
    if not chosen:
        return
    values = np.stack([by_metric[metric] for _, by_metric in chosen]).astype(np.float64)
    found, days = trend(values), step / DAY_SECONDS
    for row, (group, _) in enumerate(chosen):
        level, slope, z = float(found.level[row]), float(found.slope[row]) / days, float(found.z[row])
        sure = abs(z) >= SIGNIFICANT_Z
        yield {
            "metric": metric, "unit": METRICS[metric].unit, "labels": _labels(query, group), "points": int(np.count_nonzero(~np.isnan(values[row]))),
            "slope_per_day": None if np.isnan(level) else float(f"{slope:.6g}"), "level": _one(metric, level), "z": round(z, 4), "significant": sure,
            "direction": "flat" if not sure else "rising" if slope > 0 else "falling",
            "relative_per_day": round(slope / level, 6) if level else None,
        }  # fmt: skip


def _week(metric: str, query: UsageQuery, group: Group, values: NDArray[Any], hours: NDArray[np.int64], *, means: NDArray[Any]) -> Answer:
    row = values[None]
    figures = {
        name: _listed(metric, by_hour_of_week(means[None] if name == "mean" else row, hours, how)[0])
        for name, how in (("mean", "mean"), ("p50", "p50"), ("p95", "p95"), ("max", "max"))
    }
    samples = [int(count) for count in np.nan_to_num(by_hour_of_week(row, hours, "count")[0])]
    return {"metric": metric, "unit": METRICS[metric].unit, "labels": _labels(query, group), **figures, "samples": samples}
