"""From lists to an inventory: owner chains by uid, one workload each, pods and autoscalers where they belong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from upid.adapters.kubernetes.cluster_parts import Target
from upid.adapters.kubernetes.pods import PodRow
from upid.adapters.kubernetes.reader import Listing
from upid.adapters.kubernetes.workloads import CRON_JOB, JOB, LISTED, REPLICA_SET, ROLLOUT, Found
from upid.domain.inventory import Claim, Container, Inventory, Pod, Unreadable, Workload
from upid.domain.selectors import Matches


@dataclass(slots=True)
class Assembly:
    """Puts one listing together."""

    listing: Listing
    matches: Matches
    selected: bool
    _chain: dict[str, str] = field(default_factory=dict)
    _unreadable: list[Unreadable] = field(default_factory=list)

    def inventory(self, server_version: str) -> Inventory:
        """Return the inventory, everything in it sorted, so that the same cluster gives the same bytes."""
        listing = self.listing
        replica_sets, jobs = self._links(REPLICA_SET.name), self._links(JOB.name)
        self._chain = {uid: top for rows in (replica_sets, jobs) for _, _, uid, top in rows}
        pods_of: dict[str, list[PodRow]] = defaultdict(list)
        for pod in listing.pods:
            pods_of[self._top(pod)].append(pod)
        workloads = sorted(self._workloads(pods_of), key=lambda w: (w.namespace, w.kind, w.name, w.uid))
        kept = {workload.uid for workload in workloads}
        pods = (self._pod(pod, top) for top, rows in pods_of.items() if not self.selected or top in kept for pod in rows)
        return Inventory(
            workloads=tuple(workloads),
            pods=tuple(sorted(pods, key=lambda p: (p.namespace, p.name, p.uid))),
            nodes=tuple(sorted(listing.nodes, key=lambda node: node.name)),
            namespaces=tuple(listing.namespaces or sorted({w.namespace for w in workloads})),
            unreadable=tuple(sorted([*listing.unreadable, *self._unreadable], key=lambda u: (u.what, u.reason))),
            replica_sets=tuple(sorted((namespace, name, top) for namespace, name, _, top in replica_sets)),
            jobs=tuple(sorted((namespace, name, top) for namespace, name, _, top in jobs)),
            server_version=server_version,
            claims=tuple(self._claims(workloads, pods_of)),
        )

    @property
    def _listed(self) -> frozenset[str]:
        """The kinds that workloads were listed of: what a kind that was not owns is a workload by itself."""
        return LISTED if ROLLOUT.name in self.listing.workloads else LISTED - {ROLLOUT.name}

    def _links(self, kind: str) -> list[tuple[str, str, str, str]]:
        """Return (namespace, name, uid, uid of the owning workload or its own) of every object of a kind that others may own."""
        rows = self.listing.workloads.get(kind, ())
        return [(m.namespace, m.name, m.uid, m.owner.uid if m.owner and m.owner.kind in self._listed else m.uid) for m, _ in rows]

    def _top(self, pod: PodRow) -> str:
        if pod.alone or pod.meta.owner is None:
            return pod.meta.uid
        return self._chain.get(pod.meta.owner.uid, pod.meta.owner.uid)

    def _workloads(self, pods_of: dict[str, list[PodRow]]) -> Iterator[Workload]:
        for found in self._tops(pods_of):
            if not self.matches(found.meta.labels):
                continue
            if isinstance(found.workload, Unreadable):
                self._unreadable.append(found.workload)
            else:
                yield self._complete(found.workload, pods_of.get(found.workload.uid, []))

    def _tops(self, pods_of: dict[str, list[PodRow]]) -> Iterator[Found]:
        for kind, rows in self.listing.workloads.items():
            owned = {REPLICA_SET.name, JOB.name}
            yield from (row for row in rows if kind not in owned or row.meta.owner is None or row.meta.owner.kind not in self._listed)
        for pods in pods_of.values():
            newest = max(pods, key=lambda pod: (pod.meta.created_at, pod.meta.name))
            if newest.own is not None:
                yield newest.own if newest.alone else _of_custom_owner(newest, newest.own)

    def _complete(self, workload: Workload, pods: list[PodRow]) -> Workload:
        live = [pod for pod in pods if pod.live]
        if not workload.containers and workload.kind == ROLLOUT.name:
            workload = replace(workload, containers=self._newest_containers(workload.uid))
        counted = workload.kind == CRON_JOB.name or workload.kind not in LISTED
        return replace(
            workload,
            replicas=len(live) if counted else workload.replicas,
            autoscaler=self.listing.autoscalers.get(Target(workload.namespace, workload.kind, workload.name)),
            node_names=tuple(sorted(pod.node for pod in live if pod.node)),
        )

    def _newest_containers(self, uid: str) -> tuple[Container, ...]:
        """Return the containers of the newest ReplicaSet that a workload owns, none where it has none yet."""
        owned = [row for row in self.listing.workloads.get(REPLICA_SET.name, ()) if row.meta.owner and row.meta.owner.uid == uid]
        newest = max(owned, key=lambda row: (row.meta.created_at, row.meta.name), default=None)
        return newest.workload.containers if newest and isinstance(newest.workload, Workload) else ()

    def _claims(self, workloads: Sequence[Workload], pods_of: Mapping[str, Sequence[PodRow]]) -> Iterator[Claim]:
        """Yield the claims, sorted, each with the workload that mounts it; of a selection those of its workloads alone."""
        mounted: dict[tuple[str, str], str] = {}
        for live in (True, False):  # who runs comes before who ended
            for workload in workloads:
                for pod in pods_of.get(workload.uid, ()):
                    for name in pod.claims if pod.live is live else ():
                        mounted.setdefault((workload.namespace, name), workload.uid)
        listed = {(claim.namespace, claim.name): claim for claim in self.listing.claims}
        for place in sorted(mounted if self.selected else {*mounted, *listed}):
            claim = listed.get(place) or Claim(*place)
            yield replace(claim, workload_uid=mounted.get(place, ""))

    @staticmethod
    def _pod(pod: PodRow, top: str) -> Pod:
        meta = pod.meta
        return Pod(meta.namespace, meta.name, meta.uid, top, node_name=pod.node, phase=pod.phase, created_at=meta.created_at)


def _of_custom_owner(pod: PodRow, own: Found) -> Found:
    """Return the workload of a kind that the API does not list here, such as an operator's own: it has the figures of its newest pod."""
    owner = pod.meta.owner
    if owner is None or isinstance(own.workload, Unreadable):
        return own
    # The owner's age is not known from its pods, so no sample counts as older than it.
    workload = replace(own.workload, kind=owner.kind, name=owner.name, uid=owner.uid, created_at=0.0, ready_replicas=None)
    return Found(pod.meta, workload)
