"""One listed object to one workload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from upid.adapters.kubernetes.containers import containers
from upid.adapters.kubernetes.objects import Meta, meta_of, name_of
from upid.domain.inventory import Unreadable, Workload


class Kind(NamedTuple):
    """A kind of workload that the API lists, and the group that lists it."""

    name: str
    group: str
    plural: str

    def path(self, namespace: str = "") -> str:
        """Return the path of its list, of one namespace or of all."""
        return f"{self.group}/namespaces/{namespace}/{self.plural}" if namespace else f"{self.group}/{self.plural}"


DEPLOYMENT: Final = Kind("Deployment", "/apis/apps/v1", "deployments")
STATEFUL_SET: Final = Kind("StatefulSet", "/apis/apps/v1", "statefulsets")
DAEMON_SET: Final = Kind("DaemonSet", "/apis/apps/v1", "daemonsets")
REPLICA_SET: Final = Kind("ReplicaSet", "/apis/apps/v1", "replicasets")
JOB: Final = Kind("Job", "/apis/batch/v1", "jobs")
CRON_JOB: Final = Kind("CronJob", "/apis/batch/v1", "cronjobs")
ROLLOUT: Final = Kind("Rollout", "/apis/argoproj.io/v1alpha1", "rollouts")  # Argo Rollouts, where its CRD is there
POD: Final = Kind("Pod", "/api/v1", "pods")

MOST_PODS: Final = 2**31 - 1  # counts are int32 in the API
TEMPLATED: Final = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, REPLICA_SET, JOB, CRON_JOB, ROLLOUT)
LISTED: Final = frozenset(kind.name for kind in (*TEMPLATED, POD))


class Found(NamedTuple):
    """A listed workload and what owns it; `workload` is an Unreadable where its figures can't be read."""

    meta: Meta
    workload: Workload | Unreadable


def reduce_workload(kind: Kind, body: Mapping[str, Any]) -> Found | Unreadable:
    """Return a listed object as a workload; an Unreadable that names it where it is malformed."""
    try:
        meta = meta_of(body)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return unreadable(kind.name, body, error)
    try:
        return Found(meta, _workload(kind, meta, body))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return Found(meta, unreadable(kind.name, body, error))


def unreadable(kind: str, body: Mapping[str, Any], error: Exception) -> Unreadable:
    """Return what tells that an object can't be read, and why."""
    reason = str(error) if type(error) is ValueError else f"it is malformed ({error})"
    return Unreadable(f"{kind} {name_of(body)}", reason)


def _workload(kind: Kind, meta: Meta, body: Mapping[str, Any]) -> Workload:
    spec, status = body.get("spec") or {}, body.get("status") or {}
    return Workload(
        namespace=meta.namespace,
        kind=kind.name,
        name=meta.name,
        uid=meta.uid,
        replicas=_replicas(kind, spec, status),
        containers=containers(_pod_spec(kind, spec)),
        created_at=meta.created_at,
        labels=tuple(sorted(meta.labels.items())),
        ready_replicas=_ready(kind, status),
    )


def _pod_spec(kind: Kind, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    if kind is POD:
        return spec
    if kind is ROLLOUT and "workloadRef" in spec:
        return {}  # its pods are those of a Deployment's template: its newest ReplicaSet has it
    holder = spec["jobTemplate"]["spec"] if kind is CRON_JOB else spec
    return holder["template"]["spec"]  # type: ignore[no-any-return] # a JSON document


def _replicas(kind: Kind, spec: Mapping[str, Any], status: Mapping[str, Any]) -> int:
    if kind is DAEMON_SET:
        return _count(status.get("desiredNumberScheduled") or 0)
    if kind is CRON_JOB:
        return 0
    wanted = spec.get("parallelism" if kind is JOB else "replicas")
    return 1 if wanted is None else _count(wanted)


def _count(value: Any) -> int:
    count = int(value)
    if not 0 <= count <= MOST_PODS:
        raise ValueError(f"it has {str(count)[:20]} replicas")
    return count


def _ready(kind: Kind, status: Mapping[str, Any]) -> int | None:
    if kind in {CRON_JOB, POD}:
        return None
    field = "numberReady" if kind is DAEMON_SET else "ready" if kind is JOB else "readyReplicas"
    return _count(status.get(field) or 0)
