"""A collector that is killed, stopped and resumed in the middle brings what a real Prometheus answers for the whole window, each sample once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from e2e.test_families_truth import LISTED, START, STEP, STEPS, TRUTH, WINDOW, asked, url
from outside.real_prometheus import is_installed
from worlds.collection import ALICE, World

from upid.adapters.prometheus.source import PrometheusSources
from upid.domain.clusters import MetricsAccess
from upid.domain.metrics import METRICS, USAGE
from upid.ports.usage_history import HistoryScope
from upid.services.collectors import id_of

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not is_installed(), reason="there is no Prometheus here")]

HOUR = 3600
USAGE_TRUTH = {
    "cpu_cores": "sum(rate(container_cpu_usage_seconds_total[5m]))", "memory_bytes": "max_over_time(container_memory_working_set_bytes[5m])",
}  # fmt: skip
__all__ = ["url"]  # the fixture of the other file


@pytest.fixture
def world(url: str, tmp_path: Path) -> World:
    made = World.at(tmp_path)
    made.cluster.listed = LISTED
    made.services.metrics_sources = PrometheusSources()
    return made


def stored(world: World, cluster_id: str, metric: str) -> np.ndarray[Any, Any]:
    """Return the stored samples of a metric's one series on the window's grid, and hold that no step is there twice."""
    row, history, scope = np.full(STEPS, np.nan), world.services.history, HistoryScope("default", cluster_id, 0)
    family, end = METRICS[metric].family, 0
    chunks: Iterator[Any] = (
        history.read(scope, start=0, end=2.0**40) if family == USAGE else history.read_family(scope, family, start=0, end=2.0**40)
    )
    for chunk in chunks:
        assert chunk.start >= end
        end = chunk.end
        values = getattr(chunk, metric) if family == USAGE else chunk.samples[metric]
        (series,) = values[~np.isnan(values).all(axis=1)]
        at = (chunk.start - START) // STEP
        row[at : at + len(series)] = series
    return row


def killed_in_the_fold(world: World, collection_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do a collection up to the moment at which its second family was stored, and die."""
    append, left = world.services.history.append, [2]

    def dying(scope: Any, chunk: Any) -> bool:
        left[0] -= hasattr(chunk, "family")
        if left[0] < 0:
            raise KeyboardInterrupt
        return append(scope, chunk)

    with monkeypatch.context() as patched:
        patched.setattr(world.services.history, "append", dying)
        with pytest.raises(KeyboardInterrupt):
            world.run(collection_id)


def test_killed_stopped_and_resumed_it_has_what_prometheus_answers(url: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.clock.moment = START + HOUR
    cluster_id = world.register(metrics=MetricsAccess(url))
    collection_id = world.start(cluster_id, history_seconds=HOUR)
    killed_in_the_fold(world, collection_id, monkeypatch)
    world.run(collection_id)
    collector_id = id_of(world.services.cluster_records.get("default", cluster_id).body)

    world.services.collectors.set_state(ALICE, collector_id, "stopped")
    world.clock.moment = WINDOW.end - 5 * STEP
    assert world.services.schedule.start_collections()["started"] == []
    world.services.collectors.set_state(ALICE, collector_id, "running")
    for moment in (WINDOW.end - 5 * STEP, WINDOW.end + STEP // 2):
        world.clock.moment = moment
        assert world.services.schedule.start_collections()["started"] == [cluster_id]
        assert world.services.schedule.start_collections()["started"] == []
        world.run(world.services.cluster_records.get("default", cluster_id).body["last_collection_id"])

    assert world.services.cluster_records.get("default", cluster_id).body["watermark"] == WINDOW.end
    for metric, query in (USAGE_TRUTH | TRUTH).items():
        np.testing.assert_allclose(stored(world, cluster_id, metric), asked(url, query), rtol=1e-6, err_msg=metric)
