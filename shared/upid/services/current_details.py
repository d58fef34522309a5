"""What a cluster's network and storage carry now, by pod, workload, namespace, node, or as a whole; volumes beside what they asked for and got."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from upid.domain.inventory import Claim
from upid.domain.metrics import METRICS, metrics_of
from upid.domain.times import format_time
from upid.ports.blobs import Blobs
from upid.ports.clock import Clock
from upid.services.snapshots import Snapshots
from upid.services.usage import UsageService
from upid.services.usage_reading import Newest
from upid.services.usage_requests import Answer

Level = Literal["pod", "workload", "namespace", "node", "cluster"]
LABELS: Final[Mapping[Level, tuple[str, ...]]] = {
    "pod": ("namespace", "pod"), "workload": ("namespace", "kind", "workload"), "namespace": ("namespace",), "node": ("node",), "cluster": (),
}  # fmt: skip
SHOWN: Final = ("namespace", "kind", "workload", "pod", "node")
OF_PODS: Final = frozenset({"pod", "node"})
FILES: Final = metrics_of("filesystem")
VOLUMES: Final = metrics_of("storage")
Group = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CurrentDetailsService:
    """Reads the newest samples of families. NotFoundError without the cluster, NothingCollectedError before its first collection."""

    usage: UsageService
    blobs: Blobs
    clock: Clock

    def network(self, tenant: str, cluster_id: str, level: Level, namespace: str = "") -> list[Answer]:
        """Return what pods receive and send, summed over each group, sorted by its `key`. [bytes/s, packets/s]"""
        told, series = self._newest(tenant, cluster_id, metrics_of("network"), namespace)
        grouped = _grouped(series, level)
        return [
            _head(level, group, parts) | told | {"pods": len({one.labels["pod"] for one in parts}), **_sums(parts, metrics_of("network"))}
            for group, parts in sorted(grouped.items())
        ]

    def storage(self, tenant: str, cluster_id: str, level: Level, namespace: str = "") -> list[Answer]:
        """Return what containers keep in their own files and what volumes hold, summed over each group, sorted by its `key`. [bytes, 1/s]

        A volume is its workload's, not one pod's: by pod and node there are files alone.
        """
        told, series = self._newest(tenant, cluster_id, (*FILES, *VOLUMES), namespace)
        claims = {} if level in OF_PODS else self._claims(tenant, cluster_id, level, namespace)
        kept = [one for one in series if level not in OF_PODS or not one.labels["volume"]]
        grouped = _grouped(kept, level)
        return [
            _head(level, group, grouped.get(group, [])) | told | _files_and_volumes(grouped.get(group, []), claims.get(group, []))
            for group in sorted({*grouped, *claims})
        ]

    def _newest(self, tenant: str, cluster_id: str, metrics: tuple[str, ...], namespace: str) -> tuple[Answer, list[Newest]]:
        reader, body = self.usage.reader(tenant, cluster_id)
        watermark = body["watermark"]
        series = reader.newest(metrics, int(watermark), body["step_seconds"], namespace)
        told = {"at": format_time(watermark), "age_seconds": round(self.clock.now() - watermark, 3)}
        pods = Snapshots(self.blobs).load(tenant, cluster_id).inventory.pods
        node_of = {(pod.namespace, pod.name): pod.node_name for pod in pods}
        return told, [
            one._replace(labels={**one.labels, "node": node_of.get((one.labels["namespace"], one.labels["pod"]), "")})
            for one in series if any(value is not None for value in one.values.values())
        ]  # fmt: skip

    def _claims(self, tenant: str, cluster_id: str, level: Level, namespace: str) -> dict[Group, list[Claim]]:
        inventory = Snapshots(self.blobs).load(tenant, cluster_id).inventory
        workloads = {workload.uid: workload for workload in inventory.workloads}
        found: dict[Group, list[Claim]] = {}
        for claim in inventory.claims:
            owner = workloads.get(claim.workload_uid)
            # By workload, a claim that nobody mounts has no place; by namespace it counts.
            if namespace in {"", claim.namespace} and (owner is not None or level != "workload"):
                labels = {"namespace": claim.namespace, "kind": owner.kind if owner else "", "workload": owner.name if owner else ""}
                found.setdefault(tuple(labels[name] for name in LABELS[level]), []).append(claim)
        return found


def _grouped(series: Iterable[Newest], level: Level) -> dict[Group, list[Newest]]:
    found: dict[Group, list[Newest]] = {}
    for one in series:
        found.setdefault(tuple(one.labels[name] for name in LABELS[level]), []).append(one)
    return found


def _head(level: Level, group: Group, parts: list[Newest]) -> Answer:
    """Return what a group is called; of a pod also whose it is."""
    labels = dict(zip(LABELS[level], group, strict=True))
    if level == "pod":
        labels |= {name: parts[0].labels[name] for name in ("kind", "workload", "node")}
    return {"key": "/".join(group) if group else "cluster", **{name: labels.get(name) for name in SHOWN}}


def _sums(parts: Sequence[Newest], metrics: Iterable[str]) -> dict[str, float | None]:
    """Return each metric summed over the series that have it, None where none has."""
    return {metric: _sum(metric, [one.values[metric] for one in parts]) for metric in metrics}


def _sum(metric: str, values: Iterable[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return round(sum(there), METRICS[metric].decimals) if there else None


def _files_and_volumes(parts: list[Newest], claims: list[Claim]) -> Answer:
    held = _sums([one for one in parts if one.labels["volume"]], VOLUMES)
    used, capacity = held["volume_used_bytes"], held["volume_capacity_bytes"]
    by_name = {(one.labels["namespace"], one.labels["volume"]): one.values for one in parts if one.labels["volume"]}
    volumes = [_volume(claim, by_name.get((claim.namespace, claim.name), {})) for claim in claims]
    return _sums([one for one in parts if not one.labels["volume"]], FILES) | held | {
        "volume_request_bytes": _told(claim.request_bytes for claim in claims), "volume_used_of_capacity": round(used / capacity, 6) if used is not None and capacity else None,
        "volumes": volumes,
    }  # fmt: skip


def _volume(claim: Claim, values: Mapping[str, float | None]) -> Answer:
    used, capacity = values.get("volume_used_bytes"), values.get("volume_capacity_bytes") or claim.capacity_bytes
    return {
        "namespace": claim.namespace, "name": claim.name, "used_bytes": used, "capacity_bytes": capacity, "request_bytes": claim.request_bytes,
        "used_of_capacity": round(used / capacity, 6) if used is not None and capacity else None, "storage_class": claim.storage_class,
        "phase": claim.phase, "mounted": bool(claim.workload_uid),
    }  # fmt: skip


def _told(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
