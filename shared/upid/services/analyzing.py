"""What the tasks of the `analyze-cluster` workflow do. Each can be done twice: the second time changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from upid.domain.events import Event
from upid.domain.work import WorkError, WorkStatus
from upid.ports.blobs import Blobs
from upid.ports.clock import Clock, Ids
from upid.services.analyses import AnalysisService, NothingCollectedError
from upid.services.assessing import Assessor, Loaded, Scope, options_for
from upid.services.cluster_records import ClusterRecords
from upid.services.failures import message_of
from upid.services.features import shard_features
from upid.services.rules.active import RuleSets
from upid.services.rules.ruling import ruled
from upid.services.shard_results import STAGES, add_up, stored_summary, summarize_shard, summary_name, table_name, unread
from upid.services.sizing import Table, pack_table, unpack_table
from upid.services.trade_offs import merge_trade_offs, trade_offs

# What is told of a shard that ended without a word: its execution was stopped, or took too long.
LOST: Final = {"Error": "ShardLost", "Cause": "The shard ended without a result."}


@dataclass(frozen=True, slots=True)
class AnalysisTasks:
    """The tasks of the workflow, one method each."""

    analyses: AnalysisService
    clusters: ClusterRecords
    assessor: Assessor
    rules: RuleSets
    blobs: Blobs
    clock: Clock
    ids: Ids

    def plan(self, tenant: str, analysis_id: str, request: Mapping[str, Any], actor: str) -> dict[str, Any]:
        """Set the analysis running with the rules of this moment and return `{"shards": [0, ...]}`.

        Raises NotFoundError without the cluster, NothingCollectedError before its first collection.
        """
        self.analyses.create(tenant, analysis_id, request, actor)
        shards = self.clusters.get(tenant, request["cluster_id"]).body["shards"]
        if not shards:
            raise NothingCollectedError(f"No usage of {request['cluster_id']} was collected yet.", cluster_id=request["cluster_id"])
        self.rules.keep(tenant, analysis_id, request["cluster_id"])
        self.analyses.log.begin(tenant, analysis_id, parts={"shards": shards})
        return {"shards": list(range(shards))}

    def analyze(self, tenant: str, analysis_id: str, shard: int) -> dict[str, Any]:
        """Size one shard, apply the rules, store its table and summary, and return `{"shard": n}`; NotFoundError, ValueError as `Assessor.load`."""
        if stored_summary(self.blobs, tenant, analysis_id, shard) is None:
            self._size(tenant, analysis_id, shard)
        self.analyses.log.mark(tenant, analysis_id, "shards", f"{shard:04d}")
        return {"shard": shard}

    def summarize(self, tenant: str, analysis_id: str, shards: Sequence[Mapping[str, Any] | None]) -> dict[str, Any]:
        """Add up the shards, point the cluster to an analysis of all of it, end the work with its events, and return `{"status"}`.

        `shards`: what `analyze` returned, or `{"shard", "error": {"Error", "Cause"}}` of one that failed: the work's errors name it, as they name
        one that was planned and of which nothing was told. What counts is what lies in the blobs: a shard that is stored whole is done.
        """
        work = self.analyses.log.record(tenant, analysis_id).body
        request: Mapping[str, Any] = work["request"]
        causes = {int(part["shard"]): part for part in shards if part and "error" in part}
        planned = sorted({*range(work["parts"].get("shards", 0)), *causes})
        parts = {shard: part for shard in planned if (part := stored_summary(self.blobs, tenant, analysis_id, shard)) is not None}
        failed = [shard_error(causes.get(shard, {"shard": shard, "error": LOST})) for shard in planned if shard not in parts]
        found = list(parts.values())
        errors = failed + unread(found) + unmatched(request, found)
        result = add_up(found) | {"trade_offs": merge_trade_offs([part["trade_offs"] for part in found])} if found else {}
        status: WorkStatus = "failed" if failed and not found else "partial" if errors else "succeeded"
        if status != "failed" and not (request["namespaces"] or request["workloads"]):
            self._point(tenant, request["cluster_id"], analysis_id)
        events = self._events(tenant, analysis_id, request["cluster_id"], status, parts)
        self.analyses.log.end(tenant, analysis_id, status, result=result, errors=errors, events=events)
        return {"status": status}

    def _size(self, tenant: str, analysis_id: str, shard: int) -> None:
        request = self.analyses.log.record(tenant, analysis_id).body["request"]
        cluster = self.clusters.get(tenant, request["cluster_id"]).body
        times = [self.clock.now()]
        loaded = self.assessor.load(Scope(tenant, request["cluster_id"], shard, cluster["history_seconds"]), request)
        times.append(self.clock.now())
        table = self._ruled(tenant, analysis_id, shard, loaded, request)
        compared = trade_offs(self.assessor, loaded, request)
        times.append(self.clock.now())
        if not self.blobs.put(table_name(tenant, analysis_id, shard), pack_table(table), if_absent=True):
            # This task died behind its first blob: what it wrote is what clients read, whatever the profile says by now.
            table = unpack_table(self.blobs.get(table_name(tenant, analysis_id, shard)))
        selected = bool(request["workloads"])
        part = summarize_shard(table, analysis_id, shard, loaded.inventory, selected=selected) | {"trade_offs": compared}
        times.append(self.clock.now())
        part["seconds"] = {stage: round(after - before, 6) for stage, before, after in zip(STAGES, times[:-1], times[1:], strict=True)}
        self.blobs.put(summary_name(tenant, analysis_id, shard), orjson.dumps(part), if_absent=True)

    def _ruled(self, tenant: str, analysis_id: str, shard: int, loaded: Loaded, request: Mapping[str, Any]) -> Table:
        options = options_for(request)
        sized = self.assessor.assess(loaded, options)
        if not loaded.rows:
            return sized
        return ruled(shard_features(shard, loaded, sized, self.assessor.prices), self.rules.of(tenant, analysis_id), options)

    def _point(self, tenant: str, cluster_id: str, analysis_id: str) -> None:
        """Let the cluster's latest analysis be this one, unless it is a younger one already: ids sort by time."""
        self.clusters.change(
            tenant, cluster_id, lambda body: body | {"latest_analysis_id": max(analysis_id, body["latest_analysis_id"] or "")}
        )

    def _events(
        self, tenant: str, analysis_id: str, cluster_id: str, status: WorkStatus, parts: Mapping[int, Mapping[str, Any]]
    ) -> list[Event]:
        now, about = self.clock.now(), {"analysis_id": analysis_id, "cluster_id": cluster_id}
        told = [
            Event(self.ids.new("event"), "recommendation.generated", tenant, analysis_id, now, about | {
                "shard": shard, "list": table_name(tenant, analysis_id, shard), "containers": part["totals"]["containers"],
                "recommended": part["totals"]["recommended"],
            })
            for shard, part in parts.items()
        ]  # fmt: skip
        kind = "analysis.failed" if status == "failed" else "analysis.completed"
        return [*told, Event(self.ids.new("event"), kind, tenant, analysis_id, now, about | {"status": status})]


def shard_error(part: Mapping[str, Any]) -> WorkError:
    """Return a failed shard as the work's errors name it."""
    return WorkError(str(part["error"].get("Error") or "Unknown"), message_of(part["error"]), f"shard {part['shard']}")


def unmatched(request: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> list[WorkError]:
    """Return what the request selects and no shard holds: nothing that was asked for goes missing in silence."""
    namespaces = {name for part in parts for name in part["namespaces"]}
    workloads = {tuple(each) for part in parts for each in part["workloads"]}
    missing = [name for name in request["namespaces"] if name not in namespaces]
    gone = [each for each in request["workloads"] if (each["namespace"], each["kind"], each["name"]) not in workloads]
    found = [WorkError("not_found", f"There is no container in namespace {name}.", name) for name in missing]
    return found + [WorkError("not_found", "There is no such workload.", "/".join((w["namespace"], w["kind"], w["name"]))) for w in gone]
