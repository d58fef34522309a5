"""Collections as clients and schedules ask for them: started here, done by the `collect-usage` workflow (`upid.services.collecting`).

One collection of a cluster runs at a time. Asking for another while one runs answers the running one, unless it asks for other parameters
(CollectionRunningError, which names the running one). The cluster's record points to its last collection and is written with the version that was
read: of two that start at once, one wins and the other finds it running.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from upid.domain.errors import ConflictError, InvalidRequestError, NotFoundError, VersionConflictError
from upid.domain.events import Event
from upid.domain.identity import Caller
from upid.domain.ids import has_shape
from upid.domain.metrics import FAMILIES, SERVICE, ServiceQuery
from upid.domain.times import format_time
from upid.domain.work import ENDED, WorkError, WorkStatus
from upid.ports.blobs import Blobs
from upid.ports.clock import Clock, Ids
from upid.ports.records import Put, Record, Records, Write
from upid.ports.workflows import Workflows
from upid.services.cluster_records import ATTEMPTS, ClusterRecords
from upid.services.collection_files import work_prefix
from upid.services.failures import lost
from upid.services.idempotency import IdempotencyKeys
from upid.services.work import WorkLog

MACHINE: Final = "collect-usage"
KIND: Final = "collections"
DEFAULT_HISTORY_SECONDS: Final = 7 * 86400
DEFAULT_FAMILIES_HISTORY_SECONDS: Final = 86400
MOST_HISTORY_SECONDS: Final = 93 * 86400
DEFAULT_STEP_SECONDS: Final = 300
LEAST_STEP_SECONDS: Final = 15
KEEP_SECONDS: Final = 90 * 86400.0  # of collections: a schedule of five minutes makes a hundred thousand a year; events stay


class CollectionRunningError(ConflictError):
    """A collection of the cluster runs already, with other parameters."""

    title = "Collection running"


class StepConflictError(ConflictError):
    """The cluster's history is kept in another step."""

    title = "Other step"


@dataclass(frozen=True, slots=True)
class CollectionRequest:
    """What to collect.

    history_seconds: how far back the first collection of a cluster goes; later ones go on where the last one ended. step_seconds: the grid of the
    samples, decided by the first collection. None = as the cluster has it, or the default (7 days, 300 s).
    """

    cluster_id: str
    history_seconds: int | None = None
    step_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class CollectionsService:
    """Starts collections and tells how they stand."""

    records: Records
    clusters: ClusterRecords
    blobs: Blobs
    workflows: Workflows
    keys: IdempotencyKeys
    clock: Clock
    ids: Ids
    log: WorkLog = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "log", WorkLog(KIND, self.records, self.clock))

    def start(self, caller: Caller, request: CollectionRequest, *, idempotency_key: str = "") -> dict[str, Any]:
        """Start a collection, or find the one that runs, and return its view; the same idempotency key answers the same collection within a day.

        Raises NotFoundError without the cluster, InvalidRequestError for a history or step out of range, StepConflictError for another step than the
        cluster has, CollectionRunningError while a collection with other parameters runs, IdempotencyKeyReusedError.
        """
        faults = _faults(request)
        if faults:
            raise InvalidRequestError(faults)
        for _ in range(ATTEMPTS):
            answered = self.keys.replay(caller.tenant, MACHINE, idempotency_key, asdict(request))
            if answered is not None:
                return self.view(caller.tenant, answered["id"])
            with contextlib.suppress(VersionConflictError):  # Somebody else was faster: look again.
                return self.view(caller.tenant, self._start(caller, request, idempotency_key))
        raise VersionConflictError(f"Cluster {request.cluster_id} changes too often to start a collection.", id=request.cluster_id)

    def view(self, tenant: str, collection_id: str) -> dict[str, Any]:
        """Return a collection as clients see it; NotFoundError where there is none."""
        if not has_shape(collection_id, "collection"):
            raise NotFoundError(f"There is no collection {collection_id}.", id=collection_id)
        work = self.log.view(tenant, collection_id)
        return work | {"cluster_id": work["request"]["cluster_id"]}

    def status(
        self, caller: Caller, *, cluster_id: str = "", after: str | None = None, limit: int = 100
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return how the collection of each cluster stands, in the order of registration, and the id to go on after (None = no more)."""
        if cluster_id:
            return [self._status(caller.tenant, self.clusters.get(caller.tenant, cluster_id).body)], None
        page = self.records.query(f"t#{caller.tenant}#clusters", after=after, limit=limit)
        return [self._status(caller.tenant, record.body) for record in page.items], page.after

    def is_due(self, tenant: str, cluster_id: str) -> bool:
        """Tell whether a scheduled collection has something to do: the collector runs, no collection does, and its interval has passed since the watermark."""
        body = self.clusters.get(tenant, cluster_id).body
        collector = collector_of(body)
        if collector is None or collector["state"] != "running" or self._running(tenant, body["last_collection_id"]) is not None:
            return False
        watermark, step = body["watermark"], body["step_seconds"]
        return watermark is None or self.clock.now() >= watermark + max(step, collector["interval_seconds"] or step)

    def cancel(self, tenant: str, collection_id: str, cause: str) -> None:
        """Stop a collection whose cluster goes and remove what it left; one that ended stays as it is."""
        try:
            self.workflows.stop(MACHINE, collection_id, cause=cause)
            self.log.end(tenant, collection_id, "cancelled", result={}, errors=[WorkError("cancelled", cause)])
        except NotFoundError:
            pass  # It was never started, so there is nothing to stop.
        self.blobs.delete_all(work_prefix(tenant, collection_id))

    def _start(self, caller: Caller, request: CollectionRequest, key: str) -> str:
        cluster = self.clusters.get(caller.tenant, request.cluster_id)
        running = self._running(caller.tenant, cluster.body["last_collection_id"])
        if running is None:
            return self._launch(caller, cluster, request, key)
        collection_id = _same(running, request)
        self.records.transact(self._remember(caller, key, request, collection_id))
        return collection_id

    def _launch(self, caller: Caller, cluster: Record, request: CollectionRequest, key: str) -> str:
        step = cluster.body["step_seconds"] or request.step_seconds or DEFAULT_STEP_SECONDS
        if request.step_seconds not in {None, step}:
            raise StepConflictError(f"Cluster {request.cluster_id} is collected in steps of {step} s.", step_seconds=step)
        collection_id = self.ids.new("collection")
        asked = {
            "cluster_id": request.cluster_id,
            "history_seconds": request.history_seconds or DEFAULT_HISTORY_SECONDS,
            "step_seconds": step,
        }
        writes: list[Write] = [
            replace(self.log.queued(caller.tenant, collection_id, asked), expires_at=self.clock.now() + KEEP_SECONDS),
            Put(cluster.key, {**cluster.body, "last_collection_id": collection_id}, expect=cluster.version),
            *self._remember(caller, key, request, collection_id),
        ]
        event = Event(self.ids.new("event"), "collection.started", caller.tenant, collection_id, self.clock.now(), asked, caller.user_id)
        self.records.transact(writes, [event])
        self._execute(caller.tenant, collection_id, request.cluster_id)
        return collection_id

    def _remember(self, caller: Caller, key: str, request: CollectionRequest, collection_id: str) -> list[Put]:
        return self.keys.remember(caller.tenant, MACHINE, key, asdict(request), {"id": collection_id})

    def _execute(self, tenant: str, collection_id: str, cluster_id: str) -> None:
        # The name is the collection's id: however often this is done, it is one execution.
        self.workflows.start(MACHINE, collection_id, {"tenant": tenant, "collection_id": collection_id, "cluster_id": cluster_id})

    def _running(self, tenant: str, collection_id: str | None) -> Record | None:
        """Return the work if it runs. One whose execution was never started (the process died in between) is started; one whose execution is over ends."""
        work = self._last(tenant, collection_id)
        if work is None or work.body["status"] in ENDED:
            return None
        collection_id = work.key.sort
        try:
            execution = self.workflows.describe(MACHINE, collection_id)
        except NotFoundError:
            self._execute(tenant, collection_id, work.body["request"]["cluster_id"])
            return work
        if execution.status == "RUNNING":
            return work
        self._end(tenant, work, *lost(execution))
        return None

    def _last(self, tenant: str, collection_id: str | None) -> Record | None:
        return self.records.get(self.log.key(tenant, collection_id)) if collection_id else None

    def _end(self, tenant: str, work: Record, status: WorkStatus, error: WorkError) -> None:
        collection_id = work.body["id"]
        data = {"cluster_id": work.body["request"]["cluster_id"], "error": error.code}
        event = Event(self.ids.new("event"), "collection.failed", tenant, collection_id, self.clock.now(), data)
        self.log.end(tenant, collection_id, status, result={}, errors=[error], events=[event])
        self.blobs.delete_all(work_prefix(tenant, collection_id))

    def _status(self, tenant: str, cluster: Mapping[str, Any]) -> dict[str, Any]:
        watermark, last = cluster["watermark"], cluster["last_collection_id"]
        found = self._last(tenant, last)
        work = found.body if found else None
        return {
            "cluster_id": cluster["id"],
            "name": cluster["name"],
            "watermark": None if watermark is None else format_time(watermark),
            "lag_seconds": None if watermark is None else round(self.clock.now() - watermark, 3),
            "step_seconds": cluster["step_seconds"],
            "collection_id": last,
            "status": work["status"] if work else None,
            "samples": work["result"].get("samples") if work else None,
            "errors": work["errors"] if work else [],
            "gaps": [{**gap, "start": format_time(gap["start"]), "end": format_time(gap["end"])} for gap in cluster["gaps"]],
        }


def collector_of(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a cluster's record says of its collector, None where it was deleted; the one of its registration where it was never changed."""
    first = {"interval_seconds": None, "history_seconds": DEFAULT_HISTORY_SECONDS, "state": "running"}
    found: dict[str, Any] | None = body.get("collector", first | dict.fromkeys(("created_at", "updated_at"), body["created_at"]))
    return found


def families_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the families that a cluster's collector brings in beside CPU and memory: those that it names, all where it never named any."""
    collector = collector_of(body) or {}
    named = collector.get("families")
    there = [family for family in FAMILIES if family != SERVICE or collector.get("queries")]
    return tuple(family for family in there if named is None or family in named)


def families_history_of(body: Mapping[str, Any]) -> int:
    """Return how far back a cluster's first collection goes for families that are not asked for as far as CPU and memory. [s]"""
    return int((collector_of(body) or {}).get("families_history_seconds", DEFAULT_FAMILIES_HISTORY_SECONDS))


def queries_of(body: Mapping[str, Any]) -> tuple[ServiceQuery, ...]:
    """Return the queries that a cluster's collector measures workloads by."""
    return tuple(ServiceQuery(**query) for query in (collector_of(body) or {}).get("queries", ()))


def _same(running: Record, request: CollectionRequest) -> str:
    asked: Mapping[str, Any] = running.body["request"]
    wanted = {"history_seconds": request.history_seconds, "step_seconds": request.step_seconds}
    if any(value not in {None, asked[name]} for name, value in wanted.items()):
        raise CollectionRunningError(f"{running.body['id']} of this cluster runs with other parameters.", collection_id=running.body["id"])
    found: str = running.body["id"]
    return found


def _faults(request: CollectionRequest) -> list[dict[str, str]]:
    faults = []
    step = request.step_seconds
    if step is not None and (step < LEAST_STEP_SECONDS or step > 3600 or 3600 % step):
        faults.append({"pointer": "#/step_seconds", "detail": f"A step divides an hour and is at least {LEAST_STEP_SECONDS} s."})
    history = request.history_seconds
    if history is not None and not (step or DEFAULT_STEP_SECONDS) <= history <= MOST_HISTORY_SECONDS:
        faults.append({"pointer": "#/history", "detail": f"A history is at least a step and at most {MOST_HISTORY_SECONDS // 86400} days."})
    return faults
