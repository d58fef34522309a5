"""Usage whose samples are gone: every question is answered from the longer steps that are kept, against figures of the samples as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from functional.client import Client
from functional.usage import PARTS, START, STEP, cluster_of
from worlds.collection import SetClock, inventory

from upid.adapters.directory.blobs import DirectoryBlobs
from upid.bootstrap import Services
from upid.domain.times import format_time
from upid.ports.usage_history import HistoryScope, SeriesKey, UsageChunk
from upid.services.profiles import Profiles, grown
from upid.services.retention import RetentionPolicy
from upid.services.sizing import rows_of

DAY = 86400
DAYS = 40
BEGIN, END = 7, 21  # the window that is asked for [days since START]
BATCH = "batch-0"
WITHIN = 0.0155  # half a bucket, and how answers are rounded


def measured() -> Any:
    """CPU of one pod of `batch`, with gaps, and of two of `db`, without. [cores]"""
    random = np.random.default_rng(11)
    values = random.lognormal(0.0, 0.8, (3, DAYS * DAY // STEP)).astype(np.float32)
    values[0] += np.arange(values.shape[1], dtype=np.float32) / 4000
    values[0, random.random(values.shape[1]) < 0.2] = np.nan
    return values


SAMPLES = measured()
ASKED = SAMPLES[:, BEGIN * DAY // STEP : END * DAY // STEP].astype(np.float64)
THERE = ASKED[0][~np.isnan(ASKED[0])]
WINDOW = {"start": format_time(START + BEGIN * DAY), "end": format_time(START + END * DAY)}


@pytest.fixture
def old(services: Services, tmp_path: Path) -> str:
    """A cluster of whose forty days of usage the last ten are there as samples, all of them in longer steps."""
    services.blobs = DirectoryBlobs(tmp_path / "blobs", durable=False)
    services.clock = SetClock(START + DAYS * DAY + 3600)
    cluster_id = cluster_of(services)
    scope, day = HistoryScope("default", cluster_id, 0), DAY // STEP
    keys = [SeriesKey(PARTS[2].uid, "main", BATCH), *(SeriesKey(PARTS[1].uid, "main", f"db-{n}") for n in range(2))]
    none = np.zeros(3, np.int32)
    for first in range(0, DAYS * day, day):
        cpu = SAMPLES[:, first : first + day]
        services.history.append(
            scope, UsageChunk(keys, START + first * STEP, STEP, cpu, cpu * 2**30, cpu * 0, none, none, np.full(3, np.nan))
        )
    told = {"watermark": START + DAYS * DAY, "shards": 1, "step_seconds": STEP}
    services.cluster_records.change("default", cluster_id, lambda body: body | told)
    Profiles(services.blobs).save("default", cluster_id, 0, grown(None, rows_of(inventory(*PARTS)), services.clock.now()))
    services.downsampling.downsample("default", cluster_id)
    services.retention.set("default", RetentionPolicy(10, 60, 60))
    services.downsampling.expire("default")
    assert list(services.history.read(scope, start=START, end=START + END * DAY)) == []
    return cluster_id


def asked(client: Client, cluster_id: str, what: str, **more: Any) -> dict[str, Any]:
    query = {"metric": "cpu_cores", "group_by": "pod", "pod": BATCH} | WINDOW | more
    return client.get(f"/metrics/{what.format(cluster_id)}", query={name: text for name, text in query.items() if text}).expect(200)


def calculated(client: Client, cluster_id: str, aggregation: str, **more: Any) -> dict[str, Any]:
    query = {
        "cluster_id": cluster_id,
        "metrics": ["cpu_cores"],
        "group_by": ["pod"],
        "aggregation": aggregation,
        "selection": {"pod": BATCH},
    }
    return client.post("/metrics/aggregate/bulk-calculate", {"queries": [query | WINDOW | more]}).expect(200)["items"][0]["result"]


def hold_figures(found: dict[str, Any]) -> None:
    """Hold the figures of `batch` against those of its samples."""
    assert found["samples"] == len(THERE)
    assert found["mean"] == pytest.approx(THERE.mean(), rel=1e-5)
    for name in ("p50", "p95", "p99"):
        assert found[name] == pytest.approx(np.quantile(THERE, float(name[1:]) / 100), rel=WITHIN), name


def test_peaks_are_those_of_the_samples(client: Client, old: str) -> None:
    answer = asked(client, old, "history/{}/peak-usage")
    (found,) = answer["items"]
    hour = int(np.nanargmax(ASKED[0])) * STEP // 3600
    assert answer["resolution"] == "1h"
    assert (found["peak"], found["at"]) == (pytest.approx(THERE.max(), rel=1e-5), format_time(START + BEGIN * DAY + hour * 3600))
    hold_figures(found)


def test_a_summary_is_that_of_the_samples_and_of_a_group_the_highest_at_most_what_is_told(client: Client, old: str) -> None:
    answer = asked(client, old, "aggregate/{}/summary", pod="", group_by="workload")
    found = {item["labels"]["workload"]: item["metrics"]["cpu_cores"] for item in answer["items"]}
    hold_figures(found["batch"])
    assert found["batch"]["max"] == pytest.approx(THERE.max(), rel=1e-5)
    both = ASKED[1:].sum(axis=0)
    hourly = ASKED[1:].reshape(2, -1, 12).max(axis=2).sum(axis=0)
    assert both.max() <= found["db"]["max"] == pytest.approx(hourly.max(), rel=1e-5)
    assert (found["db"]["mean"], found["db"]["samples"]) == (pytest.approx(both.mean(), rel=1e-5), len(both))
    assert answer["total"]["cpu_cores"]["max"] >= np.nansum(ASKED, axis=0).max()


def test_the_usual_week_is_that_of_the_samples(client: Client, old: str) -> None:
    answer = asked(client, old, "history/{}/baseline")
    (found,) = answer["items"]
    # The window begins on a Thursday, 72 hours into the week.
    hours = np.roll(ASKED[0].reshape(2, 168, 12), 72, axis=1).swapaxes(0, 1).reshape(168, 24)
    assert answer["resolution"] == "1h"
    assert found["samples"] == np.count_nonzero(~np.isnan(hours), axis=1).tolist()
    np.testing.assert_allclose(found["mean"], np.nanmean(hours, axis=1), rtol=1e-4)
    np.testing.assert_allclose(found["max"], np.nanmax(hours, axis=1), rtol=1e-4)
    for name in ("p50", "p95"):
        np.testing.assert_allclose(found[name], np.nanquantile(hours, float(name[1:]) / 100, axis=1), rtol=WITHIN)


@pytest.mark.parametrize("aggregation", ["mean", "max", "min", "sum", "count", "p50", "p95", "p99.9"])
def test_every_value_of_a_window_is_that_of_its_samples(client: Client, old: str, aggregation: str) -> None:
    exact = {"mean": THERE.mean(), "max": THERE.max(), "min": THERE.min(), "sum": THERE.sum(), "count": len(THERE)}
    expected = exact[aggregation] if aggregation in exact else np.quantile(THERE, float(aggregation[1:]) / 100)
    answer = calculated(client, old, aggregation)
    assert answer["resolution"] in {"1h", "1d"}
    assert answer["values"][0]["value"] == pytest.approx(expected, rel=WITHIN if aggregation.startswith("p") else 1e-4)


@pytest.mark.parametrize("aggregation", ["mean", "max", "p95"])
def test_a_window_of_hours_is_answered_too(client: Client, old: str, aggregation: str) -> None:
    window = {"start": format_time(START + BEGIN * DAY), "end": format_time(START + BEGIN * DAY + 6 * 3600)}
    there = ASKED[0, :72][~np.isnan(ASKED[0, :72])]
    expected = {"mean": there.mean(), "max": there.max(), "p95": np.quantile(there, 0.95)}[aggregation]
    answer = calculated(client, old, aggregation, **window)
    assert (answer["resolution"], answer["values"][0]["value"]) == ("1h", pytest.approx(expected, rel=WITHIN))


def test_a_rate_goes_from_the_mean_of_the_first_hour_to_that_of_the_last(client: Client, old: str) -> None:
    means = np.nanmean(ASKED[0].reshape(-1, 12), axis=1)
    whole = calculated(client, old, "rate")
    assert whole["resolution"] == "1h"
    assert whole["values"][0]["value"] == pytest.approx((means[-1] - means[0]) / ((len(means) - 1) * 3600), abs=2e-6)
    query = {"cluster_id": old, "metrics": ["memory_bytes"], "group_by": ["pod"], "aggregation": "rate", "selection": {"pod": BATCH}}
    answer = client.post("/metrics/history/query", query | WINDOW | {"step": "1d"}).expect(200)
    days = means.reshape(-1, 24)
    assert answer["resolution"] == "1h"
    np.testing.assert_allclose(answer["series"][0]["values"], (days[:, -1] - days[:, 0]) * 2**30 / (23 * 3600), rtol=1e-4, atol=1)


def test_days_are_read_where_hours_are_gone_too(client: Client, services: Services, old: str) -> None:
    services.retention.set("default", RetentionPolicy(10, 20, 60))
    answer = asked(client, old, "history/{}/peak-usage")
    assert (answer["resolution"], answer["items"][0]["peak"]) == ("1d", pytest.approx(THERE.max(), rel=1e-5))
    hold_figures(answer["items"][0])


def test_samples_are_read_while_they_are_kept(client: Client, old: str) -> None:
    recent = {"start": format_time(START + (DAYS - 5) * DAY), "end": format_time(START + DAYS * DAY)}
    there = SAMPLES[0, -5 * DAY // STEP :]
    answer = asked(client, old, "history/{}/peak-usage", **recent)
    exact = float(np.nanquantile(there.astype(np.float64), 0.95))
    assert (answer["resolution"], answer["items"][0]["p95"]) == ("stored", pytest.approx(exact, rel=1e-4))


def test_the_trend_of_a_few_days_goes_by_hours_and_by_days_where_those_are_gone(client: Client, services: Services, old: str) -> None:
    few = {"start": format_time(START + BEGIN * DAY), "end": format_time(START + (BEGIN + 6) * DAY)}
    answer = asked(client, old, "history/{}/trends", **few)
    assert (answer["resolution"], answer["items"][0]["points"]) == ("1h", 6 * 24)
    services.retention.set("default", RetentionPolicy(10, 20, 60))
    answer = asked(client, old, "history/{}/trends", **few)
    assert (answer["resolution"], answer["items"][0]["points"]) == ("1d", 6)


@pytest.mark.parametrize("across", ["mean", "max", "min", "count"])
def test_pods_are_joined_as_asked(client: Client, old: str, across: str) -> None:
    answer = asked(client, old, "history/{}/peak-usage", pod="", workload="db", group_by="", across=across)
    (found,) = answer["items"]
    both = ASKED[1:]
    joined = {"mean": both.mean(axis=0), "max": both.max(axis=0), "min": both.min(axis=0), "count": np.full(both.shape[1], 2.0)}[across]
    assert (answer["resolution"], found["samples"]) == ("1h", both.shape[1])
    assert found["peak"] >= joined.max() * (1 - 1e-5)
    if across in {"mean", "count"}:
        assert found["mean"] == pytest.approx(joined.mean(), rel=1e-5)


def test_steps_that_are_gone_are_refused_with_those_that_are_kept(client: Client, old: str) -> None:
    query = {"cluster_id": old, "metrics": ["cpu_cores"], "group_by": ["pod"], "selection": {"pod": BATCH}} | WINDOW
    problem = client.post("/metrics/history/query", query | {"step": "5m"}).problem(422, "invalid-request")
    stored = client.post("/metrics/aggregate", query | {"step": "5m"}).problem(422, "invalid-request")
    by_path = client.get(f"/metrics/history/{old}", query=WINDOW | {"step": "30m"}).problem(422, "invalid-request")

    assert (problem["errors"], by_path["errors"][0]["pointer"]) == (stored["errors"], "?step")
    assert (problem["errors"][0]["pointer"], "ask for 1h or a multiple of it" in problem["errors"][0]["detail"]) == ("#/step", True)


@pytest.mark.parametrize("aggregation", ["mean", "max", "count"])
def test_a_day_long_ago_is_answered_by_the_hour_where_no_step_is_asked_for(client: Client, old: str, aggregation: str) -> None:
    query = {"cluster_id": old, "metrics": ["cpu_cores"], "group_by": ["pod"], "selection": {"pod": BATCH}, "aggregation": aggregation}
    window = {"start": format_time(START + BEGIN * DAY), "end": format_time(START + (BEGIN + 1) * DAY)}
    answer = client.post("/metrics/history/query", query | window).expect(200)

    hours = ASKED[0, :288].reshape(24, 12)
    expected = {"mean": np.nanmean(hours, axis=1), "max": np.nanmax(hours, axis=1), "count": np.count_nonzero(~np.isnan(hours), axis=1)}
    assert (answer["step_seconds"], answer["resolution"], answer["warnings"]) == (3600, "1h", [])
    np.testing.assert_allclose(answer["series"][0]["values"], expected[aggregation], rtol=1e-4)


def test_a_window_that_is_kept_in_part_is_answered_and_it_is_told_from_when_on(client: Client, old: str) -> None:
    query = {"cluster_id": old, "metrics": ["cpu_cores"], "group_by": ["pod"], "selection": {"pod": BATCH}, "step": "5m", "window": "12d"}
    answer = client.post("/metrics/history/query", query).expect(200)

    kept = [index for index, value in enumerate(answer["series"][0]["values"]) if value is not None]
    assert (answer["resolution"], kept[0] // 288) == ("stored", 2)
    (said,) = answer["warnings"]
    assert said.startswith("Steps of 5m are kept since ")
    assert said.endswith("1h, or a multiple of it, has them.")


def test_hours_stand_in_for_samples_that_a_short_retention_has_removed(client: Client, services: Services, old: str) -> None:
    services.retention.set("default", RetentionPolicy(8, 60, 60))
    services.downsampling.expire("default")
    query = {"cluster_id": old, "metrics": ["cpu_cores"], "group_by": ["pod"], "selection": {"pod": BATCH}, "step": "1h", "window": "9d"}
    answer = client.post("/metrics/history/query", query).expect(200)

    assert (answer["resolution"], answer["warnings"], None in answer["series"][0]["values"]) == ("1h", [], False)
