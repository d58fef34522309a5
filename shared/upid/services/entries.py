"""Recommendations as people and programs read them: one row of a table as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from upid.domain.reasons import text_of
from upid.domain.times import format_time
from upid.services.rules.rulings import picked, reasons_of, verdicts
from upid.services.sizing import ContainerRow, Table

RESOURCES: Final = ("cpu_request_cores", "cpu_limit_cores", "memory_request_bytes", "memory_limit_bytes")
FIGURES: Final = ("mean", "p50", "p90", "p95", "p99", "max")
BACKTEST: Final = (
    "cpu_time_above_request", "cpu_time_above_limit", "throttled_share", "memory_time_above_request", "memory_time_above_limit",
    "expected_oom_kills", "cpu_slack", "memory_slack", "savings_usd_per_month",
)  # fmt: skip
SIGNIFICANT: Final = 12  # digits shown: more than any sample has


def number(value: Any, *, digits: int | None = None) -> float | int | None:
    """Return a figure as JSON has it: None for NaN, integers whole, floats to twelve significant digits or to `digits` decimals."""
    plain = value.item() if hasattr(value, "item") else value
    if plain is None or isinstance(plain, int):
        return plain
    if not math.isfinite(plain):
        return None
    if digits is not None:
        return float(round(plain, digits))
    return float(f"{plain:.{SIGNIFICANT}g}")


def size(name: str, value: Any) -> float | int | None:
    """Return an amount as JSON has it, by the unit in its name: cores to the nanocore, bytes whole."""
    shown = number(value, digits=9 if name.endswith("_cores") else 0)
    return int(shown) if shown is not None and name.endswith("_bytes") else shown


def _pods(value: Any) -> int | None:
    shown = number(value)
    return None if shown is None else int(shown)


def entry(table: Table, index: int, rules: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return one row as `upid scan --output json` and the API show it, keys in their documented order; a figure without samples is None.

    Keys: namespace, kind, name, uid, container, role (main, sidecar, init), replicas, status, withheld_code, current, recommended, evidence,
    reasons, rules, confidence, backtest, risk, savings_usd_per_month, scaling and storage (of the row's workload). `rules`: the row's verdicts where
    they were made already. IndexError for a row that is not there.
    """
    from upid.engine.rightsizing.columns import NOT_WITHHELD, STATUSES, WITHHELD_CODES  # noqa: PLC0415 API groups must start without numpy

    row: ContainerRow = table.rows[index]
    columns = table.columns
    if rules is None:
        rules = verdicts([picked(ruling, [index]) for ruling in table.rulings]).get(0, [])
    code = int(columns["withheld_code"][index])
    return {
        "namespace": row.namespace, "kind": row.kind, "name": row.name, "uid": row.uid, "container": row.container, "role": row.role,
        "replicas": row.replicas,
        "status": STATUSES[int(columns["status"][index])], "withheld_code": None if code == NOT_WITHHELD else WITHHELD_CODES[code],
        "current": {name: size(name, getattr(row.resources, name)) for name in RESOURCES},
        "recommended": {name: size(name, columns[name][index]) for name in RESOURCES},
        "evidence": _evidence(table, index), "reasons": _reasons(table, index) + reasons_of(rules), "rules": rules,
        "confidence": number(columns["confidence"][index], digits=4), "backtest": _backtest(table, index), "risk": _risk(table, index),
        "savings_usd_per_month": number(columns["savings_usd_per_month"][index], digits=4), "scaling": scaling_entry(table, index),
        "storage": list(table.volumes.get(row.uid, ())),
    }  # fmt: skip


def scaling_entry(table: Table, index: int) -> dict[str, Any] | None:
    """Return how many pods the row's workload needs; None in a table that was written before this was told.

    Keys: kind (`autoscaler`: bounds are recommended; `advice`: a count, another way to save than a smaller request; None: not to choose), status,
    withheld_code, autoscaler (its name, None = there is none), managed_by (what would set it back, None = nothing), current and recommended {min_replicas, max_replicas} (equal for a count), pods {current,
    recommended} (that run in the mean), demand {low, high} x {cpu_cores, memory_bytes}, savings_usd_per_month (of bounds: on top of what requests save; of
    advice: instead of it), reasons.
    """
    from upid.engine.rightsizing.columns import (  # noqa: PLC0415 API groups must start without numpy
        NOT_WITHHELD,
        SCALING_CODES,
        SCALING_KINDS,
        SCALING_REASONS,
        STATUSES,
    )

    columns, scaler = table.columns, table.rows[index].autoscaler
    if "scaling_savings_usd_per_month" not in columns:
        return None
    kind, code = int(columns["scaling_kind"][index]), int(columns["scaling_code"][index])
    return {
        "kind": SCALING_KINDS[kind] if kind else None, "status": STATUSES[int(columns["scaling_status"][index])],
        "withheld_code": None if code == NOT_WITHHELD else SCALING_CODES[code], "autoscaler": scaler.name if scaler else None,
        "managed_by": (scaler.managed_by or None) if scaler else None,
        "current": {f"{end[:3]}_replicas": _pods(columns[f"scaling_now_{end}"][index]) for end in ("minimum", "maximum")},
        "recommended": {f"{end[:3]}_replicas": _pods(columns[f"scaling_{end}"][index]) for end in ("minimum", "maximum")},
        "pods": {when: number(columns[name][index], digits=2) for when, name in (("current", "scaling_now_pods"), ("recommended", "scaling_pods"))},
        "demand": {
            share: {name: number(columns[f"scaling_{share}_{unit}"][index]) for name, unit in (("cpu_cores", "cores"), ("memory_bytes", "bytes"))}
            for share in ("low", "high")
        },
        "savings_usd_per_month": number(columns["scaling_savings_usd_per_month"][index], digits=4),
        "reasons": told_reasons(SCALING_REASONS, table, "scaling_reasons", index),
    }  # fmt: skip


def _evidence(table: Table, index: int) -> dict[str, Any]:
    columns, window = table.columns, table.window
    figures = {
        metric: {figure: number(columns[f"evidence_{metric}_{figure}"][index]) for figure in FIGURES}
        for metric in ("cpu_cores", "memory_bytes")
    }
    counts = {name: number(columns[f"evidence_{name}"][index]) for name in ("cpu_samples", "memory_samples")}
    return {
        "source": table.source,
        "window": {"start": format_time(window.start), "end": format_time(window.end), "step_seconds": window.step_seconds},
        "pods": number(columns["evidence_pods"][index]), "samples": number(columns["evidence_samples"][index]),
        "effective_samples": number(columns["evidence_effective_samples"][index], digits=1),
        "runs": number(columns["evidence_runs"][index]) if "evidence_runs" in columns else 0,
        "coverage": number(columns["evidence_coverage"][index], digits=4), **figures,
        "throttled_fraction": number(columns["evidence_throttled_fraction"][index]),
        "oom_kills": number(columns["evidence_oom_kills"][index]), "restarts": number(columns["evidence_restarts"][index]), **counts,
        "startup": {name: number(columns[f"startup_{name}"][index]) for name in ("cpu_cores", "memory_bytes")},
        "cpu_growth_per_week": number(_weekly(columns["cpu_growth"][index], columns["review_days"][index]), digits=4),
        "memory_growth_per_week": number(columns["memory_growth_per_week"][index], digits=4),
        "confidence_parts": {name: number(columns[f"confidence_{name}"][index], digits=4) for name in ("volume", "week", "samples", "stability")},
    }  # fmt: skip


def _weekly(growth: Any, review_days: Any) -> float:
    return float(growth) * 7 / float(review_days) if review_days > 0 else math.nan


def _reasons(table: Table, index: int) -> list[dict[str, Any]]:
    from upid.engine.rightsizing.columns import REASONS  # noqa: PLC0415 API groups must start without numpy

    return told_reasons(REASONS, table, "reasons", index)


def told_reasons(known: Iterable[Any], table: Table, column: str, index: int) -> list[dict[str, Any]]:
    """Return the reasons of a row that hold by a column of the table, in order: code, text, values."""
    found = []
    # A table of an older version knows fewer reasons: they are only ever appended.
    for reason, holds in zip(known, table.columns[column][index], strict=False):
        if holds:
            values = {name: number(table.columns[name][index]) for name in reason.values}
            found.append({"code": reason.code, "text": text_of(reason.code, values), "values": values})
    return found


def _backtest(table: Table, index: int) -> dict[str, Any]:
    columns = table.columns
    head = {"folds": number(columns["backtest_folds"][index]), "judged_days": number(columns["backtest_judged_days"][index], digits=4)}
    return head | {name: number(columns[f"backtest_{name}"][index], digits=6) for name in BACKTEST}


def _risk(table: Table, index: int) -> dict[str, Any]:
    from upid.engine.risk.score import risk_level  # noqa: PLC0415 API groups must start without numpy

    score = number(table.columns["risk_score"][index], digits=1)
    return {"score": score, "level": None if score is None else risk_level(score)}


def entries(table: Table) -> list[dict[str, Any]]:
    """Return all rows of a table as entries, in order."""
    plain = replace(table, rows=list(table.rows), columns={name: column.tolist() for name, column in table.columns.items()})
    rules = verdicts(table.rulings)
    return [entry(plain, i, rules.get(i, [])) for i in range(len(plain.rows))]
