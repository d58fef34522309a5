"""Right-sizing of containers from their use in the request, or from what is stored: by the same rule as analyses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.domain.errors import InvalidRequestError
from upid.domain.inventory import Resources
from upid.engine.rightsizing.options import Options
from upid.engine.usage.exact import exact_evidence
from upid.engine.usage.folding import fold
from upid.engine.usage.profile import empty_profile
from upid.engine.usage.samples import Samples
from upid.services.analyses import NothingCollectedError
from upid.services.assessing import Assessor, Scope, options_for
from upid.services.cluster_records import ClusterRecords
from upid.services.entries import entry
from upid.services.models.requests import SizingContainer, SizingPod, SizingQuestion
from upid.services.models.telling import Answer, shown
from upid.services.sizing import ContainerRow, Table, UsageWindow, assess_rows, workload_index

SOME_MONDAY: Final = 1_767_571_200  # 2026-01-05T00:00:00Z: where a request tells no start
MOST_STORED: Final = 500  # containers of an answer
MOST_CELLS: Final = 2_000_000  # steps of all pods of a request


@dataclass(frozen=True, slots=True)
class RightSizing:
    """Sizes containers."""

    clusters: ClusterRecords
    assessor: Assessor

    def size(self, tenant: str, question: SizingQuestion) -> Answer:
        """Return what containers need, as `RightSizingOut` names it; NotFoundError and NothingCollectedError for stored ones."""
        request = {"strategy": question.strategy, "allowed_time_above": question.allowed_time_above}
        options = options_for(request)
        if question.stored is not None:
            found, warnings = self._stored(tenant, question.stored, options)
        else:
            found, warnings = self._given(question.containers, options)
        saved = math.fsum(each["savings_usd_per_month"] or 0.0 for each in found)
        parameters = shown(request | {"allowed_time_above": options.allowed_time_above})
        return {
            "algorithm": "right-sizing",
            "parameters": parameters,
            "containers": found,
            "savings_usd_per_month": round(saved, 4),
            "warnings": warnings,
        }

    def _given(self, containers: Sequence[SizingContainer], options: Options) -> tuple[list[Answer], list[str]]:
        _hold(containers)
        found: list[Answer] = [{}] * len(containers)
        grids: dict[tuple[int, int], list[int]] = {}
        for place, each in enumerate(containers):
            start = SOME_MONDAY if each.start is None else each.start // each.step_seconds * each.step_seconds
            grids.setdefault((start, each.step_seconds), []).append(place)
        for (start, step), places in grids.items():
            table = self._table([containers[place] for place in places], start, step, options)
            for row, place in enumerate(places):
                found[place] = _shown(table, row)
        untold = [each.name for each in containers if each.start is None]
        return found, [f"{name}: no start is told, so its first step counts as a Monday at 00:00 UTC." for name in untold]

    def _table(self, containers: Sequence[SizingContainer], start: int, step: int, options: Options) -> Table:
        rows = [
            ContainerRow("", "Deployment", each.name, f"{i}", each.name, replicas=each.replicas, resources=Resources(**each.current), heap_bytes=each.heap_bytes)
            for i, each in enumerate(containers)
        ]  # fmt: skip
        samples = _samples(containers, start, step, workload_index(rows))
        profile = fold(empty_profile(samples.workload), samples)
        window = UsageWindow(samples.start, samples.end, samples.step_seconds)
        return assess_rows(rows, profile, exact_evidence(samples), prices=self.assessor.prices, nodes=(), options=options, window=window)

    def _stored(self, tenant: str, stored: Mapping[str, str], options: Options) -> tuple[list[Answer], list[str]]:
        body = self.clusters.get(tenant, stored["cluster_id"]).body
        if body["watermark"] is None or body["shards"] is None:
            raise NothingCollectedError(f"Nothing was collected of {stored['cluster_id']} yet.", cluster_id=stored["cluster_id"])
        request = {"namespaces": [stored["namespace"]] if stored["namespace"] else [], "workloads": [], "source": "profile"}
        found: list[Answer] = []
        count = 0
        for shard in range(body["shards"]):
            loaded = self.assessor.load(Scope(tenant, stored["cluster_id"], shard, body["history_seconds"]), request)
            table = self.assessor.assess(loaded, options)
            wanted = [row for row, each in enumerate(table.rows) if _selects(stored, each)]
            count += len(wanted)
            found += [_shown(table, row) for row in wanted[: MOST_STORED - len(found)]]
        return found, [] if count <= MOST_STORED else [f"Only {MOST_STORED} of {count} containers are told: narrow the selection."]


def _selects(stored: Mapping[str, str], row: ContainerRow) -> bool:
    return stored["kind"] in {"", row.kind} and stored["workload"] in {"", row.name} and stored["container"] in {"", row.container}


def _hold(containers: Sequence[SizingContainer]) -> None:
    """Raise InvalidRequestError where a pod's arrays differ in length, there is no value at all, or there are more than the documented size."""
    faults = []
    for each in containers:
        for i, pod in enumerate(each.pods):
            lengths = {len(values) for values in (pod.cpu_cores, pod.memory_bytes, pod.throttled) if values}
            if len(lengths) > 1:
                faults.append(
                    {"pointer": f"{each.pointer}/pods/{i}", "detail": "cpu_cores, memory_bytes and throttled must be of one length."}
                )
            if any(value is not None and value > 1 for value in pod.throttled):
                faults.append({"pointer": f"{each.pointer}/pods/{i}/throttled", "detail": "Shares are at most 1."})
    if sum(_steps(pod) for each in containers for pod in each.pods) > MOST_CELLS:
        faults.append({"pointer": "#/containers", "detail": f"At most {MOST_CELLS} steps over all pods."})
    if faults:
        raise InvalidRequestError(faults[:100])


def _steps(pod: SizingPod) -> int:
    return max(len(pod.cpu_cores), len(pod.memory_bytes))


def _samples(containers: Sequence[SizingContainer], start: int, step: int, workload: NDArray[np.int64]) -> Samples:
    pods = [(row, pod) for row, each in enumerate(containers) for pod in each.pods]
    steps = max(_steps(pod) for _, pod in pods)
    cpu, memory, throttled = (_grid([getattr(pod, name) for _, pod in pods], steps) for name in ("cpu_cores", "memory_bytes", "throttled"))
    kills, restarts = (np.array([getattr(pod, name) for _, pod in pods], np.int32) for name in ("oom_kills", "restarts"))
    limits = np.array([_limit_at_kill(containers[row], pod) for row, pod in pods], np.float64)
    return Samples(start, step, cpu, memory, throttled, kills, restarts, limits, np.array([row for row, _ in pods], np.int64), workload)


def _limit_at_kill(container: SizingContainer, pod: SizingPod) -> float:
    limit = container.current["memory_limit_bytes"]
    return float(limit) if pod.oom_kills and limit is not None else math.nan


def _grid(rows: Sequence[Sequence[float | None]], steps: int) -> NDArray[np.float32]:
    found = np.full((len(rows), steps), np.nan, np.float32)
    for into, values in zip(found, rows, strict=True):
        into[: len(values)] = [math.nan if value is None else value for value in values]
    return found


def _shown(table: Table, row: int) -> Answer:
    told = entry(table, row)
    kept = {name: value for name, value in told.items() if name not in {"name", "uid"}}
    return kept | {"workload": told["name"]}
