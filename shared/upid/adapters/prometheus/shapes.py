"""What the data of a source is like, asked once before it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from upid.adapters.prometheus import queries
from upid.adapters.prometheus.client import PrometheusClient
from upid.ports.metrics_source import Window

FEW_STEPS: Final = 100  # so few steps need no chunks, whatever the number of series
PROBE_SECONDS: Final = 900


@dataclass(frozen=True, slots=True)
class Shape:
    """How far back a sample looks [s], and how many series each namespace has at the window's end."""

    range_seconds: int
    series: dict[str, int]


def shape_of(client: PrometheusClient, matcher: str, window: Window) -> Shape:
    """Return how far back a sample looks (the step, or four scrapes where the step is shorter than 2.5 of them), and the namespaces' sizes."""
    step, end, any_container = window.step_seconds, window.end, queries.any_container(matcher)
    found, _ = client.instant(f"quantile(0.5, count_over_time({any_container}[{PROBE_SECONDS}s]))", end)
    scrapes = float(found[0]["value"][1]) if found else 0.0
    scrape_seconds = round(PROBE_SECONDS / scrapes) if scrapes >= 2 else 0
    range_seconds = step if step >= 2.5 * scrape_seconds else 4 * scrape_seconds
    if window.steps <= FEW_STEPS:
        return Shape(range_seconds, {})
    counts, _ = client.instant(f"count by (namespace) ({any_container})", end)
    return Shape(range_seconds, {one["metric"].get("namespace", ""): int(float(one["value"][1])) for one in counts})
