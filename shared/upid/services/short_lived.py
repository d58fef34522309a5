"""Usage of a scan, or of a stored history, as samples, where pods of Jobs that ran one after the other share the room of one: a week may hold very many of them.

Pods of a batch row lie on a lane with silence between them that is longer than a run's own, so that each is still a run by itself; quantiles, runs and
counts of pods are those of series of their own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.domain.inventory import Inventory
from upid.domain.lanes import lanes_of
from upid.engine.usage.runs import SILENT_SECONDS
from upid.engine.usage.samples import Samples
from upid.ports.metrics_source import ContainerEvents, NamespaceUsage, PodContainer, UsageBlock, Window
from upid.ports.usage_history import UsageChunk
from upid.services import chunks as usage_chunks
from upid.services.attribution import Owners, attribute
from upid.services.gathering import BATCH_KINDS
from upid.services.sizing import ContainerRow, samples_of

LANES: Final = 2**33  # keys of lanes lie above those of pods: a scan is folded once, so that all it takes is to tell them apart


class _Ran(NamedTuple):
    """One pod's container: its samples from the step `first` on, shape (3, steps): CPU, memory, throttled."""

    key: PodContainer
    first: int
    samples: NDArray[np.float32]

    @property
    def end(self) -> int:
        """The step behind the last."""
        return self.first + int(self.samples.shape[1])


@dataclass(slots=True)
class _Lanes:
    """Series that are filled lane by lane, in order of their rows."""

    row: list[int] = field(default_factory=list)
    pods: list[list[_Ran]] = field(default_factory=list)

    def add(self, row: int, ran: Sequence[_Ran], gap: int) -> None:
        """Take in the pods of a row; those without a sample share a series of their own, for what else happened to them."""
        measured = [one for one in ran if one.end > one.first]
        silent = [one for one in ran if one.end == one.first]
        lanes = lanes_of([(one.first, one.end) for one in measured], gap)
        found: list[list[_Ran]] = [[] for _ in range(max(lanes, default=-1) + 1)]
        for one, lane in zip(measured, lanes, strict=True):
            found[lane].append(one)
        found += [silent] if silent else []
        self.pods += found
        self.row += [row] * len(found)


def samples_of_usage(usage: NamespaceUsage, inventory: Inventory, rows: Sequence[ContainerRow]) -> Samples:
    """Return the samples of these rows, which `inventory` has the workloads of; what nobody there owns is left out."""
    batch = {w.uid for w in inventory.workloads if w.kind in BATCH_KINDS}
    others = replace(inventory, workloads=tuple(w for w in inventory.workloads if w.uid not in batch))
    samples = samples_of([attribute(usage, others)], rows)
    return _joined(samples, _packed(usage, inventory, batch, rows)) if batch else samples


def samples_of_history(chunks: Iterable[UsageChunk], rows: Sequence[ContainerRow]) -> Samples:
    """Return the samples of stored chunks as `upid.services.sizing.samples_of` does, pods of Jobs packed; a chunk of theirs is in memory at a time."""
    row_of = {row.key: i for i, row in enumerate(rows) if row.kind in BATCH_KINDS}
    stretches: dict[tuple[int, str], list[tuple[int, NDArray[np.float32]]]] = {}
    events, others = ContainerEvents({}, {}, {}), list[UsageChunk]()
    for chunk in chunks:
        mine = {i: row for i, key in enumerate(chunk.keys) if (row := row_of.get((key.workload_uid, key.container))) is not None}
        for i, row in mine.items():
            stretches.setdefault((row, chunk.keys[i].pod), []).extend(_stretch(chunk, i))
            _happened(events, _named(rows[row], chunk.keys[i].pod), chunk, i)
        others.append(usage_chunks.take(chunk, [i for i in range(len(chunk.keys)) if i not in mine]) if mine else chunk)
    samples = samples_of(others, rows)
    if not stretches:
        return samples
    lanes, ran = _Lanes(), dict[int, list[_Ran]]()
    for (row, pod), parts in sorted(stretches.items()):
        ran.setdefault(row, []).append(_whole(_named(rows[row], pod), parts, samples))
    for row, pods in ran.items():
        lanes.add(row, pods, SILENT_SECONDS // samples.step_seconds + 1)
    return _joined(samples, _filled(lanes, samples.cpu_cores.shape[1], events))


def _named(row: ContainerRow, pod: str) -> PodContainer:
    return PodContainer(row.namespace, pod, row.container)


def _stretch(chunk: UsageChunk, series: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield where the samples of a series begin [s since the epoch] and what they are, shape (3, steps); nothing where there is none."""
    values = np.stack([chunk.cpu_cores[series], chunk.memory_bytes[series], chunk.throttled[series]])
    there = np.flatnonzero(~np.isnan(values).all(axis=0))
    if len(there):
        yield chunk.start + int(there[0]) * chunk.step_seconds, values[:, there[0] : there[-1] + 1].copy()


def _happened(events: ContainerEvents, key: PodContainer, chunk: UsageChunk, series: int) -> None:
    """Add what a chunk tells to have happened to one of its series."""
    for known, counts in ((events.oom_kills, chunk.oom_kills), (events.restarts, chunk.restarts)):
        if counts[series]:
            known[key] = known.get(key, 0) + int(counts[series])
    if not np.isnan(chunk.oom_limit_bytes[series]):
        events.oom_limit_bytes[key] = max(events.oom_limit_bytes.get(key, 0.0), float(chunk.oom_limit_bytes[series]))


def _whole(key: PodContainer, parts: Sequence[tuple[int, NDArray[np.float32]]], grid: Samples) -> _Ran:
    """Return the samples of a pod from all chunks; where two have one, the later chunk's counts."""
    if not parts:
        return _Ran(key, 0, np.empty((3, 0), dtype=np.float32))
    places = [(begin - grid.start) // grid.step_seconds for begin, _ in parts]
    low, high = min(places), max(place + values.shape[1] for place, (_, values) in zip(places, parts, strict=True))
    samples = np.full((3, high - low), np.nan, dtype=np.float32)
    for place, (_, values) in zip(places, parts, strict=True):
        target = samples[:, place - low : place - low + values.shape[1]]
        np.copyto(target, values, where=~np.isnan(values))
    return _Ran(key, low, samples)


def _packed(usage: NamespaceUsage, inventory: Inventory, batch: set[str], rows: Sequence[ContainerRow]) -> dict[str, NDArray[Any]]:
    """Return what Samples has of each series, by name, of the batch workloads alone."""
    owners, events, window = Owners.of(inventory, usage.owners), usage.events, usage.window
    row_of = {row.key: i for i, row in enumerate(rows) if row.uid in batch}
    created = {w.uid: w.created_at for w in inventory.workloads}
    blocks = [(block, {key: i for i, key in enumerate(block.keys)}) for block in (usage.cpu_cores, usage.memory_bytes, usage.throttled)]
    ran: dict[int, list[_Ran]] = {}
    for key in sorted({*usage.cpu_cores.keys, *usage.memory_bytes.keys, *events.oom_kills, *events.restarts}):
        uid = owners.workload_of(key.namespace, key.pod)
        row = row_of.get((uid or "", key.container))
        if row is not None and uid is not None:
            ran.setdefault(row, []).append(_ran(key, blocks, created[uid], window))
    lanes = _Lanes()
    for row in sorted(ran):
        lanes.add(row, ran[row], SILENT_SECONDS // window.step_seconds + 1)
    return _filled(lanes, window.steps, events)


def _ran(key: PodContainer, blocks: Sequence[tuple[UsageBlock, Mapping[PodContainer, int]]], created: float, window: Window) -> _Ran:
    """Return the samples of a pod's container, from the first that counts to the last. What counts is as `attribute` has it."""
    found = [block.stretch(place[key]) if key in place else (0, np.zeros(0, np.float32)) for block, place in blocks]
    low = min((first for first, values in found if len(values)), default=0)
    high = max((first + len(values) for first, values in found if len(values)), default=low)
    samples = np.full((3, high - low), np.nan, dtype=np.float32)
    for i, (first, values) in enumerate(found):
        if len(values):
            samples[i, first - low : first - low + len(values)] = values
    cpu, memory, _ = samples
    cpu[(cpu == 0) & np.isnan(memory)] = np.nan
    used = np.flatnonzero(~np.isnan(cpu) | ~np.isnan(memory))
    made = min(max(math.floor((created - window.start) / window.step_seconds), 0), window.steps)
    oldest = low + int(used[0]) if len(used) else window.steps
    samples[:, : max(made + (oldest < made) - low, 0)] = np.nan
    there = np.flatnonzero(~np.isnan(samples).all(axis=0))
    if not len(there):
        return _Ran(key, 0, samples[:, :0])
    return _Ran(key, low + int(there[0]), samples[:, there[0] : there[-1] + 1])


def _filled(lanes: _Lanes, steps: int, events: ContainerEvents) -> dict[str, NDArray[Any]]:
    values = np.full((3, len(lanes.row), steps), np.nan, dtype=np.float32)
    kills, restarts = np.zeros(len(lanes.row), dtype=np.int32), np.zeros(len(lanes.row), dtype=np.int32)
    limit = np.full(len(lanes.row), np.nan)
    for lane, pods in enumerate(lanes.pods):
        for one in pods:
            values[:, lane, one.first : one.end] = one.samples
            kills[lane] += events.oom_kills.get(one.key, 0)
            restarts[lane] += events.restarts.get(one.key, 0)
            limit[lane] = np.fmax(limit[lane], events.oom_limit_bytes.get(one.key, np.nan))
    return {
        "cpu_cores": values[0], "memory_bytes": values[1], "throttled": values[2], "oom_kills": kills, "restarts": restarts,
        "oom_limit_bytes": limit, "row": np.array(lanes.row, dtype=np.int64), "pods": np.array([len(pods) for pods in lanes.pods], dtype=np.int64),
        "pod_keys": LANES + np.arange(len(lanes.row)),
    }  # fmt: skip


def _joined(samples: Samples, packed: Mapping[str, NDArray[Any]]) -> Samples:
    """Return the samples with the packed series behind their own."""
    own = {name: getattr(samples, name) for name in packed} | {"pods": samples.pods_of_series, "pod_keys": samples.key_of_pod}
    joined: dict[str, Any] = {name: np.concatenate([own[name], packed[name]]) for name in packed}
    return replace(samples, **joined)
