"""Usage on longer steps in an InfluxDB: a database for each tenant and length of step.

A cell is a point of `figures`: of each metric its low, high, mean, count and its sketch as text (`exponent:count` and spaces between). The point of
`windows` is written last, as for samples; joining writes one for the whole, the figures stay where they are. A series without any sample is not kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from upid.adapters.columnar.windows import periods_to_join, shown
from upid.adapters.influxdb.client import InfluxClient, Series
from upid.adapters.influxdb.databases import Databases
from upid.adapters.influxdb.lines import ESCAPES, POINTS, body_of, key_tags, texts_of
from upid.adapters.influxdb.windows import KEY, key_of
from upid.engine.usage.rollups import Rollup, Sketch
from upid.ports.usage_history import SeriesKey
from upid.ports.usage_rollups import RollupChunk, RollupScope

FIGURES: Final = ("low", "high", "mean", "count")
NAMED_IN_QUERY: Final = 20  # workloads; of more, all are read and picked here
FOR_EVER: Final = 2**33


class _Window(NamedTuple):
    start: int
    end: int
    metrics: tuple[str, ...]


class _Asked(NamedTuple):
    """The parts of a query."""

    fields: str
    measurement: str
    within: str
    group: str


class InfluxRollups:
    """UsageRollups over one InfluxDB."""

    def __init__(self, client: InfluxClient) -> None:
        self._client = client
        self._databases = Databases(client)

    def append(self, scope: RollupScope, chunk: RollupChunk) -> bool:
        """Write a chunk and return True; a window that is there, by itself or in a longer one, is left as it is, then False."""
        if any(window.start <= chunk.start and chunk.end <= window.end for window in self._windows(scope, chunk.start, chunk.end)):
            return False
        database, lines = self._database(scope), list(_lines(scope, chunk))
        for first in range(0, len(lines), POINTS):
            self._databases.write(database, body_of(lines[first : first + POINTS]))
        self._tell(scope, _Window(chunk.start, chunk.end, tuple(chunk.metrics)))
        return True

    def read(
        self, scope: RollupScope, metrics: Sequence[str], *, start: float, end: float, workload_uids: Collection[str] | None = None,
        sketches: bool = False,
    ) -> Iterator[RollupChunk]:  # fmt: skip
        """Yield chunks as the port has it; UnavailableError where the server does not answer."""
        for window in shown(self._windows(scope, start, end)):
            yield self._chunk(scope, window, [name for name in metrics if name in window.metrics], workload_uids, sketches=sketches)

    def until(self, scope: RollupScope) -> int | None:
        """Return the end of the newest chunk, None without any."""
        return max((window.end for window in self._windows(scope, 0, FOR_EVER)), default=None)

    def compact(self, scope: RollupScope, *, before: float) -> int:
        """Tell the windows of a week, or a month, as one."""
        periods = periods_to_join(self._windows(scope, 0, FOR_EVER), before)
        for period in periods:
            metrics = dict.fromkeys(name for window in period for name in window.metrics)
            self._tell(scope, _Window(period[0].start, period[-1].end, tuple(metrics)))
        return len(periods)

    def expire(self, tenant: str, step_seconds: int, *, days: int, now: float) -> None:  # noqa: ARG002 the server has a clock
        """Let the server keep so many days of these steps."""
        name = self._databases.name(tenant, f"{step_seconds}r")
        if name in self._databases.of(tenant, "r"):
            self._databases.keep(name, days)

    def delete_tenant(self, tenant: str) -> None:
        """Drop a tenant's databases of rollups."""
        for name in self._databases.of(tenant, "r"):
            self._databases.drop(name)

    def _database(self, scope: RollupScope) -> str:
        return self._databases.name(scope.tenant, f"{scope.step_seconds}r")

    def _tell(self, scope: RollupScope, window: _Window) -> None:
        told = f'end={window.end}i,metrics="{",".join(window.metrics)}"'
        line = f"windows,{_tags(scope)},span={window.end - window.start} {told} {window.start}"
        self._databases.write(self._database(scope), body_of([line]))

    def _windows(self, scope: RollupScope, start: float, end: float) -> list[_Window]:
        if self._database(scope) not in self._databases.of(scope.tenant, "r"):
            return []
        within = f'"end" > {int(max(start, 0))} AND time < {-int(-min(end, FOR_EVER) // 1)}s'
        found = [
            _Window(first, last, tuple(filter(None, metrics.split(","))))
            for series in self._select(scope, _Asked('"end", metrics', "windows", within, "span"), {})
            for first, last, metrics in series["values"]
        ]
        return [window for window in found if window.start < end and window.end > start]

    def _chunk(
        self, scope: RollupScope, window: _Window, metrics: Sequence[str], workload_uids: Collection[str] | None, *, sketches: bool
    ) -> RollupChunk:
        names = [f"{metric}_{figure}" for metric in metrics for figure in (*FIGURES, *(("sketch",) if sketches else ()))]
        within, bound = f"time >= {window.start}s AND time < {window.end}s", dict[str, str]()
        if workload_uids is not None and len(workload_uids) <= NAMED_IN_QUERY:
            bound = {f"uid{number}": uid for number, uid in enumerate(workload_uids)}
            within += f" AND ({' OR '.join(f'workload_uid = ${name}' for name in bound) or 'time < 0'})"
        fields = ", ".join(names) or "*"
        found = [
            series for series in self._select(scope, _Asked(fields, "figures", within, KEY), bound)
            if workload_uids is None or key_of(series).workload_uid in workload_uids
        ]  # fmt: skip
        keys = list(dict.fromkeys(map(key_of, found)))
        steps = (window.end - window.start) // scope.step_seconds
        tables = (
            _tables(found, {key: row for row, key in enumerate(keys)}, names, (window.start, scope.step_seconds, steps)) if names else {}
        )
        rollups = {metric: _rollup(metric, tables, steps, sketches=sketches) for metric in metrics if keys}
        return RollupChunk(keys, window.start, window.end, scope.step_seconds, rollups)

    def _select(self, scope: RollupScope, asked: _Asked, bound: Mapping[str, str]) -> Iterator[Series]:
        """Ask for points; whose they are is bound to the query, never written into it."""
        fields, measurement, within, group = asked
        whose = 'cluster = $cluster AND family = $family AND "shard" = $shard'
        query = f"SELECT {fields} FROM {measurement} WHERE {whose} AND {within} GROUP BY {group}"  # noqa: S608 all else is written here
        names = {"cluster": scope.cluster_id, "family": scope.family, "shard": str(scope.shard), **bound}
        return self._client.query(self._database(scope), query, names)


def _tags(scope: RollupScope) -> str:
    return f"cluster={scope.cluster_id.translate(ESCAPES)},family={scope.family},shard={scope.shard}"


def _lines(scope: RollupScope, chunk: RollupChunk) -> Iterator[str]:
    texts = {metric: _cells(rollup) for metric, rollup in chunk.metrics.items()}
    for row, key in enumerate(chunk.keys):
        head = f"figures,{_tags(scope)}{key_tags(key)} "
        for step in range((chunk.end - chunk.start) // chunk.step_seconds):
            told = [field for metric, cells in texts.items() for field in _fields(metric, cells, row, step)]
            if told:
                yield f"{head}{','.join(told)} {chunk.start + step * chunk.step_seconds}"


def _fields(metric: str, cells: Mapping[str, Any], row: int, step: int) -> Iterator[str]:
    count = cells["count"][row][step]
    if count:
        yield from (f"{metric}_{name}={cells[name][row][step]}" for name in ("low", "high", "mean"))
        yield f'{metric}_count={count}i,{metric}_sketch="{cells["sketch"][row * len(cells["count"][row]) + step]}"'


def _cells(rollup: Rollup) -> dict[str, Any]:
    """Return the figures of each cell as text, by row and step; sketches by cell."""
    sketch = rollup.sketch or Sketch(np.empty(0, np.int64), np.empty(0, np.int16), np.empty(0, np.int64))
    entries = [f"{exponent}:{count}" for exponent, count in zip(sketch.exponents.tolist(), sketch.counts.tolist(), strict=True)]
    ends = np.searchsorted(sketch.cells, np.arange(rollup.count.size + 1)).tolist()
    texts = [" ".join(entries[begin:end]) for begin, end in pairwise(ends)]
    figures: dict[str, Any] = {name: texts_of(getattr(rollup, name)) for name in ("low", "high", "mean")}
    return figures | {"count": rollup.count.tolist(), "sketch": texts}


def _tables(found: Sequence[Series], rows: Mapping[SeriesKey, int], names: Sequence[str], grid: tuple[int, int, int]) -> dict[str, Any]:
    """Return what was read of each field, shape (series, steps); None = nothing."""
    start, step_seconds, steps = grid
    tables: dict[str, Any] = {name: np.full((len(rows), steps), None, object) for name in names}
    for series in found:
        row = rows[key_of(series)]
        for moment, *values in series["values"]:
            step = (moment - start) // step_seconds
            for name, value in zip(names, values, strict=True):
                tables[name][row, step] = value
    return tables


def _rollup(metric: str, tables: Mapping[str, Any], steps: int, *, sketches: bool) -> Rollup:
    low, high, mean = (tables[f"{metric}_{name}"].astype(np.float32) for name in ("low", "high", "mean"))
    counted = tables[f"{metric}_count"]
    count = np.where(counted == None, 0, counted).astype(np.int64)  # noqa: E711 element by element
    return Rollup(low, high, mean, count, _sketch(tables[f"{metric}_sketch"].reshape(-1)) if sketches and steps else None)


def _sketch(texts: Any) -> Sketch:
    entries = [(cell, *map(int, entry.split(":"))) for cell, text in enumerate(texts) if text for entry in text.split(" ")]
    columns = np.array(entries, np.int64).reshape(-1, 3)
    return Sketch(columns[:, 0], columns[:, 1].astype(np.int16), columns[:, 2])
