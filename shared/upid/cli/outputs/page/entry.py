"""One container on the page: its row, and behind it plots, reasons in words and the figures that they stand on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from upid.cli.outputs.page.plots import Levels, format_of, range_bar, time_plot
from upid.cli.outputs.workloads import bounds, money, sizes
from upid.cli.table import why
from upid.services.scan import Trail

FACTS: Final = (
    ("pods", "pods seen"), ("samples", "steps with a sample"), ("effective_samples", "effective samples"), ("oom_kills", "OOM kills"), ("restarts", "restarts"),
)  # fmt: skip
COLUMNS: Final = 10


def plain(text: object) -> str:
    """Return text for HTML: names come from outside, so what could be markup is escaped and what cannot be printed is replaced."""
    return escape("".join(character if character.isprintable() else "\ufffd" for character in str(text)))


def entry_html(cluster: str, entry: Mapping[str, Any], trail: Trail | None) -> str:
    """Return the rows of a container. `cluster`: its name where the page is of several, else empty."""
    cpu, memory = (Levels.of(entry, resource) for resource in ("cpu", "memory"))
    savings, confidence, risk = entry["savings_usd_per_month"], entry["confidence"], entry["risk"] or {}
    where = f"{cluster}/{entry['namespace']}" if cluster else entry["namespace"]
    kind = "" if entry["kind"] == "Deployment" else f' <span class="soft">{plain(entry["kind"])}</span>'
    evidence = entry["evidence"]
    cells = [
        f'<td class="who"><span class="soft">{plain(where)}/</span><b>{plain(entry["name"])}</b>{kind}</td><td class="who">{plain(entry["container"])}</td>',
        f'<td class="number">{entry["replicas"]}</td>',
        f"<td>{range_bar(cpu, evidence['cpu_cores'], 'cpu')}</td><td class='change'>{_change(cpu, 'cpu')}</td>",
        f"<td>{range_bar(memory, evidence['memory_bytes'], 'memory')}</td><td class='change'>{_change(memory, 'memory')}</td>",
        f'<td class="number {_sign(savings)}">{money(savings)}</td><td class="number">{"" if confidence is None else f"{confidence:.0%}"}</td>',
        f'<td class="number">{_risk(risk)}</td>',
    ]
    told = f'<span class="why">{plain(why(entry))}</span>'
    more = f"<details><summary>{told} plots, reasons and figures</summary>{_detail(entry, trail, cpu, memory)}</details>"
    return (
        f'<tbody class="entry {plain(entry["status"])}"{_data(cluster, entry)}><tr>{"".join(cells)}</tr>'
        f'<tr class="more"><td colspan="{COLUMNS}">{more}</td></tr></tbody>\n'
    )


def _data(cluster: str, entry: Mapping[str, Any]) -> str:
    """Return what the page sorts and filters by."""
    current, risk = entry["current"], entry["risk"] or {}
    identity = [cluster, *(entry[name] for name in ("namespace", "kind", "name", "container"))]
    values = {
        "status": entry["status"], "namespace": entry["namespace"], "text": " ".join([*identity, entry["withheld_code"] or ""]).lower(),
        "name": "/".join(identity), "container": entry["container"], "replicas": entry["replicas"], "cpu": current["cpu_request_cores"],
        "memory": current["memory_request_bytes"], "savings": entry["savings_usd_per_month"], "confidence": entry["confidence"], "risk": risk.get("score"),
    }  # fmt: skip
    return "".join(f' data-{name}="{plain("" if value is None else value)}"' for name, value in values.items())


def _change(levels: Levels, resource: str) -> str:
    lines = [("", levels.request, levels.wanted_request), ("limit ", levels.limit, levels.wanted_limit)]
    form = format_of(resource)
    told = []
    for name, now, then in lines:
        before, after = ("none" if value is None else form(value) for value in (now, then))
        if name and before == after == "none":
            continue
        told.append(f"{name}{before}" if before == after else f"{name}{before} → <b>{after}</b>")
    return f'{told[0]}<br><span class="soft">{told[1]}</span>' if len(told) > 1 else told[0]


def _sign(savings: float | None) -> str:
    return "" if not savings else "saves" if savings > 0 else "costs"


def _risk(risk: Mapping[str, Any]) -> str:
    if risk.get("score") is None:
        return ""
    return f'<span class="tag {plain(risk["level"])}">{plain(risk["level"])} {risk["score"]:.0f}</span>'


def _detail(entry: Mapping[str, Any], trail: Trail | None, cpu: Levels, memory: Levels) -> str:
    figures = [_figure("CPU per pod", cpu, "cpu", trail and (trail.cpu_mean, trail.cpu_peak), trail)]
    figures.append(_figure("Memory per pod", memory, "memory", trail and (trail.memory_mean, trail.memory_peak), trail))
    reasons = "".join(f"<li>{plain(reason['text'])}</li>" for reason in entry["reasons"])
    facts = "".join(f"<div><span>{name}:</span> {value}</div>" for name, value in _facts(entry))
    beside = "".join(f"<h4>{plain(title)}</h4><p>{plain(line)}</p>" for title, line in _beside(entry))
    return (
        f'<div class="detail">{"".join(figures)}<div><h4>Why</h4><ol class="reasons">{reasons}</ol>{beside}'
        f'<h4>What it stands on</h4><div class="facts">{facts}</div></div></div>'
    )


def _beside(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the workload's number of pods and its volumes come to, each under a title."""
    scaling = entry.get("scaling") or {}
    if scaling.get("kind") and scaling["status"] == "recommended":
        title = "Autoscaler" if scaling["kind"] == "autoscaler" else "Number of pods, instead of smaller requests"
        now, then = (bounds(scaling, when) for when in ("current", "recommended"))
        yield title, f"{now} → {then}{_saved(scaling)}. " + " ".join(reason["text"] for reason in scaling["reasons"])
    for volume in entry.get("storage") or ():
        change = f"{sizes(volume)}{_saved(volume)}. " if volume["status"] == "recommended" else ""
        yield f"Volume {volume['claim']}", change + " ".join(reason["text"] for reason in volume["reasons"])


def _saved(part: Mapping[str, Any]) -> str:
    saved = part["savings_usd_per_month"]
    if saved is None:
        return ""
    return f", saves {saved:,.2f} USD a month" if saved >= 0 else f", costs {-saved:,.2f} USD a month"


def _figure(title: str, levels: Levels, resource: str, values: Sequence[Any] | None, trail: Trail | None) -> str:
    told = levels.told(format_of(resource))
    if values is None or trail is None or not (values[1] == values[1]).any():
        return f"<figure><h4>{title}</h4><figcaption>{told}. No usage over time is at hand.</figcaption></figure>"
    mean, peak = (series.tolist() for series in values)
    plot = time_plot(levels, mean, peak, start=trail.start, bin_seconds=trail.bin_seconds, resource=resource)
    return f"<figure><h4>{title}</h4>{plot}<figcaption>{told}.</figcaption></figure>"


def _facts(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    evidence, backtest = entry["evidence"], entry["backtest"] or {}
    for metric, name, resource in (("cpu_cores", "CPU", "cpu"), ("memory_bytes", "memory", "memory")):
        for figure in ("mean", "p50", "p95", "p99", "max"):
            if evidence[metric][figure] is not None:
                yield f"{name} {figure}", format_of(resource)(evidence[metric][figure])
    for key, name in FACTS:
        if evidence[key] is not None:
            yield name, f"{evidence[key]:,}"
    if evidence["throttled_fraction"] is not None:
        yield "CPU periods throttled", f"{evidence['throttled_fraction']:.2%}"
    for key, name in (("cpu_time_above_request", "CPU above the request"), ("memory_time_above_request", "memory above the request")):
        if backtest.get(key) is not None:
            yield f"back-test: {name}", f"{backtest[key]:.2%} of the time"
