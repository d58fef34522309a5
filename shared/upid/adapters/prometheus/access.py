"""What a client is opened with, checked: the address, headers, credentials and the matcher of a cluster."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from upid.domain.clusters import MetricsAccess
from upid.domain.errors import InvalidRequestError

_MATCHER: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"{},\\]*))\s*')
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the API is. `base` ends before `/api/v1` and has no credentials in it; `matcher` is "" or one matcher of PromQL."""

    base: str
    headers: dict[str, str] = field(repr=False)
    matcher: str = ""
    max_qps: float = 0.0
    is_loopback: bool = False


def endpoint_of(access: MetricsAccess) -> Endpoint:
    """Return the endpoint of an access; InvalidRequestError with a pointer for a URL, header or label that can't be used."""
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
    return Endpoint(base, headers, _matcher(access.cluster_label), access.max_qps, _is_loopback(parts.hostname or ""))


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
    if not _VALUE.fullmatch(access.bearer_token):
        raise InvalidRequestError(
            [{"pointer": "#/bearer_token", "detail": "It holds characters that no header may."}], "The bearer token can't be used."
        )
    return dict(access.headers) | bearer


def _matcher(label: str) -> str:
    if not label:
        return ""
    found = _MATCHER.fullmatch(label)
    if not found:
        raise InvalidRequestError(
            [{"pointer": "#/cluster_label", "detail": f'{label!r} is no matcher such as cluster="prod".'}],
            "The cluster label can't be used.",
        )
    value = found[3] if found[3] is not None else found[4]
    return f'{found[1]}{found[2]}"{value}"'


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
