"""Recommendations as a table for people: what changes, what it saves, how sure and how risky that is, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from upid.cli.outputs import clusters_in
from upid.cli.outputs.workloads import SCALING_HEADS, VOLUME_HEADS, money, name_of, scaling_rows, volume_rows
from upid.domain.quantities import format_cpu, format_memory

GIB: Final = 2**30
MOST_TELLING: Final = (
    "rule_veto", "rule_inconclusive", "rule_adjustment", "memory_oom", "memory_leak", "cpu_throttled", "memory_growth", "cpu_growth", "cpu_recurring_peak", "memory_heap", "memory_startup_peak",
    "cpu_scaled_by_hpa", "memory_scaled_by_hpa", "cpu_exceeds_node", "memory_exceeds_node", "cpu_floor", "cpu_quantile", "cpu_busiest_pod", "memory_page_cache", "memory_peak",
)  # fmt: skip
RISK_STYLE: Final = {"low": "green", "medium": "yellow", "high": "red"}


def render(
    document: dict[str, Any], width: int | None = None, *, color: bool = False, beside: Sequence[Mapping[str, Any]] | None = None
) -> str:
    """Return a document's recommendations, cluster by cluster, and totals as text. `width`: columns of a line, None = the terminal's; `color` makes it for a terminal.

    Rows are in the document's order. What is unchanged or withheld is counted by reason beneath, where the rows are only those that change something.
    Autoscalers and volumes that need other values have tables of their own: those of the rows, or of the entries `beside`.
    """
    from io import StringIO

    from rich.console import Console

    out = StringIO()
    console = Console(file=out, width=width, force_terminal=color, no_color=not color, highlight=False, legacy_windows=False)
    parts = clusters_in(document)
    for part in parts:
        if "clusters" in document:
            console.print(_plain(part["cluster"]), style="bold")
        if part["recommendations"]:
            console.print(_table(part["recommendations"]))
        for table in _of_workloads(part["recommendations"] if beside is None else beside):
            console.print(table)
    for line in _totals(document["summary"], sum(len(part["recommendations"]) for part in parts)):
        console.print(line, markup=False)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().strip("\n").splitlines())


def _table(entries: Sequence[Mapping[str, Any]]) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name, options in _COLUMNS:
        table.add_column(name, **options)
    for entry in entries:
        table.add_row(*(_plain(cell) for cell in _cells(entry)), style="dim" if entry["status"] != "recommended" else "")
    return table


def _of_workloads(entries: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    """Yield the table of autoscalers and that of volumes, where any needs other values."""
    for heads, rows in ((SCALING_HEADS, scaling_rows(entries)), (VOLUME_HEADS, volume_rows(entries))):
        if rows:
            yield _small(heads, rows)


def _small(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in heads:
        table.add_column(name, **_SMALL.get(name, {"no_wrap": True}))
    for row in rows:
        table.add_row(*(_plain(cell) for cell in row))
    return table


def _plain(text: str) -> Any:
    from rich.text import Text

    # Names come from outside: no control character of theirs reaches the terminal.
    shown = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return Text(shown, style=RISK_STYLE.get(text.partition(" ")[0], ""))


_COLUMNS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("workload", {"overflow": "fold", "max_width": 44}),
    ("container", {"overflow": "fold", "max_width": 20}),
    ("pods", {"justify": "right"}),
    ("CPU request", {"no_wrap": True}),
    ("memory request", {"no_wrap": True}),
    ("USD/month", {"justify": "right", "no_wrap": True}),
    ("confidence", {"justify": "right"}),
    ("risk", {"no_wrap": True}),
    ("why", {"overflow": "fold", "ratio": 1, "min_width": 24}),
)


_SMALL: Final[Mapping[str, Any]] = dict(_COLUMNS) | {
    "autoscaled workload": dict(_COLUMNS)["workload"],
    "volume": dict(_COLUMNS)["workload"],
}


def _cells(entry: Mapping[str, Any]) -> Iterator[str]:
    current, wanted = entry["current"], entry["recommended"]
    yield name_of(entry)
    yield entry["container"]
    yield str(entry["replicas"])
    yield _change(current["cpu_request_cores"], wanted["cpu_request_cores"], format_cpu)
    yield _change(current["memory_request_bytes"], wanted["memory_request_bytes"], format_memory)
    yield money(entry["savings_usd_per_month"])
    confidence = entry["confidence"]
    yield "" if confidence is None else f"{confidence:.0%}"
    risk = entry["risk"] or {}
    yield f"{risk.get('level', '')} {risk['score']:.0f}" if risk.get("score") is not None else ""
    yield why(entry)


def _change(now: float | None, then: float | None, form: Any) -> str:
    """Return `now → then`, one value where nothing changes."""
    before, after = (("-" if value is None else str(form(value))) for value in (now, then))
    return before if before == after else f"{before} → {after}"


def why(entry: Mapping[str, Any]) -> str:
    """Return the reason that tells most, behind the code of an entry that is withheld; the others stand in the document."""
    reasons = {reason["code"]: reason["text"] for reason in entry["reasons"]}
    telling = next((code for code in MOST_TELLING if code in reasons), next(iter(reasons), None))
    told = reasons[telling] if telling else ""
    return f"{entry['withheld_code']}: {told}" if entry["status"] == "withheld" else told


def _totals(summary: Mapping[str, Any], shown: int) -> Iterator[str]:
    yield (
        f"{summary['containers']:,} containers of {summary['workloads']:,} workloads: {summary['recommended']:,} to change, "
        f"{summary['unchanged']:,} right as they are, {summary['withheld']:,} without a recommendation."
    )
    withheld = summary["withheld_by_code"]
    if withheld:
        yield "Without one: " + ", ".join(f"{code} {count:,}" for code, count in sorted(withheld.items())) + "."
    requests = summary.get("requests")
    if requests:
        now, then = requests["current"], requests["recommended"]
        yield (
            f"Requests: {now['cpu_request_cores']:,.1f} → {then['cpu_request_cores']:,.1f} cores, "
            f"{now['memory_request_bytes'] / GIB:,.1f} → {then['memory_request_bytes'] / GIB:,.1f} GiB."
        )
    yield from _beside(summary)
    yield _savings(summary)
    if summary["recommended"] > shown:
        yield f"The {shown:,} changes that save most are shown."


def _beside(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what autoscalers and volumes come to, where there are any."""
    scaling, storage = (summary.get(name) or {} for name in ("scaling", "storage"))
    if sum(scaling.get(name, 0) for name in ("recommended", "unchanged", "withheld")):
        counted = f"{scaling['recommended']:,} to change, {scaling['unchanged']:,} right as they are, {scaling['withheld']:,} without a recommendation"
        yield f"Autoscalers: {counted}."
    if scaling.get("advised"):
        yield f"Instead of smaller requests {scaling['advised']:,} workloads could have another number of pods: `scaling` of the JSON tells."
    if storage.get("claims"):
        yield (
            f"Volumes: {storage['recommended']:,} of {storage['claims']:,} to grow, "
            f"{storage['current_bytes'] / GIB:,.0f} → {storage['recommended_bytes'] / GIB:,.0f} GiB."
        )


def _savings(summary: Mapping[str, Any]) -> str:
    """Return what all of it saves; where more than requests changes, what each part does."""
    requests, total = summary["savings_usd_per_month"], summary.get("total_savings_usd_per_month")
    parts = {
        name: summary[key]["savings_usd_per_month"]
        for name, key in (("autoscalers", "scaling"), ("volumes", "storage"))
        if summary.get(key)
    }
    if total is None or not any(parts.values()):
        return f"Savings: {requests:,.2f} USD a month."
    return (
        f"Savings: {total:,.2f} USD a month: requests {requests:,.2f}, "
        + ", ".join(f"{name} {saved:,.2f}" for name, saved in parts.items())
        + "."
    )
