"""The manifests against what the platform really asks of an API server: nothing that they do not allow, and nothing allowed in vain."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import urllib3
import yaml
from functional.client import Client
from functional.clusters.conftest import look
from functional.clusters.test_state import register
from outside.serving import Reply, Request, serving

from upid.adapters.kubernetes.client import ApiServers
from upid.adapters.metrics_server.source import MetricsServerSource
from upid.bootstrap import Services
from upid.demo.server import KUBERNETES, DemoServer
from upid.domain.clusters import ClusterAccess
from upid.domain.errors import UnavailableError
from upid.ports.metrics_source import Window
from upid.services.access_rules import manifest

LISTS = ("nodes", "namespaces", "workloads", "pods", "deployments", "services", "configmaps", "secrets")
EVERYBODYS = ("/version", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")  # system:discovery and system:basic-user allow these

Allowed = tuple[str, str, str]


class Recording:
    """Hands requests on to the demo cluster and keeps what was asked: the path, and the verb that RBAC knows it by."""

    def __init__(self, behind: str) -> None:
        self.asked: set[str] = set()
        self._behind = behind
        self._pool = urllib3.PoolManager(retries=False)

    def answer(self, request: Request) -> Reply:
        self.asked.add(request.path)
        fields = {name: values[0] for name, values in request.params.items() if not request.body}
        token = {"Authorization": request.headers.get("authorization", "")}
        if request.body:
            answer = self._pool.request("POST", f"{self._behind}{request.path}", body=request.body, headers=token)
        else:
            answer = self._pool.request("GET", f"{self._behind}{request.path}", fields=fields, headers=token)
        return Reply(answer.data, answer.status)


@pytest.fixture
def asked(client: Client, services: Services, demo: DemoServer) -> Iterator[set[str]]:
    """The paths of a collection, of all live lists, of health, of a validation, and of metrics-server as a source."""
    recording = Recording(demo.url + KUBERNETES)
    with serving(recording.answer) as url:
        cluster_id = register(client, url, demo)
        look(client, services, cluster_id)
        for kind in (*LISTS, "status", "health", "metrics"):
            client.get(f"/clusters/{cluster_id}/{kind}", query={"live": "true"}).expect(200)
        client.get(f"/clusters/{cluster_id}/pods", query={"live": "true", "namespace": "shop"}).expect(200)
        client.post(f"/clusters/{cluster_id}/validate").expect(200)
        by_token = ClusterAccess(server=url, token="demo-token")
        with contextlib.suppress(UnavailableError):  # the demo cluster has no metrics of pods; that they are asked for is enough
            list(MetricsServerSource(ApiServers(), by_token).usage([["shop"]], Window(0, 300, 300)))
        yield recording.asked


def permission(path: str) -> Allowed | None:
    """Return the group, resource and verb of a GET, None for discovery and what every account may ask."""
    parts = path.strip("/").split("/")
    if path in EVERYBODYS:
        return None
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    if not rest:
        return None
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    return group, rest[0], "list" if len(rest) == 1 else "get"


def allowed(*, apply: bool) -> set[Allowed]:
    role = next(part for part in yaml.safe_load_all(manifest(apply=apply)) if part["kind"] == "ClusterRole")
    return {
        (group, name, verb) for rule in role["rules"] for group in rule["apiGroups"] for name in rule["resources"] for verb in rule["verbs"]
    }


def test_the_read_only_manifest_allows_what_is_asked_and_nothing_else(asked: set[str]) -> None:
    wanted = {found for path in asked if (found := permission(path)) is not None}

    assert len(wanted) > 12
    assert wanted - allowed(apply=False) == {("", "secrets", "list")}
    assert allowed(apply=False) - wanted == set()


def test_paths_are_read_as_rbac_reads_them() -> None:
    assert permission("/api/v1/namespaces") == ("", "namespaces", "list")
    assert permission("/api/v1/namespaces/shop") == ("", "namespaces", "get")
    assert permission("/api/v1/namespaces/shop/pods") == ("", "pods", "list")
    assert permission("/apis/apps/v1/namespaces/shop/deployments/web") == ("apps", "deployments", "get")
    assert [permission(path) for path in ("/version", "/api/v1", "/apis/argoproj.io/v1alpha1")] == [None, None, None]


def test_the_manifests_are_whole_and_hold_together() -> None:
    for apply in (False, True):
        parts = {part["kind"]: part for part in yaml.safe_load_all(manifest(apply=apply))}
        assert set(parts) == {"Namespace", "ServiceAccount", "Secret", "ClusterRoleBinding", "ClusterRole"}
        account, binding = parts["ServiceAccount"]["metadata"], parts["ClusterRoleBinding"]
        assert parts["Secret"]["metadata"]["annotations"]["kubernetes.io/service-account.name"] == account["name"]
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}]
        assert binding["roleRef"]["name"] == parts["ClusterRole"]["metadata"]["name"]
    assert allowed(apply=True) > allowed(apply=False)
    assert not [verb for _, _, verb in allowed(apply=True) if verb in {"create", "delete", "update", "*"}]
