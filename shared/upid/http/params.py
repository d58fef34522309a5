"""What many endpoints take, defined once."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Header

from upid.bootstrap import Services, build_services
from upid.domain.errors import UnauthenticatedError
from upid.domain.identity import Caller
from upid.http.callers import caller_of
from upid.http.forwarding import client_of

__all__ = ["ClientAddress", "CurrentCaller", "IdempotencyKey", "IfMatch", "Injected"]


def current_caller(request: Request) -> Caller:
    """Return who calls; UnauthenticatedError where nobody is known (on a public route)."""
    caller = caller_of(request.resolved_event.raw_event)
    if caller is None:
        raise UnauthenticatedError("This needs a caller.")
    return caller


Injected = Annotated[Services, Depends(build_services)]


def client_address(request: Request, services: Injected) -> str:
    """Return the address that a request comes from, as the gateway or a trusted proxy before it saw it; "" where none did."""
    event = request.resolved_event.raw_event
    headers = {name.lower(): values for name, values in (event.get("multiValueHeaders") or {}).items()}
    peer = str(event["requestContext"].get("identity", {}).get("sourceIp") or "")
    return client_of(peer, headers.get("x-forwarded-for", ()), services.settings.trusted_proxies)


ClientAddress = Annotated[str, Depends(client_address)]
CurrentCaller = Annotated[Caller, Depends(current_caller)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="The same key and body again gives the same answer, and the work is done once.",
    ),
]
IfMatch = Annotated[
    str | None, Header(alias="If-Match", max_length=100, description="The `ETag` that was read: refused where it changed since.")
]
