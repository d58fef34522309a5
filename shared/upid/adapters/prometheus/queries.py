"""The PromQL that is asked. No aggregation: what the labels mean is settled here, where it costs Prometheus nothing."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

CPU: Final = "container_cpu_usage_seconds_total"
MEMORY: Final = "container_memory_working_set_bytes"
RESIDENT: Final = "container_memory_rss"
PERIODS: Final = "container_cpu_cfs_periods_total"
THROTTLED: Final = "container_cpu_cfs_throttled_periods_total"
RESTARTS: Final = "kube_pod_container_status_restarts_total"
TERMINATED: Final = "kube_pod_container_status_last_terminated_reason"
LIMITS: Final = "kube_pod_container_resource_limits"
OWNERS: Final = ("kube_pod_owner", "kube_replicaset_owner", "kube_job_owner")
PLACES: Final = "kube_pod_info"

_CONTAINERS: Final = ('container!=""', 'container!="POD"')
_SPECIAL: Final = re.compile(r"([\\.+*?()|\[\]{}^$])")


def quoted(text: str) -> str:
    """Return text as a PromQL string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def one_of(label: str, values: Collection[str]) -> str:
    """Return the matcher of a label that has one of these values."""
    if len(values) == 1:
        return f"{label}={quoted(next(iter(values)))}"
    pattern = "|".join(_SPECIAL.sub(r"\\\1", value) for value in values)
    return f"{label}=~{quoted(pattern)}"


def selector(metric: str, namespaces: Collection[str], *matchers: str) -> str:
    """Return the selector of a metric's series in these namespaces; empty matchers are left out."""
    inside = ",".join(filter(None, (one_of("namespace", namespaces), *matchers)))
    return f"{metric}{{{inside}}}"


def usage(metric: str, namespaces: Collection[str], matcher: str) -> str:
    """Return the selector of containers' series: without the pod's own cgroup and its pause container."""
    return selector(metric, namespaces, *_CONTAINERS, matcher)


def any_container(matcher: str) -> str:
    """Return the selector of any container's memory, to see what a source has."""
    inside = ",".join(filter(None, (*_CONTAINERS, matcher)))
    return f"{MEMORY}{{{inside}}}"
