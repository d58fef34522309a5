"""The inventory of a cluster as the last collection saw it: one blob whole, and one per shard with the workloads of that shard alone.

A shard's part is what a task of one shard needs (its workloads and their claims, all nodes, all namespaces) without parsing the rest of a big cluster.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import orjson

from upid.domain.inventory import Autoscaler, Claim, Container, Inventory, Node, Pod, Resources, Unreadable, Workload
from upid.ports.blobs import Blobs
from upid.services.cluster_records import blob_prefix
from upid.services.shards import shard_of


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A cluster's inventory and when it was read, in seconds since the epoch."""

    time: float
    inventory: Inventory


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Snapshots of clusters on blobs. The latest stands alone: an older one is what analyses keep for themselves."""

    blobs: Blobs

    def save(self, tenant: str, cluster_id: str, snapshot: Snapshot, shards: int) -> None:
        """Store a snapshot whole and by shard. The parts come first: who reads the whole finds no older part behind it."""
        inventory = snapshot.inventory
        parts: list[list[Workload]] = [[] for _ in range(shards)]
        for workload in inventory.workloads:
            parts[shard_of(workload.namespace, workload.kind, workload.name, workload.uid, shards)].append(workload)
        for shard, workloads in enumerate(parts):
            uids = {workload.uid for workload in workloads}
            claims = tuple(claim for claim in inventory.claims if claim.workload_uid in uids)
            part = replace(inventory, workloads=tuple(workloads), pods=(), replica_sets=(), jobs=(), claims=claims)
            self.blobs.put(self._part(tenant, cluster_id, shard), encode(Snapshot(snapshot.time, part)))
        self.blobs.put(self._whole(tenant, cluster_id), encode(snapshot))

    def load(self, tenant: str, cluster_id: str) -> Snapshot:
        """Return the whole snapshot; NotFoundError before the first collection."""
        return decode(self.blobs.get(self._whole(tenant, cluster_id)))

    def load_shard(self, tenant: str, cluster_id: str, shard: int) -> Snapshot:
        """Return the snapshot with the workloads of one shard, all nodes and no pods; NotFoundError before the first collection."""
        return decode(self.blobs.get(self._part(tenant, cluster_id, shard)))

    def _whole(self, tenant: str, cluster_id: str) -> str:
        return f"{blob_prefix(tenant, cluster_id)}inventory.json"

    def _part(self, tenant: str, cluster_id: str, shard: int) -> str:
        return f"{blob_prefix(tenant, cluster_id)}inventory/{shard:04d}.json"


def of_namespaces(inventory: Inventory, namespaces: Collection[str]) -> Inventory:
    """Return what an inventory has in these namespaces, with all nodes."""
    wanted = frozenset(namespaces)
    return replace(
        inventory,
        workloads=tuple(workload for workload in inventory.workloads if workload.namespace in wanted),
        pods=tuple(pod for pod in inventory.pods if pod.namespace in wanted),
        replica_sets=tuple(link for link in inventory.replica_sets if link[0] in wanted),
        jobs=tuple(link for link in inventory.jobs if link[0] in wanted),
        claims=tuple(claim for claim in inventory.claims if claim.namespace in wanted),
    )


def encode(snapshot: Snapshot) -> bytes:
    """Return a snapshot as JSON; the same snapshot gives the same bytes."""
    return orjson.dumps({"time": snapshot.time, "inventory": snapshot.inventory})


def decode(data: bytes) -> Snapshot:
    """Return the snapshot that `encode` made `data` from."""
    body = orjson.loads(data)
    found = body["inventory"]
    inventory = Inventory(
        workloads=tuple([_workload(workload) for workload in found["workloads"]]),
        pods=tuple(Pod(**pod) for pod in found["pods"]),
        nodes=tuple(Node(**node) for node in found["nodes"]),
        namespaces=tuple(found["namespaces"]),
        unreadable=tuple(Unreadable(**part) for part in found["unreadable"]),
        replica_sets=tuple((link[0], link[1], link[2]) for link in found["replica_sets"]),
        jobs=tuple((link[0], link[1], link[2]) for link in found["jobs"]),
        server_version=found["server_version"],
        claims=tuple(Claim(**claim) for claim in found.get("claims", ())),
    )
    return Snapshot(body["time"], inventory)


def _workload(found: dict[str, Any]) -> Workload:
    # The parsed document is nobody else's: changing it in place halves the time that a big cluster takes.
    autoscaler = found["autoscaler"]
    found["containers"] = tuple([_container(container) for container in found["containers"]])
    found["labels"] = tuple([(name, value) for name, value in found["labels"]])
    found["autoscaler"] = Autoscaler(**autoscaler) if autoscaler else None
    found["node_names"] = tuple(found["node_names"])
    return Workload(**found)


def _container(found: dict[str, Any]) -> Container:
    found["resources"] = Resources(**found["resources"])
    found["ports"] = tuple(found.get("ports", ()))
    return Container(**found)
