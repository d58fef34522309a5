"""What the data of a source is like, asked once before it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from upid.adapters.prometheus import queries
from upid.adapters.prometheus.client import PrometheusClient
from upid.ports.metrics_source import Window

SKEW_SECONDS: Final = 5.0  # clocks that are kept in step differ by less, and a header's time is whole seconds
FEW_STEPS: Final = 100  # so few steps need no chunks, whatever the number of series
PROBE_SECONDS: Final = 900
SCRAPES_OF_RATE: Final = 2.1  # two scrapes are never further apart, though their times jitter
SCRAPES_OF_LEVEL: Final = 1.1


@dataclass(frozen=True, slots=True)
class Shape:
    """How far apart scrapes are [s], 0 = not known, and how many series each namespace has at the window's end."""

    scrape_seconds: int
    series: dict[str, int]

    def range_seconds(self, function: str, step: int) -> int:
        """Return how far back a sample looks, whole seconds: the step, or as little more as holds the scrapes that the function needs.

        A longer range is a mean over several steps, or their largest: it hides bursts, or makes one of them last. So a scrape that failed is a sample that is missing.
        """
        return max(step, ceil((SCRAPES_OF_RATE if function == "rate" else SCRAPES_OF_LEVEL) * self.scrape_seconds))


def shape_of(client: PrometheusClient, matcher: str, window: Window) -> Shape:
    """Return how far apart scrapes are at the window's end, and the namespaces' sizes where there may be too many series for one answer."""
    end, any_container = window.end, queries.any_container(matcher)
    found, _ = client.instant(f"quantile(0.5, count_over_time({any_container}[{PROBE_SECONDS}s]))", end)
    scrapes = float(found[0]["value"][1]) if found else 0.0
    scrape_seconds = round(PROBE_SECONDS / scrapes) if scrapes >= 2 else 0
    if window.steps <= FEW_STEPS:
        return Shape(scrape_seconds, {})
    counts, _ = client.instant(f"count by (namespace) ({any_container})", end)
    return Shape(scrape_seconds, {one["metric"].get("namespace", ""): int(float(one["value"][1])) for one in counts})


def skew_of(client: PrometheusClient) -> list[str]:
    """Return what to tell of a source whose clock is not ours, nothing where it is: samples of the newest steps may be missing or of later ones."""
    skew = client.skew_seconds
    if abs(skew) <= SKEW_SECONDS:
        return []
    return [f"The source's clock is about {10 * max(round(abs(skew) / 10), 1)} s {'ahead of' if skew > 0 else 'behind'} ours."]


def resets_of(client: PrometheusClient, namespaces: Sequence[str], matcher: str, window: Window) -> int:
    """Return how often counters of CPU began again within a window; errors as the client raises them."""
    selected = queries.usage(queries.CPU, namespaces, matcher)
    found, _ = client.instant(f"sum(resets({selected}[{window.end - window.start}s]))", window.end)
    return round(float(found[0]["value"][1])) if found else 0
