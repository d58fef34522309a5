"""Recommendations as people and programs read them: one row of a table as JSON, and the summary of tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from upid.services.sizing import Table


def entry(table: Table, index: int) -> dict[str, Any]:
    """Return one row as `upid scan --output json` and the API show it, keys in their documented order; a figure without samples is None.

    Keys: namespace, kind, name, uid, container, replicas, status, withheld_code, current, recommended, evidence, reasons, confidence, backtest, risk,
    savings_usd_per_month. IndexError for a row that is not there.
    """
    raise NotImplementedError


def entries(table: Table) -> list[dict[str, Any]]:
    """Return all rows of a table as entries, in order."""
    return [entry(table, i) for i in range(len(table.rows))]


def summary(table: Table) -> dict[str, Any]:
    """Return totals of a table.

    Keys: workloads, containers, recommended, unchanged, withheld, withheld_by_code {code: count}, savings_usd_per_month, current and recommended
    {cpu_request_cores, memory_request_bytes}: requests times replicas over the rows, what is not set counted as 0.
    """
    raise NotImplementedError


def merge_summaries(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the summary of several tables that share no workload from their summaries."""
    raise NotImplementedError
