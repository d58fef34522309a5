"""What changes beside the requests of containers: bounds of autoscalers and sizes of volumes, one of each workload however many containers it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from upid.domain.quantities import format_memory

Entry = Mapping[str, Any]
SCALING_HEADS: Final = ("autoscaled workload", "least to most pods", "pods in the mean", "USD/month", "why")
VOLUME_HEADS: Final = ("workload", "volume", "size", "USD/month", "why")
MOST_TELLING: Final = ("volume_price_unknown", "volume_growth", "volume_used", "replicas_high_demand")


def workloads_of(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield the first entry of each workload, in order: its scaling and its storage stand on each of them."""
    seen: set[tuple[str, ...]] = set()
    for entry in entries:
        workload = tuple(entry[name] for name in ("namespace", "kind", "name", "uid"))
        if workload not in seen:
            seen.add(workload)
            yield entry


def scaled(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Entry]]:
    """Yield each workload whose autoscaler needs other bounds, and its scaling."""
    for entry in workloads_of(entries):
        scaling = entry.get("scaling")
        if scaling and scaling["kind"] == "autoscaler" and scaling["status"] == "recommended":
            yield entry, scaling


def grown(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Entry]]:
    """Yield each volume that must be larger, with its workload."""
    for entry in workloads_of(entries):
        for volume in entry.get("storage") or ():
            if volume["status"] == "recommended":
                yield entry, volume


def scaling_rows(entries: Sequence[Entry]) -> list[tuple[str, ...]]:
    """Return the cells of each autoscaler that needs other bounds, below SCALING_HEADS."""
    return [
        (name_of(entry), f"{bounds(scaling, 'current')} → {bounds(scaling, 'recommended')}", _mean_pods(scaling), money(scaling["savings_usd_per_month"]), _told(scaling))
        for entry, scaling in scaled(entries)
    ]  # fmt: skip


def volume_rows(entries: Sequence[Entry]) -> list[tuple[str, ...]]:
    """Return the cells of each volume that must be larger, below VOLUME_HEADS."""
    return [
        (name_of(entry), volume["claim"], sizes(volume), money(volume["savings_usd_per_month"]), _told(volume))
        for entry, volume in grown(entries)
    ]


def name_of(entry: Entry) -> str:
    """Return a workload as a person reads it: with its kind where that is no Deployment."""
    return f"{entry['namespace']}/{entry['name']}" + ("" if entry["kind"] == "Deployment" else f" ({entry['kind']})")


def bounds(scaling: Entry, when: str) -> str:
    """Return an autoscaler's bounds, `current` or `recommended`: `2 to 6`."""
    return f"{scaling[when]['min_replicas']} to {scaling[when]['max_replicas']}"


def _mean_pods(scaling: Entry) -> str:
    """Return how many pods run in the mean, now and then; nothing where that is not known."""
    now, then = (scaling["pods"][when] for when in ("current", "recommended"))
    return "" if now is None or then is None else f"{now:.1f} → {then:.1f}"


def sizes(volume: Entry) -> str:
    """Return a volume's size now and then."""
    now = "-" if volume["current_bytes"] is None else format_memory(volume["current_bytes"])
    return f"{now} → {format_memory(volume['recommended_bytes'])}"


def money(savings: float | None) -> str:
    """Return a saving as tables show it, nothing where it is not known."""
    return "" if savings is None else f"{savings:,.2f}"


def _told(part: Entry) -> str:
    """Return the reason of a scaling or a volume that tells most; the others stand in the document."""
    reasons = {reason["code"]: reason["text"] for reason in part["reasons"]}
    telling = next((code for code in MOST_TELLING if code in reasons), next(iter(reasons), None))
    return reasons[telling] if telling else ""
