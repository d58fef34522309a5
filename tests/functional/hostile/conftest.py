"""A cluster and its Prometheus in two small servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from functional.hostile.scanning import World
from outside.serving import serving

from upid.bootstrap import build_services


@pytest.fixture
def world(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A cluster with one Deployment, `web` in `shop`, and its usage."""
    monkeypatch.setenv("UPID_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    build_services.cache_clear()
    made = World(tmp_path, capfd)
    made.cluster.namespace("shop")
    made.web()
    with serving(made.cluster.answer) as made.api_url, serving(made.metrics.answer) as made.prometheus_url:
        yield made
    build_services.cache_clear()
