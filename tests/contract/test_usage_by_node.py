"""Usage by node is the same from every store of usage, from samples and from each of the longer steps: held against samples placed one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contract.stores import HISTORIES, ROLLUPS
from functional.usage import START, cluster_of
from worlds.collection import SetClock, inventory, workload

from upid.bootstrap import Services
from upid.domain.inventory import Inventory, Pod
from upid.domain.times import format_time
from upid.ports.usage_history import HistoryScope, MetricChunk, SeriesKey, UsageChunk
from upid.services.profiles import Profiles, grown
from upid.services.retention import RetentionPolicy
from upid.services.rosters import Rosters
from upid.services.sizing import rows_of
from upid.services.usage_requests import Selection, Span, UsageQuery
from upid.settings import Settings

DAY, STEP, DAYS = 86400, 900, 2
STEPS = DAYS * DAY // STEP
DB, WEB = workload("shop", "db", kind="StatefulSet"), workload("shop", "web")
MOVED, MADE = START + DAY + 37200, START + DAY + 50_100  # 10:20 and 13:55 of the second day
# Pod, workload, and what is known of it: (node, since). `old-0` had an earlier life that nobody saw, of `lost-1` nothing is known.
PODS: tuple[tuple[str, Any, tuple[tuple[str, float], ...]], ...] = (
    ("db-0", DB, (("a", START - 9 * DAY), ("b", MOVED))), ("web-1", WEB, (("a", START - DAY),)), ("old-0", DB, (("b", MADE),)), ("lost-1", WEB, ()),
)  # fmt: skip
CPU = np.random.default_rng(7).lognormal(0.0, 0.5, (len(PODS), STEPS)).astype(np.float32)
NETWORK = "network_receive_bytes_per_second"
WINDOW = Span(format_time(START), format_time(START + DAYS * DAY))


def listed() -> Iterator[Inventory]:
    """The cluster at each moment that somebody looked."""
    for moment in (START, MOVED, MADE):
        at = [(name, owner, [stay for stay in stays if stay[1] <= moment]) for name, owner, stays in PODS]
        pods = tuple(Pod("shop", name, name, owner.uid, now[-1][0], "Running", now[-1][1]) for name, owner, now in at if now)
        yield replace(inventory(DB, WEB), pods=pods)


@pytest.fixture(params=[("columnar", "directory"), ("influxdb", "influxdb")], ids=["blobs", "influxdb"])
def services(request: pytest.FixtureRequest, tmp_path: Path) -> Services:
    services = Services(Settings(home=tmp_path / "home"))
    services.history, services.rollups = HISTORIES[request.param[0]](tmp_path), ROLLUPS[request.param[1]](tmp_path)
    services.clock = SetClock(START + 20 * DAY)
    return services


@pytest.fixture
def cluster_id(services: Services) -> str:
    cluster_id = cluster_of(services)
    none = np.zeros(len(PODS), np.int32)
    scope, keys = HistoryScope("default", cluster_id, 0), [SeriesKey(owner.uid, "main", name) for name, owner, _ in PODS]
    bare = [key._replace(container="") for key in keys]
    for day in range(DAYS):
        steps, start = slice(day * DAY // STEP, (day + 1) * DAY // STEP), START + day * DAY
        cpu = CPU[:, steps]
        services.history.append(scope, UsageChunk(keys, start, STEP, cpu, cpu * 1024, cpu * 0, none, none, np.full(len(PODS), np.nan)))
        services.history.append(scope, MetricChunk("network", bare, start, start + DAY, STEP, {NETWORK: cpu}))
    for known, end in zip(listed(), (START, MOVED + 60, START + DAYS * DAY - 1), strict=True):
        Rosters(services.blobs).keep("default", cluster_id, known, start=START, end=end)
    told = {"watermark": START + DAYS * DAY, "shards": 1, "step_seconds": STEP}
    services.cluster_records.change("default", cluster_id, lambda body: body | told)
    Profiles(services.blobs).save("default", cluster_id, 0, grown(None, rows_of(inventory(DB, WEB)), services.clock.now()))
    return cluster_id


def placed(step: int, values: Any = CPU) -> dict[str | None, Any]:
    """The samples on each node, summed, when a step of a length goes to the node that had most of it; 0 = none."""
    found: dict[str | None, Any] = {}
    for row, (_, _, stays) in enumerate(PODS):
        for number in range(STEPS):
            begin = START + number * STEP // step * step
            ends = [*(since for _, since in stays[1:]), *([np.inf] if stays else [])]
            held = [min(end, begin + step) - max(since, begin) for (_, since), end in zip(stays, ends, strict=True)]
            node = stays[int(np.argmax(held))][0] if held and max(held) > 0 else None
            found.setdefault(node, np.zeros(STEPS))[number] += values[row, number]
    return found


def query(cluster_id: str, step: str, **more: Any) -> UsageQuery:
    return replace(UsageQuery(cluster_id, ("cpu_cores",), span=WINDOW, group_by=("node",), step=step, aggregation="sum"), **more)


def by_node(answer: dict[str, Any]) -> dict[str | None, Any]:
    return {series["labels"]["node"]: np.nan_to_num(np.array(series["values"], float)) for series in answer["series"]}


def off(answer: dict[str, Any], resolution: str, step: int, grain: int) -> float:
    """Return how far an answer's sums are from those of samples placed one by one, at most, relative to these."""
    found, expected = by_node(answer), placed(grain)
    assert (answer["resolution"], set(found)) == (resolution, {"a", "b", None})
    assert answer["warnings"] == [
        "Of 2 pods it is not known for all samples which node they ran on (shop/lost-1, shop/old-0): those are of node null."
    ]
    sums = {node: values.reshape(-1, step // STEP).sum(1) for node, values in expected.items()}
    return max(float((np.abs(found[node] - true) / np.maximum(true, 1e-12)).max()) for node, true in sums.items())


def aged(services: Services, cluster_id: str) -> None:
    """Bring the usage onto longer steps; the watermark goes far ahead, so that they are read."""
    services.cluster_records.change("default", cluster_id, lambda body: body | {"watermark": START + 18 * DAY})
    services.downsampling.downsample("default", cluster_id)


@pytest.mark.parametrize("step", ["15m", "1h", "1d"])
def test_samples_are_of_the_node_where_the_pod_was(services: Services, cluster_id: str, step: str) -> None:
    seconds = {"15m": 900, "1h": 3600, "1d": DAY}[step]
    assert off(services.usage.query("default", query(cluster_id, step)), "stored", seconds, STEP) <= 1e-4


def test_longer_steps_are_of_the_node_that_had_most_of_each(services: Services, cluster_id: str) -> None:
    aged(services, cluster_id)

    assert off(services.usage.query("default", query(cluster_id, "1h")), "1h", 3600, 3600) <= 1e-4
    assert off(services.usage.query("default", query(cluster_id, "6h")), "1h", 6 * 3600, 3600) <= 1e-4
    assert off(services.usage.query("default", query(cluster_id, "1d")), "1d", DAY, DAY) <= 1e-4


def test_figures_of_a_window_whose_samples_are_gone_are_by_node_too(services: Services, cluster_id: str) -> None:
    aged(services, cluster_id)
    services.retention.set("default", RetentionPolicy(8, 60, 60))
    expected = placed(3600)

    answer = services.usage.summary("default", query(cluster_id, ""))
    found = {item["labels"]["node"]: item["metrics"]["cpu_cores"] for item in answer["items"]}
    assert (answer["resolution"], set(found)) == ("1h", {"a", "b", None})
    for node, values in expected.items():
        there = values[values > 0]
        assert found[node]["mean"] == pytest.approx(there.mean(), rel=1e-4)
        assert found[node]["samples"] == len(there)
    peaks = {item["labels"]["node"]: item["peak"] for item in services.usage.peaks("default", query(cluster_id, ""))["items"]}
    assert all(peaks[node] >= values.max() * 0.99 for node, values in expected.items())


def test_a_node_is_selected_and_what_may_have_been_on_it_is_told(services: Services, cluster_id: str) -> None:
    selected = query(cluster_id, "1h", group_by=("pod", "node"), selection=Selection(node="b"))
    answer = services.usage.query("default", selected)

    assert [series["labels"] for series in answer["series"]] == [{"pod": "db-0", "node": "b"}, {"pod": "old-0", "node": "b"}]
    whole = np.nansum(np.array([series["values"] for series in answer["series"]], float), axis=0)
    np.testing.assert_allclose(whole, placed(STEP)["b"].reshape(-1, 4).sum(1), rtol=1e-5)
    assert "shop/lost-1" in answer["warnings"][0]


def test_families_of_pods_are_by_node_as_cpu_is(services: Services, cluster_id: str) -> None:
    asked = query(cluster_id, "1h", metrics=("cpu_cores", NETWORK), across="max", aggregation="max")
    answer = services.usage.query("default", asked)
    first = {series["labels"]["node"]: series["values"] for series in answer["series"] if series["metric"] == NETWORK}
    other = {series["labels"]["node"]: series["values"] for series in answer["series"] if series["metric"] == "cpu_cores"}

    assert set(first) == {"a", "b", None}
    for node, values in other.items():
        np.testing.assert_allclose(np.array(first[node], float), np.array(values, float), rtol=1e-3)


def test_the_mean_of_a_nodes_pods_is_of_those_that_were_on_it(services: Services, cluster_id: str) -> None:
    answer = services.usage.query("default", query(cluster_id, "15m", across="mean", aggregation="mean"))
    total, count = placed(STEP), placed(STEP, np.ones_like(CPU))

    for node, values in by_node(answer).items():
        expected = np.divide(total[node], count[node], out=np.zeros(STEPS), where=count[node] > 0)
        np.testing.assert_allclose(values, expected, atol=2e-6)
