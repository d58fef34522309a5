"""What the last collection saw of a cluster, as rows to show: one blob per kind below the collection's id, and an index that names the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from upid.domain.errors import ConflictError, NotFoundError
from upid.domain.inventory import Inventory
from upid.domain.objects import Row, place
from upid.domain.times import format_time
from upid.ports.blobs import Blobs
from upid.ports.kubernetes import Observation
from upid.services.cluster_records import blob_prefix

WORKLOADS = "workloads"


class NotObservedError(ConflictError):
    """Nothing of the kind was collected from the cluster yet: collect, or ask for it live."""

    title = "Not observed yet"


@dataclass(frozen=True, slots=True)
class Index:
    """What a survey is of. `missing`: kinds that could not be read, and why ("" = the server does not know them); `unreadable`: as the inventory has it."""

    id: str
    time: float
    server_version: str
    counts: Mapping[str, int]
    missing: Mapping[str, str]
    unreadable: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Surveys:
    """Surveys of clusters on blobs: the latest, and the one before while the next is written."""

    blobs: Blobs

    def index(self, tenant: str, cluster_id: str) -> Index | None:
        """Return what the latest survey is of, None before the first."""
        try:
            return Index(**orjson.loads(self.blobs.get(self._index(tenant, cluster_id))))
        except NotFoundError:
            return None

    def latest(self, tenant: str, cluster_id: str) -> Index:
        """Return what the latest survey is of; NotObservedError before the first."""
        found = self.index(tenant, cluster_id)
        if found is None:
            raise NotObservedError(f"Nothing was collected from {cluster_id} yet: collect, or ask with live=true.", id=cluster_id)
        return found

    def rows(self, tenant: str, cluster_id: str, index: Index, kind: str) -> list[Row]:
        """Return a survey's rows of a kind, sorted by namespace and name; NotObservedError where they could not be read."""
        if index.missing.get(kind):
            raise NotObservedError(f"The last collection could not read {kind}: {index.missing[kind]}", id=cluster_id, kind=kind)
        try:
            rows: list[Row] = orjson.loads(self.blobs.get(self._rows(tenant, cluster_id, index.id, kind)))
        except NotFoundError:
            return []
        return rows

    def write(self, tenant: str, cluster_id: str, survey_id: str, observation: Observation) -> dict[str, Sequence[Row]]:
        """Store the rows of a survey and return them by kind; nobody reads them before `publish`."""
        rows = {**observation.survey.rows, WORKLOADS: workload_rows(observation.inventory)}
        for kind, listed in rows.items():
            self.blobs.put(self._rows(tenant, cluster_id, survey_id, kind), orjson.dumps(listed))
        return rows

    def publish(self, tenant: str, cluster_id: str, index: Index) -> None:
        """Make a survey the latest, and remove those before it."""
        self.blobs.put(self._index(tenant, cluster_id), orjson.dumps(index))
        prefix = self._prefix(tenant, cluster_id)
        keep = (f"{prefix}{index.id}/", self._index(tenant, cluster_id))
        for name in [name for name in self.blobs.names(prefix) if not name.startswith(keep)]:
            self.blobs.delete(name)

    def _prefix(self, tenant: str, cluster_id: str) -> str:
        return f"{blob_prefix(tenant, cluster_id)}surveys/"

    def _index(self, tenant: str, cluster_id: str) -> str:
        return f"{self._prefix(tenant, cluster_id)}index.json"

    def _rows(self, tenant: str, cluster_id: str, survey_id: str, kind: str) -> str:
        return f"{self._prefix(tenant, cluster_id)}{survey_id}/{kind}.json"


def index_of(survey_id: str, time: float, observation: Observation, rows: Mapping[str, Sequence[Row]]) -> Index:
    """Return what a survey of an observation is of."""
    inventory = observation.inventory
    unreadable = [{"what": part.what, "reason": part.reason} for part in inventory.unreadable]
    counts = {kind: len(listed) for kind, listed in rows.items()}
    return Index(survey_id, time, inventory.server_version, counts, dict(observation.survey.missing), unreadable)


def workload_rows(inventory: Inventory) -> list[dict[str, Any]]:
    """Return an inventory's workloads as rows; one of a kind that is known from its pods alone has no age."""
    rows = [
        {
            "namespace": w.namespace, "name": w.name, "uid": w.uid, "kind": w.kind, "labels": dict(w.labels),
            "created_at": format_time(w.created_at) if w.created_at else None, "replicas": w.replicas, "ready_replicas": w.ready_replicas,
            "images": [container.image for container in w.containers if container.role == "main"],
        }
        for w in inventory.workloads
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (*place(row), row["kind"]))
