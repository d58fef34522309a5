"""A scan as one HTML page that needs nothing else: no other file, no network, and no script to be read."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

from upid.cli.outputs import clusters_in
from upid.cli.outputs.page.entry import entry_html, plain
from upid.cli.outputs.workloads import SCALING_HEADS, VOLUME_HEADS, scaling_rows, volume_rows
from upid.services.scan import ContainerKey, Trail, Trails

GIB: Final = 2**30
HEADS: Final = (
    ("workload", "name", "text", ""), ("container", "container", "text", ""), ("pods", "replicas", "number", "number"), ("CPU usage", "", "", ""),
    ("CPU request", "cpu", "number", ""), ("memory usage", "", "", ""), ("memory request", "memory", "number", ""),
    ("USD/month", "savings", "number", "number"), ("confidence", "confidence", "number", "number"), ("risk", "risk", "number", "number"),
)  # fmt: skip
LEGEND: Final = (
    ("mean", "usage, mean of the pods"), ("peak", "usage, busiest pod"), ("request", "request now"), ("limit", "limit now"),
    ("wanted-request", "recommended request"), ("wanted-limit", "recommended limit"),
)  # fmt: skip


def render_page(document: Mapping[str, Any], trails: Trails) -> bytes:
    """Return the page. `trails`: usage over time by cluster and container; where there is none, the page shows how usage is spread and says so."""
    style, script = (_part(name) for name in ("page.css", "page.js"))
    # No source may load anything, and only this style and script run: what a name might smuggle in does not.
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}"
    title = ", ".join(part["cluster"] for part in clusters_in(document))
    head = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>UPID: {plain(title)}</title><style>{style}</style></head>\n<body>\n'
    )
    return "".join([head, *_body(document, trails, title), f"<script>{script}</script></body></html>\n"]).encode()


def _body(document: Mapping[str, Any], trails: Trails, title: str) -> Iterator[str]:
    summary, window = document["summary"], document["window"]
    yield f"<header><h1>What every workload needs: {plain(title)}</h1>"
    yield f'<p class="soft">Usage from {plain(window["start"])} to {plain(window["end"])}, in steps of {window["step_seconds"]} s. All times are UTC.</p></header>\n'
    yield from _cards(summary)
    yield from _told(summary)
    yield from _several(document)
    yield from _workloads(document)
    yield from _controls(document)
    yield '<div class="scroll"><table class="entries"><thead><tr>' + "".join(_head(*head) for head in HEADS) + "</tr></thead>\n"
    for part in clusters_in(document):
        cluster = part["cluster"] if "clusters" in document else ""
        for entry in part["recommendations"]:
            yield entry_html(cluster, entry, _trail(trails, part["cluster"], entry))
    yield "</table></div>\n"


def _trail(trails: Trails, cluster: str, entry: Mapping[str, Any]) -> Trail | None:
    return trails.get((cluster, ContainerKey(*(entry[name] for name in ContainerKey._fields))))


def _cards(summary: Mapping[str, Any]) -> Iterator[str]:
    now, then = summary["requests"]["current"], summary["requests"]["recommended"]
    total = summary.get("total_savings_usd_per_month")
    savings = summary["savings_usd_per_month"] if total is None else total
    memory = f"{now['memory_request_bytes'] / GIB:,.1f} → {then['memory_request_bytes'] / GIB:,.1f} GiB"
    cpu = f"{now['cpu_request_cores']:,.1f} → {then['cpu_request_cores']:,.1f} cores"
    cards = [
        (f"{savings:,.2f} USD", "saved a month" if savings >= 0 else "a month: more is needed than is asked for", "saves" if savings > 0 else "costs" if savings < 0 else ""),
        (cpu, "CPU requested, now and as recommended", ""), (memory, "memory requested, now and as recommended", ""),
        (f"{summary['recommended']:,} to change", f"of {summary['containers']:,} containers of {summary['workloads']:,} workloads", ""),
        (f"{summary['unchanged']:,} unchanged", "are right as they are", ""), (f"{summary['withheld']:,} withheld", "have no recommendation, each with a reason", ""),
    ]  # fmt: skip
    yield '<section class="cards">' + "".join(
        f'<div class="card"><b class="{kind}">{value}</b><span>{what}</span></div>' for value, what, kind in cards
    )
    yield "</section>\n"


def _told(summary: Mapping[str, Any]) -> Iterator[str]:
    if summary["withheld_by_code"]:
        yield '<p class="soft">Without a recommendation: '
        yield ", ".join(f"{plain(code)} {count:,}" for code, count in sorted(summary["withheld_by_code"].items())) + ".</p>\n"
    for kind, title, lines in (
        ("errors", "Could not be read", [f"{error['subject']}: {error['detail']}" for error in summary.get("errors", ())]),
        ("warnings", "Incomplete", summary.get("warnings", ())),
    ):
        if lines:
            yield f'<h2>{title}</h2><ul class="told {kind}">' + "".join(f"<li>{plain(line)}</li>" for line in lines) + "</ul>\n"


def _several(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the totals of each cluster where the page is of several."""
    if "clusters" not in document:
        return
    yield '<h2>Clusters</h2><table class="clusters"><thead><tr><th>cluster</th>'
    yield (
        "".join(f'<th class="number">{name}</th>' for name in ("containers", "to change", "withheld", "cores requested", "USD/month"))
        + "</tr></thead><tbody>\n"
    )
    for part in document["clusters"]:
        total = part["summary"]
        requests = " → ".join(f"{total['requests'][when]['cpu_request_cores']:,.1f}" for when in ("current", "recommended"))
        cells = (
            f"{total['containers']:,}",
            f"{total['recommended']:,}",
            f"{total['withheld']:,}",
            requests,
            f"{total['savings_usd_per_month']:,.2f}",
        )
        yield f"<tr><td>{plain(part['cluster'])}</td>" + "".join(f'<td class="number">{cell}</td>' for cell in cells) + "</tr>\n"
    yield "</tbody></table>\n"


def _workloads(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the autoscalers and the volumes that need other values, where there are any."""
    for title, heads, rows_of in (("Autoscalers", SCALING_HEADS, scaling_rows), ("Volumes", VOLUME_HEADS, volume_rows)):
        rows = [
            (f"{part['cluster']}/{name}" if "clusters" in document else name, *cells)
            for part in clusters_in(document)
            for name, *cells in rows_of(part["recommendations"])
        ]
        if rows:
            yield from _small(title, heads, rows)


def _small(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f'<h2>{title}</h2><table class="clusters"><thead><tr>' + "".join(f"<th>{head}</th>" for head in heads) + "</tr></thead><tbody>\n"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{plain(cell)}</td>" for cell in row) + "</tr>\n"
    yield "</tbody></table>\n"


def _controls(document: Mapping[str, Any]) -> Iterator[str]:
    names = sorted({entry["namespace"] for part in clusters_in(document) for entry in part["recommendations"]})
    options = "".join(f"<option>{plain(name)}</option>" for name in names)
    yield '<div class="controls"><label>Find <input type="search" id="search"></label>'
    yield '<select id="status" aria-label="Status"><option value="">every status</option><option>recommended</option><option>unchanged</option><option>withheld</option></select>'
    yield f'<select id="namespace" aria-label="Namespace"><option value="">every namespace</option>{options}</select>'
    yield '<button type="button" id="open">Open or close all</button><span id="count" class="soft" aria-live="polite"></span> <button type="button" id="all" hidden>Show all</button></div>\n'
    yield '<div class="legend">' + "".join(
        f'<span><svg viewBox="0 0 30 12"><path class="{kind}" d="M0 6H30"/></svg>{text}</span>' for kind, text in LEGEND
    )
    yield "<span>In the table: the bar is usage from its median to its 99th percentile, the thin line goes up to its maximum.</span></div>\n"


def _head(title: str, key: str, kind: str, style: str) -> str:
    inside = f'<button type="button" data-key="{key}" data-kind="{kind}">{title}</button>' if key else title
    return f'<th scope="col" class="{style}">{inside}</th>' if style else f'<th scope="col">{inside}</th>'


def _part(name: str) -> str:
    return (files("upid.cli.outputs.page") / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
