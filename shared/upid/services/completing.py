"""How a collection ends: what went wrong by name, where the watermark goes, and what the cluster's record remembers for the next one.

On the cluster's record: `watermark` (end of what every shard has folded), `stalled` (how many collections in a row were held up by a hole, and by which
collection that was counted, so that counting twice counts once), `gaps` (windows that were folded without some namespaces, the last hundred),
`family_gaps` (`upid.services.family_gaps`), `pending` (windows that some shard may have folded and another did not: the next collection takes the very same ones).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from upid.domain.errors import NotFoundError
from upid.domain.events import Event
from upid.domain.times import format_time
from upid.domain.work import ENDED, WorkError, WorkStatus
from upid.ports.blobs import Blobs
from upid.ports.clock import Clock, Ids
from upid.ports.records import Records
from upid.ports.workflows import Execution
from upid.services import family_gaps
from upid.services.cluster_records import ClusterRecords, blob_prefix
from upid.services.collection_files import CollectionFiles, work_prefix
from upid.services.collection_plans import PATIENCE, Plan
from upid.services.failures import LONGEST, lost, message_of
from upid.services.rosters import Rosters
from upid.services.work import WorkLog

MOST_ERRORS: Final = 100
MOST_GAPS: Final = 100
# What kind of work the executions of a machine do.
KIND_OF: Final = {"aggregate-usage": "aggregations", "analyze-cluster": "analyses", "collect-usage": "collections"}
EVENTS_OF: Final = {"collections": "collection.failed", "analyses": "analysis.failed"}

Results = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a collection. `until`: the new watermark; `missing`: the groups that each planned window lacks; `refused`: its refused namespaces."""

    plan: Plan
    missing: tuple[tuple[int, ...], ...]
    refused: tuple[Mapping[str, str], ...]
    folded: Results
    errors: tuple[WorkError, ...]
    warnings: tuple[str, ...] = ()
    quality: Mapping[str, int] = field(default_factory=dict)
    families: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    retried: tuple[family_gaps.Retried, ...] = ()
    unanswered: tuple[family_gaps.Gap, ...] = ()

    @property
    def failed_shards(self) -> int:
        """How many shards were not folded."""
        return sum("error" in shard for shard in self.folded)

    @property
    def holes(self) -> bool:
        """Whether any window lacks a group."""
        return any(self.missing)

    @property
    def until(self) -> int:
        """End of what every shard has folded. A cluster without workloads has nothing to fold and is collected up to now."""
        if not self.plan.windows:
            return self.plan.watermark if self.plan.groups or self.plan.unreadable else self.plan.end
        return min((shard.get("until", self.plan.watermark) for shard in self.folded), default=self.plan.watermark)

    @property
    def status(self) -> WorkStatus:
        """Whether all, part or nothing of it was done."""
        nothing = self.plan.pairs > 0 and all(len(groups) == len(self.plan.groups) for groups in self.missing)
        no_shard = bool(self.folded) and self.failed_shards == len(self.folded)
        return "failed" if nothing or no_shard else "partial" if self.errors else "succeeded"

    def gaps(self) -> Iterator[dict[str, Any]]:
        """Yield what was folded although it lacks namespaces."""
        for (start, end), groups, refused in zip(self.plan.windows, self.missing, self.refused, strict=True):
            accepted = groups if self.plan.accept_gaps else ()
            names = [*refused, *(name for group in accepted for name in self.plan.groups[group])]
            if names and end <= self.until:
                yield {"namespaces": sorted(names), "start": start, "end": end}

    def remembered(self, body: dict[str, Any], collection_id: str) -> dict[str, Any]:
        """Return the cluster's record after this collection; the same again where it was written already."""
        if body["stalled"]["by"] == collection_id:
            return body
        count = body["stalled"]["count"]
        # Where all namespaces are one group, one that fails fails the whole: that is waited for as for any hole.
        if self.status != "failed" or len(self.plan.groups) == 1:
            # Behind an accepted gap one more collection waits before the next is accepted, in case it is only for a moment.
            count = 0 if not self.holes else PATIENCE - 1 if self.plan.accept_gaps else count + 1
        watermark = max(self.until, body["watermark"] or 0)
        pending = [list(window) for window in self.plan.windows if window[1] > watermark] if self.failed_shards else []
        gaps = _merged([*body["gaps"], *self.gaps()])[-MOST_GAPS:]
        moved = {"watermark": watermark} if body["watermark"] is not None or watermark > self.plan.watermark else {}
        unanswered = [each for each in self.unanswered if each["end"] <= watermark]
        of_families = family_gaps.after(body.get("family_gaps", ()), self.plan.families, self.retried, unanswered, self.plan.end)
        told = {"pending": pending, "gaps": gaps, "family_gaps": of_families}
        return body | moved | {"stalled": {"count": count, "by": collection_id}} | told

    def result(self) -> dict[str, Any]:
        """Return the figures that the work shows."""
        done = [shard for shard in self.folded if "error" not in shard]
        return {
            "samples": sum(shard["samples"] for shard in done),
            "series": sum(shard["series"] for shard in done),
            **self.plan.counts,
            "windows": sum(end <= self.until for _, end in self.plan.windows),
            "windows_planned": len(self.plan.windows),
            "watermark": format_time(self.until),
            "step_seconds": self.plan.step_seconds,
            "warnings": list(self.warnings),
            "quality": dict(self.quality),
            "families": {name: {"state": _state(found), "samples": found["samples"]} for name, found in self.families.items()},
        }


@dataclass(frozen=True, slots=True)
class CompletingService:
    """Ends work: collections that came to their end, and work of any kind whose workflow failed."""

    records: Records
    clusters: ClusterRecords
    blobs: Blobs
    clock: Clock
    ids: Ids

    def complete(self, tenant: str, collection_id: str, collected: Results, folded: Results) -> dict[str, str]:
        """Move the watermark, end the collection with its event, and remove its intermediate blobs. Returns {"status"}.

        collected, folded: what each item and shard of the maps gave: {"item" or "shard", ...}, with "error" where it failed.
        """
        log = WorkLog("collections", self.records, self.clock)
        files = CollectionFiles(self.blobs, work_prefix(tenant, collection_id))
        status = log.record(tenant, collection_id).body["status"]
        if status not in ENDED:
            outcome = outcome_of(files, collected, folded)
            Rosters(self.blobs).add(tenant, outcome.plan.cluster_id, files.stays(outcome.plan))
            status = self._end(log, tenant, collection_id, outcome)
        self.blobs.delete_all(files.prefix)
        return {"status": status}

    def fail(self, tenant: str, kind: str, work_id: str, error: Mapping[str, str]) -> dict[str, str]:
        """End work of `kind` (`collections`, `analyses`, `aggregations`) as failed, with its event where it has one; work that ended before stays as it is. Returns {"status"}.

        `error` is what Step Functions catches: {"Error", "Cause"}.
        """
        return self._close(tenant, kind, work_id, "failed", WorkError(error.get("Error", "Unknown"), message_of(error)))

    def lose(self, tenant: str, execution: Execution) -> dict[str, str]:
        """End the work of an execution that is over: where it was aborted as cancelled, else as failed. Work that ended before stays as it is.

        This is for what no state of a machine can record: its time limit, somebody who stops it, more data than a state carries, a failure to
        record the failure. Returns {"status"}, `gone` where the work is not kept any more; KeyError for a machine that has no work.
        """
        try:
            return self._close(tenant, KIND_OF[execution.machine], execution.name, *lost(execution))
        except NotFoundError:
            return {"status": "gone"}

    def _close(self, tenant: str, kind: str, work_id: str, status: WorkStatus, error: WorkError) -> dict[str, str]:
        log = WorkLog(kind, self.records, self.clock)
        work = log.record(tenant, work_id).body
        data = {"cluster_id": work["request"].get("cluster_id"), "error": error.code}
        events = [Event(self.ids.new("event"), EVENTS_OF[kind], tenant, work_id, self.clock.now(), data)] if kind in EVENTS_OF else []
        log.end(tenant, work_id, status, result={}, errors=[error], events=events)
        if kind == "collections":
            self.blobs.delete_all(work_prefix(tenant, work_id))
        return {"status": log.record(tenant, work_id).body["status"]}

    def _end(self, log: WorkLog, tenant: str, collection_id: str, outcome: Outcome) -> str:
        try:
            self.clusters.change(tenant, outcome.plan.cluster_id, lambda body: outcome.remembered(body, collection_id))
        except NotFoundError:
            self.blobs.delete_all(blob_prefix(tenant, outcome.plan.cluster_id))
            log.end(tenant, collection_id, "cancelled", result={}, errors=[WorkError("cancelled", "The cluster was deleted.")])
            return "cancelled"
        status = outcome.status
        kind = "collection.failed" if status == "failed" else "collection.completed"
        data = {"cluster_id": outcome.plan.cluster_id, "status": status, **outcome.result()}
        event = Event(self.ids.new("event"), kind, tenant, collection_id, self.clock.now(), data)
        log.end(tenant, collection_id, status, result=outcome.result(), errors=_bounded(outcome.errors), events=[event])
        return status


def outcome_of(files: CollectionFiles, collected: Results, folded: Results) -> Outcome:
    """Return what came of a collection, from its blobs and from what its maps gave."""
    plan = files.plan()
    if plan is None:
        raise NotFoundError("The plan of this collection is gone.")
    missing = tuple(tuple(files.missing(plan, window)) for window in range(len(plan.windows)))
    causes = {entry["item"]: entry["error"] for entry in collected if "error" in entry}
    errors = [WorkError("inventory_unreadable", reason, what) for what, reason in plan.unreadable]
    errors += list(_group_errors(files, plan, missing, causes))
    refused = tuple(files.refused(plan, window) for window in range(len(plan.windows)))
    errors += list(_refusals(refused))
    errors += [
        WorkError(entry["error"].get("Error", ""), message_of(entry["error"]), f"shard {entry['shard']}")
        for entry in folded
        if "error" in entry
    ]
    families = files.families(plan)
    errors += [
        WorkError("family_refused", found["reason"], f"{name}, {found['refused']} of {plan.items} answers")
        for name, found in families.items()
        if found["refused"]
    ]
    errors += [WorkError("query_failed", reason, f"{what}, {count} answers") for what, (reason, count) in files.problems(plan).items()]
    told = tuple(_warnings(files, plan)), files.quality(plan), families
    return Outcome(
        plan, missing, refused, folded, tuple(errors), *told, tuple(_retried(files, plan, folded)), tuple(_unanswered(files, plan))
    )


def _retried(files: CollectionFiles, plan: Plan, folded: Results) -> Iterator[family_gaps.Retried]:
    """Yield what came of each retry: had where the source answered all of it and every shard has it."""
    unfilled = {number for shard in folded for number in shard.get("unfilled", ())}
    for number, retry in enumerate(plan.retries):
        note = files.note(plan.pairs + number)
        if note is None or number in unfilled or any("error" in shard for shard in folded):
            yield family_gaps.Retried(retry, None)
        else:
            reasons = [reason for _, reason in (*note["unanswered"], *note["refused"])]
            yield family_gaps.Retried(retry, reasons[0] if reasons else "")


def _unanswered(files: CollectionFiles, plan: Plan) -> Iterator[family_gaps.Gap]:
    """Yield a gap for each family that a group was refused in a window, from when on it was asked for."""
    for item in range(plan.pairs):
        for family, start, end, reason in (files.note(item) or {}).get("gaps", ()):
            yield family_gaps.gap(family, plan.groups[plan.place(item)[1]], (start, end), reason)


def _state(found: Mapping[str, Any]) -> str:
    """Return whether a family was collected, is absent from the source, or was refused, wholly or in part."""
    return "refused" if found["refused"] else "collected" if found["samples"] else "absent"


def _merged(gaps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return gaps, oldest first, with those of the same namespaces that follow each other as one."""
    merged: list[dict[str, Any]] = []
    for gap in gaps:
        if merged and (merged[-1]["namespaces"], merged[-1]["end"]) == (gap["namespaces"], gap["start"]):
            merged[-1] = {**merged[-1], "end": gap["end"]}
        else:
            merged.append(dict(gap))
    return merged


def _warnings(files: CollectionFiles, plan: Plan) -> Iterator[str]:
    """Yield why nothing was asked for where a clock went wrong, and what the source said of its answers, each text once with their number."""
    if plan.watermark > plan.end:
        yield (
            f"Usage is collected up to {format_time(plan.watermark)} already, which is ahead of {format_time(plan.end)}: a clock was set back. "
            "Nothing is collected until it has come up with that."
        )
    told = Counter(text for item in range(plan.items) for text in files.warnings(item))
    for text, count in told.most_common(MOST_ERRORS):
        yield f"{text} ({count} of {plan.items} answers)"


def _group_errors(
    files: CollectionFiles, plan: Plan, missing: Sequence[Sequence[int]], causes: Mapping[int, Mapping[str, str]]
) -> Iterator[WorkError]:
    """Yield one error for each group that any window lacks: the first cause, and in how many windows."""
    for group, namespaces in enumerate(plan.groups):
        windows = [window for window, groups in enumerate(missing) if group in groups]
        if windows:
            item = windows[0] * len(plan.groups) + group
            cause = causes.get(item, {"Error": "NotCollected", "Cause": "It was not collected."})
            code = cause.get("Error", "")
            told = message_of(cause) or files.why(item, code) or f"It ended with {code}"
            passed = "folded without it" if plan.accept_gaps else "asked for again by the next collection"
            where = f"{len(windows)} of {len(missing)} windows, the first from {format_time(plan.windows[windows[0]][0])}; {passed}"
            yield WorkError(code, f"{told[:LONGEST]} ({where})", "namespaces " + ", ".join(namespaces))


def _refusals(refused: Sequence[Mapping[str, str]]) -> Iterator[WorkError]:
    """Yield one error for each namespace that the source refused: the first reason, and in how many windows."""
    for namespace in sorted(set().union(*refused)):
        reasons = [window[namespace] for window in refused if namespace in window]
        where = f"{len(reasons)} of {len(refused)} windows, folded without it"
        yield WorkError("UsageUnreadable", f"{reasons[0]} ({where})", f"namespaces {namespace}")


def _bounded(errors: Sequence[WorkError]) -> list[WorkError]:
    shown = list(errors[:MOST_ERRORS])
    more = len(errors) - len(shown)
    return [*shown, WorkError("more", f"{more} more errors are not listed.")] if more > 0 else shown
