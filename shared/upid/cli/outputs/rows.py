"""A scan as CSV: one row for each container, under names that stay.

What a workload's autoscaler and volumes need stands on its first row alone, so that sums over rows are right.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

from upid.cli.outputs import clusters_in
from upid.cli.outputs.workloads import workloads_of

IDENTITY: Final = ("namespace", "kind", "name", "uid", "container", "role", "replicas", "status", "withheld_code")
RESOURCES: Final = ("cpu_request_cores", "cpu_limit_cores", "memory_request_bytes", "memory_limit_bytes")
FIGURES: Final = ("mean", "p50", "p90", "p95", "p99", "max")
EVIDENCE: Final = ("pods", "samples", "effective_samples", "coverage", "throttled_fraction", "oom_kills", "restarts")
COLUMNS: Final = (
    "cluster", *IDENTITY,
    *(f"current_{name}" for name in RESOURCES), *(f"recommended_{name}" for name in RESOURCES),
    "savings_usd_per_month", "confidence", "risk_score", "risk_level",
    *(f"cpu_cores_{figure}" for figure in FIGURES), *(f"memory_bytes_{figure}" for figure in FIGURES), *EVIDENCE,
    "backtest_cpu_time_above_request", "backtest_memory_time_above_request", "window_start", "window_end", "step_seconds", "reason_codes", "reasons",
    "autoscaler", "scaling_status", *(f"{when}_{end}_replicas" for when in ("current", "recommended") for end in ("min", "max")),
    "scaling_savings_usd_per_month", "claims", "claims_to_grow", "current_storage_bytes", "recommended_storage_bytes", "storage_savings_usd_per_month",
)  # fmt: skip
_NOTHING: Final = (None,) * 12
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def render_csv(document: Mapping[str, Any]) -> bytes:
    """Return the rows below a line of COLUMNS, in the document's order (RFC 4180); a figure that is not known is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for part in clusters_in(document):
        first = {id(entry) for entry in workloads_of(part["recommendations"])}
        writer.writerows(
            [_safe(value) for value in (*_cells(part["cluster"], entry), *(_beside(entry) if id(entry) in first else _NOTHING))]
            for entry in part["recommendations"]
        )
    return text.getvalue().encode()


def _cells(cluster: str, entry: Mapping[str, Any]) -> Iterator[Any]:
    evidence, risk, backtest = entry["evidence"], entry["risk"] or {}, entry["backtest"] or {}
    window = evidence["window"]
    yield cluster
    yield from (entry[name] for name in IDENTITY)
    yield from (entry[when][name] for when in ("current", "recommended") for name in RESOURCES)
    yield from (entry["savings_usd_per_month"], entry["confidence"], risk.get("score"), risk.get("level"))
    yield from (evidence[metric][figure] for metric in ("cpu_cores", "memory_bytes") for figure in FIGURES)
    yield from (evidence[name] for name in EVIDENCE)
    yield from (backtest.get(name) for name in ("cpu_time_above_request", "memory_time_above_request"))
    yield from (window["start"], window["end"], window["step_seconds"])
    yield " ".join(reason["code"] for reason in entry["reasons"])
    yield " ".join(reason["text"] for reason in entry["reasons"])


def _beside(entry: Mapping[str, Any]) -> Iterator[Any]:
    scaling, volumes = entry.get("scaling") or {}, entry.get("storage") or ()
    if scaling.get("kind") == "autoscaler":
        yield from (scaling["autoscaler"], scaling["status"])
        yield from (scaling[when][f"{end}_replicas"] for when in ("current", "recommended") for end in ("min", "max"))
        yield scaling["savings_usd_per_month"]
    else:
        yield from (None,) * 7
    yield from (len(volumes), sum(volume["status"] == "recommended" for volume in volumes))
    # One that is not known makes the sum so.
    for name in ("current_bytes", "recommended_bytes", "savings_usd_per_month"):
        known = [volume[name] for volume in volumes]
        yield None if None in known else sum(known)


def _safe(value: Any) -> Any:
    """Return text that a spreadsheet would reckon with as text: names come from outside."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
