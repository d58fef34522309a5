"""The demo cluster over HTTP: its Kubernetes API under /kubernetes (bearer token), its Prometheus API under /prometheus, one port on loopback."""

from __future__ import annotations

import hmac
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Final
from urllib.parse import parse_qs, urlsplit

from upid.demo.kubernetes.api import KubernetesApi, status
from upid.demo.plan import DAY, Scale
from upid.demo.planning import plan
from upid.demo.prometheus.api import PrometheusApi, Reply
from upid.demo.prometheus.families import families
from upid.demo.usage import usage_of

KUBERNETES: Final = "/kubernetes"
PROMETHEUS: Final = "/prometheus"
MANY_PODS: Final = 1000
LONGEST_BODY: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Identity:
    """What a demo cluster is: the same identity is the same cluster, whenever and wherever it is served. `anchor`: see `Scale`."""

    token: str = field(repr=False)
    anchor: int
    seed: int = 7
    pods: int = 150

    @property
    def cell_seconds(self) -> int:
        """How finely use changes: by the minute, or by five where there are very many pods."""
        return 60 if self.pods <= MANY_PODS else 300


@dataclass(frozen=True, slots=True)
class Apis:
    """The APIs of one plan, good until `until`."""

    kubernetes: KubernetesApi
    prometheus: PrometheusApi
    until: int


@dataclass(slots=True)
class DemoCluster:
    """The cluster behind a server. Pods that come and go are planned a day ahead, and again when that day has come."""

    identity: Identity
    clock: Callable[[], float] = time.time
    _lock: Lock = field(default_factory=Lock, repr=False)
    _apis: Apis | None = field(default=None, repr=False)

    def apis(self) -> Apis:
        """Return the APIs that are good now."""
        now = int(self.clock())
        with self._lock:
            if self._apis is None or now >= self._apis.until:
                self._apis = self._built((now // DAY + 2) * DAY)
            return self._apis

    def answer(self, target: str, body: bytes, authorization: str) -> Reply:
        """Return the answer to a request for a path with its query; `body` holds a form's parameters."""
        parts = urlsplit(target)
        parameters = parse_qs(parts.query, keep_blank_values=True)
        for name, values in parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True).items():
            parameters.setdefault(name, []).extend(values)
        if parts.path.startswith(f"{PROMETHEUS}/"):
            return self.apis().prometheus.answer(parts.path.removeprefix(PROMETHEUS), parameters, self.clock())
        if not parts.path.startswith(f"{KUBERNETES}/"):
            return Reply(404, b"404 page not found\n", "text/plain; charset=utf-8")
        if not hmac.compare_digest(authorization.encode(), f"Bearer {self.identity.token}".encode()):
            return Reply(*status(401, "Unauthorized", "Unauthorized"))
        kubernetes, path = self.apis().kubernetes, parts.path.removeprefix(KUBERNETES)
        return Reply(*(kubernetes.review(path, body) if body else kubernetes.answer(path, parameters, self.clock())))

    def _built(self, until: int) -> Apis:
        identity = self.identity
        planned = plan(Scale(identity.seed, identity.pods, identity.anchor, until))
        usage = usage_of(planned, identity.cell_seconds)
        metrics = PrometheusApi(families(planned, usage), identity.cell_seconds)
        return Apis(KubernetesApi(planned, usage), metrics, until)


class DemoServer(ThreadingHTTPServer):
    """The cluster on a port of this machine."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, cluster: DemoCluster, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.cluster = cluster

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing where a client went away in the middle; anything else is told on standard error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # the names of the base class's private types

    @property
    def url(self) -> str:
        """The URL of the port."""
        return f"http://127.0.0.1:{self.server_port}"

    def kubeconfig(self) -> str:
        """Return a kubeconfig for the cluster."""
        return (
            "apiVersion: v1\nkind: Config\ncurrent-context: demo\n"
            f"clusters:\n- name: demo\n  cluster:\n    server: {self.url}{KUBERNETES}\n"
            f"users:\n- name: demo\n  user:\n    token: {self.cluster.identity.token}\n"
            "contexts:\n- name: demo\n  context:\n    cluster: demo\n    user: demo\n"
        )


class _Handler(BaseHTTPRequestHandler):
    """Hands requests to the cluster."""

    protocol_version = "HTTP/1.1"
    server: DemoServer
    wbufsize = -1  # headers and body leave together
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer a GET."""
        self._reply(b"")

    def do_POST(self) -> None:
        """Answer a POST with a form, or with a review of access."""
        length = self.headers.get("Content-Length", "0")
        size = int(length) if length.isdigit() else LONGEST_BODY + 1
        if size > LONGEST_BODY:
            self.send_error(413)
            return
        self._reply(self.rfile.read(size))

    def _reply(self, body: bytes) -> None:
        reply = self.server.cluster.answer(self.path, body, self.headers.get("Authorization", ""))
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:  # who is not told may send its next request into a connection that ends
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name is the base class's
        """Log for whoever looks that closely: the platform that asks tells what matters."""
        logging.getLogger(__name__).debug(format, *args)
