"""A cluster and its metrics in two small servers, and `upid scan` run against them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from outside.cluster import Cluster, container
from outside.metrics import Metrics
from outside.serving import serving
from upid.bootstrap import build_services
from upid.cli.main import main

AT = 1_700_006_400  # a midnight, UTC
DAY = 86_400
GIB = 2**30


@dataclass(frozen=True)
class Outcome:
    """What a run left: its exit status, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    def entry(self, name: str) -> dict[str, Any]:
        (found,) = [e for e in self.document["recommendations"] if e["name"] == name]
        return found  # type: ignore[no-any-return] # a JSON entry

    def assert_refused(self, status: int, *words: str) -> None:
        """Hold that the run ended so, with a short message that has these words and no traceback, and nothing on standard output."""
        assert (self.status, self.out) == (status, ""), self.err
        assert "Traceback" not in self.err
        assert 1 <= len(self.err.strip().splitlines()) <= 6, self.err
        for word in words:
            assert word.lower() in self.err.lower(), self.err


@dataclass
class World:
    """What a scan reads, and the way to run one."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    cluster: Cluster = field(default_factory=Cluster)
    metrics: Metrics = field(default_factory=Metrics)
    api_url: str = ""
    prometheus_url: str = ""

    def kubeconfig(self, text: str | bytes | None = None) -> str:
        """Write a kubeconfig, the cluster's own where none is given, and return its path."""
        path = self.folder / "kubeconfig"
        text = self.cluster.kubeconfig(self.api_url) if text is None else text
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def web(self, namespace: str = "shop", name: str = "web", *, pods: int = 2, cpu: float = 0.2, memory: float = GIB) -> None:
        """Add a Deployment that asks for too much, with steady usage."""
        names = [f"{name}-5d4f9c-{number:03}" for number in range(pods)]
        self.cluster.deployment(namespace, name, [container(cpu="4", memory="8Gi")], replicas=pods, pods=names)
        for pod in names:
            self.metrics.usage(namespace, pod, "app", lambda _: cpu, lambda _: memory)

    def run(self, *arguments: str, kubeconfig: str | None = None) -> Outcome:
        """Run `upid scan` over one day at hourly steps, unless told otherwise, and return what came of it."""
        given = ["--kubeconfig", kubeconfig or self.kubeconfig(), "--prometheus-url", self.prometheus_url, "--at", str(AT)]
        self.capture.readouterr()
        status = main(["scan", *given, "--history", "1d", "--step", "15m", "--output", "json", *arguments])
        return Outcome(status, *self.capture.readouterr())


@contextlib.contextmanager
def opened(tmp_path: Path, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give a cluster with one Deployment, `web` in `shop`, and its usage."""
    monkeypatch.setenv("UPID_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    build_services.cache_clear()
    made = World(tmp_path, capture)
    made.cluster.namespace("shop")
    made.web()
    with serving(made.cluster.answer) as made.api_url, serving(made.metrics.answer) as made.prometheus_url:
        yield made
    build_services.cache_clear()
