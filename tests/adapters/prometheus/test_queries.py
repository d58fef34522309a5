from __future__ import annotations

import pytest

from upid.adapters.prometheus import queries


def test_one_namespace_is_matched_as_it_is() -> None:
    assert queries.usage(queries.CPU, ["a.b"], "") == 'container_cpu_usage_seconds_total{namespace="a.b",container!="",container!="POD"}'


def test_many_namespaces_are_one_pattern_in_which_nothing_is_special() -> None:
    # A dot is escaped for the pattern, and its backslash for the string.
    assert queries.one_of("namespace", ["a.b", "c"]) == 'namespace=~"a\\\\.b|c"'


@pytest.mark.parametrize(("text", "written"), [('a"b', '"a\\"b"'), ("a\\b", '"a\\\\b"'), ("a\nb", '"a\\nb"')])
def test_text_becomes_a_promql_string(text: str, written: str) -> None:
    assert queries.quoted(text) == written


def test_the_clusters_matcher_goes_into_every_selector() -> None:
    assert queries.selector("m", ["a"], 'cluster="x"') == 'm{namespace="a",cluster="x"}'
    assert queries.any_container('cluster="x"') == 'container_memory_working_set_bytes{container!="",container!="POD",cluster="x"}'
