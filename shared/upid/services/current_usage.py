"""What a cluster uses now: the newest sample of every container, beside what the last snapshot says of its pod, workload and node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from upid.domain.inventory import Node, Pod, Resources, Workload
from upid.domain.times import format_time
from upid.ports.blobs import Blobs
from upid.ports.clock import Clock
from upid.services.snapshots import Snapshots
from upid.services.usage import UsageService
from upid.services.usage_reading import Latest
from upid.services.usage_requests import Answer

Measure = Literal["cpu_cores", "memory_bytes"]
DECIMALS: Final[Mapping[Measure, int]] = {"cpu_cores": 6, "memory_bytes": 1}
DETAILS: Final = {"resident": "memory_rss_bytes", "cache": "memory_cache_bytes"}
REQUEST: Final[Mapping[Measure, str]] = {"cpu_cores": "cpu_request_cores", "memory_bytes": "memory_request_bytes"}
LIMIT: Final[Mapping[Measure, str]] = {"cpu_cores": "cpu_limit_cores", "memory_bytes": "memory_limit_bytes"}


class Now(NamedTuple):
    """A cluster's newest samples and its last snapshot. `at`: end of what is collected; `age_seconds`: how long ago that was."""

    at: float
    age_seconds: float
    latest: tuple[Latest, ...]
    workloads: Mapping[str, Workload]
    pods: Mapping[tuple[str, str], Pod]
    nodes: tuple[Node, ...]
    snapshot_at: float

    @property
    def told(self) -> Answer:
        """How old this is."""
        return {"at": format_time(self.at), "age_seconds": self.age_seconds, "snapshot_at": format_time(self.snapshot_at)}


@dataclass(frozen=True, slots=True)
class CurrentUsageService:
    """Reads the newest samples. NotFoundError without the cluster, NothingCollectedError before its first collection."""

    usage: UsageService
    blobs: Blobs
    clock: Clock

    def overview(self, tenant: str, cluster_id: str) -> Answer:
        """Return what the whole cluster uses, has requested and can give."""
        now = self._now(tenant, cluster_id)
        figures = {measure: _total(now, measure) for measure in DECIMALS}
        pods = {(one.namespace, one.pod) for one in now.latest}
        counts = {"nodes": len(now.nodes), "pods": len(pods), "containers": len(now.latest), "workloads": len(now.workloads)}
        return {"cluster_id": cluster_id, **now.told, **counts, "cpu": figures["cpu_cores"], "memory": figures["memory_bytes"]}

    def pods(self, tenant: str, cluster_id: str, namespace: str = "") -> list[Answer]:
        """Return what each pod with samples uses and requests, sorted by its `key`."""
        now = self._now(tenant, cluster_id)
        found = _grouped((one for one in now.latest if namespace in {"", one.namespace}), lambda one: (one.namespace, one.pod))
        return [_pod(now, key, parts) for key, parts in sorted(found.items())]

    def nodes(self, tenant: str, cluster_id: str) -> list[Answer]:
        """Return what each node of the snapshot gives, and what its pods use and request of it, sorted by its `key`."""
        now = self._now(tenant, cluster_id)
        found = _grouped(now.latest, lambda one: (_node_of(now, one),))
        placed = _grouped(now.pods.values(), lambda pod: (pod.node_name,))
        return [
            _node(now, node, found.get((node.name,), []), placed.get((node.name,), [])) for node in sorted(now.nodes, key=lambda n: n.name)
        ]

    def containers(self, tenant: str, cluster_id: str, measure: Measure, namespace: str = "") -> list[Answer]:
        """Return what the pods of each (workload, container) use of CPU or memory, beside request and limit of each, sorted by its `key`.

        Of memory also what is resident and what is page cache, None where the source does not tell.
        """
        now = self._now(tenant, cluster_id)
        chosen = (one for one in now.latest if namespace in {"", one.namespace} and getattr(one, measure) is not None)
        found = _grouped(chosen, lambda one: (one.namespace, one.kind, one.workload, one.uid, one.container))
        details = self._details(tenant, cluster_id, namespace) if measure == "memory_bytes" else {}
        return [_container(now, measure, key, parts) | details.get(key, dict.fromkeys(DETAILS)) for key, parts in sorted(found.items())]

    def _details(self, tenant: str, cluster_id: str, namespace: str) -> dict[tuple[str, ...], dict[str, float | None]]:
        """Return resident memory and page cache of each (workload, container), summed over its pods."""
        reader, body = self.usage.reader(tenant, cluster_id)
        series = reader.newest(tuple(DETAILS.values()), int(body["watermark"]), body["step_seconds"], namespace)
        found = _grouped(series, lambda one: tuple(one.labels[name] for name in ("namespace", "kind", "workload", "uid", "container")))
        return {
            key: {name: _known_sum(part.values[metric] for part in parts) for name, metric in DETAILS.items()}
            for key, parts in found.items()
        }

    def _now(self, tenant: str, cluster_id: str) -> Now:
        reader, body = self.usage.reader(tenant, cluster_id)
        watermark = body["watermark"]
        snapshot = Snapshots(self.blobs).load(tenant, cluster_id)
        inventory = snapshot.inventory
        return Now(
            watermark, round(self.clock.now() - watermark, 3), tuple(reader.latest(int(watermark), body["step_seconds"])),
            {w.uid: w for w in inventory.workloads}, {(p.namespace, p.name): p for p in inventory.pods}, inventory.nodes, snapshot.time,
        )  # fmt: skip


def _grouped(entries: Iterable[Any], key: Callable[[Any], tuple[str, ...]]) -> dict[tuple[str, ...], list[Any]]:
    found: dict[tuple[str, ...], list[Any]] = {}
    for entry in entries:
        found.setdefault(key(entry), []).append(entry)
    return found


def _known_sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known), 1) if known else None


def _sum(entries: Iterable[Any], measure: Measure) -> float:
    return round(sum(getattr(entry, measure) or 0.0 for entry in entries), DECIMALS[measure])


def _share(part: float, whole: float | None) -> float | None:
    return round(part / whole, 6) if whole else None


def _requested(now: Now, pods: Iterable[Pod], measure: Measure) -> float:
    """Return what pods have requested together: of every container that runs on (init containers that end are not counted)."""
    running = (pod for pod in pods if pod.phase not in {"Succeeded", "Failed"})
    return round(sum(_request(now.workloads.get(pod.workload_uid), measure) for pod in running), DECIMALS[measure])


def _request(workload: Workload | None, measure: Measure) -> float:
    parts = () if workload is None else workload.containers
    return sum(getattr(part.resources, REQUEST[measure]) or 0.0 for part in parts if part.role != "init")


def _total(now: Now, measure: Measure) -> Answer:
    used, capacity = _sum(now.latest, measure), _sum(now.nodes, measure)
    requested = _requested(now, now.pods.values(), measure)
    return {
        "used": used, "requested": requested, "capacity": capacity,
        "used_of_capacity": _share(used, capacity), "requested_of_capacity": _share(requested, capacity), "used_of_requested": _share(used, requested),
    }  # fmt: skip


def _node_of(now: Now, one: Latest) -> str:
    pod = now.pods.get((one.namespace, one.pod))
    return "" if pod is None else pod.node_name


def _pod(now: Now, key: tuple[str, ...], parts: list[Latest]) -> Answer:
    pod, workload = now.pods.get((key[0], key[1])), now.workloads.get(parts[0].uid)
    return {
        "key": "/".join(key), "namespace": key[0], "pod": key[1], "kind": parts[0].kind, "workload": parts[0].workload,
        "node": pod.node_name if pod else None, "phase": pod.phase if pod else None, "at": format_time(now.at),
        "cpu_cores": _sum(parts, "cpu_cores"), "memory_bytes": _sum(parts, "memory_bytes"),
        "cpu_request_cores": _request(workload, "cpu_cores"), "memory_request_bytes": _request(workload, "memory_bytes"),
        "containers": [{"name": one.container, **{m: None if getattr(one, m) is None else round(getattr(one, m), d) for m, d in DECIMALS.items()}} for one in parts],
    }  # fmt: skip


def _node(now: Now, node: Node, parts: list[Latest], pods: list[Pod]) -> Answer:
    told: Answer = {"key": node.name, "name": node.name, "instance_type": node.instance_type, "pods": len(pods), "at": format_time(now.at)}
    for measure, name in (("cpu_cores", "cpu"), ("memory_bytes", "memory")):
        used, requested, capacity = _sum(parts, measure), _requested(now, pods, measure), getattr(node, measure)  # type: ignore[arg-type] # the two literals
        told[name] = {
            "used": used, "requested": requested, "capacity": capacity, "used_of_capacity": _share(used, capacity),
            "requested_of_capacity": _share(requested, capacity), "used_of_requested": _share(used, requested),
        }  # fmt: skip
    return told


def _container(now: Now, measure: Measure, key: tuple[str, ...], parts: list[Latest]) -> Answer:
    workload = now.workloads.get(key[3])
    resources = next((part.resources for part in workload.containers if part.name == key[4]), Resources()) if workload else Resources()
    used = _sum(parts, measure)
    request, limit = getattr(resources, REQUEST[measure]), getattr(resources, LIMIT[measure])
    throttled = [one.throttled for one in parts if one.throttled is not None]
    return {
        "key": "/".join(key), "namespace": key[0], "kind": key[1], "workload": key[2], "container": key[4], "pods": len(parts), "at": format_time(now.at),
        "used": used, "largest_pod": round(max(getattr(one, measure) for one in parts), DECIMALS[measure]), "request": request, "limit": limit,
        "used_of_requested": _share(used, request * len(parts) if request else None), "used_of_limit": _share(used, limit * len(parts) if limit else None),
        "throttled": round(max(throttled), 6) if throttled and measure == "cpu_cores" else None,
    }  # fmt: skip
