"""Stored usage of one cluster, read shard by shard and joined into groups as it comes: memory goes with the groups, not with the series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.domain.metrics import METRICS, USAGE
from upid.engine.usage.queries import across, merged
from upid.ports.blobs import Blobs
from upid.ports.usage_history import HistoryScope, MetricChunk, SeriesKey, UsageChunk, UsageHistory
from upid.ports.usage_rollups import UsageRollups
from upid.services.profiles import Profiles, RowKey
from upid.services.usage_levels import Level, Longer, figures
from upid.services.usage_requests import Selection

Group = tuple[str, ...]
Values = dict[str, NDArray[Any]]
LATEST_SECONDS: Final = 900
CONTAINER_LABELS: Final = ("namespace", "kind", "workload", "uid", "container", "pod")


class Wanted(NamedTuple):
    """What is read: metrics, whose, joined how, over [start, end) on the grid of `step_seconds`."""

    metrics: tuple[str, ...]
    selection: Selection
    group_by: tuple[str, ...]
    how: str
    start: int
    end: int
    step_seconds: int
    level: Level | None = None

    @property
    def steps(self) -> int:
        """How many steps the window has."""
        return (self.end - self.start) // self.step_seconds

    @property
    def is_local(self) -> bool:
        """Whether no group has series of two shards. A shard holds whole workloads, whose names are unique in a namespace and kind, and so are pods'."""
        of_pods = not any(METRICS[metric].family == "storage" for metric in self.metrics)
        return {"namespace", "kind", "workload"} <= set(self.group_by) or (of_pods and {"namespace", "pod"} <= set(self.group_by))

    def of_family(self, family: str) -> tuple[str, ...]:
        """Return the wanted metrics of a family."""
        return tuple(metric for metric in self.metrics if METRICS[metric].family == family)


@dataclass(slots=True)
class Frame:
    """Groups and their samples by metric, shape (groups, steps); NaN = no sample."""

    wanted: Wanted
    rows: dict[Group, int] = field(default_factory=dict)
    values: Values = field(default_factory=dict)

    @property
    def groups(self) -> list[Group]:
        """The groups in the order of their rows."""
        return list(self.rows)

    def add(self, at: int, groups: Sequence[Group], values: Values) -> None:
        """Put in samples of `groups` from step `at` on; what is there already is joined with them."""
        rows = np.array([self.rows.setdefault(group, len(self.rows)) for group in groups], np.int64)
        for metric, found in values.items():
            into = self._room(metric, found.dtype)
            steps = slice(at, at + found.shape[1])
            joined = merged(into[rows, steps], found, self.wanted.how if self.wanted.how != "mean" else "max")
            into[rows, steps] = joined

    def trimmed(self) -> Values:
        """Return the samples of every wanted metric without the room that was kept for more groups; none at all where there is no group."""
        count = len(self.rows)
        return {metric: self._room(metric, np.float32)[:count] for metric in self.wanted.metrics} if count else {}

    def _room(self, metric: str, dtype: Any) -> NDArray[Any]:
        found = self.values.get(metric)
        if found is None or len(found) < len(self.rows) or found.dtype != np.result_type(found.dtype, dtype):
            kind = dtype if found is None else np.result_type(found.dtype, dtype)
            more = len(self.rows) if found is None else max(len(self.rows), len(found) + len(found) // 4)
            bigger = np.full((more, self.wanted.steps), np.nan, kind)
            if found is not None:
                bigger[: len(found)] = found
            self.values[metric] = found = bigger
        return found


class Newest(NamedTuple):
    """The newest samples of a series: its labels by dimension and `uid`, and figures by metric, None = none in the last quarter of an hour."""

    labels: Mapping[str, str]
    values: Mapping[str, float | None]


class Latest(NamedTuple):
    """The newest sample of a container of a pod; None = none in the last quarter of an hour of what is collected."""

    namespace: str
    kind: str
    workload: str
    uid: str
    container: str
    pod: str
    cpu_cores: float | None
    memory_bytes: float | None
    throttled: float | None


@dataclass(frozen=True, slots=True)
class UsageReader:
    """Reads the history of one cluster."""

    history: UsageHistory
    blobs: Blobs
    tenant: str
    cluster_id: str
    shards: int
    rollups: UsageRollups | None = None

    def frames(self, wanted: Wanted) -> Iterator[Frame]:
        """Yield the groups: a frame for each shard where no group spans two, one for all of them otherwise."""
        if wanted.is_local:
            for shard in range(self.shards):
                yield self._shard(shard, wanted, Frame(wanted))
        elif wanted.how == "mean":
            yield self._means(wanted)
        else:
            whole = Frame(wanted)
            for shard in range(self.shards):
                self._shard(shard, wanted, whole)
            yield whole

    def latest(self, until: int, step_seconds: int) -> Iterator[Latest]:
        """Yield the newest samples of CPU and memory at `until`, the end of what is collected [s since the epoch]."""
        for one in self.newest(("cpu_cores", "memory_bytes", "throttled"), until, step_seconds):
            if one.values["cpu_cores"] is not None or one.values["memory_bytes"] is not None:
                yield Latest(*(one.labels[name] for name in CONTAINER_LABELS), *one.values.values())  # type: ignore[arg-type] # six labels, then three figures

    def newest(self, metrics: tuple[str, ...], until: int, step_seconds: int, namespace: str = "") -> Iterator[Newest]:
        """Yield every series of these metrics with its newest samples at `until`, the end of what is collected [s since the epoch]."""
        start = until - max(LATEST_SECONDS // step_seconds, 1) * step_seconds
        labels = (*CONTAINER_LABELS, "volume")
        wanted = Wanted(metrics, Selection(namespace), labels, "max", start, until, step_seconds)
        for shard in range(self.shards):
            frame = self._shard(shard, wanted, Frame(wanted))
            found = {metric: _last(values) for metric, values in frame.trimmed().items()}
            for row, group in enumerate(frame.groups):
                yield Newest(dict(zip(labels, group, strict=True)), {metric: found[metric][row] for metric in metrics})

    def _means(self, wanted: Wanted) -> Frame:
        (total,) = self.frames(wanted._replace(how="sum"))
        (count,) = self.frames(wanted._replace(how="count"))
        for metric, counted in count.values.items():
            total.values[metric] /= np.where(counted > 0, counted, np.nan)
        return total

    def _shard(self, shard: int, wanted: Wanted, into: Frame) -> Frame:
        owners = {key.uid: key for key in Profiles(self.blobs).keys(self.tenant, self.cluster_id, shard)}
        scope = HistoryScope(self.tenant, self.cluster_id, shard)
        for family in dict.fromkeys(METRICS[metric].family for metric in wanted.metrics):
            keys: Sequence[SeriesKey] = ()
            picked = _Picked((), ())
            for chunk in self._chunks(scope, family, wanted, owners):
                if chunk.step_seconds != wanted.step_seconds:
                    continue
                if chunk.keys != keys:
                    keys, picked = chunk.keys, _pick(chunk.keys, owners, wanted)
                if picked.series:
                    _take(chunk, wanted.of_family(family), picked, wanted, into)
        return into

    def _chunks(
        self, scope: HistoryScope, family: str, wanted: Wanted, owners: Mapping[str, RowKey]
    ) -> Iterator[UsageChunk] | Iterator[MetricChunk]:
        if wanted.level is not None and self.rollups is not None:
            named = wanted.selection
            any_of = {"container": named.container, "pod": named.pod, "volume": named.volume}
            uids = [uid for uid, key in owners.items() if _selects(named, key._asdict() | {"workload": key.name} | any_of)]
            asked = Longer(family, wanted.of_family(family), wanted.start, wanted.end, wanted.step_seconds, wanted.level)
            return figures(self.history, self.rollups, scope, asked, uids)
        if family == USAGE:
            return self.history.read(scope, start=wanted.start, end=wanted.end)
        return self.history.read_family(scope, family, start=wanted.start, end=wanted.end)


class _Picked(NamedTuple):
    """The series of a chunk that are wanted, and the group of each."""

    series: Sequence[int]
    groups: Sequence[Group]


def _pick(keys: Sequence[SeriesKey], owners: Mapping[str, RowKey], wanted: Wanted) -> _Picked:
    picked = _Picked([], [])
    for position, key in enumerate(keys):
        owner = owners.get(key.workload_uid)
        if owner is None:
            continue
        labels = {
            "namespace": owner.namespace, "kind": owner.kind, "workload": owner.name, "uid": owner.uid, "container": key.container, "pod": key.pod,
            "volume": key.volume,
        }  # fmt: skip
        if _selects(wanted.selection, labels):
            picked.series.append(position)  # type: ignore[attr-defined] # a list until it is handed out
            picked.groups.append(tuple(labels[name] for name in wanted.group_by))  # type: ignore[attr-defined] # the same
    return picked


def _selects(selection: Selection, labels: Mapping[str, str]) -> bool:
    return (
        selection.namespace in {"", labels["namespace"]}
        and selection.workload in {"", labels["workload"]}
        and selection.kind in {"", labels["kind"]}
        and selection.container in {"", labels["container"]}
        and selection.pod in {"", labels["pod"]}
        and selection.volume in {"", labels["volume"]}
    )


def _take(chunk: UsageChunk | MetricChunk, metrics: Sequence[str], picked: _Picked, wanted: Wanted, into: Frame) -> None:
    step = wanted.step_seconds
    low, high = max(0, (wanted.start - chunk.start) // step), (min(chunk.end, wanted.end) - chunk.start) // step
    names = list(dict.fromkeys(picked.groups))
    place = {name: number for number, name in enumerate(names)}
    group = np.array([place[name] for name in picked.groups], np.int64)
    tables = chunk.samples if isinstance(chunk, MetricChunk) else {metric: getattr(chunk, metric) for metric in metrics}
    values = {
        metric: across(tables[metric][picked.series, low:high], group, len(names), wanted.how) for metric in metrics if metric in tables
    }
    into.add((chunk.start - wanted.start) // step + low, names, values)


def _last(values: NDArray[Any]) -> list[float | None]:
    there = ~np.isnan(values)
    place = values.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    found = values[np.arange(len(values)), place].astype(np.float64)
    return [None if np.isnan(value) else float(value) for value in found]
