"""The table of metrics."""

from __future__ import annotations

from typing import get_args

from upid.domain.metrics import FAMILIES, METRICS, USAGE, MetricName, metrics_of


def test_every_metric_belongs_to_a_family_and_every_family_has_metrics() -> None:
    assert {metric.family for metric in METRICS.values()} == {USAGE, *FAMILIES}
    assert metrics_of("storage") == ("volume_used_bytes", "volume_capacity_bytes")
    assert tuple(METRICS) == get_args(MetricName)
    assert sum(len(metrics_of(family)) for family in (USAGE, *FAMILIES)) == len(METRICS)


def test_a_metrics_name_ends_with_its_unit() -> None:
    endings = {"bytes": "_bytes", "cores": "_cores", "bytes/s": "_bytes_per_second", "1/s": "_per_second", "s": "_seconds"}
    assert all(name.endswith(endings[metric.unit]) for name, metric in METRICS.items() if metric.unit in endings)
