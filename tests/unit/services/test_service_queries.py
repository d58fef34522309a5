"""Queries of a collector: what is refused before it is kept, what is measured, and what is told of one that fails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from worlds.collection import ALICE, START, STEP, World, level, workload

from upid.domain.errors import InvalidRequestError
from upid.domain.metrics import ServiceQuery
from upid.ports.usage_history import HistoryScope, SeriesKey
from upid.services.collectors import CollectorSettings, id_of
from upid.services.query_texts import faults_of

HOUR = 3600


def query(text: str, metric: str = "requests_per_second", name: str = "web") -> ServiceQuery:
    return ServiceQuery("shop", "Deployment", name, metric, text)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.at(tmp_path, workload("bank", "ledger"), workload("shop", "web"))


def asking(world: World, *queries: ServiceQuery) -> str:
    """Return the id of a cluster whose collector asks these queries."""
    cluster_id = world.register()
    body = world.services.cluster_records.get("default", cluster_id).body
    world.services.collectors.replace(ALICE, id_of(body), CollectorSettings(queries=queries))
    return cluster_id


@pytest.mark.parametrize(
    ("text", "said"),
    [("  ", "not empty"), ("sum(up", "'(' is not closed"), ("up{a='b]'", "'{' is not closed"), ("up)", "closes nothing"), ("up[5m)", "closes nothing"),
     ('up{a="b}', "string is not closed"), ("up\x00", "control characters")],
)  # fmt: skip
def test_text_that_no_query_is_is_refused_with_its_place(text: str, said: str) -> None:
    (fault,) = faults_of([query("up"), query(text, "latency_seconds")])
    assert fault["pointer"] == "#/queries/1/query"
    assert said in fault["detail"]


@pytest.mark.parametrize(
    "text", ['sum(rate(http_total{path=~"/a(b|c)\\"["}[5m]))', "up{a='(', b=`\\`}", "# it's a (remark\nup", "scalar(vector(1))"]
)
def test_text_that_may_be_a_query_is_kept(text: str) -> None:
    assert faults_of([query(text)]) == []


def test_what_is_measured_twice_is_refused() -> None:
    (fault,) = faults_of([query("up"), query("up"), query("up", "queue_depth")])
    assert (fault["pointer"], "measured by a query before" in fault["detail"]) == ("#/queries/1", True)


def test_a_collector_refuses_them_as_a_whole(world: World) -> None:
    with pytest.raises(InvalidRequestError):
        asking(world, query("sum(up"))


def test_each_query_gives_a_metric_of_its_workload(world: World) -> None:
    cluster_id = asking(
        world,
        query("level a"),
        query("level bb", "latency_seconds"),
        ServiceQuery("bank", "Deployment", "ledger", "queue_depth", "level c"),
    )
    view = world.collect(cluster_id, history_seconds=HOUR)

    (chunk,) = world.services.history.read_family(HistoryScope("default", cluster_id, 0), "service", start=0, end=2.0**40)
    moments, rows = START - HOUR + STEP * np.arange(12), {key: row for row, key in enumerate(chunk.keys)}
    web, ledger = (rows[SeriesKey(f"uid-{name}", "", "")] for name in ("shop-Deployment-web", "bank-Deployment-ledger"))
    np.testing.assert_array_equal(chunk.samples["requests_per_second"][web], level("level a", moments).astype(np.float32))
    np.testing.assert_array_equal(chunk.samples["latency_seconds"][web], level("level bb", moments).astype(np.float32))
    np.testing.assert_array_equal(chunk.samples["queue_depth"][ledger], level("level c", moments).astype(np.float32))
    assert np.isnan(chunk.samples["queue_depth"][web]).all()
    assert (view["status"], view["result"]["families"]["service"]) == ("succeeded", {"state": "collected", "samples": 36})


def test_a_query_that_fails_or_has_no_workload_is_named_and_leaves_the_others(world: World) -> None:
    cluster_id = asking(world, query("level a"), query("bad", "latency_seconds"), query("level b", name="gone"))
    view = world.collect(cluster_id, history_seconds=HOUR)

    assert view["status"] == "partial"
    assert {(error["code"], error["subject"], error["detail"]) for error in view["errors"]} == {
        ("query_failed", "latency_seconds of shop/Deployment/web, 1 answers", "Prometheus refuses bad."),
        ("query_failed", "requests_per_second of shop/Deployment/gone, 1 answers", "The cluster has no such workload."),
    }
    assert view["result"]["families"]["service"] == {"state": "collected", "samples": 12}
    assert world.services.cluster_records.get("default", cluster_id).body["watermark"] == START


def test_a_collector_without_queries_measures_no_service(world: World) -> None:
    view = world.collect(world.register(), history_seconds=HOUR)
    assert "service" not in view["result"]["families"]
