"""Where the API server lists each kind that is shown."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from upid.adapters.kubernetes.workloads import CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, POD, REPLICA_SET, ROLLOUT, STATEFUL_SET, Kind
from upid.domain.objects import ObjectKind

NAMESPACE: Final = Kind("Namespace", "/api/v1", "namespaces")
NODE: Final = Kind("Node", "/api/v1", "nodes")
SERVICE: Final = Kind("Service", "/api/v1", "services")
CONFIG_MAP: Final = Kind("ConfigMap", "/api/v1", "configmaps")
CLAIM: Final = Kind("PersistentVolumeClaim", "/api/v1", "persistentvolumeclaims")
SECRET: Final = Kind("Secret", "/api/v1", "secrets")
NODE_METRICS: Final = Kind("NodeMetrics", "/apis/metrics.k8s.io/v1beta1", "nodes")
POD_METRICS: Final = Kind("PodMetrics", "/apis/metrics.k8s.io/v1beta1", "pods")

LISTS: Final[Mapping[ObjectKind, Kind]] = MappingProxyType({
    "namespaces": NAMESPACE, "nodes": NODE, "pods": POD, "deployments": DEPLOYMENT, "services": SERVICE, "configmaps": CONFIG_MAP, "secrets": SECRET,
    "statefulsets": STATEFUL_SET, "daemonsets": DAEMON_SET, "replicasets": REPLICA_SET, "jobs": JOB, "cronjobs": CRON_JOB, "rollouts": ROLLOUT,
    "nodemetrics": NODE_METRICS, "podmetrics": POD_METRICS,
})  # fmt: skip
SHOWN: Final[Mapping[str, ObjectKind]] = MappingProxyType({kind.name: name for name, kind in LISTS.items()})
HEAVY: Final = frozenset({"configmaps", "secrets"})  # an object of these may hold a megabyte, so fewer of them come at once
HEAVY_PAGE: Final = 100
