from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from unit.engine.making import GIB, MIB, MONDAY, noise
from unit.services.test_sizing import APP, chunk, inventory, table, workload

from upid.domain.inventory import Autoscaler, Container, Resources
from upid.domain.reasons import TEXTS, percent, text_of
from upid.domain.times import format_time
from upid.engine.rightsizing.columns import REASONS, SCALING_REASONS, VOLUME_REASONS
from upid.services.entries import entries, entry
from upid.services.sizing import rows_of
from upid.services.summaries import merge_summaries, summary

KEYS = [
    "namespace", "kind", "name", "uid", "container", "role", "replicas", "status", "withheld_code", "current", "recommended", "evidence",
    "reasons", "rules", "confidence", "backtest", "risk", "savings_usd_per_month", "scaling", "storage",
]  # fmt: skip


def shop() -> Any:
    """Return a table of four workloads: sized, without data, an init container beside a main one, and one that an autoscaler scales."""
    rows = rows_of(inventory(
        workload("api"), workload("dark"), workload("jobs", APP, Container("migrate", role="init")),
        workload("web", autoscaler=Autoscaler("web", 1, 5, cpu_utilization=70.0, memory_utilization=70.0)),
    ))  # fmt: skip
    keys = [("uid-api", "app", "p"), ("uid-api", "app", "q"), ("uid-jobs", "app", "p"), ("uid-web", "app", "p")]
    return table(rows, chunk(keys, noise(7, series=4)))


def test_an_entry_has_the_documented_keys_in_their_order() -> None:
    found = entry(shop(), 0)

    assert list(found) == KEYS
    assert (found["namespace"], found["kind"], found["name"], found["uid"], found["container"]) == (
        "shop",
        "Deployment",
        "api",
        "uid-api",
        "app",
    )
    assert (found["replicas"], found["status"], found["withheld_code"]) == (2, "recommended", None)
    assert found["current"] == {"cpu_request_cores": 1.0, "cpu_limit_cores": None, "memory_request_bytes": GIB, "memory_limit_bytes": None}
    assert found["recommended"]["cpu_limit_cores"] is None
    assert found["recommended"]["memory_request_bytes"] == 135 * MIB  # 100 MiB and 1.699 * 1.003 * 20 MiB, rounded up
    assert found["evidence"]["window"] == {"start": format_time(MONDAY), "end": format_time(MONDAY + 7 * 86400), "step_seconds": 300}


def test_evidence_is_numpys_over_all_pods() -> None:
    usage = noise(7, series=4)[:2].astype(np.float64)

    found = entry(shop(), 0)["evidence"]

    assert found["source"] == "samples"
    assert (found["pods"], found["samples"], found["cpu_samples"], found["coverage"]) == (2, 2016, 4032, 1.0)
    expected = {"mean": usage.mean(), "max": usage.max(), **{f"p{q}": np.quantile(usage, q / 100) for q in (50, 90, 95, 99)}}
    assert found["cpu_cores"] == pytest.approx(expected, rel=1e-11)
    assert found["throttled_fraction"] is None


def test_a_withheld_entry_carries_its_evidence_and_keeps_what_is_set() -> None:
    dark, init = entry(shop(), 1), entry(shop(), 3)

    assert (dark["status"], dark["withheld_code"]) == ("withheld", "no_data")
    assert dark["recommended"] == dark["current"]
    assert dark["evidence"]["cpu_cores"] == dict.fromkeys(("mean", "p50", "p90", "p95", "p99", "max"))
    assert (dark["evidence"]["samples"], dark["risk"]) == (0, {"score": None, "level": None})
    assert (init["container"], init["withheld_code"]) == ("migrate", "init_container")
    assert [reason["code"] for reason in init["reasons"]] == ["init_container"]


def test_an_autoscaled_workload_is_told_its_bounds_and_another_gets_advice() -> None:
    found = {each["name"]: each["scaling"] for each in entries(shop())}

    assert found["web"]["kind"] == "autoscaler"
    assert found["web"]["current"] == {"min_replicas": 1, "max_replicas": 5}
    assert found["web"]["recommended"] == {"min_replicas": 1, "max_replicas": 1}
    assert "A pod of 1 CPU is added at 70 % of it" in found["web"]["reasons"][2]["text"]
    # Four series of four workloads: `api` has two pods of 0.2 cores, which one pod of 1 core would carry.
    assert (found["api"]["kind"], found["api"]["status"]) == ("advice", "unchanged")
    assert found["api"]["recommended"] == {"min_replicas": 2, "max_replicas": 2}
    assert (found["dark"]["status"], found["dark"]["withheld_code"]) == ("withheld", "not_enough_data")


def test_bounds_that_hold_pods_up_save_them_and_stand_in_the_totals_once() -> None:
    proxy = Container("proxy", Resources(1.0, None, GIB, None), role="sidecar")
    scaler = Autoscaler("web-hpa", 3, 5, cpu_utilization=50.0, managed_by="ScaledObject/web")
    rows = rows_of(inventory(workload("web", APP, proxy, autoscaler=scaler)))
    given = table(rows, chunk([("uid-web", "app", "p"), ("uid-web", "proxy", "p")], noise(7, series=2)))

    found, totals = entries(given), summary(given)

    scaling = found[0]["scaling"]
    assert (scaling["autoscaler"], scaling["managed_by"]) == ("web-hpa", "ScaledObject/web")
    # 0.4 cores of 2 x 50 % need one pod; three ran for the sake of the bounds, two stay in case that one fails.
    assert scaling["pods"] == {"current": 3.0, "recommended": 2.0}
    pod = sum(0.03 * e["recommended"]["cpu_request_cores"] + 0.004 * e["recommended"]["memory_request_bytes"] / GIB for e in found) * 730
    assert scaling["savings_usd_per_month"] == pytest.approx(pod, abs=1e-3)
    assert totals["scaling"] == {
        "recommended": 1, "unchanged": 0, "withheld": 0, "advised": 0, "savings_usd_per_month": pytest.approx(pod, abs=0.01), "savings_unknown": 0,
    }  # fmt: skip
    assert totals["total_savings_usd_per_month"] == pytest.approx(totals["savings_usd_per_month"] + pod, abs=0.01)


def test_volumes_are_summed_up_and_one_without_a_price_is_counted() -> None:
    def volume(status: str, size: float, wanted: float, saved: float | None) -> dict[str, Any]:
        return {"status": status, "current_bytes": size, "recommended_bytes": wanted, "savings_usd_per_month": saved}

    volumes = {
        "uid-api": [volume("recommended", 1.0, 2.0, -0.5), volume("unchanged", 3.0, 3.0, 0.0)],
        "uid-web": [volume("recommended", 5.0, 9.0, None)],
    }

    found = summary(replace(shop(), volumes=volumes))

    assert found["storage"] == {
        "claims": 3, "recommended": 2, "unchanged": 1, "withheld": 0, "current_bytes": 9.0, "recommended_bytes": 14.0,
        "savings_usd_per_month": -0.5, "savings_unknown": 1,
    }  # fmt: skip
    assert found["total_savings_usd_per_month"] == pytest.approx(found["savings_usd_per_month"] - 0.5)


def test_an_entry_of_a_table_from_before_scaling_was_told_has_none() -> None:
    given = shop()

    old = replace(given, columns={name: column for name, column in given.columns.items() if not name.startswith("scaling_")})

    assert entry(old, 0)["scaling"] is None


def test_entries_are_json_without_nan_and_alike_one_by_one() -> None:
    given = shop()

    found = entries(given)

    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found == [entry(given, i) for i in range(5)]


def test_a_row_that_is_not_there_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        entry(shop(), 5)


def test_reasons_say_their_values() -> None:
    found = {reason["code"]: reason for reason in entry(shop(), 0)["reasons"]}

    assert found["memory_peak"]["text"] == "The largest memory use was 100Mi; 34.1 % are added."
    assert found["cpu_quantile"]["values"]["allowed_time_above"] == 0.01
    assert "for 1 % of the time" in found["cpu_quantile"]["text"]


def test_every_code_has_a_text_that_says_all_its_values() -> None:
    assert set(TEXTS) == {reason.code for reason in (*REASONS, *SCALING_REASONS, *VOLUME_REASONS)}
    for reason in (*REASONS, *SCALING_REASONS, *VOLUME_REASONS):
        unknown: Mapping[str, Any] = dict.fromkeys(reason.values)
        numbers = dict.fromkeys(reason.values, 3.0)
        assert text_of(reason.code, numbers).endswith(".")
        assert "{" not in text_of(reason.code, unknown)


@pytest.mark.parametrize(
    ("share", "text"), [(0.999, "99.9 %"), (0.975, "97.5 %"), (0.01, "1 %"), (1e-6, "0.0001 %"), (0.1234, "12.3 %"), (1.0, "100 %")]
)
def test_shares_are_never_rounded_to_nothing_or_to_all(share: float, text: str) -> None:
    assert percent(share) == text


def test_hours_are_told_in_words() -> None:
    values = {"cpu_recurring_cores": 1.5, "cpu_recurring_hour": 24 + 9}

    assert text_of("cpu_recurring_peak", values) == "A peak that comes back every Tuesday at 09:00 UTC needs 1500m."
    assert "daily at 02:00 UTC" in text_of("cpu_recurring_peak", values | {"cpu_recurring_hour": 170})


def test_the_summary_counts_every_row_and_replica() -> None:
    given = shop()

    found, rows = summary(given), entries(given)

    assert (found["workloads"], found["containers"]) == (4, 5)
    assert (found["recommended"], found["unchanged"], found["withheld"]) == (2, 1, 2)
    assert found["withheld_by_code"] == {"init_container": 1, "no_data": 1}
    assert found["savings_usd_per_month"] == pytest.approx(sum(row["savings_usd_per_month"] for row in rows), abs=0.01)
    assert found["requests"]["current"] == {"cpu_request_cores": 8.0, "memory_request_bytes": 8 * GIB}
    assert found["requests"]["recommended"]["cpu_request_cores"] == pytest.approx(
        sum(2 * (row["recommended"]["cpu_request_cores"] or 0) for row in rows)
    )


def test_summaries_of_parts_add_up_to_the_whole() -> None:
    rows = rows_of(inventory(*(workload(f"w{i}", Container("app", Resources(1.0, None, GIB, None))) for i in range(4))))
    usage = noise(7, series=4)
    parts = [table(rows[i : i + 2], chunk([(row.uid, "app", "p") for row in rows[i : i + 2]], usage[i : i + 2])) for i in (0, 2)]
    whole = table(rows, chunk([(row.uid, "app", "p") for row in rows], usage))

    found = merge_summaries(summary(part) for part in parts)

    expected = summary(whole)
    for name in ("savings_usd_per_month", "total_savings_usd_per_month"):
        assert found.pop(name) == pytest.approx(expected.pop(name), abs=0.02)
    assert found == expected


def test_a_summary_of_an_older_version_adds_no_autoscalers_and_no_volumes() -> None:
    now = summary(shop())
    old = {name: value for name, value in now.items() if name not in {"scaling", "storage", "total_savings_usd_per_month"}}

    found = merge_summaries([old, now | {"scaling": None, "storage": None}, now])

    assert (found["scaling"], found["storage"]) == (now["scaling"], now["storage"])
    assert found["total_savings_usd_per_month"] == pytest.approx(found["savings_usd_per_month"] + now["scaling"]["savings_usd_per_month"])


def test_of_no_table_the_summary_is_empty() -> None:
    found = merge_summaries([])

    assert (found["containers"], found["savings_usd_per_month"]) == (0, 0.0)
    assert found["requests"]["current"] == {"cpu_request_cores": 0.0, "memory_request_bytes": 0}
