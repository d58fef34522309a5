"""Stored usage as series: read from the history, summed over pods and what else is selected, on steps of any whole multiple."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from upid.domain.errors import InvalidRequestError, NotFoundError
from upid.domain.inventory import Workload
from upid.engine.usage.placing import within
from upid.ports.usage_history import HistoryScope, SeriesKey, UsageChunk, UsageHistory
from upid.services.analyses import NothingCollectedError
from upid.services.cluster_records import ClusterRecords
from upid.services.panels import Panel, panels_of
from upid.services.rosters import Rosters
from upid.services.series import UNITS, Asked, Selection
from upid.services.shards import shards_of
from upid.services.snapshots import Snapshots
from upid.services.usage_places import UNKNOWN, Placed, Places

WEEK_SECONDS: Final = 7 * 86400
WANTED_STEPS: Final = 336  # where the request says no step: half an hour over a week
MOST_STEPS: Final = 20_000  # of the answer's grid
MOST_CELLS: Final = 4_000_000  # stored steps times series in memory at once
Group = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Stored steps [start, start + steps * step_seconds) and how many of them a step of the answer has."""

    start: int
    step_seconds: int
    steps: int
    factor: int


@dataclass(frozen=True, slots=True)
class SeriesReader:
    """Reads what an analytic endpoint is asked about."""

    clusters: ClusterRecords
    snapshots: Snapshots
    history: UsageHistory
    rosters: Rosters

    def read(self, tenant: str, asked: Asked) -> list[Panel]:
        """Return the series that are asked for.

        Raises NotFoundError without the cluster or what is selected of it, NothingCollectedError before its first collection or where the window has no
        sample, and InvalidRequestError (pointers) for series and windows that can't be.
        """
        return self.select(tenant, asked) if isinstance(asked, Selection) else panels_of(asked)

    def select(self, tenant: str, asked: Selection) -> list[Panel]:
        """Return stored usage; errors as `read`. Sums are of the pods that have a sample at a step; throttling is their mean."""
        body = self.clusters.get(tenant, asked.cluster_id).body
        if body["watermark"] is None:
            raise NothingCollectedError(f"Nothing was collected of {asked.cluster_id} yet.", cluster_id=asked.cluster_id)
        chosen = self._chosen(tenant, asked)
        places = self._places(tenant, asked, body)
        groups = _groups(asked, chosen, places)
        grid = _grid(asked, body, len(groups))
        sums = _Sums(grid, {group: row for row, group in enumerate(groups)}, places)
        end = grid.start + grid.steps * grid.step_seconds
        for shard in sorted(set(shards_of(chosen.values(), body["shards"]).values())):
            for chunk in self.history.read(HistoryScope(tenant, asked.cluster_id, shard), start=grid.start, end=end):
                sums.add(chunk, chosen, asked)
        panels = _panels(groups, sums, asked)
        if not panels:
            raise NothingCollectedError("No usage of this is stored in the window.", cluster_id=asked.cluster_id)
        return panels

    def _places(self, tenant: str, asked: Selection, body: Mapping[str, Any]) -> Places | None:
        """Return where pods were in the window, None where that is not asked for."""
        if not asked.is_by_node:
            return None
        start, end = _window(asked, body)
        return Places(self.rosters.read(tenant, asked.cluster_id, start=start, end=end).by_pod())

    def _chosen(self, tenant: str, asked: Selection) -> dict[str, Workload]:
        inventory = self.snapshots.load(tenant, asked.cluster_id).inventory
        wanted = {"namespace": asked.namespace, "kind": asked.kind, "name": asked.workload}
        found = {
            workload.uid: workload
            for workload in inventory.workloads
            if all(value in {"", getattr(workload, name)} for name, value in wanted.items())
            and (not asked.container or any(container.name == asked.container for container in workload.containers))
        }
        if not found:
            raise NotFoundError(f"There is nothing in {asked.cluster_id} that is selected so.", id=asked.cluster_id)
        return found


def _groups(asked: Selection, chosen: Mapping[str, Workload], places: Places | None) -> list[Group]:
    """Return what may have a series of its own."""
    if asked.split == "node" and places is not None:
        known = {stay.node for stays in places.stays.values() for stay in stays if stay.workload_uid in chosen}
        return [(("node", node),) for node in sorted({UNKNOWN, *known}) if asked.node in {"", node}]
    return sorted({_group(workload, container.name, "", asked) for workload in chosen.values() for container in workload.containers})


def _group(workload: Workload, container: str, node: str, asked: Selection) -> Group:
    labels = {"namespace": workload.namespace, "kind": workload.kind, "workload": workload.name, "container": container, "node": node}
    names: Mapping[str, tuple[str, ...]] = {
        "none": (), "namespace": ("namespace",), "workload": ("namespace", "kind", "workload"), "container": ("namespace", "kind", "workload", "container"),
        "node": ("node",),
    }  # fmt: skip
    return tuple((name, labels[name]) for name in names[asked.split])


def _window(asked: Selection, body: Mapping[str, Any]) -> tuple[float, float]:
    end = min(asked.end if asked.end is not None else body["watermark"], body["watermark"])
    return (asked.start if asked.start is not None else end - WEEK_SECONDS), end


def _grid(asked: Selection, body: Mapping[str, Any], groups: int) -> Grid:
    step = int(body["step_seconds"])
    start, end = _window(asked, body)
    steps = int((end - start) // step)
    if steps < 1:
        raise InvalidRequestError(
            [{"pointer": asked.place("start"), "detail": "The window has no stored step: start must be before end and the newest."}]
        )
    wanted = asked.step_seconds or step * -(-steps // WANTED_STEPS)
    if wanted % step:
        raise InvalidRequestError(
            [{"pointer": asked.place("step_seconds"), "detail": f"It must be a multiple of {step}, the stored step."}]
        )
    factor = wanted // step
    if steps // factor > MOST_STEPS or steps * max(groups, 1) > MOST_CELLS or steps < factor:
        detail = f"At least one step, at most {MOST_STEPS}, and {MOST_CELLS} stored steps times series: narrow the window or the selection."
        raise InvalidRequestError([{"pointer": asked.place("step_seconds"), "detail": detail}])
    steps -= steps % factor
    aligned = int(end) // step * step - steps * step
    return Grid(aligned, step, steps, factor)


class _Sums:
    """Sums and numbers of samples of groups, shape (groups, steps). places: None = series are whole."""

    def __init__(self, grid: Grid, rows: Mapping[Group, int], places: Places | None) -> None:
        self.grid, self.rows, self.places = grid, rows, places
        self.total, self.count = np.zeros((len(rows), grid.steps)), np.zeros((len(rows), grid.steps), np.int64)

    def add(self, chunk: UsageChunk, chosen: Mapping[str, Workload], asked: Selection) -> None:
        """Add a chunk's samples to the sums, in the places that they fall in."""
        grid = self.grid
        shift = (chunk.start - grid.start) // grid.step_seconds
        begin, end = max(shift, 0), min(shift + chunk.cpu_cores.shape[1], grid.steps)
        kept = [i for i, key in enumerate(chunk.keys) if key.workload_uid in chosen and asked.container in {"", key.container}]
        if not kept or end <= begin or chunk.step_seconds != grid.step_seconds:
            return
        pieces, nodes = self._placed([chunk.keys[i] for i in kept], begin, end)
        keys = [chunk.keys[kept[i]] for i in pieces.series.tolist()]
        groups = [_group(chosen[key.workload_uid], key.container, node, asked) for key, node in zip(keys, nodes, strict=True)]
        values = getattr(chunk, asked.metric)[np.array(kept)[pieces.series], begin - shift : end - shift].astype(np.float64)
        values = within(values, pieces.begin, pieces.end)
        known = ~np.isnan(values)
        if self.places is not None:
            lost = (keys[row] for row in np.flatnonzero(known.any(axis=1)).tolist() if nodes[row] == UNKNOWN)
            self.places.unknown.update(f"{chosen[key.workload_uid].namespace}/{key.pod}" for key in lost)
        there = [
            row for row, (group, node) in enumerate(zip(groups, nodes, strict=True)) if group in self.rows and asked.node in {"", node}
        ]
        target = np.array([self.rows[groups[row]] for row in there], np.int64)
        np.add.at(self.total[:, begin:end], target, np.where(known, values, 0.0)[there])
        np.add.at(self.count[:, begin:end], target, known[there].astype(np.int64))

    def _placed(self, keys: Sequence[SeriesKey], begin: int, end: int) -> Placed:
        """Return the series cut by node on the steps [begin, end) of the grid."""
        if self.places is None:
            return Placed.whole([""] * len(keys), end - begin)
        return self.places.of(keys, self.grid.start + begin * self.grid.step_seconds, self.grid.step_seconds, end - begin)


def _panels(groups: list[Group], sums: _Sums, asked: Selection) -> list[Panel]:
    grid, total, count = sums.grid, sums.total, sums.count
    warnings = tuple(sums.places.warnings()) if sums.places else ()
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(count > 0, total / count if asked.metric == "throttled" else total, np.nan)
    table = values.reshape(len(groups), -1, grid.factor)
    known = ~np.isnan(table)
    seen = known.sum(axis=2)
    filled = np.where(known, table, -np.inf if asked.metric == "memory_bytes" else 0.0)
    # Memory is the largest within a step, as it is stored; rates are means.
    joined = filled.max(axis=2) if asked.metric == "memory_bytes" else filled.sum(axis=2) / np.maximum(seen, 1)
    joined = np.where(seen > 0, joined, np.nan)
    return [
        Panel(
            "/".join("unknown" if label == UNKNOWN else label for _, label in group) or asked.cluster_id, joined[row], float(grid.step_seconds * grid.factor), float(grid.start),
            UNITS[asked.metric], dict(group), warnings,
        )
        for row, group in enumerate(groups)
        if not np.isnan(joined[row]).all()
    ]  # fmt: skip
