"""How a cluster stands: what is known of it, whether it is well, and how much of it is asked for and used."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from upid.domain.errors import AppError
from upid.domain.identity import Caller
from upid.domain.objects import Row
from upid.domain.times import format_time
from upid.ports.clock import Clock
from upid.ports.kubernetes import KubernetesClients
from upid.ports.metrics_source import MetricsSources
from upid.ports.usage_history import UsageHistory
from upid.services.circuits import Circuits
from upid.services.cluster_objects import ClusterObjects, answering
from upid.services.cluster_records import ClusterRecords
from upid.services.collections import CollectionsService
from upid.services.own_identity import OwnIdentityError
from upid.services.surveys import Index, NotObservedError, Surveys

LATE_STEPS: Final = 3  # a collection that is this many steps behind is late
ENDED_PODS: Final = frozenset({"Succeeded", "Failed"})
MOST_NAMED: Final = 10

State = Literal["healthy", "degraded", "unhealthy", "unknown"]
WORST: Final[tuple[State, ...]] = ("unhealthy", "degraded", "unknown", "healthy")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a cluster's health, and why it stands so."""

    name: str
    state: State
    detail: str


@dataclass(frozen=True, slots=True)
class ClusterHealth:
    """Tells how clusters stand. live: asked of the cluster and its metrics source now, else as the last collection and the circuits have it."""

    clusters: ClusterRecords
    surveys: Surveys
    objects: ClusterObjects
    collections: CollectionsService
    circuits: Circuits
    kubernetes: KubernetesClients
    metrics_sources: MetricsSources
    clock: Clock
    history: UsageHistory

    def status(self, caller: Caller, cluster_id: str, *, live: bool = False) -> dict[str, Any]:
        """Return what is known of a cluster: version, counts, how its collection stands; NotFoundError, live also UnavailableError."""
        body = self.clusters.get(caller.tenant, cluster_id).body
        index = self.surveys.index(caller.tenant, cluster_id)
        version = index.server_version if index else ""
        if live:
            with answering():
                version = self.objects.open(caller, cluster_id).version()
        collected, _ = self.collections.status(caller, cluster_id=cluster_id)
        return self._seen(index, live=live) | {
            "cluster_id": cluster_id, "name": body["name"], "server_version": version, "counts": index.counts if index else {},
            "unreadable": index.unreadable if index else [], "missing": [{"what": kind, "reason": why} for kind, why in index.missing.items() if why] if index else [],
            "collection": collected[0],
        }  # fmt: skip

    def health(self, caller: Caller, cluster_id: str, *, live: bool = False) -> dict[str, Any]:
        """Return {"state", "parts", "circuits", ...}: the state is that of the worst part; NotFoundError. A cluster that does not answer is no error here."""
        body = self.clusters.get(caller.tenant, cluster_id).body
        circuits = self.circuits.of(caller.tenant, cluster_id)
        index = self.surveys.index(caller.tenant, cluster_id)
        reached = self._probed(caller.tenant, body) if live else _connections(circuits)
        parts = [*reached, self._collected(caller, cluster_id), *self._nodes_and_pods(caller, cluster_id, index)]
        parts.append(Part("history", *self.history.state(caller.tenant, cluster_id)))
        state = next(state for state in WORST if any(part.state == state for part in parts))
        return self._seen(index, live=live) | {"cluster_id": cluster_id, "state": state, "parts": parts, "circuits": circuits}

    def metrics(self, caller: Caller, cluster_id: str, *, live: bool = False) -> dict[str, Any]:
        """Return what the cluster's nodes can give, what its pods ask for, whole and by namespace, and what metrics-server says is used (None without).

        Raises NotFoundError, NotObservedError before the first collection; live: UnavailableError.
        """
        self.clusters.get(caller.tenant, cluster_id)
        index = None if live else self.surveys.latest(caller.tenant, cluster_id)
        nodes = totals(self.objects.every(caller, cluster_id, "nodes", live=live), ("cpu_cores", "memory_bytes", "pods"))
        used = self._used(caller, cluster_id, live=live)
        namespaces, pods = _asked(self.objects.every(caller, cluster_id, "pods", live=live))
        cpu, memory = (sum(named[key] for named in namespaces) for key in ("cpu_request_cores", "memory_request_bytes"))
        return self._seen(index, live=live) | {
            "cluster_id": cluster_id, "nodes": int(nodes["count"]), "pods": pods, "pod_capacity": int(nodes["pods"]), "namespaces": namespaces,
            "cpu": _share(nodes["cpu_cores"], cpu, used, "cpu_cores"), "memory": _share(nodes["memory_bytes"], memory, used, "memory_bytes"),
        }  # fmt: skip

    def _used(self, caller: Caller, cluster_id: str, *, live: bool) -> Mapping[str, float]:
        """Return the sums of what metrics-server tells, nothing where there is none, or where it does not answer: the rest is known all the same."""
        try:
            return totals(self.objects.every(caller, cluster_id, "nodemetrics", live=live), ("cpu_cores", "memory_bytes"))
        except (NotObservedError, AppError):
            return {"count": 0}

    def _seen(self, index: Index | None, *, live: bool) -> dict[str, Any]:
        now = self.clock.now()
        at = now if live else index.time if index else None
        return {
            "source": "live" if live else "snapshot", "observed_at": None if at is None else format_time(at),
            "age_seconds": None if at is None else max(0.0, round(now - at, 3)),
        }  # fmt: skip

    def _probed(self, tenant: str, body: Mapping[str, Any]) -> Iterator[Part]:
        try:
            access = self.clusters.access(tenant, body)
        except OwnIdentityError as error:
            yield from (Part(name, "unhealthy", error.detail) for name in ("kubernetes", "metrics"))
            return
        try:
            version = self.kubernetes.open(access.cluster).version()
            yield Part("kubernetes", "healthy", f"It answers as {version}.")
        except AppError as error:
            yield Part("kubernetes", "unhealthy", error.detail)
        try:
            self.metrics_sources.open(access.metrics).check()
            yield Part("metrics", "healthy", "It answers with metrics of containers.")
        except AppError as error:
            yield Part("metrics", "unhealthy", error.detail)

    def _collected(self, caller: Caller, cluster_id: str) -> Part:
        found = self.collections.status(caller, cluster_id=cluster_id)[0][0]
        lag, step = found["lag_seconds"], found["step_seconds"]
        if found["status"] == "failed":
            why = found["errors"][0]["detail"] if found["errors"] else "no reason was given"
            return Part("collection", "unhealthy", f"The last collection failed: {why}")
        if lag is None:
            return Part("collection", "unknown", "Nothing was collected yet.")
        if found["status"] == "partial" or lag > LATE_STEPS * step:
            return Part("collection", "degraded", f"It is {lag:.0f} s behind, its last run ended as {found['status']}.")
        return Part("collection", "healthy", f"It is {lag:.0f} s behind.")

    def _nodes_and_pods(self, caller: Caller, cluster_id: str, index: Index | None) -> Iterator[Part]:
        if index is None:
            yield Part("nodes", "unknown", "Nothing was collected yet.")
            return
        try:
            nodes = self.surveys.rows(caller.tenant, cluster_id, index, "nodes")
            pods = self.surveys.rows(caller.tenant, cluster_id, index, "pods")
        except NotObservedError as error:
            yield Part("nodes", "unknown", error.detail)
            return
        bad = [node["name"] for node in nodes if not node["ready"] or node["pressures"]]
        yield Part("nodes", "degraded" if bad else "healthy", _named(bad, f"of {len(nodes)} nodes are not ready or under pressure"))
        stuck = [f"{pod['namespace']}/{pod['name']}" for pod in pods if pod["phase"] == "Failed" or "BackOff" in pod["reason"]]
        yield Part("pods", "degraded" if stuck else "healthy", _named(stuck, f"of {len(pods)} pods failed or are held back"))


def _connections(circuits: Iterable[Mapping[str, Any]]) -> Iterator[Part]:
    states: dict[str, State] = {"closed": "healthy", "half_open": "degraded", "open": "unhealthy"}
    known = {circuit["system"]: circuit for circuit in circuits}
    for system in ("kubernetes", "metrics"):
        circuit = known.get(system)
        state: State = states[circuit["state"]] if circuit else "healthy"
        yield Part(system, state, circuit["last_error"] if circuit and state != "healthy" else "Its circuit is closed.")


def totals(rows: Iterable[Row], columns: Iterable[str]) -> dict[str, float]:
    """Return the sum of each column and `count`; what a row does not tell counts as nothing."""
    sums: dict[str, float] = dict.fromkeys(columns, 0.0) | {"count": 0}
    for row in rows:
        sums["count"] += 1
        for column in sums.keys() - {"count"}:
            sums[column] += row.get(column) or 0.0
    return sums


def _asked(pods: Iterable[Row]) -> tuple[list[dict[str, Any]], int]:
    """Return what the pods of each namespace ask for, and how many pods run or are going to."""
    counts: Counter[str] = Counter()
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for pod in pods:
        if pod["phase"] not in ENDED_PODS:
            counts[pod["namespace"]] += 1
            asked = sums[pod["namespace"]]
            asked[0] += pod["cpu_request_cores"] or 0.0
            asked[1] += pod["memory_request_bytes"] or 0.0
    listed = [
        {"name": name, "pods": counts[name], "cpu_request_cores": round(sums[name][0], 6), "memory_request_bytes": sums[name][1]}
        for name in sorted(sums)
    ]
    return listed, counts.total()


def _share(allocatable: float, requested: float, used: Mapping[str, float], column: str) -> dict[str, float | None]:
    told = used["count"] > 0
    return {"allocatable": round(allocatable, 6), "requested": round(requested, 6), "used": round(used[column], 6) if told else None}


def _named(names: list[str], of: str) -> str:
    shown = f": {', '.join(names[:MOST_NAMED])}{' ...' if len(names) > MOST_NAMED else ''}" if names else ""
    return f"{len(names)} {of}{shown}."
