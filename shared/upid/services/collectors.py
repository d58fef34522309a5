"""Collectors: what collects a cluster's usage, how often, and how it does. Registering a cluster creates its collector.

A cluster has one, since its history has one grid and one watermark. It lies in the cluster's record, as `collector`: the two are made and removed
together, and the schedule reads one record. A record without that member has the collector that it was registered with; None = it was deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from upid.domain.errors import ConflictError, InvalidRequestError, NotFoundError
from upid.domain.identity import Caller
from upid.domain.ids import PREFIXES, has_shape
from upid.domain.metrics import ServiceQuery
from upid.domain.times import format_time, parse_time
from upid.domain.work import ENDED
from upid.ports.clock import Clock
from upid.ports.records import Key, Record, Records
from upid.services.cluster_records import ClusterRecords
from upid.services.collections import (
    DEFAULT_FAMILIES_HISTORY_SECONDS,
    DEFAULT_HISTORY_SECONDS,
    DEFAULT_STEP_SECONDS,
    LEAST_STEP_SECONDS,
    MOST_HISTORY_SECONDS,
    CollectionRequest,
    CollectionRunningError,
    CollectionsService,
    collector_of,
    families_history_of,
    families_of,
)
from upid.services.family_gaps import views
from upid.services.query_texts import faults_of

ALWAYS: Final = ("cpu", "memory", "throttling", "restarts", "oom_kills")
LATE_INTERVALS: Final = 3
MOST_INTERVAL_SECONDS: Final = 86400


class CollectorExistsError(ConflictError):
    """The cluster has its collector already."""

    title = "Collector exists"


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """What a client decides.

    interval_seconds: None = the cluster's step. history_seconds: how far back the first collection goes, families_history_seconds: and how
    far for families beside CPU, memory, their detail and volumes. families: what is collected beside CPU and
    memory (`upid.domain.metrics`), None = all. queries: what the family `service` is measured by.
    """

    interval_seconds: int | None = None
    history_seconds: int = DEFAULT_HISTORY_SECONDS
    state: str = "running"
    families: tuple[str, ...] | None = None
    queries: tuple[ServiceQuery, ...] = ()
    families_history_seconds: int = DEFAULT_FAMILIES_HISTORY_SECONDS


@dataclass(frozen=True, slots=True)
class CollectorsService:
    """Collectors by id. NotFoundError for an id of none."""

    records: Records
    clusters: ClusterRecords
    collections: CollectionsService
    clock: Clock

    def list(self, tenant: str, *, after: str | None = None, limit: int = 100) -> tuple[list[dict[str, Any]], str | None]:
        """Return views of the tenant's collectors in the order of their clusters' registration, and the cluster's id to go on after (None = no more)."""
        page = self.records.query(f"t#{tenant}#clusters", after=after, limit=limit)
        return [_view(record.body) for record in page.items if collector_of(record.body) is not None], page.after

    def get(self, tenant: str, collector_id: str) -> dict[str, Any]:
        """Return a collector's view."""
        return _view(self._cluster(tenant, collector_id).body)

    def create(self, caller: Caller, cluster_id: str, settings: CollectorSettings) -> dict[str, Any]:
        """Give a cluster its collector again after it was deleted; NotFoundError without the cluster, CollectorExistsError where it has one."""
        _hold(settings)

        def added(body: dict[str, Any]) -> dict[str, Any]:
            """Return the cluster with a collector."""
            if collector_of(body) is not None:
                raise CollectorExistsError(f"Cluster {cluster_id} has its collector already.", id=id_of(body))
            return body | {"collector": self._told(settings, format_time(self.clock.now()))}

        return _view(self.clusters.change(caller.tenant, cluster_id, added))

    def replace(self, caller: Caller, collector_id: str, settings: CollectorSettings) -> dict[str, Any]:
        """Replace a collector's settings and return its view."""
        _hold(settings)
        return self._changed(caller, collector_id, lambda before: self._told(settings, before["created_at"]))

    def set_state(self, caller: Caller, collector_id: str, state: str) -> dict[str, Any]:
        """Set a collector `running` or `stopped`; a collection that runs comes to its end. One that is so already stays as it is."""

        def changed(before: dict[str, Any]) -> dict[str, Any]:
            """Return the collector in that state."""
            return before if before["state"] == state else before | {"state": state, "updated_at": format_time(self.clock.now())}

        return self._changed(caller, collector_id, changed)

    def delete(self, caller: Caller, collector_id: str) -> None:
        """Remove a collector: its cluster is collected no more unless that is asked for. What was collected stays."""
        self._changed(caller, collector_id, lambda _: None)

    def run(self, caller: Caller, collector_id: str) -> dict[str, Any]:
        """Start a collection now, whatever the state, and return its view; the one that runs where one does."""
        body = self._cluster(caller.tenant, collector_id).body
        try:
            return self.collections.start(caller, first_request(body))
        except CollectionRunningError as running:  # it was asked for with another history
            return self.collections.view(caller.tenant, str(running.members["collection_id"]))

    def health(self, caller: Caller, collector_id: str) -> dict[str, Any]:
        """Return how a collector does: lag, gaps, its last error, samples per second, and what was dropped or repaired."""
        body = self._cluster(caller.tenant, collector_id).body
        (status,), _ = self.collections.status(caller, cluster_id=body["id"])
        last = self.records.get(Key(f"t#{caller.tenant}#collections", body["last_collection_id"])) if body["last_collection_id"] else None
        work = last.body if last else None
        view, result = _view(body), (work or {}).get("result") or {}
        gaps = views(body.get("family_gaps", ()), self.clock.now())
        lag_intervals = None if status["lag_seconds"] is None else round(status["lag_seconds"] / view["interval_seconds"], 3)
        return {
            "id": view["id"], "cluster_id": body["id"], "state": view["state"], "status": _status(view, status, lag_intervals, [*status["gaps"], *gaps]),
            "watermark": status["watermark"], "lag_seconds": status["lag_seconds"], "lag_intervals": lag_intervals, "gaps": status["gaps"], "family_gaps": gaps,
            "collection_id": status["collection_id"], "collection_status": status["status"], "last_error": (status["errors"] or [None])[0], "errors": status["errors"],
            "samples": status["samples"], "samples_per_second": _rate(work), "quality": result.get("quality"), "families": result.get("families", {}),
        }  # fmt: skip

    def _told(self, settings: CollectorSettings, created_at: str) -> dict[str, Any]:
        return {
            "interval_seconds": settings.interval_seconds, "history_seconds": settings.history_seconds,
            "families_history_seconds": settings.families_history_seconds, "state": settings.state,
            "families": None if settings.families is None else list(settings.families), "queries": [asdict(query) for query in settings.queries], "created_at": created_at, "updated_at": format_time(self.clock.now()),
        }  # fmt: skip

    def _changed(self, caller: Caller, collector_id: str, change: Any) -> dict[str, Any]:
        cluster_id = self._cluster(caller.tenant, collector_id).key.sort

        def changed(body: dict[str, Any]) -> dict[str, Any]:
            """Return the cluster with its collector changed."""
            before = collector_of(body)
            if before is None:
                raise _unknown(collector_id)
            return body | {"collector": change(before)}

        body = self.clusters.change(caller.tenant, cluster_id, changed)
        return _view(body) if collector_of(body) is not None else {}

    def _cluster(self, tenant: str, collector_id: str) -> Record:
        if not has_shape(collector_id, "collector"):
            raise _unknown(collector_id)
        try:
            found = self.clusters.get(tenant, PREFIXES["cluster"] + collector_id.removeprefix(PREFIXES["collector"]))
        except NotFoundError:
            raise _unknown(collector_id) from None
        if collector_of(found.body) is None:
            raise _unknown(collector_id)
        return found


def id_of(body: Mapping[str, Any]) -> str:
    """Return the id of a cluster's collector, from the cluster's record."""
    return PREFIXES["collector"] + str(body["id"]).removeprefix(PREFIXES["cluster"])


def first_request(body: Mapping[str, Any]) -> CollectionRequest:
    """Return what a cluster's collector asks for: its history where nothing was collected yet."""
    collector = collector_of(body)
    history = collector["history_seconds"] if collector and body["watermark"] is None else None
    return CollectionRequest(body["id"], history)


def _view(body: Mapping[str, Any]) -> dict[str, Any]:
    collector = collector_of(body) or {}
    step = body["step_seconds"] or DEFAULT_STEP_SECONDS
    return {
        "id": id_of(body), "cluster_id": body["id"], "cluster_name": body["name"], "source": {name: body["metrics"][name] for name in ("kind", "url")},
        "families": [*ALWAYS, *families_of(body)], "interval_seconds": max(collector.get("interval_seconds") or step, step), "step_seconds": step,
        "families_history_seconds": families_history_of(body), "queries": collector.get("queries", []), **{name: collector.get(name) for name in ("history_seconds", "state", "created_at", "updated_at")},
    }  # fmt: skip


def _status(view: Mapping[str, Any], status: Mapping[str, Any], lag_intervals: float | None, gaps: Sequence[Any]) -> str:
    if view["state"] == "stopped":
        return "stopped"
    if status["status"] == "failed":
        return "failing"
    if lag_intervals is None:
        return "waiting"
    if lag_intervals > LATE_INTERVALS:
        return "late"
    return "degraded" if status["status"] == "partial" or gaps else "healthy"


def _rate(work: Mapping[str, Any] | None) -> float | None:
    """Return how many samples a second the collection brought, None before it ended with any."""
    if work is None or work["status"] not in ENDED or "samples" not in work["result"] or not work["started_at"]:
        return None
    seconds = parse_time(work["ended_at"]) - parse_time(work["started_at"])
    return round(work["result"]["samples"] / seconds, 3) if seconds > 0 else None


def _hold(settings: CollectorSettings) -> None:
    faults = []
    interval, history = settings.interval_seconds, settings.history_seconds
    if interval is not None and not LEAST_STEP_SECONDS <= interval <= MOST_INTERVAL_SECONDS:
        faults.append({"pointer": "#/interval", "detail": f"An interval is from {LEAST_STEP_SECONDS} s to a day."})
    for name, seconds in (("history", history), ("families_history", settings.families_history_seconds)):
        if not LEAST_STEP_SECONDS <= seconds <= MOST_HISTORY_SECONDS:
            faults.append(
                {"pointer": f"#/{name}", "detail": f"A history is from {LEAST_STEP_SECONDS} s to {MOST_HISTORY_SECONDS // 86400} days."}
            )
    faults += faults_of(settings.queries)
    if faults:
        raise InvalidRequestError(faults)


def _unknown(collector_id: str) -> NotFoundError:
    return NotFoundError(f"There is no collector {collector_id}.", id=collector_id)
