"""An API server that pages, refuses and stumbles as a test tells it to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from outside.serving import Reply, Request, serving

from upid.adapters.kubernetes.client import ApiServer, ApiServers
from upid.adapters.kubernetes.session import Patience
from upid.domain.clusters import ClusterAccess
from upid.domain.inventory import Inventory

PODS = "/api/v1/pods"
NODES = "/api/v1/nodes"
DEPLOYMENTS = "/apis/apps/v1/deployments"
REPLICA_SETS = "/apis/apps/v1/replicasets"
STATEFUL_SETS = "/apis/apps/v1/statefulsets"
DAEMON_SETS = "/apis/apps/v1/daemonsets"
JOBS = "/apis/batch/v1/jobs"
CRON_JOBS = "/apis/batch/v1/cronjobs"
SCALERS = "/apis/autoscaling/v2/horizontalpodautoscalers"
OLD_SCALERS = "/apis/autoscaling/v1/horizontalpodautoscalers"
NAMESPACES = "/api/v1/namespaces"
KNOWN = (PODS, NODES, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS, JOBS, CRON_JOBS, SCALERS)

Body = dict[str, Any]


def refusal(status: int, message: str = "no", **headers: str) -> Reply:
    return Reply({"kind": "Status", "status": "Failure", "message": message, "code": status}, status, headers)


@dataclass
class Api:
    """Lists by path; `stumbles` are answered first, one after the other; `always` in place of a list."""

    lists: dict[str, list[Body]] = field(default_factory=lambda: {path: [] for path in KNOWN})
    stumbles: dict[str, list[Reply]] = field(default_factory=dict)
    always: dict[str, Reply] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def add(self, path: str, *bodies: Body) -> None:
        self.lists.setdefault(path, []).extend(bodies)

    def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        if self.stumbles.get(request.path):
            return self.stumbles[request.path].pop(0)
        if request.path in self.always:
            return self.always[request.path]
        if request.path == "/version":
            return Reply({"gitVersion": "v1.33.0"})
        if request.path == NAMESPACES:
            return self._page(request, [named("", name) for name in self.namespaces])
        parts = request.path.split("/")
        path, namespace = request.path, ""
        if "namespaces" in parts:
            at = parts.index("namespaces")
            namespace, path = parts[at + 1], "/".join(parts[:at] + parts[at + 2 :])
        if path not in self.lists:
            return refusal(404, "the server could not find the requested resource")
        return self._page(request, [body for body in self.lists[path] if namespace in {"", body["metadata"].get("namespace")}])

    @property
    def namespaces(self) -> list[str]:
        found = {body["metadata"].get("namespace", "") for bodies in self.lists.values() for body in bodies}
        return sorted(found - {""} | {"default"})

    def times(self, path: str) -> int:
        return sum(request.path == path for request in self.asked)

    def _page(self, request: Request, items: list[Body]) -> Reply:
        start, limit = int(request.param("continue", "0")), int(request.param("limit", "0")) or len(items)
        more = {"continue": str(start + limit)} if start + limit < len(items) else {}
        return Reply({"kind": "List", "metadata": more, "items": items[start : start + limit]})

    @contextlib.contextmanager
    def opened(self, page: int = 500, **patience: Any) -> Iterator[ApiServer]:
        with serving(self.answer) as url:
            servers = ApiServers(Patience(**({"sleep": self.slept.append, "read_seconds": 2.0} | patience)), page)
            server = servers.open(ClusterAccess(server=url, token="good"))
            yield server
            server.lister.session.close()

    def inventory(self, page: int = 500, **wanted: Any) -> Inventory:
        with self.opened(page) as server:
            return server.inventory(**wanted)


def named(namespace: str, name: str, owner: tuple[str, str] | None = None, **metadata: Any) -> Body:
    """Return an object with metadata; its uid is its name's, `owner` is (kind, name)."""
    owners = [{"kind": owner[0], "name": owner[1], "uid": f"uid-{owner[1]}", "controller": True}] if owner else []
    made = {"name": name, "uid": f"uid-{name}", "creationTimestamp": "2026-01-02T03:04:05Z", "ownerReferences": owners} | metadata
    return {"metadata": made | ({"namespace": namespace} if namespace else {})}


def box(name: str = "app", **more: Any) -> Body:
    return {"name": name, "image": f"registry.local/{name}:1"} | more


def asking(cpu: str | None = None, memory: str | None = None, cpu_limit: str | None = None, memory_limit: str | None = None) -> Body:
    requests = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value is not None}
    limits = {key: value for key, value in (("cpu", cpu_limit), ("memory", memory_limit)) if value is not None}
    return {"resources": {"requests": requests, "limits": limits}}


def workload(namespace: str, name: str, *containers: Body, owner: tuple[str, str] | None = None, labels: Any = None, **spec: Any) -> Body:
    pod = {"containers": list(containers) or [box()]}
    if "inits" in spec:
        pod["initContainers"] = spec.pop("inits")
    return named(namespace, name, owner, labels=labels or {}) | {"spec": {"template": {"spec": pod}} | spec}


def pod(
    namespace: str, name: str, owner: tuple[str, str] | None = None, node: str = "node-1", phase: str = "Running", **metadata: Any
) -> Body:
    return named(namespace, name, owner, **metadata) | {"spec": {"containers": [box()], "nodeName": node}, "status": {"phase": phase}}
