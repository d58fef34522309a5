"""Recommendations as a table for people."""

from __future__ import annotations

from typing import Any


def render(document: dict[str, Any], width: int | None = None) -> str:
    """Return the table of a scan's document, with its totals, as text; `width`: characters of a line, None = the terminal's."""
    from io import StringIO

    from rich.console import Console
    from rich.table import Table

    table = Table("namespace", "workload", "container", "status", "CPU", "memory", "USD/month", title=document["cluster"])
    for entry in document["recommendations"]:
        current, wanted = entry["current"], entry["recommended"]
        cpu, memory = ((current[name], wanted[name]) for name in ("cpu_request_cores", "memory_request_bytes"))
        status = entry["withheld_code"] or entry["status"]
        savings = entry["savings_usd_per_month"]
        table.add_row(
            entry["namespace"], f"{entry['kind']}/{entry['name']}", entry["container"], status, f"{cpu[0]} > {cpu[1]}", f"{memory[0]} > {memory[1]}",
            "" if savings is None else f"{savings:.2f}",
        )  # fmt: skip
    console = Console(file=StringIO(), width=width)
    console.print(table)
    out = console.file
    return out.getvalue() if isinstance(out, StringIO) else ""
