from __future__ import annotations

import pytest

from upid.adapters.prometheus.access import endpoint_of
from upid.domain.clusters import MetricsAccess
from upid.domain.errors import InvalidRequestError


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://prometheus:9090", "http://prometheus:9090"),
        ("http://prometheus:9090/", "http://prometheus:9090"),
        ("https://vm/select/0/prometheus/", "https://vm/select/0/prometheus"),
        ("http://prometheus:9090/api/v1", "http://prometheus:9090"),
        ("http://user:secret@prometheus:9090/x", "http://prometheus:9090/x"),
        ("http://[::1]:9090", "http://[::1]:9090"),
    ],
)
def test_the_base_ends_before_the_api(url: str, base: str) -> None:
    assert endpoint_of(MetricsAccess(url)).base == base


@pytest.mark.parametrize(
    "url", ["", "prometheus:9090", "ftp://prometheus", "http://", "http://a b", "http://a:99999", "file:///etc/passwd", "http://a\n:1"]
)
def test_an_url_that_is_none_is_refused_with_its_pointer(url: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        endpoint_of(MetricsAccess(url))

    assert [fault["pointer"] for fault in caught.value.members["errors"]] == ["#/url"]


def test_a_password_in_a_refused_url_is_not_repeated() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        endpoint_of(MetricsAccess("ftp://user:secret@prometheus"))

    assert "secret" not in str(caught.value.members)


def test_a_user_in_the_url_is_basic_auth() -> None:
    # base64("user:pass word") by RFC 7617.
    endpoint = endpoint_of(MetricsAccess("http://user:pass%20word@prometheus"))

    assert endpoint.headers == {"Authorization": "Basic dXNlcjpwYXNzIHdvcmQ="}


def test_credentials_are_not_in_what_is_printed_of_it() -> None:
    endpoint = endpoint_of(MetricsAccess("http://prometheus", bearer_token="hidden", headers=(("X-Key", "hidden"),)))

    assert endpoint.headers == {"X-Key": "hidden", "Authorization": "Bearer hidden"}
    assert "hidden" not in repr(endpoint)


@pytest.mark.parametrize("header", [("X Y", "v"), ("", "v"), ("X", "a\r\nHost: b")])
def test_a_header_that_cannot_be_sent_is_refused(header: tuple[str, str]) -> None:
    with pytest.raises(InvalidRequestError):
        endpoint_of(MetricsAccess("http://prometheus", headers=(header,)))


def test_a_token_with_a_line_break_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        endpoint_of(MetricsAccess("http://prometheus", bearer_token="a\nb"))


@pytest.mark.parametrize(
    ("label", "matcher"),
    [
        ("", ""),
        ('cluster="prod"', 'cluster="prod"'),
        ("cluster=prod", 'cluster="prod"'),
        (' cluster =~ "a|b" ', 'cluster=~"a|b"'),
        ('k!="a\\"b"', 'k!="a\\"b"'),
        ('a="b", c=d', 'a="b",c="d"'),
    ],
)
def test_a_cluster_label_is_a_list_of_matchers(label: str, matcher: str) -> None:
    assert endpoint_of(MetricsAccess("http://prometheus", cluster_label=label)).matcher == matcher


@pytest.mark.parametrize("label", ["prod", 'cluster="a"} or vector(1) or x{a="', "1a=b", 'a="b'])
def test_what_is_more_or_less_than_a_matcher_is_refused(label: str) -> None:
    with pytest.raises(InvalidRequestError):
        endpoint_of(MetricsAccess("http://prometheus", cluster_label=label))


@pytest.mark.parametrize(
    ("url", "near"), [("http://127.0.0.1:1", True), ("http://localhost", True), ("http://[::1]", True), ("http://10.0.0.1", False)]
)
def test_loopback_is_known(url: str, near: bool) -> None:
    assert endpoint_of(MetricsAccess(url)).is_loopback is near


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://prometheus", "-----BEGIN CERTIFICATE-----"),
        ("https://prometheus", "-----BEGIN CERTIFICATE-----\nx"),
        ("https://prometheus", "ca.pem"),
        ("https://prometheus", "ä"),
    ],
)
def test_an_authority_that_cannot_be_used_is_pointed_to(url: str, authority: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        endpoint_of(MetricsAccess(url, certificate_authority=authority))

    assert refused.value.members["errors"][0]["pointer"] == "#/certificate_authority"  # type: ignore[index] # a list of faults
