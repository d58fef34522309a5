"""The benchmark of what a process keeps: it measures each kind in both ways."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import caches
from upid.bootstrap import build_services
from upid.domain.lifetimes import Lifetimes


def test_each_kind_is_measured_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    made = caches.prepared(tmp_path, 3)
    try:
        services = caches.opened(tmp_path, Lifetimes())
        found = caches.figures(services, made, shards=2, repeat=1)
    finally:
        build_services.cache_clear()

    assert set(found) == {
        "caller_of_a_token",
        "authorised_request",
        "credentials_of_a_cluster",
        "rules_of_an_analysis",
        "forecast_of_a_week",
    }
    assert all(seconds > 0 for seconds in found.values())
    counts = {each.name: each.hits for each in services.caches.counts()}
    assert all(hits > 0 for hits in counts.values()), counts
