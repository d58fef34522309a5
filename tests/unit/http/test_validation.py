"""Pointers to faults."""

from __future__ import annotations

import pytest

from upid.http.validation import pointer

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
