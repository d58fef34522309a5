"""Aggregations: queries of stored usage that are computed by the `aggregate-usage` workflow, and whose answer is kept.

The answer is a blob of its cluster, so that it goes with the cluster. The work's record goes after a week, and what it computed is not found then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from upid.domain.errors import NotFoundError
from upid.domain.identity import Caller
from upid.domain.ids import has_shape
from upid.domain.work import ENDED
from upid.ports.blobs import Blobs
from upid.ports.clock import Clock, Ids
from upid.ports.records import Records
from upid.ports.workflows import Workflows
from upid.services.analyses import NothingCollectedError
from upid.services.cluster_records import ClusterRecords, blob_prefix
from upid.services.retention import Retention
from upid.services.usage_requests import Selection, Span, UsageQuery
from upid.services.usage_steps import Kept, kept_step
from upid.services.work import WorkLog

if TYPE_CHECKING:
    from upid.services.usage import UsageService

MACHINE: Final = "aggregate-usage"
KIND: Final = "aggregations"
KEEP_SECONDS: Final = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class AggregationsService:
    """Starts aggregations, computes them, and tells how they stand. `usage` is called when there is something to compute: it loads numerics."""

    records: Records
    clusters: ClusterRecords
    blobs: Blobs
    workflows: Workflows
    usage: Callable[[], UsageService]
    retention: Retention
    clock: Clock
    ids: Ids
    log: WorkLog = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "log", WorkLog(KIND, self.records, self.clock))

    def start(self, caller: Caller, query: UsageQuery) -> dict[str, Any]:
        """Start an aggregation and return its view.

        Raises NotFoundError without the cluster, NothingCollectedError before its first collection, InvalidRequestError for a window or step that cannot be.
        """
        body = self.clusters.get(caller.tenant, query.cluster_id).body
        if body["watermark"] is None:
            raise NothingCollectedError(
                f"No usage of {query.cluster_id} was collected yet: start a collection first.", cluster_id=query.cluster_id
            )
        start, end = query.span.resolve(body["watermark"], 86400)
        kept_step(query, body["step_seconds"], start, end, Kept.of(self.retention, caller.tenant, body, start, self.clock.now()))
        # The window is settled here: computed later, or twice, it is the same.
        settled = replace(query, span=Span(str(start), str(end)))
        aggregation_id = self.ids.new("aggregation")
        self.records.transact(
            [replace(self.log.queued(caller.tenant, aggregation_id, asdict(settled)), expires_at=self.clock.now() + KEEP_SECONDS)]
        )
        self.workflows.start(MACHINE, aggregation_id, {"tenant": caller.tenant, "aggregation_id": aggregation_id})
        return self.view(caller.tenant, aggregation_id)

    def view(self, tenant: str, aggregation_id: str) -> dict[str, Any]:
        """Return an aggregation with its answer as `result`, None until it succeeded; NotFoundError where there is none, or its cluster is gone."""
        if not has_shape(aggregation_id, "aggregation"):
            raise NotFoundError(f"There is no aggregation {aggregation_id}.", id=aggregation_id)
        work = self.log.view(tenant, aggregation_id)
        cluster_id = work["request"]["cluster_id"]
        self.clusters.get(tenant, cluster_id)
        done = work["status"] == "succeeded"
        result = orjson.loads(self.blobs.get(_name(tenant, cluster_id, aggregation_id))) if done else None
        return {**work, "cluster_id": cluster_id, "result": result}

    def compute(self, tenant: str, aggregation_id: str) -> dict[str, str]:
        """Compute an aggregation, keep the answer and end the work; one that ended stays as it is. Returns {"status"}."""
        work = self.log.record(tenant, aggregation_id).body
        if work["status"] not in ENDED:
            self._compute(tenant, aggregation_id, query_of(work["request"]))
        return {"status": self.log.record(tenant, aggregation_id).body["status"]}

    def _compute(self, tenant: str, aggregation_id: str, query: UsageQuery) -> None:
        self.log.begin(tenant, aggregation_id, parts={"compute": 1})
        name = _name(tenant, query.cluster_id, aggregation_id)
        self.blobs.put(name, orjson.dumps(self.usage().query(tenant, query)))
        try:
            self.clusters.get(tenant, query.cluster_id)
        except NotFoundError:
            self.blobs.delete(name)  # Deleted meanwhile: nothing of it stays.
            raise
        self.log.end(tenant, aggregation_id, "succeeded", result={"blob": name})


def query_of(request: Mapping[str, Any]) -> UsageQuery:
    """Return the query that a work's record holds."""
    lists = {name: tuple(request[name]) for name in ("metrics", "group_by")}
    return UsageQuery(**{**request, **lists, "selection": Selection(**request["selection"]), "span": Span(**request["span"])})


def _name(tenant: str, cluster_id: str, aggregation_id: str) -> str:
    return f"{blob_prefix(tenant, cluster_id)}aggregations/{aggregation_id}.json"
