from __future__ import annotations

import re
from typing import Any

import pytest
from outside.scanned import scaling, volume

from upid.cli.table import render

MIB = 2**20


def entry(**more: Any) -> dict[str, Any]:
    now = {"cpu_request_cores": 1.0, "cpu_limit_cores": None, "memory_request_bytes": 1024.0 * MIB, "memory_limit_bytes": None}
    then = now | {"cpu_request_cores": 0.25, "memory_request_bytes": 300.0 * MIB}
    return {
        "namespace": "shop", "kind": "Deployment", "name": "web", "uid": "u", "container": "app", "replicas": 3, "status": "recommended", "withheld_code": None,
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


def test_autoscalers_and_volumes_that_change_have_tables_of_their_own_with_a_row_each() -> None:
    both = {"scaling": scaling(), "storage": [volume(), volume(claim="kept", status="unchanged")]}
    rendered = text(entry(**both), entry(container="proxy", **both))

    (pods,), (volumes,) = ([line for line in rendered.splitlines() if mark in line] for mark in ("to 14", "109Gi"))
    assert re.split(r" {2,}", pods.strip()) == ["shop/web", "4 to 9 → 2 to 14", "5.2 → 4.5", "15.24", "High."]
    assert re.split(r" {2,}", volumes.strip()) == ["shop/web", "data-db-0", "100Gi → 109Gi", "-0.72", "It held 86Gi."]
    assert "kept" not in rendered


def test_an_advised_count_and_what_stays_have_no_row() -> None:
    rendered = text(entry(scaling=scaling(kind="advice"), storage=[]), entry(uid="v", scaling=scaling(status="unchanged")))

    assert "least to most pods" not in rendered


def test_the_total_adds_up_what_requests_autoscalers_and_volumes_save() -> None:
    beside = {
        "scaling": {"recommended": 1, "unchanged": 0, "withheld": 2, "advised": 3, "savings_usd_per_month": 15.24},
        "storage": {"claims": 2, "recommended": 1, "current_bytes": 2**31, "recommended_bytes": 2**32, "savings_usd_per_month": -0.72},
    }

    assert text(entry(), total_savings_usd_per_month=1249.02, **beside).splitlines()[-4:] == [
        "Autoscalers: 1 to change, 0 right as they are, 2 without a recommendation.",
        "Instead of smaller requests 3 workloads could have another number of pods: `scaling` of the JSON tells.",
        "Volumes: 1 of 2 to grow, 2 → 4 GiB.",
        "Savings: 1,249.02 USD a month: requests 1,234.50, autoscalers 15.24, volumes -0.72.",
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
