from __future__ import annotations

import re
from typing import Any

import pytest

from upid.cli.table import render

MIB = 2**20


def entry(**more: Any) -> dict[str, Any]:
    now = {"cpu_request_cores": 1.0, "cpu_limit_cores": None, "memory_request_bytes": 1024.0 * MIB, "memory_limit_bytes": None}
    then = now | {"cpu_request_cores": 0.25, "memory_request_bytes": 300.0 * MIB}
    return {
        "namespace": "shop", "kind": "Deployment", "name": "web", "container": "app", "replicas": 3, "status": "recommended", "withheld_code": None,
        "current": now, "recommended": then, "reasons": [{"code": "cpu_quantile", "text": "CPU use is above 240m.", "values": {}}],
        "confidence": 0.874, "risk": {"score": 27, "level": "medium"}, "savings_usd_per_month": 1234.5,
    } | more  # fmt: skip


def totals(**more: Any) -> dict[str, Any]:
    requests = {
        "current": {"cpu_request_cores": 10.0, "memory_request_bytes": 2.0 * 2**30},
        "recommended": {"cpu_request_cores": 4.0, "memory_request_bytes": 1.5 * 2**30},
    }
    return {
        "workloads": 3, "containers": 4, "recommended": 1, "unchanged": 1, "withheld": 2, "withheld_by_code": {"no_data": 2},
        "savings_usd_per_month": 1234.5, "requests": requests,
    } | more  # fmt: skip


def text(*entries: dict[str, Any], width: int = 200, **more: Any) -> str:
    return render({"cluster": "c", "recommendations": list(entries), "summary": totals(**more)}, width=width)


def cells(rendered: str, name: str) -> list[str]:
    line = next(line for line in rendered.splitlines() if name in line)
    return re.split(r" {2,}", line.strip())


def test_a_row_tells_what_changes_what_it_saves_how_sure_how_risky_and_why() -> None:
    assert cells(text(entry()), "shop/web") == [
        "shop/web", "app", "3", "1 → 250m", "1Gi → 300Mi", "1,234.50", "87%", "medium 27", "CPU use is above 240m.",
    ]  # fmt: skip


def test_what_does_not_change_and_what_is_not_set_are_told_apart() -> None:
    current = {"cpu_request_cores": None, "cpu_limit_cores": None, "memory_request_bytes": 64.0 * MIB, "memory_limit_bytes": None}
    row = cells(text(entry(current=current, recommended=current | {"cpu_request_cores": 0.1}, kind="DaemonSet")), "shop/web")

    assert row[0] == "shop/web (DaemonSet)"
    assert row[3:5] == ["- → 100m", "64Mi"]


def test_the_reason_that_tells_most_is_shown() -> None:
    reasons = [{"code": code, "text": f"about {code}", "values": {}} for code in ("cpu_quantile", "memory_peak", "memory_oom")]

    assert cells(text(entry(reasons=reasons)), "shop/web")[-1] == "about memory_oom"


def test_a_withheld_row_has_its_code_and_no_figures() -> None:
    reasons = [{"code": "no_data", "text": "There is no sample.", "values": {}}]
    withheld = entry(
        status="withheld",
        withheld_code="no_data",
        savings_usd_per_month=None,
        confidence=None,
        risk=None,
        recommended=entry()["current"],
        reasons=reasons,
    )

    assert cells(text(withheld), "shop/web") == ["shop/web", "app", "3", "1", "1Gi", "no_data: There is no sample."]


def test_totals_stand_beneath() -> None:
    assert text(entry()).splitlines()[-4:] == [
        "4 containers of 3 workloads: 1 to change, 1 right as they are, 2 without a recommendation.",
        "Without one: no_data 2.",
        "Requests: 10.0 → 4.0 cores, 2.0 → 1.5 GiB.",
        "Savings: 1,234.50 USD a month.",
    ]


def test_rows_that_are_left_out_are_told() -> None:
    assert text(entry(), recommended=90).splitlines()[-1] == "The 1 changes that save most are shown."


def test_an_empty_cluster_has_totals_only() -> None:
    assert text(recommended=0, workloads=0, containers=0).startswith("0 containers of 0 workloads")


@pytest.mark.parametrize("width", [60, 120, 200])
def test_a_pipe_gets_no_control_characters_and_no_line_too_long(width: int) -> None:
    rendered = text(
        entry(name="n" * 253, namespace="ü" * 63, reasons=[{"code": "x", "text": "[bold]why[/bold] " * 20, "values": {}}]), width=width
    )

    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", rendered)
    assert max(len(line) for line in rendered.splitlines()) <= width
    assert "[bold]" in rendered or width == 60


def test_a_terminal_gets_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")

    assert "\x1b[" in render({"cluster": "c", "recommendations": [entry()], "summary": totals()}, width=160, color=True)
