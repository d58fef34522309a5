"""A cluster and its Prometheus in two small servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from outside.scanning import World, opened


@pytest.fixture
def world(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A cluster with one Deployment, `web` in `shop`, and its usage."""
    with opened(tmp_path, capfd, monkeypatch) as made:
        yield made
