from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from outside.scanned import GIB, document, entry, scaling, together, volume, withheld

from upid.cli.outputs.rows import COLUMNS, render_csv


def rows(found: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render_csv(found).decode())))


def test_each_container_is_a_row_with_its_figures_under_their_names() -> None:
    (row,) = rows(document(entry()))

    assert (row["cluster"], row["namespace"], row["name"], row["container"], row["replicas"]) == ("prod", "shop", "web", "app", "3")
    assert (row["current_cpu_limit_cores"], row["recommended_cpu_limit_cores"], row["recommended_cpu_request_cores"]) == ("2.0", "", "0.25")
    assert (row["cpu_cores_p50"], row["memory_bytes_max"], row["restarts"]) == ("0.1", str(6 * 32 * 2**20), "1")
    assert (row["reason_codes"], row["reasons"]) == ("cpu_quantile", "CPU use is above 240m for 1 % of the time.")
    assert (row["window_start"], row["step_seconds"]) == ("2023-11-08T00:00:00Z", "300")


def test_the_columns_do_not_depend_on_what_is_known() -> None:
    (row,) = rows(document(withheld()))

    assert tuple(row) == COLUMNS
    assert (row["withheld_code"], row["confidence"], row["risk_score"], row["cpu_cores_p99"]) == ("no_data", "", "", "")


def test_what_a_workload_has_beside_its_containers_stands_on_its_first_row_alone() -> None:
    both = {
        "scaling": scaling(),
        "storage": [volume(), volume(claim="b", status="unchanged", recommended_bytes=100 * GIB, savings_usd_per_month=0.0)],
    }
    first, second = rows(document(entry(**both), entry(container="proxy", **both)))

    assert (first["autoscaler"], first["recommended_max_replicas"], first["scaling_savings_usd_per_month"]) == ("web-hpa", "14", "15.24")
    assert (first["claims"], first["claims_to_grow"], first["recommended_storage_bytes"]) == ("2", "1", str(209 * GIB))
    assert first["storage_savings_usd_per_month"] == "-0.72"
    assert {second[name] for name in COLUMNS[COLUMNS.index("autoscaler") :]} == {""}


def test_savings_of_volumes_are_not_told_where_one_is_not_known() -> None:
    (row,) = rows(document(entry(storage=[volume(), volume(claim="b", savings_usd_per_month=None)])))

    assert (row["storage_savings_usd_per_month"], row["autoscaler"]) == ("", "")


def test_rows_of_several_clusters_name_theirs() -> None:
    found = rows(together(document(entry(), cluster="a"), document(entry(), withheld(), cluster="b")))

    assert [(row["cluster"], row["name"]) for row in found] == [("a", "web"), ("b", "web"), ("b", "new")]


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "-2", "+3", "\tx"])
def test_a_name_that_a_spreadsheet_would_reckon_with_is_text(name: str) -> None:
    (row,) = rows(document(entry(name=name)))

    assert row["name"] == f"'{name}"


def test_no_containers_leave_the_line_of_names() -> None:
    assert render_csv(document()).decode() == ",".join(COLUMNS) + "\r\n"
