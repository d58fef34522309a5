"""Stored usage over HTTP: what is answered is what the source had, joined as it was asked for."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pytest
from functional.client import Client
from functional.collected import Collected, collected

from upid.bootstrap import Services
from upid.domain.times import format_time, parse_time
from upid.runtime.proxy_event import HttpRequest

WEB = (("shop", "web-0"), ("shop", "web-1"))
SHOP = (*WEB, ("shop", "cart-0"))


@pytest.fixture
def seen(client: Client, services: Services) -> Collected:
    return collected(client, services)


def one(answer: dict[str, Any], **labels: str) -> dict[str, Any]:
    (found,) = [
        series for series in answer.get("series", answer.get("items")) if series["labels"] == labels and series["metric"] == "cpu_cores"
    ]
    return found


def test_a_namespace_is_the_sum_of_its_pods_and_a_step_the_mean_of_its_samples(client: Client, seen: Collected) -> None:
    answer = client.get(f"/metrics/history/{seen.cluster_id}", query={"step": "1h"}).expect(200)

    assert (answer["step_seconds"], answer["steps"], answer["groups"]) == (3600, 24, 2)
    assert (answer["end"], answer["stored_step_seconds"]) == (format_time(seen.end), 300)
    np.testing.assert_allclose(one(answer, namespace="shop")["values"], seen.cpu(*SHOP).sum(0).reshape(24, 12).mean(1), atol=1e-6)


def test_the_highest_of_a_group_is_that_of_its_sum_at_one_moment(client: Client, seen: Collected) -> None:
    asked = {
        "cluster_id": seen.cluster_id,
        "aggregation": "max",
        "step": "6h",
        "group_by": ["workload"],
        "selection": {"namespace": "shop"},
    }
    answer = client.post("/metrics/history/query", asked).expect(200)

    np.testing.assert_allclose(one(answer, workload="web")["values"], seen.cpu(*WEB).sum(0).reshape(4, 72).max(1), atol=1e-6)
    assert {series["labels"]["workload"] for series in answer["series"]} == {"web", "cart"}


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [("p95", lambda x: np.quantile(x, 0.95, axis=1)), ("p0", lambda x: x.min(1)), ("min", lambda x: x.min(1)), ("sum", lambda x: x.sum(1)),
     ("count", lambda x: np.full(len(x), 12.0)), ("rate", lambda x: (x[:, -1] - x[:, 0]) / 3300)],
)  # fmt: skip
def test_each_aggregation_is_what_numpy_makes_of_the_samples(client: Client, seen: Collected, aggregation: str, expected: Any) -> None:
    asked = {
        "cluster_id": seen.cluster_id,
        "aggregation": aggregation,
        "step": "1h",
        "group_by": ["namespace", "pod"],
        "metrics": ["cpu_cores"],
    }
    answer = client.post("/metrics/history/query", asked).expect(200)

    values = seen.cpu(("shop", "web-1")).reshape(24, 12).astype(np.float64)
    np.testing.assert_allclose(one(answer, namespace="shop", pod="web-1")["values"], expected(values), atol=1e-6)


@pytest.mark.parametrize("across", ["mean", "max", "min", "count"])
def test_series_are_joined_as_asked(client: Client, seen: Collected, across: str) -> None:
    asked = {"cluster_id": seen.cluster_id, "across": across, "step": "5m", "window": "1h", "group_by": []}
    answer = client.post("/metrics/history/query", asked).expect(200)

    samples = seen.cpu(*SHOP, ("bank", "ledger-0"), hours=1)
    expected = {"mean": samples.mean(0), "max": samples.max(0), "min": samples.min(0), "count": np.full(12, 4)}[across]
    np.testing.assert_allclose(one(answer)["values"], expected, atol=1e-6)


def test_what_was_never_collected_is_null_or_filled_as_asked(client: Client, seen: Collected) -> None:
    asked = {"cluster_id": seen.cluster_id, "start": format_time(seen.end - 90000), "step": "30m", "group_by": []}

    holes = one(client.post("/metrics/history/query", asked).expect(200))["values"]
    zeros = one(client.post("/metrics/history/query", asked | {"fill": "zero"}).expect(200))["values"]

    assert (holes[:2], zeros[:2], len(holes)) == ([None, None], [0.0, 0.0], 50)
    assert holes[2:] == zeros[2:]
    assert None not in holes[2:]


def test_the_largest_groups_come_first_and_no_more_than_asked(client: Client, seen: Collected) -> None:
    answer = client.get(f"/metrics/history/{seen.cluster_id}", query={"metric": "cpu_cores", "group_by": "pod", "top": 2}).expect(200)

    means = [np.mean(series["values"]) for series in answer["series"]]
    assert (answer["groups"], len(means)) == (4, 2)
    assert means == sorted(means, reverse=True)


def test_peaks_name_the_moment(client: Client, seen: Collected) -> None:
    answer = client.get(f"/metrics/history/{seen.cluster_id}/peak-usage", query={"window": "24h"}).expect(200)

    shop, samples = one(answer, namespace="shop"), seen.cpu(*SHOP).sum(0)
    assert shop["peak"] == pytest.approx(samples.max(), abs=1e-6)
    assert shop["at"] == format_time(seen.end - 86400 + 300 * int(samples.argmax()))
    assert (shop["mean"], shop["p95"]) == (pytest.approx(samples.mean(), abs=1e-6), pytest.approx(np.quantile(samples, 0.95), abs=1e-6))
    assert shop["samples"] == 288


def test_a_use_without_direction_has_no_significant_trend(client: Client, seen: Collected) -> None:
    answer = client.get(f"/metrics/history/{seen.cluster_id}/trends", query={"window": "24h"}).expect(200)

    assert answer["step_seconds"] == 3600
    assert [(item["direction"], item["significant"], item["points"]) for item in answer["items"]] == [("flat", False, 24)] * 4


def test_the_usual_week_knows_the_hours_that_were_seen(client: Client, seen: Collected) -> None:
    answer = client.get(f"/metrics/history/{seen.cluster_id}/baseline").expect(200)

    week = one(answer, namespace="bank")
    hour = (seen.end // 3600 - 1 + 72) % 168
    samples = seen.cpu(("bank", "ledger-0"), hours=1)[0]
    assert (len(week["mean"]), sum(week["samples"]), week["samples"][hour]) == (168, 288, 12)
    assert (week["mean"][hour], week["max"][hour]) == (pytest.approx(samples.mean(), abs=1e-6), pytest.approx(samples.max(), abs=1e-6))
    assert week["mean"].count(None) == 168 - 24


def test_a_summary_has_the_whole_and_its_groups(client: Client, seen: Collected) -> None:
    answer = client.get(f"/metrics/aggregate/{seen.cluster_id}/summary").expect(200)

    whole = seen.cpu(*SHOP, ("bank", "ledger-0")).sum(0)
    assert answer["total"]["cpu_cores"]["p99"] == pytest.approx(np.quantile(whole, 0.99), abs=1e-5)
    assert answer["total"]["memory_bytes"]["max"] == pytest.approx(float(whole.max()) * 2**30, rel=1e-6)
    assert [item["labels"] for item in answer["items"]] == [{"namespace": "shop"}, {"namespace": "bank"}]


def test_many_windows_are_brought_to_values_and_one_that_fails_leaves_the_others(client: Client, seen: Collected) -> None:
    asked = {"aggregation": "p90", "window": "2h", "metrics": ["cpu_cores"], "group_by": []}
    items = client.post(
        "/metrics/aggregate/bulk-calculate", {"queries": [asked | {"cluster_id": name} for name in (seen.cluster_id, "cl_none")]}
    ).expect(200)["items"]

    whole = seen.cpu(*SHOP, ("bank", "ledger-0"), hours=2).sum(0)
    assert items[0]["result"]["values"][0]["value"] == pytest.approx(np.quantile(whole, 0.9), abs=1e-6)
    assert (items[1]["result"], items[1]["error"]["title"]) == (None, "Not found")


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [({"step": "7m"}, "?step"), ({"step": "5 m"}, "?step"), ({"aggregation": "p101"}, "?aggregation"), ({"aggregation": "avg"}, "?aggregation"),
     ({"start": "yesterday"}, "?start"), ({"start": "2026-01-01T00:00:00Z", "window": "1h"}, "?window"), ({"window": "400d"}, "?start"),
     ({"group_by": "rack"}, "?group_by"), ({"top": 0}, "?top"), ({"fill": "last"}, "?fill"), ({"metric": "disk"}, "?metric"),
     ({"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, "?start")],
)  # fmt: skip
def test_what_cannot_be_asked_is_422_with_a_pointer(client: Client, seen: Collected, asked: dict[str, Any], pointer: str) -> None:
    problem = client.get(f"/metrics/history/{seen.cluster_id}", query=asked).problem(422, "invalid-request")

    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


@pytest.mark.parametrize(("name", "values"), [("group_by", ["namespace", "workload"]), ("top", [1, 2]), ("start", ["now", "now"])])
def test_a_query_that_is_given_twice_is_refused(client: Client, seen: Collected, name: str, values: list[object]) -> None:
    problem = client.get(f"/metrics/history/{seen.cluster_id}", query={name: values}).problem(422, "invalid-request")

    assert problem["errors"] == [{"pointer": f"?{name}", "detail": "It is given twice."}]


def test_an_answer_of_too_many_values_is_refused(client: Client, seen: Collected) -> None:
    asked = {"cluster_id": seen.cluster_id, "window": "360d", "step": "5m", "top": None}

    assert client.post("/metrics/history/query", asked).problem(422, "invalid-request")["errors"][0]["pointer"] == "#/top"


@pytest.mark.parametrize(
    "path",
    [
        "history/{}",
        "history/{}/trends",
        "history/{}/peak-usage",
        "history/{}/baseline",
        "aggregate/{}/summary",
        "resources/{}",
        "resources/{}/pods",
    ],
)
def test_a_cluster_that_was_never_collected_is_409(client: Client, seen: Collected, path: str) -> None:
    from functional.test_clusters import told

    cluster_id = client.post("/clusters", told(name="new")).expect(201)["id"]

    assert client.get("/metrics/" + path.format(cluster_id)).problem(409, "nothing-collected")["cluster_id"] == cluster_id


def test_csv_has_a_row_for_each_value_where_that_is_asked_for(client: Client, seen: Collected) -> None:
    path, query = f"/metrics/history/{seen.cluster_id}", {"step": "1h", "window": "2h", "group_by": "namespace,pod"}
    series = client.get(path, query=query).expect(200)["series"]
    answer = client.get(path, query=query, headers={"Accept": "text/csv, application/json;q=0.5"})

    rows = list(csv.DictReader(io.StringIO(answer.raw.body.decode())))
    assert (answer.status, answer.header("content-type")) == (200, "text/csv; charset=utf-8")
    assert len(rows) == sum(len(one["values"]) for one in series)
    first = {
        "time": format_time(seen.end - 7200),
        "metric": series[0]["metric"],
        "unit": "cores",
        **series[0]["labels"],
        "value": str(series[0]["values"][0]),
    }
    assert rows[0] == first


@pytest.mark.parametrize("accept", ["text/csv", "application/json"])
def test_an_answer_that_is_too_long_lies_behind_a_link(
    client: Client, seen: Collected, accept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"cluster_id": seen.cluster_id, "window": "2h", "step": "1h"}
    short = client.post("/metrics/history/query", asked, headers={"Accept": accept})
    monkeypatch.setattr("upid.http.outgoing.LONGEST_BYTES", 200)
    answer = client.post("/metrics/history/query", asked, headers={"Accept": accept})
    path, _, query = answer.header("location").partition("?")

    assert (answer.status, answer.raw.body) == (303, b"")
    told = client.gateway.answer(HttpRequest("GET", path, query, id="no-token"))
    assert (told.status, told.header("content-type"), told.body) == (200, short.header("content-type"), short.raw.body)
    assert client.gateway.answer(HttpRequest("GET", path, query.replace("signature=", "signature=0"), id="forged")).status == 404
    assert client.gateway.answer(HttpRequest("POST", path, query, id="no-read")).status == 404


def test_parquet_has_the_same_rows_where_that_is_asked_for(client: Client, seen: Collected) -> None:
    import fastparquet

    path, query = f"/metrics/history/{seen.cluster_id}", {"group_by": "namespace,workload", "step": "2h"}
    body = client.get(path, query=query).expect(200)
    answer = client.get(path, query=query, headers={"Accept": "application/vnd.apache.parquet, text/csv;q=0.9"})
    table = fastparquet.ParquetFile(io.BytesIO(answer.raw.body)).to_pandas()

    assert (answer.status, answer.header("content-type"), answer.header("vary")) == (200, "application/vnd.apache.parquet", "Accept")
    assert list(table.columns) == ["time", "metric", "unit", "namespace", "workload", "value"]
    rows = [(s["metric"], s["unit"], s["labels"]["workload"], value) for s in body["series"] for value in s["values"]]
    assert list(zip(table["metric"], table["unit"], table["workload"], table["value"], strict=True)) == rows
    times = [format_time(moment.timestamp()) for moment in table["time"].dt.tz_localize("UTC")][: body["steps"]]
    assert (times[0], times[1], len(table)) == (body["start"], format_time(parse_time(body["start"]) + 7200), len(rows))


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/json", "text/csv;q=0.5, application/json", "text/csv;q=x", "text/csv, */*", "text/html"]
)
def test_json_is_answered_where_csv_is_not_preferred(client: Client, seen: Collected, accept: str) -> None:
    asked = {"cluster_id": seen.cluster_id, "window": "1h"}

    assert client.post("/metrics/history/query", asked, headers={"Accept": accept}).expect(200)["steps"] == 12
