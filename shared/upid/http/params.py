"""What many endpoints take, defined once."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from upid.bootstrap import Services, build_services
from upid.domain.errors import UnauthenticatedError
from upid.domain.identity import Caller
from upid.http.callers import caller_of

__all__ = ["CurrentCaller", "Injected"]


def current_caller(request: Request) -> Caller:
    """Return who calls; UnauthenticatedError where nobody is known (on a public route)."""
    caller = caller_of(request.resolved_event.raw_event)
    if caller is None:
        raise UnauthenticatedError("This needs a caller.")
    return caller


Injected = Annotated[Services, Depends(build_services)]
CurrentCaller = Annotated[Caller, Depends(current_caller)]
