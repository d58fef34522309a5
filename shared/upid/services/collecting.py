"""The tasks of `collect-usage`. Each can be run twice, or be killed and run again, and changes nothing that was done.

PlanCollection reads the inventory and writes the plan; CollectNamespaces asks the source for one group of namespaces in one window and writes what
belongs to each shard; FoldShard appends a shard's windows to the history and folds them into its profile, in order; CompleteCollection moves the
watermark, ends the work and removes the intermediate blobs. Results go by reference: states carry numbers only.

**No hole is passed silently.** A window counts when every group of it was collected. Folding stops, for all shards alike, at the first window that a
group is missing from; the watermark moves to its start, the collection ends as partial and names the group, and the next collection asks for that
window again. Where three collections in a row could not pass, the fourth folds the window without the missing namespaces, names them in its errors
and keeps them in the cluster's `gaps`: one namespace that cannot be read does not stop the others for ever. When no group at all could be collected
the collection failed, and nothing is passed. What the source refuses for good, while it answers for other namespaces of the group, is a gap at once.

A shard that fails to fold holds the watermark too. The next collection plans the same windows again (`pending`), and shards that are ahead skip what
they have. The history is the truth: a profile that is behind it, missing or damaged is first folded up from the history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from upid.domain.clusters import MetricsAccess
from upid.domain.errors import ConflictError, NotFoundError, RefusedError, UnavailableError
from upid.domain.metrics import USAGE
from upid.domain.work import ENDED
from upid.ports.blobs import Blobs
from upid.ports.clock import Clock
from upid.ports.kubernetes import KubernetesClients
from upid.ports.metrics_source import MetricsSources, Window
from upid.ports.usage_history import HistoryScope, MetricChunk, SeriesKey, UsageChunk, UsageHistory
from upid.services import chunks, family_chunks
from upid.services.asking import Asked, Families, ask
from upid.services.cluster_records import ClusterRecords, blob_prefix
from upid.services.collection_files import CollectionFiles, work_prefix
from upid.services.collection_plans import PATIENCE, Plan, bounded, groups_of, windows_of
from upid.services.collections import families_history_of, families_of, queries_of
from upid.services.family_gaps import due
from upid.services.observing import Observing
from upid.services.profiles import Folder, Profiles, ShardProfile, grown
from upid.services.resident import told_until, with_resident
from upid.services.rosters import Rosters
from upid.services.shards import shard_count, shards_of
from upid.services.sizing import rows_of
from upid.services.snapshots import Snapshot, Snapshots, decode, encode, of_namespaces
from upid.services.work import WorkLog

FAR_FUTURE: Final = 2.0**53


class SupersededError(ConflictError):
    """A task of a collection that is over wants to write."""

    title = "Collection over"


@dataclass(frozen=True, slots=True)
class CollectingService:
    """Plans, collects and folds. Every task belongs to a collection of a tenant; NotFoundError where its cluster was deleted in between."""

    clusters: ClusterRecords
    blobs: Blobs
    history: UsageHistory
    kubernetes: KubernetesClients
    metrics_sources: MetricsSources
    clock: Clock
    log: WorkLog
    observing: Observing

    def plan(self, tenant: str, collection_id: str) -> dict[str, Any]:
        """Read the inventory, decide what to do, and return the numbers of the `items` and `shards` to do it for."""
        files = self._files(tenant, collection_id)
        plan = files.plan()
        if plan is None:
            files.save_plan(self._decide(files, tenant, collection_id, self.log.record(tenant, collection_id).body["request"]))
            plan = files.plan() or self._gone(collection_id)
        self._hold_cluster(tenant, plan.cluster_id, files)
        shards = plan.shards if plan.windows else 0
        self.log.begin(tenant, collection_id, parts={"plan": 1, "collect": plan.items, "fold": shards, "complete": 1})
        self.log.mark(tenant, collection_id, "plan", "0")
        return {"items": list(range(plan.items)), "shards": list(range(shards))}

    def collect(self, tenant: str, collection_id: str, item: int) -> dict[str, int]:
        """Ask the source for one group of namespaces in one window and store what belongs to each shard. Returns {"item"}."""
        files = self._files(tenant, collection_id)
        plan = files.plan() or self._gone(collection_id)
        if files.note(item) is None:
            with files.telling(item):
                access = self.clusters.access(tenant, self.clusters.get(tenant, plan.cluster_id).body)
                self._collect(files, plan, item, access.metrics)
        self._hold_cluster(tenant, plan.cluster_id, files)
        self.log.mark(tenant, collection_id, "collect", f"{item:06d}")
        return {"item": item}

    def fold(self, tenant: str, collection_id: str, shard: int) -> dict[str, Any]:
        """Append a shard's windows to the history and fold its CPU and memory, resident memory too, into its profile.

        Returns {"shard", "until" (end of what is folded), "samples", "series", "unfilled": numbers of retries}. SupersededError where the collection was ended meanwhile.
        """
        files = self._files(tenant, collection_id)
        plan = files.plan() or self._gone(collection_id)
        snapshot = Snapshots(self.blobs).load_shard(tenant, plan.cluster_id, shard)
        scope = HistoryScope(tenant, plan.cluster_id, shard)
        profiles = Profiles(self.blobs)
        stored = grown(profiles.load_or_none(tenant, plan.cluster_id, shard), rows_of(snapshot.inventory), snapshot.time)
        folder = Folder(stored)
        # What the history has and the profile has not comes first: the process died in between, or the profile is new or damaged.
        for chunk in self.history.read(scope, start=folder.context_start, end=FAR_FUTURE):
            folder.add(chunk)
        samples, series, until = 0, set[SeriesKey](), plan.watermark
        for window in files.foldable(plan):
            chunk, others = self._window(files, plan, window, shard)
            samples, series, until = samples + chunks.count_samples(chunk), series | set(chunk.keys), chunk.end
            part = chunks.behind(chunk, folder.until)
            self._hold_turn(tenant, collection_id, plan.cluster_id, files)
            if part.start < part.end:
                self.history.append(scope, part)
                folder.add(part)
            for other in others:
                self._append_family(scope, other)
        self._hold_turn(tenant, collection_id, plan.cluster_id, files)
        unfilled = list(self._fill(files, plan, scope))
        late = [retry.start for number, retry in enumerate(plan.retries) if retry.family == "memory_detail" and number not in unfilled]
        profiles.save(tenant, plan.cluster_id, shard, self._with_resident(scope, folder.stored, min(late, default=FAR_FUTURE)))
        self.history.compact(scope, before=folder.until)
        self._hold_cluster(tenant, plan.cluster_id, files)
        self.log.mark(tenant, collection_id, "fold", f"{shard:04d}")
        return {"shard": shard, "until": until, "samples": samples, "series": len(series), "unfilled": unfilled}

    def _with_resident(self, scope: HistoryScope, stored: ShardProfile, late: float) -> ShardProfile:
        """Return the profile with the resident memory that the history has behind what was told; a store that is away is asked at the next collection.

        Days from the one of `late` on are told anew: samples came behind what was told of them.
        """
        profile = told_until(stored.profile, late)
        stored = replace(stored, profile=profile)
        try:
            detail = self.history.read_family(scope, "memory_detail", start=profile.resident.until, end=profile.folded_until)
            return replace(stored, profile=with_resident(profile, stored.rows, detail))
        except UnavailableError:
            return stored

    def _decide(self, files: CollectionFiles, tenant: str, collection_id: str, request: Mapping[str, Any]) -> Plan:
        cluster = self.clusters.get(tenant, request["cluster_id"]).body
        step, now = request["step_seconds"], self.clock.now()
        observation = self.kubernetes.open(self.clusters.access(tenant, cluster).cluster).observe()
        inventory = observation.inventory
        containers = sum(len(workload.containers) for workload in inventory.workloads)
        end = int(now // step) * step
        watermark = cluster["watermark"] if cluster["watermark"] is not None else end - request["history_seconds"] // step * step
        pending = [(start, stop) for start, stop in cluster["pending"] if stop > watermark]
        groups = groups_of(inventory)
        behind = max([watermark, *(stop for _, stop in pending)])
        windows = bounded([*pending, *windows_of(behind, end, step)], len(groups)) if groups else ()

        since = end - families_history_of(cluster) if cluster["watermark"] is None else 0
        first = {
            "shards": shard_count(containers),
            "step_seconds": step,
            "history_seconds": request["history_seconds"],
            "families_since": since,
        }
        planned = self.clusters.change(tenant, cluster["id"], lambda body: _planned(body, first, windows))
        shards = planned["shards"]
        Snapshots(self.blobs).save(tenant, cluster["id"], Snapshot(now, inventory), shards)
        Rosters(self.blobs).keep(tenant, cluster["id"], inventory, start=watermark, end=now)
        self.observing.keep(tenant, cluster["id"], collection_id, now, observation)
        for group in groups:
            files.save_inventory(group, encode(Snapshot(now, of_namespaces(inventory, group))))
        families = families_of(cluster)
        retries = due(cluster.get("family_gaps", ()), families, end, step) if windows else ()
        for retry in retries:
            files.save_inventory(retry.namespaces, encode(Snapshot(now, of_namespaces(inventory, retry.namespaces))))
        return Plan(
            cluster_id=cluster["id"], step_seconds=step, shards=shards, watermark=watermark, end=end, windows=windows, groups=tuple(groups),
            accept_gaps=cluster["stalled"]["count"] >= PATIENCE, unreadable=tuple((part.what, part.reason) for part in inventory.unreadable),
            counts={"workloads": len(inventory.workloads), "containers": containers, "namespaces": len(inventory.namespaces)},
            families=families, families_since=planned["families_since"], queries=queries_of(cluster), retries=retries,
        )  # fmt: skip

    def _collect(self, files: CollectionFiles, plan: Plan, item: int, access: MetricsAccess) -> None:
        if item >= plan.pairs:
            self._retry(files, plan, item, access)
            return
        number, group = plan.place(item)
        inventory = decode(files.inventory(plan.groups[group])).inventory
        window = Window(*plan.windows[number], plan.step_seconds)
        shards = shards_of(inventory.workloads, plan.shards)
        families = Families(plan.families, plan.families_since, plan.queries)
        asked = ask(
            self.metrics_sources.open(access), plan.groups[group], window, inventory, families=families, patient=not plan.accept_gaps
        )
        files.save(item, _parts(asked, lambda key: shards[key.workload_uid]), _note(asked) | {"gaps": list(_gaps(asked, families, window))})

    def _retry(self, files: CollectionFiles, plan: Plan, item: int, access: MetricsAccess) -> None:
        """Ask for a family's piece again. CPU and memory are asked for too, since they tell who owned the pods that are gone, and are not taken."""
        retry = plan.retries[item - plan.pairs]
        inventory = decode(files.inventory(retry.namespaces)).inventory
        window = Window(retry.start, retry.end, plan.step_seconds)
        shards = shards_of(inventory.workloads, plan.shards)
        none = chunks.empty(window.start, window.end, window.step_seconds)
        try:
            asked = ask(self.metrics_sources.open(access), retry.namespaces, window, inventory, families=Families((retry.family,)))
            told = replace(asked, chunk=none, warnings=(), quality=Counter(), stays=())
        except RefusedError as error:  # that is an answer too: the next try waits longer
            told = Asked(none, (), unanswered=((retry.family, error.detail),))
        files.save(item, _parts(told, lambda key: shards[key.workload_uid]), _note(told))

    def _fill(self, files: CollectionFiles, plan: Plan, scope: HistoryScope) -> Iterator[int]:
        """Add what retries brought to a shard, and yield the numbers of those that could not be added now."""
        for number, retry in enumerate(plan.retries):
            part = files.parts(plan.pairs + number, scope.shard).get(retry.family)
            try:
                if part is not None:
                    self.history.fill(scope, family_chunks.decode(part))
            except UnavailableError:
                yield number

    def _window(self, files: CollectionFiles, plan: Plan, window: int, shard: int) -> tuple[UsageChunk, list[MetricChunk]]:
        """Return what was collected of a shard in one window: CPU and memory, and each other family that there is."""
        usage, others = [chunks.empty(*plan.windows[window], plan.step_seconds)], dict[str, list[MetricChunk]]()
        for item in plan.items_of(window):
            for family, part in files.parts(item, shard).items():
                if family == USAGE:
                    usage.append(chunks.decode(part))
                else:
                    others.setdefault(family, []).append(family_chunks.decode(part))
        return chunks.join(usage), [family_chunks.join(parts) for parts in others.values()]

    def _append_family(self, scope: HistoryScope, chunk: MetricChunk) -> None:
        """Append what the history does not have of a family's chunk: the process may have died between two families, and a day may be joined by now."""
        stored = self.history.read_family(scope, chunk.family, start=chunk.start, end=chunk.end)
        rest = family_chunks.behind(chunk, max((found.end for found in stored), default=0))
        if rest.start < rest.end:
            self.history.append(scope, rest)

    def _hold_turn(self, tenant: str, collection_id: str, cluster_id: str, files: CollectionFiles) -> None:
        """Hold that the cluster's collection is still this one; SupersededError for a task that went on behind its end, NotFoundError without the cluster.

        Blobs are written under a condition; an InfluxDB knows none. The same points twice are the same points, but what a later collection was told
        may differ, and half of each is neither.
        """
        ended = self.log.record(tenant, collection_id).body["status"] in ENDED
        if self._hold_cluster(tenant, cluster_id, files)["last_collection_id"] != collection_id or ended:
            raise SupersededError(f"{collection_id} is over: another collection of the cluster may write by now.", id=collection_id)

    def _hold_cluster(self, tenant: str, cluster_id: str, files: CollectionFiles) -> Mapping[str, Any]:
        """Return the cluster's record, or remove what a task wrote for a cluster that was deleted meanwhile, so that nothing of it stays; NotFoundError then.

        Deleting removes the record before the blobs, a task writes its blobs before it looks for the record: one of the two sees the other.
        """
        try:
            return self.clusters.get(tenant, cluster_id).body
        except NotFoundError:
            self.blobs.delete_all(blob_prefix(tenant, cluster_id))
            self.history.delete_cluster(tenant, cluster_id)
            self.blobs.delete_all(files.prefix)
            raise

    def _files(self, tenant: str, collection_id: str) -> CollectionFiles:
        return CollectionFiles(self.blobs, work_prefix(tenant, collection_id))

    def _gone(self, collection_id: str) -> Plan:
        raise NotFoundError(f"The plan of {collection_id} is gone: the collection has ended.", id=collection_id)


def _parts(asked: Asked, shard: Callable[[SeriesKey], int]) -> Iterator[tuple[int, str, bytes]]:
    """Yield what was collected by shard and family, as bytes."""
    for number, part in chunks.split(asked.chunk, shard):
        yield number, USAGE, chunks.encode(part)
    for chunk in asked.families:
        for number, piece in family_chunks.split(chunk, shard):
            yield number, chunk.family, family_chunks.encode(piece)


def _gaps(asked: Asked, families: Families, window: Window) -> Iterator[tuple[str, int, int, str]]:
    """Yield the part of the window that each family was asked for in vain: family, start, end, reason."""
    asked_for = {name: part for part, names in families.parts(window) for name in names}
    for family, reason in asked.unanswered:
        yield family, asked_for[family].start, asked_for[family].end, reason


def _note(asked: Asked) -> dict[str, Any]:
    samples = {chunk.family: family_chunks.count_samples(chunk) for chunk in asked.families}
    told = {"warnings": asked.warnings, "refused": asked.refused, "unanswered": asked.unanswered, "problems": asked.problems}
    return told | {"quality": dict(asked.quality), "samples": samples, "stays": [tuple(stay) for stay in asked.stays]}


def _planned(body: dict[str, Any], first: Mapping[str, Any], windows: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Return the cluster's record with what its first collection decides, and with the windows that shards may now begin to fold."""
    decided = {name: body.get(name) or value for name, value in first.items()}
    return body | decided | {"pending": [list(window) for window in windows]}
