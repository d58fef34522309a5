"""Pointers to faults, and faults of queries."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from upid.http.validation import pointer, query_faults

BODY = {"name": "x", "metrics": {"url": 1, "headers": [{"a": 1}]}, "a/b": {"c~d": 1}}


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (("body",), "#"),
        (("body", "name"), "#/name"),
        (("body", "missing"), "#/missing"),
        (("body", "metrics", "url"), "#/metrics/url"),
        (("body", "metrics", "PrometheusIn", "url"), "#/metrics/url"),
        (("body", "metrics", "headers", 0, "a"), "#/metrics/headers/0/a"),
        (("body", "metrics", "headers", 5), "#/metrics/headers"),
        (("body", "a/b", "c~d"), "#/a~1b/c~0d"),
        (("query", "limit"), "?limit"),
        (("query", "namespace", 0), "?namespace"),
        (("query", "filters", "status"), "?status"),
        (("query", "limit", "int"), "?limit"),
        (("query", "filters", "status", "list[str]", 0), "?status"),
        (("path", "cluster_id"), "{cluster_id}"),
        (("header", "If-Match"), "If-Match"),
        (("body", "x" * 5000), "#/" + "x" * 100),
    ],
)
def test_a_pointer_leads_to_the_fault(location: tuple[str | int, ...], expected: str) -> None:
    assert pointer(location, BODY, {"limit", "status", "namespace"}) == expected


@pytest.mark.parametrize("kind", [int, str, str | None, Literal["a", "b"], float | None])
def test_two_values_of_what_takes_one_are_a_fault(kind: Any) -> None:
    assert query_faults({"top": ["1", "2"], "limit": ["1"]}, {"top": kind, "limit": int}) == [
        {"pointer": "?top", "detail": "It is given twice."}
    ]


@pytest.mark.parametrize("kind", [list[str], list[int] | None])
def test_a_list_may_have_many_values(kind: Any) -> None:
    assert query_faults({"names": ["1", "2"]}, {"names": kind, "absent": str}) == []


def test_what_nobody_reads_is_told_once_however_often_it_is_given() -> None:
    assert query_faults({"x" * 200: ["1", "2"]}, {"top": int}) == [
        {"pointer": "?" + "x" * 100, "detail": "There is no such parameter here."}
    ]
