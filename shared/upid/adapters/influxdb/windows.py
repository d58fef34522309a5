"""Which windows of a shard an InfluxDB holds, and their chunks put together from its points, several windows at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from upid.adapters.columnar.packing import EVENTS, SAMPLES, TYPES
from upid.adapters.influxdb.client import InfluxClient, Series
from upid.domain.errors import UnavailableError
from upid.domain.metrics import USAGE
from upid.ports.usage_history import HistoryScope, MetricChunk, SeriesKey, UsageChunk

SECONDS_AT_ONCE: Final = 86400  # of windows whose points are asked for together
KEY: Final = ", ".join(SeriesKey._fields)
Told = Sequence[Any]


class MissingSeriesError(UnavailableError):
    """A window has fewer series than were written."""

    title = "Stored usage incomplete"


class StoredWindow(NamedTuple):
    """A window [start, end) as its point tells it. kind: `part` as written, `day` as joined. digest: which write its series belong to."""

    start: int
    end: int
    step_seconds: int
    kind: str
    family: str
    series: int
    digest: int
    metrics: tuple[str, ...]
    database: str

    @property
    def sort(self) -> tuple[object, ...]:
        """What windows that are asked for together have in common."""
        return self.database, self.kind, self.step_seconds, self.metrics


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard's points of one family on a server."""

    client: InfluxClient
    scope: HistoryScope
    family: str

    def windows(self, database: str, start: float, end: float) -> Iterator[StoredWindow]:
        """Yield the windows in a database that overlap [start, end), in no order."""
        within = f'"end" > {int(max(start, 0))} AND time < {-int(-min(end, 2**33) // 1)}s'
        for series in self._select(database, '"end", step, held, digest, metrics', "windows", within, "kind"):
            for first, last, step, count, digest, metrics in series["values"]:
                if first < end and last > start:
                    names = tuple(filter(None, metrics.split(",")))
                    yield StoredWindow(first, last, step, series["tags"]["kind"], self.family, count, digest, names, database)

    def chunks(self, windows: Sequence[StoredWindow]) -> Iterator[UsageChunk | MetricChunk]:
        """Yield the chunks of windows in their order; as much as a day's windows, or one longer one, is in memory at once.

        Raises
        ------
        MissingSeriesError
            Where a window has fewer series than were written.
        """
        batch: list[StoredWindow] = []
        for window in windows:
            if batch and (window.end - batch[0].start > SECONDS_AT_ONCE or window.sort != batch[0].sort):
                yield from self._batch(batch)
                batch = []
            batch.append(window)
        if batch:
            yield from self._batch(batch)

    def _batch(self, windows: Sequence[StoredWindow]) -> Iterator[UsageChunk | MetricChunk]:
        filling, names = self._begun(windows), windows[0].metrics
        starts = [window.start for window in windows]
        if names:
            within = f"time >= {windows[0].start}s AND time < {windows[-1].end}s"
            for series in self._select(windows[0].database, ", ".join(names), "samples", within, KEY):
                _fill(series, filling, starts, names)
        for each in filling:
            yield each.chunk()

    def _begun(self, windows: Sequence[StoredWindow]) -> list[_Filling]:
        """Return the windows with the series that belong to them, before any sample."""
        found: dict[int, dict[SeriesKey, Told]] = {window.start: {} for window in windows}
        digests = {window.start: window.digest for window in windows}
        within = f"kind = '{windows[0].kind}' AND time >= {windows[0].start}s AND time <= {windows[-1].start}s"
        events = EVENTS if self.family == USAGE else ()
        for series in self._select(windows[0].database, ", ".join(("row", "digest", *events)), "members", within, KEY):
            key = key_of(series)
            for moment, *told in series["values"]:
                if digests.get(moment) == told[1]:
                    found[moment][key] = told
        return [_begin(window, found[window.start]) for window in windows]

    def _select(self, database: str, fields: str, measurement: str, within: str, group: str) -> Iterator[Series]:
        """Ask for points; whose they are is bound to the query, never written into it."""
        whose = 'cluster = $cluster AND family = $family AND "shard" = $shard'
        query = f"SELECT {fields} FROM {measurement} WHERE {whose} AND {within} GROUP BY {group}"  # noqa: S608 all else is written here
        bound = {"cluster": self.scope.cluster_id, "family": self.family, "shard": str(self.scope.shard)}
        return self.client.query(database, query, bound)


@dataclass(slots=True)
class _Filling:
    """A chunk while its points come in. members: of each series, its row, digest and events."""

    window: StoredWindow
    members: dict[SeriesKey, Told]
    place: dict[SeriesKey, int]
    samples: dict[str, Any]

    def chunk(self) -> UsageChunk | MetricChunk:
        window, keys = self.window, list(self.place)
        if window.family != USAGE:
            return MetricChunk(window.family, keys, window.start, window.end, window.step_seconds, self.samples)
        events = {name: np.array([_known(self.members[key][number]) for key in keys], TYPES[name]) for number, name in enumerate(EVENTS, 2)}
        return UsageChunk(keys=keys, start=window.start, step_seconds=window.step_seconds, **self.samples, **events)


def _begin(window: StoredWindow, members: dict[SeriesKey, Told]) -> _Filling:
    if len(members) != window.series:
        raise MissingSeriesError(
            f"The window [{window.start}, {window.end}) in {window.database} has {len(members)} series, {window.series} were written.",
            database=window.database, start=window.start, end=window.end,
        )  # fmt: skip
    place = {key: row for row, key in enumerate(sorted(members, key=lambda key: members[key][0]))}
    shape = (len(members), (window.end - window.start) // window.step_seconds)
    names = SAMPLES if window.family == USAGE else window.metrics
    return _Filling(window, members, place, {name: np.full(shape, np.nan, np.float32) for name in names})


def _fill(series: Series, filling: Sequence[_Filling], starts: Sequence[int], names: Sequence[str]) -> None:
    """Put the points of one series into the windows that they fall in."""
    key = key_of(series)
    columns = np.array(series["values"], np.float64)
    moments = columns[:, 0].astype(np.int64)
    first, last = (bisect_right(starts, int(moment)) - 1 for moment in (moments.min(), moments.max()))
    for each in filling[max(first, 0) : last + 1]:
        row = each.place.get(key)
        if row is None:
            continue
        inside = (moments >= each.window.start) & (moments < each.window.end)
        steps = (moments[inside] - each.window.start) // each.window.step_seconds
        for number, name in enumerate(names, 1):
            each.samples[name][row, steps] = columns[inside, number]


def _known(value: float | None) -> float:
    return np.nan if value is None else value


def key_of(series: Series) -> SeriesKey:
    """Return whose samples a series holds."""
    tags: Mapping[str, str] = series.get("tags", {})
    return SeriesKey(*(tags.get(name) or "" for name in SeriesKey._fields))
