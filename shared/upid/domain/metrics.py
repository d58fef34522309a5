"""Families of metrics that a collector brings in beside CPU and memory, and what each metric is.

`usage` (CPU, working set, throttling, restarts, OOM kills) is what sizing reads and is always collected. The others lie beside it in the usage history,
family by family: `UsageHistory.read_family(scope, "storage", ...)` gives what PersistentVolumeClaims hold, by `SeriesKey.volume`. `service` is what queries
of a collector give of workloads (`ServiceQuery`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

FamilyName = Literal["memory_detail", "network", "filesystem", "storage", "heap", "service"]
FAMILIES: Final[tuple[FamilyName, ...]] = get_args(FamilyName)
USAGE: Final = "usage"
SERVICE: Final = "service"
ServiceMetric = Literal["requests_per_second", "errors_per_second", "latency_seconds", "queue_depth"]
MetricName = Literal[
    "cpu_cores", "memory_bytes", "throttled", "memory_rss_bytes", "memory_cache_bytes", "network_receive_bytes_per_second",
    "network_transmit_bytes_per_second", "network_receive_dropped_per_second", "network_transmit_dropped_per_second",
    "network_receive_errors_per_second", "network_transmit_errors_per_second", "filesystem_used_bytes", "filesystem_read_bytes_per_second",
    "filesystem_write_bytes_per_second", "filesystem_reads_per_second", "filesystem_writes_per_second", "volume_used_bytes", "volume_capacity_bytes",
    "jvm_heap_used_bytes", "jvm_heap_max_bytes", "go_heap_used_bytes", "requests_per_second", "errors_per_second", "latency_seconds", "queue_depth",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its unit, how many decimals are told, and its family. adds: series of pods add up to what their workload has (levels and shares do not)."""

    unit: str
    decimals: int
    family: str
    adds: bool = True


@dataclass(frozen=True, slots=True)
class ServiceQuery:
    """A PromQL query that gives one metric of one workload, as one series."""

    namespace: str
    kind: str
    workload: str
    metric: str
    query: str

    @property
    def subject(self) -> str:
        """What it measures, for a person."""
        return f"{self.metric} of {self.namespace}/{self.kind}/{self.workload}"


def _metrics(family: str, unit: str, decimals: int, *names: str, adds: bool = True) -> dict[str, Metric]:
    return {name: Metric(unit, decimals, family, adds) for name in names}


METRICS: Final[Mapping[str, Metric]] = MappingProxyType({
    **_metrics(USAGE, "cores", 6, "cpu_cores"), **_metrics(USAGE, "bytes", 1, "memory_bytes"), **_metrics(USAGE, "1", 6, "throttled", adds=False),
    **_metrics("memory_detail", "bytes", 1, "memory_rss_bytes", "memory_cache_bytes"),
    **_metrics("network", "bytes/s", 3, "network_receive_bytes_per_second", "network_transmit_bytes_per_second"),
    **_metrics("network", "1/s", 6, "network_receive_dropped_per_second", "network_transmit_dropped_per_second",
               "network_receive_errors_per_second", "network_transmit_errors_per_second"),
    **_metrics("filesystem", "bytes", 1, "filesystem_used_bytes"),
    **_metrics("filesystem", "bytes/s", 3, "filesystem_read_bytes_per_second", "filesystem_write_bytes_per_second"),
    **_metrics("filesystem", "1/s", 6, "filesystem_reads_per_second", "filesystem_writes_per_second"),
    **_metrics("storage", "bytes", 1, "volume_used_bytes", "volume_capacity_bytes"),
    **_metrics("heap", "bytes", 1, "jvm_heap_used_bytes", "jvm_heap_max_bytes", "go_heap_used_bytes"),
    **_metrics(SERVICE, "1/s", 6, "requests_per_second", "errors_per_second"), **_metrics(SERVICE, "s", 6, "latency_seconds", adds=False),
    **_metrics(SERVICE, "1", 3, "queue_depth"),
})  # fmt: skip

# What may be wrong with samples, and what is done about it; `upid.engine.usage.quality` and the metrics source find it.
REASONS: Final[Mapping[str, Literal["dropped", "repaired", "told"]]] = MappingProxyType({
    "missing": "told", "impossible": "dropped", "negative": "dropped", "not_a_number": "dropped", "off_grid": "dropped", "duplicates": "repaired",
    "repeated": "repaired", "out_of_order": "repaired", "counter_resets": "repaired", "ended_early": "told", "clock_skew": "told",
})  # fmt: skip


def metrics_of(family: str) -> tuple[str, ...]:
    """Return the metrics of a family, in their order."""
    return tuple(name for name, metric in METRICS.items() if metric.family == family)
