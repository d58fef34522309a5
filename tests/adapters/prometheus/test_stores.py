"""What is asked of each store that speaks Prometheus' API, and what is made of the parts that it leaves out. Shapes are those of their documentation."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from adapters.prometheus.scripted import Answer, Asked, Server
from adapters.prometheus.test_source import WINDOW, steady

from upid.adapters.prometheus import amazon
from upid.adapters.prometheus.access import endpoint_of
from upid.adapters.prometheus.client import PrometheusClient
from upid.adapters.prometheus.source import PrometheusSource
from upid.domain.clusters import MetricsAccess
from upid.domain.errors import InvalidRequestError, UnauthenticatedError
from upid.ports.metrics_source import NamespaceUsage


def usage(server: Server, **access: Any) -> NamespaceUsage:
    endpoint = endpoint_of(MetricsAccess(server.url, **access))
    (found,) = PrometheusSource(PrometheusClient(endpoint, sleep=lambda _: None), endpoint.matcher).usage([["n1"]], WINDOW)
    return found


def with_more(more: bytes) -> Any:
    """Answers of a source whose range queries say more beside their data."""
    inner = steady()

    def answer(asked: Asked) -> Answer:
        found = inner(asked)
        return Answer(found.body[:-1] + more + b"}") if asked.path.endswith("query_range") else found

    return answer


def test_thanos_counts_replicas_once_and_may_leave_stores_out(server: Server) -> None:
    server.answer = with_more(b',"warnings":["No StoreAPIs matched for this query"]')

    found = usage(server, kind="thanos", tenant="team-a")

    assert {(*asked.params["dedup"], *asked.params["partial_response"]) for asked in server.asked} == {("true", "true")}
    assert {asked.headers["THANOS-TENANT"] for asked in server.asked} == {"team-a"}
    assert found.warnings == ("Prometheus warns: No StoreAPIs matched for this query",)


def test_mimir_is_told_the_tenant(server: Server) -> None:
    server.answer = steady()

    usage(server, kind="mimir", tenant="team-a|team-b")

    assert {asked.headers["X-Scope-OrgID"] for asked in server.asked} == {"team-a|team-b"}


def test_victoriametrics_keeps_the_grid_and_tells_a_partial_answer(server: Server) -> None:
    server.answer = with_more(b',"isPartial":true')

    found = usage(server, kind="victoriametrics")

    assert {asked.params["nocache"][0] for asked in server.asked} == {"1"}
    assert found.warnings == ("The metrics source answered with a part of its data only.",)


def test_every_query_of_a_shared_store_has_every_matcher(server: Server) -> None:
    server.answer = steady()

    usage(server, cluster_label='cluster=prod,env=~"a,b|c"')

    for asked in server.asked:
        for text in asked.params.get("query", []) + asked.params.get("match[]", []):
            assert 'cluster="prod",env=~"a,b|c"' in text
    assert len(server.asked) >= 7


@pytest.mark.parametrize("label", ["cluster=a,", "cluster=a,,b=c", 'a="b"c="d"', "a=b} or up{", ",a=b"])
def test_what_is_no_list_of_matchers_is_refused(label: str) -> None:
    with pytest.raises(InvalidRequestError):
        endpoint_of(MetricsAccess("http://x", cluster_label=label))


@pytest.mark.parametrize(("kind", "tenant"), [("prometheus", "a"), ("victoriametrics", "a"), ("mimir", "a\nb")])
def test_a_tenant_is_for_who_knows_it_and_one_line(kind: Any, tenant: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        endpoint_of(MetricsAccess("http://x", kind, tenant=tenant))
    assert refused.value.members["errors"][0]["pointer"] == "#/tenant"  # type: ignore[index] # a list of faults


class TestAmazon:
    @pytest.fixture(autouse=True)
    def credentials(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
        known = amazon._credentials
        known.cache_clear()
        yield
        known.cache_clear()

    def test_every_request_is_signed(self, server: Server) -> None:
        server.answer = steady()

        found = usage(server, kind="amp", aws_region="eu-central-1")

        assert found.cpu_cores.values.shape == (1, 4)
        for asked in server.asked:
            assert "/eu-central-1/aps/aws4_request, SignedHeaders=content-type;host;" in asked.headers["Authorization"]
            assert asked.headers["X-Amz-Security-Token"] == "session"

    def test_a_signature_is_what_the_secret_makes_of_the_request(self) -> None:
        url, body = "https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-1/api/v1/query?a=b%20c&A=1", b"query=up"

        headers = amazon.signature(
            "POST", url, body, {"Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*"}, "eu-central-1"
        )

        sent = headers | {"Content-Type": "application/x-www-form-urlencoded", "Host": urlsplit(url).netloc}
        assert headers["Authorization"].rpartition("Signature=")[2] == signed_by_hand("POST", url, body, sent, "eu-central-1")
        assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token," in headers["Authorization"]

    def test_the_region_is_that_of_the_workspaces_host(self) -> None:
        endpoint = endpoint_of(MetricsAccess("https://aps-workspaces.us-west-2.amazonaws.com/workspaces/ws-1", "amp"))

        assert (endpoint.aws_region, endpoint.base) == ("us-west-2", "https://aps-workspaces.us-west-2.amazonaws.com/workspaces/ws-1")

    @pytest.mark.parametrize(
        ("url", "region", "pointer"),
        [
            ("https://example.com/workspaces/ws-1", "eu-central-1", "#/url"), ("http://127.0.0.1:9", "", "#/aws_region"),
            ("https://aps-workspaces.eu-central-1.amazonaws.com.example.com", "", "#/url"), ("http://127.0.0.1:9", "x/y", "#/aws_region"),
        ],
    )  # fmt: skip
    def test_nobody_else_is_told_who_we_are(self, url: str, region: str, pointer: str) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            endpoint_of(MetricsAccess(url, "amp", aws_region=region))
        assert refused.value.members["errors"][0]["pointer"] == pointer  # type: ignore[index] # a list of faults

    def test_without_credentials_nothing_is_asked(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(amazon, "_credentials", lambda: None)

        with pytest.raises(UnauthenticatedError, match="no AWS credentials"):
            usage(server, kind="amp", aws_region="eu-central-1")
        assert server.asked == []


def signed_by_hand(method: str, url: str, body: bytes, headers: dict[str, str], region: str) -> str:
    """Return the signature as AWS' description of Signature Version 4 makes it, step by step."""
    parts, lower = urlsplit(url), {name.lower(): value for name, value in headers.items() if name != "Authorization"}
    names = sorted(name for name in lower if name in {"content-type", "host"} or name.startswith("x-amz-"))
    query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(parse_qsl(parts.query)))
    lines = [
        method,
        quote(parts.path),
        query,
        *(f"{name}:{lower[name]}" for name in names),
        "",
        ";".join(names),
        hashlib.sha256(body).hexdigest(),
    ]
    moment = lower["x-amz-date"]
    scope = f"{moment[:8]}/{region}/aps/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256("\n".join(lines).encode()).hexdigest()])
    key = b"AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()
