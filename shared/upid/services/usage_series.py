"""Stored usage as series: read from the history, summed over pods and what else is selected, on steps of any whole multiple."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from upid.domain.errors import InvalidRequestError, NotFoundError
from upid.domain.inventory import Workload
from upid.ports.usage_history import HistoryScope, UsageChunk, UsageHistory
from upid.services.analyses import NothingCollectedError
from upid.services.cluster_records import ClusterRecords
from upid.services.panels import Floats, Panel, panels_of
from upid.services.series import UNITS, Asked, Selection
from upid.services.shards import shard_of
from upid.services.snapshots import Snapshots

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
        groups = sorted({_group(workload, container.name, asked) for workload in chosen.values() for container in workload.containers})
        grid = _grid(asked, body, len(groups))
        total, count = np.zeros((len(groups), grid.steps)), np.zeros((len(groups), grid.steps), np.int64)
        place = {group: row for row, group in enumerate(groups)}
        end = grid.start + grid.steps * grid.step_seconds
        for shard in sorted({shard_of(w.namespace, w.kind, w.name, w.uid, body["shards"]) for w in chosen.values()}):
            for chunk in self.history.read(HistoryScope(tenant, asked.cluster_id, shard), start=grid.start, end=end):
                _add(chunk, chosen, asked, place, grid, total, count)
        panels = _panels(groups, total, count, asked, grid)
        if not panels:
            raise NothingCollectedError("No usage of this is stored in the window.", cluster_id=asked.cluster_id)
        return panels

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


def _group(workload: Workload, container: str, asked: Selection) -> Group:
    labels = {"namespace": workload.namespace, "kind": workload.kind, "workload": workload.name, "container": container}
    kept = {"none": (), "namespace": ("namespace",), "workload": ("namespace", "kind", "workload"), "container": tuple(labels)}[asked.split]
    return tuple((name, labels[name]) for name in kept)


def _grid(asked: Selection, body: Mapping[str, Any], groups: int) -> Grid:
    step = int(body["step_seconds"])
    end = min(asked.end if asked.end is not None else body["watermark"], body["watermark"])
    start = asked.start if asked.start is not None else end - WEEK_SECONDS
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


def _add(  # noqa: PLR0917 one chunk into one table
    chunk: UsageChunk, chosen: Mapping[str, Workload], asked: Selection, place: Mapping[Group, int], grid: Grid, total: Floats, count: Any
) -> None:
    """Add a chunk's samples to the sums, in the places that they fall in."""
    rows = [
        (i, place[group])
        for i, key in enumerate(chunk.keys)
        if key.workload_uid in chosen and asked.container in {"", key.container}
        for group in [_group(chosen[key.workload_uid], key.container, asked)]
        if group in place
    ]
    shift = (chunk.start - grid.start) // grid.step_seconds
    begin, end = max(shift, 0), min(shift + chunk.cpu_cores.shape[1], grid.steps)
    if not rows or end <= begin or chunk.step_seconds != grid.step_seconds:
        return
    source, target = (np.array(part) for part in zip(*rows, strict=True))
    samples = getattr(chunk, asked.metric)[source, begin - shift : end - shift].astype(np.float64)
    known = ~np.isnan(samples)
    np.add.at(total[:, begin:end], target, np.where(known, samples, 0.0))
    np.add.at(count[:, begin:end], target, known.astype(np.int64))


def _panels(groups: list[Group], total: Floats, count: Any, asked: Selection, grid: Grid) -> list[Panel]:
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
            "/".join(label for _, label in group) or asked.cluster_id, joined[row], float(grid.step_seconds * grid.factor), float(grid.start),
            UNITS[asked.metric], dict(group),
        )
        for row, group in enumerate(groups)
        if not np.isnan(joined[row]).all()
    ]  # fmt: skip
