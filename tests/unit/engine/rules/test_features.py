"""Features from what is collected, against figures made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unit.engine.making import DAY, GIB, PER_DAY, current, prices, profile_of, samples

from upid.engine.rules.columns import FeatureTable
from upid.engine.rules.features import FeatureInputs, features_of, variation
from upid.engine.usage.evidence import exact_evidence


def features(cpu: Any, *, now: Any = None, memory: Any = None, **given: Any) -> FeatureTable:
    made = samples(cpu, memory, **given)
    chosen = current(made.rows) if now is None else now
    return features_of(FeatureInputs(profile_of(made), exact_evidence(made), chosen, prices(made.rows), {}, {}))


def value(table: FeatureTable, name: str, row: int = 0) -> Any:
    column = table.columns[name]
    return None if column.errors[row] else column.values[row].item()


def test_use_and_resources_are_read_as_they_are() -> None:
    table = features(np.full(PER_DAY, 0.25), now=current(cpu_limit_cores=2.0))
    assert (value(table, "cpu.mean"), value(table, "cpu.p95"), value(table, "cpu.request"), value(table, "cpu.limit")) == (
        0.25,
        0.25,
        1.0,
        2.0,
    )
    assert value(table, "memory.limit") is None
    assert (value(table, "replicas"), value(table, "samples.count"), value(table, "samples.hours")) == (2, PER_DAY, 24.0)


def test_variation_is_the_deviation_over_the_mean() -> None:
    made = profile_of(samples(np.array([[1.0, 3.0] * PER_DAY, [2.0] * 2 * PER_DAY, [0.0] * 2 * PER_DAY])))
    assert variation(made.cpu_daily) == pytest.approx([0.5, 0.0, 0.0])


def test_time_above_80_percent_of_the_request_is_a_share_of_samples() -> None:
    table = features(np.array([0.5] * 216 + [0.95] * 72))
    assert value(table, "cpu.time_above_80") == pytest.approx(0.25)
    assert value(table, "cpu.time_near_limit") is None


def test_growth_is_of_a_week_over_the_level_today() -> None:
    days = 1.0 + 0.1 * np.arange(10)
    table = features(np.repeat(days, PER_DAY))
    assert value(table, "cpu.growth_per_week") == pytest.approx(0.7 / 1.9, rel=1e-4)
    assert value(table, "cpu.trend_weight") == 1.0
    assert value(features(np.repeat(days[:3], PER_DAY)), "cpu.growth_per_week") is None


def test_memory_that_rises_reaches_its_limit() -> None:
    memory = np.repeat((1.0 + 0.1 * np.arange(10)) * GIB, PER_DAY)[None, :]
    table = features(np.ones(10 * PER_DAY), memory=memory, now=current(memory_limit_bytes=2.4 * GIB))
    assert value(table, "memory.days_until_limit") == pytest.approx(5.0, rel=1e-3)


def test_events_of_seven_days_are_counted_apart_and_missing_without_samples() -> None:
    events = {"restarts": np.array([4, 0], dtype=np.int32)}
    table = features(np.array([np.ones(8 * PER_DAY), np.full(8 * PER_DAY, np.nan)]), **events)
    assert value(table, "restarts.count") == 4
    assert value(table, "restarts.count_7d") <= 4
    assert value(table, "restarts.count", 1) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "Burstable"), ({"cpu_request_cores": np.nan, "memory_request_bytes": np.nan}, "BestEffort"),
        ({"cpu_limit_cores": 1.0, "memory_limit_bytes": GIB}, "Guaranteed"),
        ({"cpu_limit_cores": 1.0, "memory_limit_bytes": GIB, "cpu_request_cores": np.nan}, "Guaranteed"), ({"cpu_limit_cores": 1.0}, "Burstable"),
    ],
)  # fmt: skip
def test_the_qos_class_is_as_kubernetes_has_it(given: Any, expected: str) -> None:
    assert value(features(np.ones(PER_DAY), now=current(**given)), "qos.class") == expected


def test_requests_cost_their_price_times_replicas() -> None:
    table = features(np.ones(PER_DAY))
    assert value(table, "cost.cpu_monthly") == pytest.approx(0.03 * 730 * 2)
    assert value(table, "cost.monthly") == pytest.approx((0.03 + 0.004) * 730 * 2)
    assert DAY == 86400
