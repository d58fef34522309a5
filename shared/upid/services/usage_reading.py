"""Stored usage of one cluster, read shard by shard and joined into groups as it comes: memory goes with the groups, not with the series."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.domain.metrics import METRICS, USAGE
from upid.engine.usage.placing import Pieces, within
from upid.engine.usage.queries import across, merged
from upid.ports.blobs import Blobs
from upid.ports.usage_history import HistoryScope, MetricChunk, SeriesKey, UsageChunk, UsageHistory
from upid.ports.usage_rollups import UsageRollups
from upid.services.profiles import Profiles
from upid.services.rosters import Names
from upid.services.shards import shard_of
from upid.services.usage_levels import Level, Longer, figures
from upid.services.usage_places import UNKNOWN, Placed, Places
from upid.services.usage_requests import Selection

Group = tuple[str, ...]
Values = dict[str, NDArray[Any]]
Integers = NDArray[np.int64]
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
        named = set(self.group_by)
        return "uid" in named or {"namespace", "kind", "workload"} <= named or (of_pods and {"namespace", "pod"} <= named)

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
    """Reads the history of one cluster.

    gone: workloads that no profile has any more, whose samples are asked for. places: where pods were, where nodes are asked for.
    """

    history: UsageHistory
    blobs: Blobs
    tenant: str
    cluster_id: str
    shards: int
    rollups: UsageRollups | None = None
    gone: Collection[Names] = ()
    places: Places | None = None

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
        owners = self._owners(shard)
        scope = HistoryScope(self.tenant, self.cluster_id, shard)
        for family in dict.fromkeys(METRICS[metric].family for metric in wanted.metrics):
            keys: Sequence[SeriesKey] = ()
            picked = _NOTHING
            for chunk, nodes in self._chunks(scope, family, wanted, owners):
                if chunk.step_seconds != wanted.step_seconds:
                    continue
                if nodes is not None:
                    picked = _pick(chunk.keys, owners, wanted, _whole(wanted, nodes))
                elif chunk.keys != keys:
                    keys, picked = chunk.keys, _pick(chunk.keys, owners, wanted, self._placed(chunk.keys, wanted))
                if len(picked.series):
                    _take(chunk, wanted.of_family(family), picked, into, self.places)
        return into

    def _owners(self, shard: int) -> dict[str, Names]:
        """Return the workloads of a shard by uid: those of its profile, and those gone that are asked for."""
        gone = {each.uid: each for each in self.gone if shard_of(each.namespace, each.kind, each.name, each.uid, self.shards) == shard}
        keys = Profiles(self.blobs).keys(self.tenant, self.cluster_id, shard)
        return gone | {key.uid: Names(key.uid, key.namespace, key.kind, key.name) for key in keys}

    def _placed(self, keys: Sequence[SeriesKey], wanted: Wanted) -> Placed:
        """Return the series cut by node on the steps of the window, whole where nodes are not asked for."""
        if self.places is None:
            return _whole(wanted, [""] * len(keys))
        # Samples that stand for those of a longer step go with that step: when each was measured is not known any more.
        width = wanted.level.step_seconds // wanted.step_seconds if wanted.level else 1
        pieces, nodes = self.places.of(keys, wanted.start, wanted.step_seconds * width, -(-wanted.steps // width))
        return Placed(pieces._replace(begin=pieces.begin * width, end=pieces.end * width), nodes)

    def _chunks(
        self, scope: HistoryScope, family: str, wanted: Wanted, owners: Mapping[str, Names]
    ) -> Iterator[tuple[UsageChunk | MetricChunk, Sequence[str] | None]]:
        """Yield the chunks to read, each with the nodes of its series where they are cut by node already."""
        if wanted.level is not None and self.rollups is not None:
            named = wanted.selection
            any_of = {"container": named.container, "pod": named.pod, "volume": named.volume, "node": named.node}
            uids = [uid for uid, key in owners.items() if _selects(named, key._asdict() | {"workload": key.name} | any_of)]
            asked = Longer(family, wanted.of_family(family), wanted.start, wanted.end, wanted.step_seconds, wanted.level, self.places)
            yield from figures(self.history, self.rollups, scope, asked, uids)
        elif family == USAGE:
            yield from ((chunk, None) for chunk in self.history.read(scope, start=wanted.start, end=wanted.end))
        else:
            yield from ((chunk, None) for chunk in self.history.read_family(scope, family, start=wanted.start, end=wanted.end))


class _Picked(NamedTuple):
    """The pieces of series that are wanted. group: the place of each in `names`, -1 = none: such a piece is looked at only. pods: whose node is not known, "" = known."""

    series: Integers
    begin: Integers
    end: Integers
    group: Integers
    names: Sequence[Group]
    pods: Sequence[str]


_NONE: Final = np.empty(0, np.int64)
_NOTHING: Final = _Picked(_NONE, _NONE, _NONE, _NONE, (), ())


def _whole(wanted: Wanted, nodes: Sequence[str]) -> Placed:
    """Return every series as one piece, on the node that is given for it."""
    series = np.arange(len(nodes))
    return Placed(Pieces(series, np.zeros(len(nodes), np.int64), np.full(len(nodes), wanted.steps)), list(nodes))


def _pick(keys: Sequence[SeriesKey], owners: Mapping[str, Names], wanted: Wanted, placed: Placed) -> _Picked:
    taken, group, pods = list[int](), list[int](), list[str]()
    names: dict[Group, int] = {}
    for number, (position, node) in enumerate(zip(placed.pieces.series.tolist(), placed.nodes, strict=True)):
        key = keys[position]
        owner = owners.get(key.workload_uid)
        if owner is None:
            continue
        labels = {
            "namespace": owner.namespace, "kind": owner.kind, "workload": owner.name, "uid": owner.uid, "container": key.container, "pod": key.pod,
            "volume": key.volume, "node": node,
        }  # fmt: skip
        is_wanted, is_lost = _selects(wanted.selection, labels), node == UNKNOWN
        if is_wanted or (is_lost and _selects(wanted.selection, labels | {"node": wanted.selection.node})):
            taken.append(number)
            group.append(names.setdefault(tuple(labels[name] for name in wanted.group_by), len(names)) if is_wanted else -1)
            pods.append(f"{owner.namespace}/{key.pod}" if is_lost else "")
    rows = np.array(taken, np.int64)
    series, begin, end = (column[rows] for column in placed.pieces)
    return _Picked(series, begin, end, np.array(group, np.int64), list(names), pods)


def _selects(selection: Selection, labels: Mapping[str, str]) -> bool:
    return (
        selection.namespace in {"", labels["namespace"]}
        and selection.workload in {"", labels["workload"]}
        and selection.kind in {"", labels["kind"]}
        and selection.uid in {"", labels["uid"]}
        and selection.container in {"", labels["container"]}
        and selection.pod in {"", labels["pod"]}
        and selection.volume in {"", labels["volume"]}
        and selection.node in {"", labels["node"]}
    )


def _take(chunk: UsageChunk | MetricChunk, metrics: Sequence[str], picked: _Picked, into: Frame, places: Places | None) -> None:
    wanted, step = into.wanted, into.wanted.step_seconds
    low, high = max(0, (wanted.start - chunk.start) // step), (min(chunk.end, wanted.end) - chunk.start) // step
    at = (chunk.start - wanted.start) // step + low
    there = np.flatnonzero((picked.begin < at + high - low) & (picked.end > at))
    tables = chunk.samples if isinstance(chunk, MetricChunk) else {metric: getattr(chunk, metric) for metric in metrics}
    rows, begin, end = picked.series[there], picked.begin[there] - at, picked.end[there] - at
    values = {metric: within(tables[metric][rows, low:high], begin, end) for metric in metrics if metric in tables}
    if places is not None:
        kept = _told_apart(values, picked, there, places)
        there, values = there[kept], {metric: found[kept] for metric, found in values.items()}
    used, group = np.unique(picked.group[there], return_inverse=True)
    names = [picked.names[number] for number in used]
    if names:
        into.add(at, names, {metric: across(found, group, len(names), wanted.how) for metric, found in values.items()})


def _told_apart(values: Values, picked: _Picked, there: Integers, places: Places) -> NDArray[np.bool_]:
    """Return which of the pieces `there` have samples and are in a group; pods that have samples on a node that is not known are noted."""
    seen = np.zeros(len(there), bool)
    for found in values.values():
        seen |= ~np.isnan(found).all(axis=1)
    places.unknown.update(pod for number in there[seen].tolist() if (pod := picked.pods[number]))
    return seen & (picked.group[there] >= 0)


def _last(values: NDArray[Any]) -> list[float | None]:
    there = ~np.isnan(values)
    place = values.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    found = values[np.arange(len(values)), place].astype(np.float64)
    return [None if np.isnan(value) else float(value) for value in found]
