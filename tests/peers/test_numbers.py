"""Peers that round a percentile, read 36 hours as a day, sum pods for the minimum of data, or take NaN for a value that is fine."""

from __future__ import annotations

import json

import numpy as np
import pytest
from peers.road import GIB, WEEK, flat, inventory, measured, pods_of, recommend, workload

from upid.domain.times import format_duration, parse_duration
from upid.engine.rightsizing.options import Options, options_of
from upid.ports.metrics_source import Window

WEB = workload("shop", "web")
LISTED = inventory([WEB], pods_of(WEB, "web-1"))
KEY = ("shop", "web", "app")


def one(cpu: np.ndarray, memory: np.ndarray | None = None, options: Options | None = None) -> dict:  # type: ignore[type-arg] # a JSON entry
    usage = {("shop", "web-1", "app"): (cpu, flat(GIB) if memory is None else memory)}
    return recommend(LISTED, measured(usage), options)[KEY]


def test_a_request_for_99_9_percent_of_the_time_is_not_one_for_all_of_it() -> None:
    cpu = flat(0.2)
    cpu[1000] = 3.5  # one step of 2,016: 0.05 % of the time
    rarely = one(cpu, options=options_of(0.001))["recommended"]["cpu_request_cores"]
    assert 0.2 <= rarely < 1.0


def test_97_5_percent_is_neither_97_nor_98() -> None:
    cpu = np.random.default_rng(1).permutation(np.geomspace(0.01, 10.0, WEEK.steps))
    wanted = [one(cpu, options=options_of(share))["recommended"]["cpu_request_cores"] for share in (0.03, 0.025, 0.02)]
    assert wanted[0] < wanted[1] < wanted[2]
    assert wanted[1] >= np.quantile(cpu, 0.975)


def test_evidence_is_the_quantile_that_its_name_says() -> None:
    cpu = np.random.default_rng(2).gamma(2.0, 0.1, WEEK.steps).astype(np.float32)
    found = one(cpu)["evidence"]["cpu_cores"]
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        assert found[name] == pytest.approx(float(np.quantile(cpu.astype(float), share)), rel=1e-6)


@pytest.mark.parametrize(("text", "hours"), [("36h", 36), ("90m", 1.5), ("1d12h", 36), ("7d", 168), ("1w", 168), ("25h", 25)])
def test_a_duration_is_as_long_as_it_says(text: str, hours: float) -> None:
    assert parse_duration(text) == hours * 3600
    assert parse_duration(format_duration(hours * 3600)) == hours * 3600


def test_many_pods_of_a_few_minutes_are_not_enough_data() -> None:
    web = workload("shop", "web", replicas=200)
    names = [f"web-{number:03}" for number in range(200)]
    cpu, memory = flat(np.nan), flat(np.nan)
    cpu[-3:], memory[-3:] = 0.2, GIB  # 15 minutes; 600 samples if the pods were summed
    usage = {("shop", name, "app"): (cpu, memory) for name in names}
    entry = recommend(inventory([web], pods_of(web, *names)), measured(usage))[KEY]
    assert entry["status"] == "withheld"
    assert entry["withheld_code"] == "not_enough_data"
    assert entry["savings_usd_per_month"] == 0
    assert entry["evidence"]["pods"] == 200


def test_a_series_of_nothing_but_nan_is_no_data_and_saves_nothing() -> None:
    entry = one(flat(np.nan), flat(np.nan))
    assert entry["status"] == "withheld"
    assert entry["withheld_code"] in {"no_data", "not_enough_data"}
    assert entry["evidence"]["cpu_cores"] == dict.fromkeys(("mean", "p50", "p90", "p95", "p99", "max"))
    assert entry["savings_usd_per_month"] == 0


@pytest.mark.parametrize("missing", ["cpu", "memory"])
def test_a_metric_that_is_missing_changes_nothing_of_its_resource(missing: str) -> None:
    cpu, memory = (flat(np.nan), flat(GIB)) if missing == "cpu" else (flat(0.2), flat(np.nan))
    entry = one(cpu, memory)
    field = "cpu_request_cores" if missing == "cpu" else "memory_request_bytes"
    assert entry["status"] == "withheld" or entry["recommended"][field] == entry["current"][field]


def test_gaps_do_not_count_as_idle_time() -> None:
    cpu, memory = flat(2.0), flat(3 * GIB)
    cpu[::3], memory[::3] = np.nan, np.nan
    entry = one(cpu, memory)
    assert entry["evidence"]["cpu_cores"]["p50"] == entry["evidence"]["cpu_cores"]["mean"] == 2.0
    assert entry["evidence"]["coverage"] == pytest.approx(2 / 3, abs=0.01)
    assert entry["recommended"]["cpu_request_cores"] >= 2.0


def test_infinite_samples_are_no_samples() -> None:
    cpu = flat(0.5)
    cpu[100:110], cpu[200:210] = np.inf, -np.inf
    entry = one(cpu)
    assert entry["evidence"]["cpu_cores"]["max"] == 0.5
    assert entry["recommended"]["cpu_request_cores"] < 1.0


def test_no_entry_holds_nan_where_json_has_no_such_thing() -> None:
    for cpu in (flat(np.nan), flat(0.2), flat(0.0)):
        assert json.dumps(one(cpu), allow_nan=False)


def test_a_window_of_36_hours_is_one_and_a_half_days_of_samples() -> None:
    window = Window(WEEK.end - round(parse_duration("36h")), WEEK.end, 300)
    usage = {("shop", "web-1", "app"): (flat(0.2, window), flat(GIB, window))}
    evidence = recommend(LISTED, measured(usage, window=window))[KEY]["evidence"]
    assert evidence["samples"] == 432
    assert evidence["coverage"] == 1.0
