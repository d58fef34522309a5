"""The Kubernetes API's endpoints, as functions of path and parameters: lists of every kind, paged, by namespace and by label."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from upid.demo.kubernetes import objects
from upid.demo.kubernetes.objects import Used
from upid.demo.plan import Plan, Planned, PlannedPod, Revision, claim_of
from upid.demo.usage import Usage
from upid.domain.errors import InvalidError
from upid.domain.selectors import parse_selector

KEPT_JOBS: Final = 3  # successfulJobsHistoryLimit
KEPT_REVISIONS: Final = 1  # older ReplicaSets than this are gone; metrics still know them
GROUPS: Final = {
    "/api/v1": {"namespaces": "Namespace", "nodes": "Node", "pods": "Pod", "limitranges": "LimitRange", "resourcequotas": "ResourceQuota",
                "services": "Service", "configmaps": "ConfigMap", "secrets": "Secret", "replicationcontrollers": "ReplicationController", "events": "Event", "persistentvolumeclaims": "PersistentVolumeClaim"},
    "/apis/apps/v1": {"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet", "replicasets": "ReplicaSet"},
    "/apis/batch/v1": {"jobs": "Job", "cronjobs": "CronJob"},
    "/apis/autoscaling/v2": {"horizontalpodautoscalers": "HorizontalPodAutoscaler"},
    "/apis/metrics.k8s.io/v1beta1": {"nodes": "NodeMetrics", "pods": "PodMetrics"},
    "/apis/policy/v1": {"poddisruptionbudgets": "PodDisruptionBudget"},
}  # fmt: skip
CLUSTER_WIDE: Final = frozenset({"Namespace", "Node", "NodeMetrics"})
REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
PATCHED: Final = frozenset({"deployments", "statefulsets", "daemonsets", "replicasets", "jobs", "cronjobs"})


class Answer(NamedTuple):
    """An answer: status and body."""

    status: int
    body: bytes


class Item(NamedTuple):
    """An object that a list may show, made only where it is shown."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    make: Callable[[], dict[str, Any]]


class Asked(NamedTuple):
    """What a path asks for."""

    group: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class KubernetesApi:
    """Answers for one plan, whose runs use what `usage` says."""

    plan: Plan
    usage: Usage
    _restarts: dict[str, dict[int, list[int]]] = field(default_factory=dict, repr=False)
    _last: dict[tuple[str, str], tuple[float, list[Item]]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for run in self.plan.runs:
            if run.number:
                self._restarts.setdefault(run.pod.uid, {}).setdefault(run.position, []).append(run.start)

    def answer(self, path: str, parameters: Mapping[str, Sequence[str]], now: float) -> Answer:
        """Return the answer to a GET."""
        if path == "/version":
            return Answer(200, orjson.dumps({"major": "1", "minor": "31", "gitVersion": "v1.31.2-eks-demo", "platform": "linux/amd64"}))
        if path in GROUPS:
            resources = [{"name": plural, "kind": kind, "namespaced": kind not in CLUSTER_WIDE} for plural, kind in GROUPS[path].items()]
            return Answer(200, orjson.dumps({"kind": "APIResourceList", "groupVersion": _version(path), "resources": resources}))
        asked = _asked(path.rstrip("/"))
        if asked is None:
            return status(404, "NotFound", "the server could not find the requested resource")
        try:
            return (
                self._one(asked, now)
                if asked.name
                else self._list(asked, {key: values[0] for key, values in parameters.items() if values}, now)
            )
        except (InvalidError, ValueError) as error:
            return status(400, "BadRequest", str(error))

    def review(self, path: str, body: bytes) -> Answer:
        """Return the answer to a POST: a review of access, which allows reading everything and patching workloads."""
        try:
            wanted = orjson.loads(body)["spec"]["resourceAttributes"]
            verb, resource = str(wanted["verb"]), str(wanted["resource"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return status(400, "BadRequest", "this is no SelfSubjectAccessReview")
        if path != REVIEWS:
            return status(404, "NotFound", "the server could not find the requested resource")
        allowed = verb in {"get", "list", "watch"} or (verb == "patch" and resource in PATCHED)
        review = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "spec": {"resourceAttributes": wanted}}
        return Answer(201, orjson.dumps(review | {"status": {"allowed": allowed}}))

    def _one(self, asked: Asked, now: float) -> Answer:
        for item in self._items(asked, now):
            if item.name == asked.name:
                return Answer(200, orjson.dumps({"kind": asked.kind, "apiVersion": _version(asked.group)} | item.make()))
        return status(404, "NotFound", f'{asked.kind} "{asked.name}" not found')

    def _list(self, asked: Asked, parameters: Mapping[str, str], now: float) -> Answer:
        matches, limit = parse_selector(parameters.get("labelSelector", "")), int(parameters.get("limit") or 0)
        # What goes on shows the moment that its first page showed, so that no object is lost between two pages.
        moment, _, offset = parameters.get("continue", "").partition(":")
        at, start = (float(moment), int(offset)) if moment else (float(int(now)), 0)
        items = [item for item in self._sorted(asked, at) if matches(item.labels)]
        wanted = items[start : start + limit] if limit else items[start:]
        more = bool(limit) and start + limit < len(items)
        meta = {"resourceVersion": str(int(at))} | (
            {"continue": f"{int(at)}:{start + limit}", "remainingItemCount": len(items) - start - limit} if more else {}
        )
        head = {"kind": f"{asked.kind}List", "apiVersion": _version(asked.group), "metadata": meta}
        return Answer(200, orjson.dumps(head | {"items": [item.make() for item in wanted]}))

    def _sorted(self, asked: Asked, now: float) -> list[Item]:
        """Return a list's objects in their order; the last of each kind is kept for the pages that follow."""
        kept = self._last.get((asked.kind, asked.namespace))
        if kept is None or kept[0] != now:
            kept = now, sorted(self._items(asked, now), key=lambda item: (item.namespace, item.name))
            if not asked.namespace:
                self._last[asked.kind, asked.namespace] = kept
        return kept[1]

    def _items(self, asked: Asked, now: float) -> Iterator[Item]:
        items = getattr(self, f"_{asked.kind.lower()}_items", None)
        found: Iterator[Item] = items(now) if items else self._workloads(asked.kind, now)
        return (item for item in found if not asked.namespace or item.namespace == asked.namespace)

    def _namespace_items(self, _now: float) -> Iterator[Item]:
        names = sorted({w.spec.namespace for w in self.plan.workloads} | {"default", "kube-system", "kube-public"})
        for name in names:
            yield Item("", name, {"kubernetes.io/metadata.name": name}, partial(objects.namespace_object, name, self._created))

    def _node_items(self, _now: float) -> Iterator[Item]:
        for node in self.plan.nodes:
            yield Item("", node.name, {}, partial(objects.node_object, node, self._created))

    def _pod_items(self, now: float) -> Iterator[Item]:
        jobs = {
            revision.name
            for workload in self.plan.workloads
            for revision in _kept_jobs(workload.revisions, now)
            if workload.spec.kind == "CronJob"
        }
        for pod in self.plan.pods:
            spec = pod.workload.spec
            kept = (spec.kind == "Job") or (spec.kind == "CronJob" and pod.owner is not None and pod.owner[1] in jobs)
            if pod.start <= now and (now < pod.end or kept):
                yield Item(spec.namespace, pod.name, _labels(pod.workload.spec), partial(self._pod, pod, now))

    def _workloads(self, kind: str, now: float) -> Iterator[Item]:
        live = self._live(now)
        for workload in self.plan.workloads:
            if workload.spec.kind == kind and workload.created <= now:
                yield Item(
                    workload.spec.namespace,
                    workload.spec.name,
                    _labels(workload.spec),
                    partial(objects.workload_object, workload, now, live[workload.uid]),
                )

    def _replicaset_items(self, now: float) -> Iterator[Item]:
        yield from self._workloads("ReplicaSet", now)
        live = self._live(now)
        for workload in self.plan.workloads:
            past = [revision for revision in workload.revisions if revision.start <= now]
            for revision in past[-1 - KEPT_REVISIONS :] if workload.spec.kind == "Deployment" else ():
                count = live[workload.uid] if revision is past[-1] else 0
                yield Item(
                    workload.spec.namespace,
                    revision.name,
                    _labels(workload.spec),
                    partial(objects.replica_set_object, workload, revision, count),
                )

    def _job_items(self, now: float) -> Iterator[Item]:
        yield from self._workloads("Job", now)
        for workload in self.plan.workloads:
            for revision in _kept_jobs(workload.revisions, now) if workload.spec.kind == "CronJob" else ():
                yield Item(
                    workload.spec.namespace, revision.name, _labels(workload.spec), partial(objects.job_object, workload, revision, now)
                )

    def _horizontalpodautoscaler_items(self, now: float) -> Iterator[Item]:
        live = self._live(now)
        for workload in self.plan.workloads:
            if workload.spec.hpa:
                yield Item(
                    workload.spec.namespace,
                    workload.spec.name,
                    _labels(workload.spec),
                    partial(objects.autoscaler_object, workload, live[workload.uid]),
                )

    def _service_items(self, _now: float) -> Iterator[Item]:
        for workload in self.plan.workloads:
            if workload.spec.kind in {"Deployment", "StatefulSet"}:
                yield self._beside(workload, workload.spec.name, objects.service_object)

    def _configmap_items(self, _now: float) -> Iterator[Item]:
        for workload in self.plan.workloads:
            if workload.spec.kind == "Deployment":
                yield self._beside(workload, f"{workload.spec.name}-config", objects.config_map_object)

    def _secret_items(self, _now: float) -> Iterator[Item]:
        for workload in self.plan.workloads:
            if workload.spec.kind in {"Deployment", "StatefulSet"}:
                yield self._beside(workload, f"{workload.spec.name}-credentials", objects.secret_object)

    def _persistentvolumeclaim_items(self, now: float) -> Iterator[Item]:
        for pod in self.plan.pods:
            spec = pod.workload.spec
            if spec.volume and pod.start <= now:
                yield Item(spec.namespace, claim_of(pod), _labels(spec), partial(objects.claim_object, pod, spec.volume))

    def _nodemetrics_items(self, now: float) -> Iterator[Item]:
        by_node: dict[str, list[Used]] = {}
        for pod, used in self._used(now):
            by_node.setdefault(pod.node.name, []).extend(used.values())
        for node in self.plan.nodes:
            yield Item("", node.name, {}, partial(objects.node_metrics_object, node, by_node.get(node.name, ()), now))

    def _podmetrics_items(self, now: float) -> Iterator[Item]:
        for pod, used in self._used(now):
            spec = pod.workload.spec
            yield Item(spec.namespace, pod.name, _labels(spec), partial(objects.pod_metrics_object, pod, used, now))

    def _used(self, now: float) -> Iterator[tuple[PlannedPod, dict[str, Used]]]:
        """Yield each pod that runs, with what its containers use: what its series in Prometheus say of this moment."""
        rows = np.flatnonzero((self.usage.start <= now) & (now < self.usage.end))
        cell = np.array([int(now) // self.usage.cell_seconds])
        cpu, memory = self.usage.cpu_cores(rows, cell)[:, 0], self.usage.memory_bytes(rows, cell)[:, 0]
        pods: dict[str, tuple[PlannedPod, dict[str, Used]]] = {}
        for row, cores, size in zip(rows.tolist(), cpu.tolist(), memory.tolist(), strict=True):
            run = self.plan.runs[row]
            name = run.pod.workload.spec.containers[run.position].name
            pods.setdefault(run.pod.uid, (run.pod, {}))[1][name] = Used(cores, int(size))
        yield from pods.values()

    @staticmethod
    def _beside(workload: Planned, name: str, make: Callable[[Planned], dict[str, Any]]) -> Item:
        """Return an object that goes with a workload."""
        return Item(workload.spec.namespace, name, _labels(workload.spec), partial(make, workload))

    def _limitrange_items(self, _now: float) -> Iterator[Item]:
        for name in sorted({w.spec.namespace for w in self.plan.workloads if w.spec.namespace.startswith("shop")}):
            yield Item(name, "defaults", {}, partial(objects.limit_range_object, name, self._created))

    def _live(self, now: float) -> Counter[str]:
        return Counter(pod.workload.uid for pod in self.plan.pods if pod.start <= now < pod.end)

    def _pod(self, pod: PlannedPod, now: float) -> dict[str, Any]:
        restarts = {position: bisect_right(starts, now) for position, starts in self._restarts.get(pod.uid, {}).items()}
        return objects.pod_object(pod, now, restarts)

    @property
    def _created(self) -> int:
        return self.plan.scale.anchor - 90 * 86400


def status(code: int, reason: str, message: str) -> Answer:
    """Return a Status object, as the API answers what it cannot do."""
    return Answer(
        code, orjson.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code})
    )


def _kept_jobs(revisions: Sequence[Revision], now: float) -> Sequence[Revision]:
    started = [revision for revision in revisions if revision.start <= now]
    ended = [revision for revision in started if revision.end <= now]
    return ended[-KEPT_JOBS:] + [revision for revision in started if revision.end > now]


def _labels(spec: Any) -> dict[str, str]:
    return {"app.kubernetes.io/name": spec.name, "app.kubernetes.io/part-of": spec.namespace}


def _version(group: str) -> str:
    return group.removeprefix("/apis/").removeprefix("/api/")


def _asked(path: str) -> Asked | None:
    for group, kinds in GROUPS.items():
        if path.startswith(f"{group}/"):
            parts = path.removeprefix(f"{group}/").split("/")
            namespace = parts[1] if parts[0] == "namespaces" and len(parts) > 2 else ""
            rest = parts[2:] if namespace else parts
            kind = kinds.get(rest[0])
            scoped = kind not in CLUSTER_WIDE or not namespace
            return Asked(group, kind, namespace, rest[1] if len(rest) > 1 else "") if kind and scoped and len(rest) <= 2 else None
    return None
