"""Documents of scans, as the service makes them, put together by hand."""

from __future__ import annotations

from typing import Any

GIB = 2**30
WINDOW = {"start": "2023-11-08T00:00:00Z", "end": "2023-11-15T00:00:00Z", "step_seconds": 300}
RESOURCES = ("cpu_request_cores", "cpu_limit_cores", "memory_request_bytes", "memory_limit_bytes")


def resources(*values: float | None) -> dict[str, float | None]:
    """Return CPU request and limit, memory request and limit."""
    return dict(zip(RESOURCES, values, strict=True))


def spread(unit: float | None) -> dict[str, float | None]:
    """Return figures from 1 (the mean) to 6 (the maximum) times a unit; none without."""
    names = ("mean", "p50", "p90", "p95", "p99", "max")
    return {name: None if unit is None else unit * (i + 1) for i, name in enumerate(names)}


def entry(**more: Any) -> dict[str, Any]:
    """Return the entry of a container that asks for too much."""
    evidence = {
        "source": "samples", "window": WINDOW, "pods": 3, "samples": 2016, "effective_samples": 99.5, "coverage": 1.0, "cpu_cores": spread(0.05),
        "memory_bytes": spread(32 * 2**20), "throttled_fraction": 0.0, "oom_kills": 0, "restarts": 1,
    }  # fmt: skip
    return {
        "namespace": "shop", "kind": "Deployment", "name": "web", "uid": f"uid-{more.get('name', 'web')}", "container": "app", "role": "main", "replicas": 3,
        "status": "recommended", "withheld_code": None, "current": resources(1.0, 2.0, GIB, GIB),
        "recommended": resources(0.25, None, 300 * 2**20, GIB), "evidence": evidence,
        "reasons": [{"code": "cpu_quantile", "text": "CPU use is above 240m for 1 % of the time.", "values": {"share": 0.01}}],
        "confidence": 0.87, "backtest": {"folds": 3, "cpu_time_above_request": 0.004, "memory_time_above_request": None},
        "risk": {"score": 27.0, "level": "medium"}, "savings_usd_per_month": 12.5,
    } | more  # fmt: skip


def withheld(**more: Any) -> dict[str, Any]:
    """Return the entry of a container of which nothing is known."""
    same = resources(1.0, None, GIB, None)
    nothing = {"cpu_cores": spread(None), "memory_bytes": spread(None), "pods": 0, "samples": 0, "throttled_fraction": None}
    told = {
        "status": "withheld",
        "withheld_code": "no_data",
        "current": same,
        "recommended": same,
        "confidence": None,
        "savings_usd_per_month": None,
    }
    empty = {"reasons": [], "risk": {"score": None, "level": None}, "backtest": None}
    return entry(**{"name": "new", **told, **empty, "evidence": entry()["evidence"] | nothing, **more})


def document(*entries: dict[str, Any], cluster: str = "prod") -> dict[str, Any]:
    """Return a document with these entries; its totals are not theirs."""
    requests = {"cpu_request_cores": 10.0, "memory_request_bytes": 4 * GIB}
    summary = {
        "workloads": 2, "containers": len(entries), "recommended": 1, "unchanged": 0, "withheld": 1, "withheld_by_code": {"no_data": 1},
        "savings_usd_per_month": 12.5, "savings_unknown": 0, "requests": {"current": requests, "recommended": requests}, "errors": [], "warnings": [],
    }  # fmt: skip
    head = {"cluster": cluster, "generated_at": WINDOW["end"], "window": WINDOW}
    return {**head, "summary": summary, "recommendations": list(entries)}


def together(*documents: dict[str, Any]) -> dict[str, Any]:
    """Return the documents of several clusters as one."""
    head = {name: documents[0][name] for name in ("generated_at", "window", "summary")}
    return {**head, "clusters": list(documents)}


def scaling(**more: Any) -> dict[str, Any]:
    """Return an autoscaler's bounds that need to change."""
    demand = {share: {"cpu_cores": 1.0, "memory_bytes": GIB} for share in ("low", "high")}
    return {
        "kind": "autoscaler", "status": "recommended", "withheld_code": None, "autoscaler": "web-hpa", "managed_by": None,
        "current": {"min_replicas": 4, "max_replicas": 9}, "recommended": {"min_replicas": 2, "max_replicas": 14},
        "pods": {"current": 5.25, "recommended": 4.5}, "demand": demand, "savings_usd_per_month": 15.24,
        "reasons": [{"code": "replicas_low_demand", "text": "Low.", "values": {}}, {"code": "replicas_high_demand", "text": "High.", "values": {}}],
    } | more  # fmt: skip


def volume(**more: Any) -> dict[str, Any]:
    """Return a volume that must be larger."""
    return {
        "claim": "data-db-0", "storage_class": "gp3", "status": "recommended", "withheld_code": None, "current_bytes": 100 * GIB,
        "recommended_bytes": 109 * GIB, "used_bytes": 86 * GIB, "growth_bytes_per_day": 1.0, "days_until_full": None, "confidence": 0.9,
        "savings_usd_per_month": -0.72, "reasons": [{"code": "volume_used", "text": "It held 86Gi.", "values": {}}],
    } | more  # fmt: skip
