"""HTTP requests as API Gateway hands them to a Lambda proxy integration (REST API, payload 1.0), and its answers back.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from upid.runtime.template import ACCOUNT, REGION, Route

API_ID: Final = "embedded"
STAGE: Final = "live"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came: `path` still percent-encoded, header names in lower case, `time` in seconds since the epoch."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    client: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"
    id: str = ""
    time: float = 0.0

    def header(self, name: str) -> str:
        """Return the last value of a header, "" where there is none."""
        return next((value for key, value in reversed(self.headers) if key == name), "")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer as it goes out."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str:
        """Return the first value of a header, "" where there is none; the name's case does not matter."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def proxy_event(request: HttpRequest, route: Route, authorizer: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the event of a request; `authorizer` is the context that the authorizer gave, None on an open path."""
    event = authorizer_event(request, route)
    del event["type"], event["methodArn"]
    text, encoded = _body(request.body)
    event["requestContext"]["authorizer"] = dict(authorizer) if authorizer is not None else None
    return event | {"body": text, "isBase64Encoded": encoded}


def authorizer_event(request: HttpRequest, route: Route) -> dict[str, Any]:
    """Return what a REQUEST authorizer gets: everything but the body."""
    headers, query = _grouped(request.headers), _grouped(tuple(parse_qsl(request.query, keep_blank_values=True)))
    return {
        "type": "REQUEST",
        "methodArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{API_ID}/{STAGE}/{request.method}{request.path}",
        "resource": route.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()} or None,
        "multiValueHeaders": headers or None,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": {"proxy": request.path.removeprefix(route.path + "/")} if route.proxy else None,
        "stageVariables": None,
        "requestContext": _context(request, route),
    }


def http_answer(result: Mapping[str, Any]) -> HttpAnswer:
    """Return the answer of a proxy integration's result; KeyError, TypeError or ValueError where it is malformed."""
    headers = [(name, str(value)) for name, value in (result.get("headers") or {}).items()]
    headers += [(name, str(value)) for name, values in (result.get("multiValueHeaders") or {}).items() for value in values]
    body = result.get("body") or ""
    return HttpAnswer(int(result["statusCode"]), tuple(headers), base64.b64decode(body) if result.get("isBase64Encoded") else body.encode())


def _context(request: HttpRequest, route: Route) -> dict[str, Any]:
    moment = datetime.fromtimestamp(request.time, UTC)
    return {
        "accountId": ACCOUNT,
        "apiId": API_ID,
        "domainName": request.header("host") or "localhost",
        "extendedRequestId": request.id,
        "httpMethod": request.method,
        "identity": {"sourceIp": request.client, "userAgent": request.header("user-agent") or None},
        "path": request.path,
        "protocol": request.protocol,
        "requestId": request.id,
        "requestTime": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(request.time * 1000),
        "resourceId": route.resource,
        "resourcePath": route.resource,
        "stage": STAGE,
    }


def _grouped(pairs: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _body(body: bytes) -> tuple[str | None, bool]:
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
