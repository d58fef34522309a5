"""What a client is opened with, checked: the address, headers, credentials and the matcher of a cluster."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ssl import SSLContext
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote, urlsplit

from upid.domain.clusters import MetricsAccess
from upid.domain.errors import InvalidRequestError

TENANT_HEADERS: Final[Mapping[str, str]] = MappingProxyType({"mimir": "X-Scope-OrgID", "thanos": "THANOS-TENANT"})
# Thanos: replicas count once, and a store that is away is told in `warnings` instead of failing the query. VictoriaMetrics: the grid stays as it is
# asked for, where its cache of answers would move it.
PARAMS: Final[Mapping[str, dict[str, str]]] = MappingProxyType({
    "thanos": {"dedup": "true", "partial_response": "true"}, "victoriametrics": {"nocache": "1"},
})  # fmt: skip
_AMAZON: Final = re.compile(r"(?:aps-workspaces(?:-fips)?)\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)")
_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]")
_MATCHER: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"{},\\]*))\s*')
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the API is. `base` ends before `/api/v1` and has no credentials in it; `matcher` is "" or matchers of PromQL, joined by commas.

    params: sent with every request; aws_region: requests are signed for Amazon Managed Prometheus there, "" = they are not.
    tls: whom to trust where that is told, None = the system's authorities.
    """

    base: str
    headers: dict[str, str] = field(repr=False)
    matcher: str = ""
    max_qps: float = 0.0
    is_loopback: bool = False
    params: dict[str, str] = field(default_factory=dict)
    aws_region: str = ""
    tls: SSLContext | None = field(default=None, repr=False, compare=False)


def endpoint_of(access: MetricsAccess) -> Endpoint:
    """Return the endpoint of an access; InvalidRequestError with a pointer for a URL, header, label or authority that can't be used."""
    if not _is_usable(access.url):
        raise InvalidRequestError(
            [{"pointer": "#/url", "detail": f"{_without_user(access.url)!r} is no http or https URL."}], "The metrics URL can't be used."
        )
    parts = urlsplit(access.url)
    base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/').removesuffix('/api/v1').rstrip('/')}"
    username, password = access.username or unquote(parts.username or ""), access.password or unquote(parts.password or "")
    headers = _headers(access)
    if username or password:
        from urllib3 import make_headers  # noqa: PLC0415 checking an access costs no HTTP library

        headers |= {"Authorization": make_headers(basic_auth=f"{username}:{password}")["authorization"]}
    return Endpoint(
        base, headers, _matchers(access.cluster_label), access.max_qps, _is_loopback(parts.hostname or ""), PARAMS.get(access.kind, {}),
        _region(access, parts.hostname or "") if access.kind == "amp" else "",
        _tls(access, parts.scheme),
    )  # fmt: skip


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s\x00-\x1f]", url)
    except ValueError:
        return False


def _without_user(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//", url)


def _headers(access: MetricsAccess) -> dict[str, str]:
    for name, value in access.headers:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise InvalidRequestError(
                [{"pointer": "#/headers", "detail": f"{name!r} is no header that can be sent."}], "A header can't be used."
            )
    bearer = {"Authorization": f"Bearer {access.bearer_token}"} if access.bearer_token else {}
    tenant = {TENANT_HEADERS[access.kind]: access.tenant} if access.tenant and access.kind in TENANT_HEADERS else {}
    if access.tenant and (not tenant or not _VALUE.fullmatch(access.tenant)):
        raise InvalidRequestError(
            [{"pointer": "#/tenant", "detail": f"It is for {' and '.join(TENANT_HEADERS)}, and one line of a header."}],
            "The tenant can't be used.",
        )
    if not _VALUE.fullmatch(access.bearer_token):
        raise InvalidRequestError(
            [{"pointer": "#/bearer_token", "detail": "It holds characters that no header may."}], "The bearer token can't be used."
        )
    return dict(access.headers) | tenant | bearer


def _matchers(label: str) -> str:
    found, at = [], 0
    while label and at <= len(label):
        one = _MATCHER.match(label, at)
        if not one or (one.end() < len(label) and label[one.end()] != ","):
            raise InvalidRequestError(
                [{"pointer": "#/cluster_label", "detail": f'{label!r} is no matcher such as cluster="prod".'}],
                "The cluster label can't be used.",
            )
        value = one[3] if one[3] is not None else one[4].strip()
        found.append(f'{one[1]}{one[2]}"{value}"')
        at = one.end() + 1
    return ",".join(found)


def _region(access: MetricsAccess, host: str) -> str:
    """Return the region to sign requests to a workspace for: the one that was named, or that of the host (`aps-workspaces.REGION.amazonaws.com`)."""
    told = _AMAZON.fullmatch(host)
    if not told and not _is_loopback(host):
        # What a signature is sent with would tell any other host who we are.
        raise InvalidRequestError(
            [{"pointer": "#/url", "detail": f"{host!r} is no host of Amazon Managed Prometheus."}], "The metrics URL can't be used."
        )
    region = access.aws_region or (told[1] if told else "")
    if not _REGION.fullmatch(region):
        raise InvalidRequestError(
            [{"pointer": "#/aws_region", "detail": "Name the AWS region of the workspace: its URL does not tell it."}],
            "The AWS region is missing.",
        )
    return region


def _tls(access: MetricsAccess, scheme: str) -> SSLContext | None:
    """Return whom to trust where the access tells."""
    if not access.certificate_authority:
        return None
    from upid.adapters.resilience.trust import trusting  # noqa: PLC0415 imports urllib3

    try:
        context, fault = trusting(access.certificate_authority), "" if scheme == "https" else "It is for an https URL."
    except ValueError as error:
        context, fault = None, str(error)
    if fault:
        raise InvalidRequestError([{"pointer": "#/certificate_authority", "detail": fault}], "The certificate authority can't be used.")
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
