"""Analyses as clients ask for them: started here, done by the `analyze-cluster` workflow (`upid.services.analyzing`)."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from upid.domain.errors import ConflictError, NotFoundError, VersionConflictError
from upid.domain.events import Event
from upid.domain.identity import Caller
from upid.domain.ids import PREFIXES, has_shape
from upid.domain.work import ENDED, WorkError, WorkStatus
from upid.ports.blobs import Blobs
from upid.ports.clock import Clock, Ids
from upid.ports.records import Delete, Records
from upid.ports.workflows import Execution, Workflows
from upid.services.cluster_records import ClusterRecords
from upid.services.failures import lost
from upid.services.idempotency import IdempotencyKeys
from upid.services.work import WorkLog

MACHINE: Final = "analyze-cluster"
MOST_IN_BATCH: Final = 50
DEAD: Final = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})


class NothingCollectedError(ConflictError):
    """An analysis of a cluster whose usage was never collected."""

    title = "Nothing collected yet"


class NotAnalyzedError(NotFoundError):
    """A cluster without a finished analysis."""

    title = "Not analyzed yet"


@dataclass(frozen=True, slots=True)
class WorkloadRef:
    """A workload by name, as a person selects it."""

    namespace: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """What to analyze and how.

    namespaces, workloads: the selection; nothing selected is the whole cluster. strategy: a name that the engine knows.
    allowed_time_above: share of time that usage may lie above a request (0-1), None = the strategy's own.
    source: `profiles` (what every scheduled analysis reads) or `history` (every stored sample again, exact evidence).
    knobs: values of allowed_time_above to compare in the result, for `history` only.
    """

    cluster_id: str
    namespaces: tuple[str, ...] = ()
    workloads: tuple[WorkloadRef, ...] = ()
    strategy: str = "balanced"
    allowed_time_above: float | None = None
    source: str = "profiles"
    knobs: tuple[float, ...] = ()

    def body(self) -> dict[str, Any]:
        """Return the request as the analysis' record keeps it."""
        workloads = [{"namespace": w.namespace, "kind": w.kind, "name": w.name} for w in self.workloads]
        return {
            "cluster_id": self.cluster_id, "namespaces": list(self.namespaces), "workloads": workloads, "strategy": self.strategy,
            "allowed_time_above": self.allowed_time_above, "source": self.source, "knobs": list(self.knobs),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class AnalysisService:
    """Starts analyses and tells how they stand."""

    records: Records
    clusters: ClusterRecords
    keys: IdempotencyKeys
    workflows: Workflows
    blobs: Blobs
    clock: Clock
    ids: Ids
    log: WorkLog = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "log", WorkLog("analyses", self.records, self.clock))

    def start(self, caller: Caller, request: AnalysisRequest, *, idempotency_key: str | None = None) -> dict[str, Any]:
        """Start an analysis and return its view.

        Raises NotFoundError without the cluster, NothingCollectedError before its first collection, IdempotencyKeyReusedError.
        """
        if not self.clusters.get(caller.tenant, request.cluster_id).body["shards"]:
            raise NothingCollectedError(
                f"No usage of {request.cluster_id} was collected yet: start a collection first.", cluster_id=request.cluster_id
            )
        (analysis_id,) = self._reserve(caller, "analyze", idempotency_key, [request])
        self._launch(caller, analysis_id, request)
        return self.view(caller.tenant, analysis_id)

    def start_batch(self, caller: Caller, requests: Sequence[AnalysisRequest], *, idempotency_key: str | None = None) -> dict[str, Any]:
        """Start an analysis of each and return the view of their parent; NotFoundError where one of the clusters is not there, and nothing starts.

        A cluster that was never collected fails as a part of the batch, by name. IdempotencyKeyReusedError as for `start`.
        """
        for request in requests:
            self.clusters.get(caller.tenant, request.cluster_id)
        *children, batch_id = self._reserve(caller, "analyze-batch", idempotency_key, [*requests, None])
        for child, request in zip(children, requests, strict=True):
            self._launch(caller, child, request)
        body = {"analyses": children, "clusters": [request.cluster_id for request in requests]}
        with contextlib.suppress(VersionConflictError):  # the same request came before
            self.records.transact([self.log.queued(caller.tenant, batch_id, body)])
        return self.view(caller.tenant, batch_id)

    def view(self, tenant: str, analysis_id: str) -> dict[str, Any]:
        """Return an analysis, or a batch with its parts, as clients see it; NotFoundError where there is none."""
        if not has_shape(analysis_id, "analysis"):
            raise NotFoundError(f"There is no {analysis_id}.", id=analysis_id)
        dead = self._dead(tenant, analysis_id)
        if dead:
            self._end(tenant, analysis_id, *lost(dead))
        work = self.log.view(tenant, analysis_id)
        result: Mapping[str, Any] = work.pop("result")
        if "analyses" in work["request"]:
            return _batch(work, [self.view(tenant, child) for child in work["request"]["analyses"]])
        extra = {
            "summary": result.get("summary"),
            "rules": result.get("rules"),
            "trade_offs": result.get("trade_offs"),
            "seconds": result.get("seconds"),
            "analyses": None,
        }
        return work | {"kind": "analysis", "cluster_id": work["request"]["cluster_id"]} | extra

    def summary(self, tenant: str, cluster_id: str) -> dict[str, Any]:
        """Return the totals of a cluster's latest whole analysis; NotFoundError without the cluster, NotAnalyzedError without an analysis."""
        latest = self.clusters.get(tenant, cluster_id).body["latest_analysis_id"]
        if not latest:
            raise NotAnalyzedError(f"{cluster_id} was not analyzed yet.", cluster_id=cluster_id)
        work = self.log.view(tenant, latest)
        told = {
            "cluster_id": cluster_id,
            "analysis_id": latest,
            "status": work["status"],
            "ended_at": work["ended_at"],
            "errors": work["errors"],
        }
        return told | dict(work["result"].get("summary", {}))

    def create(self, tenant: str, analysis_id: str, request: Mapping[str, Any], actor: str) -> None:
        """Create the record of an analysis with its event, unless it is there: whoever comes first, this process or the workflow's first task."""
        queued = self.log.queued(tenant, analysis_id, request)
        if self.records.get(queued.key) is not None:
            return
        data = {"cluster_id": request["cluster_id"], "source": request["source"], "strategy": request["strategy"]}
        event = Event(self.ids.new("event"), "analysis.started", tenant, analysis_id, self.clock.now(), data, actor)
        with contextlib.suppress(VersionConflictError):  # the other one was faster
            self.records.transact([queued], [event])

    def forget(self, tenant: str, cluster_id: str) -> None:
        """Remove what a deleted cluster's analyses left: tables, reviews, what still runs. The analyses themselves stay, as what once was asked."""
        after: str | None = None
        while True:
            page = self.log.recent(tenant, after=after)
            for record in page.items:
                if record.body["request"].get("cluster_id") == cluster_id:
                    self._remove(tenant, record.body["id"])
            after = page.after
            if after is None:
                return

    def _remove(self, tenant: str, analysis_id: str) -> None:
        with contextlib.suppress(NotFoundError):
            self.workflows.stop(MACHINE, analysis_id, cause="The cluster was deleted.")
        self._end(tenant, analysis_id, "cancelled", WorkError("cancelled", "The cluster was deleted."))
        self.blobs.delete_all(f"t/{tenant}/analyses/{analysis_id}/")
        begin = PREFIXES["recommendation"] + analysis_id.removeprefix(PREFIXES["analysis"])
        while reviews := self.records.query(f"t#{tenant}#reviews", prefix=begin).items:
            self.records.transact([Delete(review.key) for review in reviews])

    def _dead(self, tenant: str, analysis_id: str) -> Execution | None:
        """Return the execution if it is over, by its time limit or by force, and left the analysis as it was; the event that tells of it may come later."""
        body = self.log.record(tenant, analysis_id).body
        if body["status"] in ENDED or "analyses" in body["request"]:
            return None
        with contextlib.suppress(NotFoundError):  # it is being started right now
            execution = self.workflows.describe(MACHINE, analysis_id)
            return execution if execution.status in DEAD else None
        return None

    def _end(self, tenant: str, analysis_id: str, status: WorkStatus, error: WorkError) -> None:
        data = {"cluster_id": self.log.record(tenant, analysis_id).body["request"]["cluster_id"], "error": error.code}
        event = Event(self.ids.new("event"), "analysis.failed", tenant, analysis_id, self.clock.now(), data)
        self.log.end(tenant, analysis_id, status, result={}, errors=[error], events=[event])

    def _launch(self, caller: Caller, analysis_id: str, request: AnalysisRequest) -> None:
        # The durable execution comes first and creates the record itself where this process dies in between: no analysis waits for ever.
        body = request.body()
        payload = {
            "tenant": caller.tenant,
            "analysis_id": analysis_id,
            "cluster_id": request.cluster_id,
            "request": body,
            "actor": caller.user_id,
        }
        self.workflows.start(MACHINE, analysis_id, payload)
        self.create(caller.tenant, analysis_id, body, caller.user_id)

    def _reserve(self, caller: Caller, operation: str, key: str | None, requests: Sequence[AnalysisRequest | None]) -> list[str]:
        """Return an id for each request: new ones, or those that the same idempotency key got before, so that doing it all again is doing it once."""
        asked = {"requests": [request.body() if request else None for request in requests]}
        if not key:
            return [self.ids.new("analysis") for _ in requests]
        while True:
            answered = self.keys.replay(caller.tenant, operation, key, asked)
            if answered is not None:
                return list(answered["ids"])
            ids = [self.ids.new("analysis") for _ in requests]
            with contextlib.suppress(VersionConflictError):
                self.records.transact(self.keys.remember(caller.tenant, operation, key, asked, {"ids": ids}))
                return ids


def _batch(work: dict[str, Any], children: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    statuses = Counter(child["status"] for child in children)
    ended = all(status in ENDED for status in statuses)
    if not ended:
        status = "queued" if set(statuses) == {"queued"} else "running"
    else:
        status = next(iter(statuses)) if len(statuses) == 1 else "partial"
    started = [child["started_at"] for child in children if child["started_at"]]
    parts = [{name: child[name] for name in ("id", "cluster_id", "status", "progress", "summary")} for child in children]
    errors = [error | {"subject": f"{child['cluster_id']} {error['subject']}".strip()} for child in children for error in child["errors"]]
    return work | {
        "kind": "batch", "status": status, "progress": round(sum(child["progress"] for child in children) / len(children), 4), "errors": errors,
        "started_at": min(started, default=None), "ended_at": max(child["ended_at"] for child in children) if ended else None,
        "cluster_id": None, "analyses": parts, "summary": None, "rules": None, "trade_offs": None, "seconds": None,
    }  # fmt: skip
