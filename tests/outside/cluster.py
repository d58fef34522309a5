"""A Kubernetes API that lists what a test puts into it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from outside.serving import Reply, Request

TOKEN = "a-token-that-is-good"
CREATED = "2023-10-01T00:00:00Z"
APPS = "/apis/apps/v1"
LISTS = {
    "namespaces": "/api/v1", "pods": "/api/v1", "nodes": "/api/v1", "deployments": APPS, "replicasets": APPS, "statefulsets": APPS,
    "daemonsets": APPS, "services": "/api/v1", "configmaps": "/api/v1", "secrets": "/api/v1", "endpointslices": "/apis/discovery.k8s.io/v1", "jobs": "/apis/batch/v1", "cronjobs": "/apis/batch/v1", "horizontalpodautoscalers": "/apis/autoscaling/v2",
}  # fmt: skip

Body = dict[str, Any]


def container(name: str = "app", cpu: str | None = "500m", memory: str | None = "512Mi", **more: Any) -> Body:
    requests = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value is not None}
    return {"name": name, "image": "registry.local/app:1", "resources": {"requests": requests, **more.pop("resources", {})}, **more}


def meta(namespace: str, name: str, uid: str, owner: tuple[str, str, str] | None = None, created: str = CREATED) -> Body:
    owners = [{"kind": owner[0], "name": owner[1], "uid": owner[2], "controller": True}] if owner else []
    return {"namespace": namespace, "name": name, "uid": uid, "creationTimestamp": created, "ownerReferences": owners}


@dataclass
class Cluster:
    """Objects by plural. `overrides`: answers by path that stand before all others; `asked`: the paths of all requests."""

    objects: dict[str, list[Body]] = field(default_factory=dict)
    overrides: dict[str, Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def namespace(self, *names: str) -> Cluster:
        self._add("namespaces", *({"metadata": {"name": name, "uid": f"ns-{name}"}} for name in names))
        return self

    def deployment(
        self, namespace: str, name: str, containers: Iterable[Body] = (), *, replicas: int = 1, pods: Sequence[str] | None = None
    ) -> str:
        """Add a Deployment with its ReplicaSet and live pods, named as Kubernetes does, and return its uid."""
        uid = f"uid-{namespace}-{name}"
        spec = {"containers": list(containers) or [container()]}
        set_name, set_uid = f"{name}-5d4f9c", f"{uid}-rs"
        template = {"template": {"spec": spec}}
        status = {"readyReplicas": replicas}
        self._add("deployments", {"metadata": meta(namespace, name, uid), "spec": {"replicas": replicas, **template}, "status": status})
        owned = meta(namespace, set_name, set_uid, ("Deployment", name, uid))
        self._add("replicasets", {"metadata": owned, "spec": {"replicas": replicas, **template}, "status": status})
        for pod in pods if pods is not None else [f"{set_name}-{n:03}" for n in range(replicas)]:
            made = meta(namespace, pod, f"{uid}-{pod}", ("ReplicaSet", set_name, set_uid))
            self._add("pods", {"metadata": made, "spec": {**spec, "nodeName": "node-1"}, "status": {"phase": "Running"}})
        return uid

    def answer(self, request: Request) -> Reply:
        """Answer as an API server does: 401 without the token, 404 for what is not there, lists of one namespace or of all."""
        self.asked.append(request.path)
        if request.path in self.overrides:
            return self.overrides[request.path]
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return refusal(401, "Unauthorized")
        if request.path == "/version":
            return Reply({"gitVersion": "v1.34.1"})
        for plural, group in LISTS.items():
            if request.path == f"{group}/{plural}":
                return self._list(plural, self.objects.get(plural, []))
            if request.path.startswith(f"{group}/namespaces/") and request.path.endswith(f"/{plural}"):
                namespace = request.path.removeprefix(f"{group}/namespaces/").split("/")[0]
                return self._list(plural, [o for o in self.objects.get(plural, []) if o["metadata"].get("namespace") == namespace])
        return self._one(request.path)

    def kubeconfig(self, url: str, token: str = TOKEN) -> str:
        """Return a kubeconfig whose current context is `test`."""
        return f"""
apiVersion: v1
kind: Config
current-context: test
clusters: [{{name: c, cluster: {{server: "{url}"}}}}]
users: [{{name: u, user: {{token: "{token}"}}}}]
contexts: [{{name: test, context: {{cluster: c, user: u}}}}]
"""

    def _add(self, plural: str, *bodies: Body) -> None:
        self.objects.setdefault(plural, []).extend(bodies)

    def _list(self, plural: str, items: list[Body]) -> Reply:
        return Reply({"kind": f"{plural}List", "metadata": {"resourceVersion": "1"}, "items": items})

    def _one(self, path: str) -> Reply:
        for found in self.objects.get("namespaces", []):
            if path == f"/api/v1/namespaces/{found['metadata']['name']}":
                return Reply(found)
        return refusal(404, "the server could not find the requested resource")


def refusal(status: int, message: str) -> Reply:
    """Return what an API server says when it does not do what it was asked."""
    return Reply({"kind": "Status", "status": "Failure", "message": message, "code": status}, status)
