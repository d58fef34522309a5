"""Stored usage of one cluster, read shard by shard and joined into groups as it comes: memory goes with the groups, not with the series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.domain.metrics import METRICS, USAGE
from upid.ports.blobs import Blobs
from upid.ports.usage_history import HistoryScope, MetricChunk, SeriesKey, UsageChunk, UsageHistory
from upid.ports.usage_rollups import UsageRollups
from upid.services.profiles import Profiles
from upid.services.rosters import Names
from upid.services.usage_frames import Frame, Wanted
from upid.services.usage_levels import Longer, figures
from upid.services.usage_picking import NOTHING, pick, selects, take
from upid.services.usage_places import Placed, Places
from upid.services.usage_requests import Selection

LATEST_SECONDS: Final = 900
CONTAINER_LABELS: Final = ("namespace", "kind", "workload", "uid", "container", "pod")


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

    gone: workloads by shard that no profile may have any more, whose samples are asked for. places: where pods were, where nodes are asked for.
    """

    history: UsageHistory
    blobs: Blobs
    tenant: str
    cluster_id: str
    shards: int
    rollups: UsageRollups | None = None
    gone: Mapping[int, Sequence[Names]] = field(default_factory=dict)
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
            picked = NOTHING
            for chunk, nodes in self._chunks(scope, family, wanted, owners):
                if chunk.step_seconds != wanted.step_seconds:
                    continue
                if nodes is not None:
                    picked = pick(chunk.keys, owners, wanted, Placed.whole(nodes, wanted.steps))
                elif chunk.keys != keys:
                    keys, picked = chunk.keys, pick(chunk.keys, owners, wanted, self._placed(chunk.keys, wanted))
                if len(picked.series):
                    take(chunk, wanted.of_family(family), picked, into, self.places)
        return into

    def _owners(self, shard: int) -> dict[str, Names]:
        """Return the workloads of a shard by uid: those of its profile, and those gone that are asked for."""
        gone = {each.uid: each for each in self.gone.get(shard, ())}
        keys = Profiles(self.blobs).keys(self.tenant, self.cluster_id, shard)
        return gone | {key.uid: Names(key.uid, key.namespace, key.kind, key.name) for key in keys}

    def _placed(self, keys: Sequence[SeriesKey], wanted: Wanted) -> Placed:
        """Return the series cut by node on the steps of the window, whole where nodes are not asked for."""
        if self.places is None:
            return Placed.whole([""] * len(keys), wanted.steps)
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
            uids = [uid for uid, key in owners.items() if selects(named, key._asdict() | {"workload": key.name} | any_of)]
            asked = Longer(family, wanted.of_family(family), wanted.start, wanted.end, wanted.step_seconds, wanted.level, self.places)
            yield from figures(self.history, self.rollups, scope, asked, uids)
        elif family == USAGE:
            yield from ((chunk, None) for chunk in self.history.read(scope, start=wanted.start, end=wanted.end))
        else:
            yield from ((chunk, None) for chunk in self.history.read_family(scope, family, start=wanted.start, end=wanted.end))


def _last(values: NDArray[Any]) -> list[float | None]:
    there = ~np.isnan(values)
    place = values.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    found = values[np.arange(len(values)), place].astype(np.float64)
    return [None if np.isnan(value) else float(value) for value in found]
