"""Usage as it ages, over HTTP: brought onto longer steps by the schedule, asked on the steps that the window wants, gone when its time is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from functional.client import Client
from functional.usage import PARTS, START, STEP, append, cluster_of, stored, usage_of
from worlds.collection import SetClock, inventory

from functions.events.downsample_usage import handler
from upid.adapters.directory.blobs import DirectoryBlobs
from upid.bootstrap import Services
from upid.domain.errors import InvalidRequestError
from upid.domain.times import format_time
from upid.ports.usage_history import HistoryScope, MetricChunk, SeriesKey
from upid.ports.usage_rollups import RollupScope
from upid.runtime.scheduler import event_of
from upid.runtime.template import Template
from upid.services.profiles import Profiles, grown
from upid.services.retention import RetentionPolicy
from upid.services.sizing import rows_of

DAY = 86400
EVENT = event_of(Template.load().schedules[-1], 0.0)
DAYS = 45
STEPS = DAYS * DAY // STEP


@pytest.fixture
def aged(services: Services, tmp_path: Path) -> str:
    """A cluster with forty-five days of usage and the begin of the next, all of it brought onto longer steps that is over."""
    services.blobs = DirectoryBlobs(tmp_path / "blobs", durable=False)
    services.clock = SetClock(START + STEPS * STEP + 7200)
    cluster_id = cluster_of(services)
    for day in range(0, DAYS, 9):
        append(services, cluster_id, day * DAY // STEP, (day + 9) * DAY // STEP)
    append(services, cluster_id, STEPS, STEPS + 24)
    Profiles(services.blobs).save("default", cluster_id, 0, grown(None, rows_of(inventory(*PARTS)), services.clock.now()))
    assert services.downsampling.downsample("default", cluster_id) == DAYS
    return cluster_id


def asked(client: Client, cluster_id: str, window: str = "45d", **more: Any) -> dict[str, Any]:
    query = {"cluster_id": cluster_id, "window": window, "group_by": ["pod"], "metrics": ["cpu_cores"], "selection": {"workload": "batch"}}
    return client.post("/metrics/history/query", query | more).expect(200)


def values(answer: dict[str, Any]) -> Any:
    (series,) = answer["series"]
    return np.array(series["values"], float)


def batch(days: int, begin: int = 0) -> Any:
    return usage_of("batch", np.arange(begin * DAY // STEP, (begin + days) * DAY // STEP)).astype(np.float32).astype(np.float64)


@pytest.mark.parametrize(
    ("step", "resolution", "width"), [("1d", "1d", 288), ("7d", "1d", 2016), ("6h", "1h", 72), ("1h", "1h", 12), ("5m", "stored", 1)]
)
def test_the_longest_steps_that_fit_are_read_and_told(client: Client, aged: str, step: str, resolution: str, width: int) -> None:
    window = {"start": format_time(START), "end": format_time(START + 21 * DAY), "window": None, "step": step}
    answer = asked(client, aged, **window)
    assert (answer["resolution"], answer["stored_step_seconds"], answer["step_seconds"]) == (resolution, 300, width * STEP)
    np.testing.assert_allclose(values(answer), batch(21).reshape(-1, width).mean(1), rtol=2e-6)


@pytest.mark.parametrize("aggregation", ["max", "min", "sum", "count", "p50", "p95"])
def test_every_figure_of_longer_steps_is_that_of_the_samples(client: Client, aged: str, aggregation: str) -> None:
    window = {"start": format_time(START + 7 * DAY), "end": format_time(START + 28 * DAY), "window": None, "step": "7d"}
    answer = asked(client, aged, aggregation=aggregation, **window)
    samples = batch(21, 7).reshape(3, 2016)
    exact = {"max": samples.max(1), "min": samples.min(1), "sum": samples.sum(1), "count": np.full(3, 2016.0)}
    expected = exact[aggregation] if aggregation in exact else np.quantile(samples, float(aggregation[1:]) / 100, axis=1)
    assert answer["resolution"] == "1d"
    np.testing.assert_allclose(values(answer), expected, rtol=0.016 if aggregation.startswith("p") else 2e-6)


def test_an_answer_ends_where_what_is_collected_ends(client: Client, aged: str) -> None:
    found = values(asked(client, aged, "20d", step="1h"))
    np.testing.assert_allclose(found[-2:], usage_of("batch", np.arange(STEPS, STEPS + 24)).reshape(2, 12).mean(1), rtol=2e-6)
    assert not np.isnan(found).any()


def test_a_short_window_is_answered_from_the_samples_and_a_rate_always(client: Client, aged: str) -> None:
    assert asked(client, aged, "13d", step="1d")["resolution"] == "stored"
    assert asked(client, aged, "40d", step="1d", aggregation="rate")["resolution"] == "stored"


def test_groups_are_joined_by_the_figures_of_each_step(client: Client, aged: str) -> None:
    answer = asked(client, aged, "40d", step="1d", selection={"workload": "db"}, group_by=["workload"])
    np.testing.assert_allclose(values(answer), np.full(len(values(answer)), 1.0), rtol=1e-6)


def test_trends_and_calculations_of_a_long_window_use_longer_steps(client: Client, aged: str) -> None:
    trends = client.get(f"/metrics/history/{aged}/trends", query={"window": "40d", "metric": "cpu_cores"}).expect(200)
    (jobs,) = [item for item in trends["items"] if item["labels"] == {"namespace": "jobs"}]
    assert (trends["resolution"], jobs["direction"], round(jobs["slope_per_day"], 3)) == ("1d", "rising", 0.24)
    query = {"cluster_id": aged, "window": "45d", "aggregation": "max", "group_by": ["namespace"], "metrics": ["cpu_cores"]}
    calculated = client.post("/metrics/aggregate/bulk-calculate", {"queries": [query]}).expect(200)["items"][0]["result"]
    assert calculated["resolution"] in {"1h", "1d"}


def test_the_schedule_does_each_day_once_and_removes_what_is_old(services: Services, aged: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.events.downsample_usage.build_services", lambda: services)
    services.retention.set("default", RetentionPolicy(10, 20, 30))

    assert [handler(EVENT, None) for _ in range(2)] == [{"days": 0, "failed": [], "expired": ["default"]}] * 2

    end = START + STEPS * STEP
    (oldest, *_) = services.history.read(HistoryScope("default", aged, 0), start=0, end=4e9)
    assert oldest.end > end - 10 * DAY
    for step, days in ((3600, 20), (86400, 30)):
        chunks = list(services.rollups.read(RollupScope("default", aged, 0, "usage", step), (), start=0, end=4e9))
        assert end - (days + 31) * DAY <= chunks[0].start
        assert chunks[0].end > end - days * DAY
        assert chunks[-1].end == end


def test_what_could_not_be_brought_onto_longer_steps_is_not_removed(services: Services, aged: str, monkeypatch: pytest.MonkeyPatch) -> None:
    services.cluster_records.change("default", aged, lambda body: body | {"watermark": START + (DAYS + 1) * DAY})
    before = list(services.blobs.names("t/"))
    monkeypatch.setattr(type(services.rollups), "append", lambda *_: (_ for _ in ()).throw(InvalidRequestError([])))
    services.clock.moment += 400 * DAY  # type: ignore[attr-defined]  # the clock of this test
    assert services.downsampling.run(within_seconds=60) == {"days": 0, "failed": [aged], "expired": []}
    assert list(services.blobs.names("t/")) == before


def test_a_run_ends_in_its_time_and_the_next_goes_on(services: Services, aged: str) -> None:
    services.cluster_records.change("default", aged, lambda body: body | {"watermark": START + (DAYS + 3) * DAY})
    assert services.downsampling.run(within_seconds=0) == {"days": 0, "failed": [], "expired": []}
    assert services.downsampling.run(within_seconds=60)["days"] == 3


def test_nothing_of_a_deleted_cluster_or_an_erased_tenant_is_left(client: Client, services: Services, aged: str) -> None:
    client.delete(f"/clusters/{aged}").expect(204)
    assert list(services.blobs.names("t/")) == []
    other = stored(services, 2 * DAY // STEP)
    services.downsampling.downsample("default", other)
    services.history.delete_tenant("default")
    services.rollups.delete_tenant("default")
    assert [name for name in services.blobs.names("t/") if "/history/" in name or "/rollups/" in name] == []


@pytest.mark.parametrize("policy", [RetentionPolicy(7, 180, 365), RetentionPolicy(90, 180, 4000), RetentionPolicy(90, 60, 365)])
def test_a_policy_that_cannot_be_is_refused(services: Services, policy: RetentionPolicy) -> None:
    with pytest.raises(InvalidRequestError):
        services.retention.set("default", policy)
    assert services.retention.of("default") == RetentionPolicy()


def test_another_familys_metrics_age_as_well(client: Client, services: Services, aged: str) -> None:
    steps = 40 * DAY // STEP
    used = np.arange(steps, dtype=np.float32)[None]
    chunk = MetricChunk(
        "storage", [SeriesKey(PARTS[1].uid, "", "", "data-db-0")], START, START + 40 * DAY, STEP, {"volume_used_bytes": used}
    )
    services.history.append(HistoryScope("default", aged, 0), chunk)
    services.cluster_records.change("default", aged, lambda body: body | {"watermark": START + (DAYS + 1) * DAY})
    services.downsampling.downsample("default", aged)

    answer = asked(client, aged, "41d", metrics=["volume_used_bytes"], step="1d", aggregation="max", selection={}, group_by=["volume"])
    (series,) = answer["series"]
    assert (answer["resolution"], series["labels"], series["values"][:3]) == (
        "1d",
        {"volume": "data-db-0"},
        [float(288 * 6 - 1), 2015.0, 2303.0],
    )
