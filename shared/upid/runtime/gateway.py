"""API Gateway, embedded: asks the authorizer, calls the group that `template.yaml` names for the path, and answers what it answers."""

from __future__ import annotations

import gzip
import importlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from upid.adapters.directory.links import BELOW
from upid.bootstrap import build_services
from upid.domain.errors import AppError, ForbiddenError, NotFoundError, UnauthenticatedError
from upid.http.problems import ProblemAnswer, problem, unexpected
from upid.runtime.proxy_event import HttpAnswer, HttpRequest, authorizer_event, http_answer, proxy_event
from upid.runtime.template import Function, Route, Template

UNAUTHORIZED: Final = "Unauthorized"  # an authorizer that fails with this message means 401
COMPRESSED_FROM_BYTES: Final = 1024
SAFE_HEADERS: Final = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store"))

Handler = Callable[[dict[str, Any], object], Any]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """What a handler is told of its invocation."""

    function_name: str
    aws_request_id: str
    invoked_function_arn: str
    memory_limit_in_mb: int = 0


@dataclass(frozen=True)
class Gateway:
    """Answers requests by the map of the system. Safe under threads: it holds nothing of a request."""

    template: Template
    _handlers: dict[str, Handler] = field(default_factory=dict)

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Return the answer to a request; whatever goes wrong in a function, it is a problem of one of our types."""
        try:
            answer = self._answer(request)
        except AppError as error:
            answer = _of(problem(error, request_id=request.id))
        except Exception:  # a function that fails ends its own request only, and the log has why
            logger.exception("Request %s failed: %s %s", request.id, request.method, request.path)
            answer = _of(unexpected(request_id=request.id))
        return _finished(request, answer)

    def load(self) -> None:
        """Import every function of the API, so that no request waits for it."""
        for route in self.template.routes:
            self._handler(route.function)
        if self.template.authorizer:
            self._handler(self.template.authorizer)

    @cached_property
    def _redirects(self) -> Mapping[str, str]:
        return {"/": "/api/v1/docs", "/api/v1": "/api/v1/docs", "/api/v1/": "/api/v1/docs"}

    def _answer(self, request: HttpRequest) -> HttpAnswer:
        if request.path in self._redirects:
            return HttpAnswer(302, (("Location", self._redirects[request.path]),))
        if request.path.startswith(BELOW) and request.method in {"GET", "HEAD"}:
            kind, body = build_services().directory_links.read(request.path, request.query)
            return HttpAnswer(200, (("Content-Type", kind),), body)
        route = self.template.route(request.path)
        if route is None:
            raise NotFoundError(f"There is no {request.path[:200]}.")
        caller = None if route.open else self._authorize(request, route)
        result = self._handler(route.function)(proxy_event(request, route, caller), _context(route.function, request))
        return http_answer(result)

    def _authorize(self, request: HttpRequest, route: Route) -> Mapping[str, Any]:
        """Return the authorizer's context; UnauthenticatedError or ForbiddenError as it says, and where it says nothing clear."""
        function = self.template.authorizer
        if function is None or not request.header("authorization"):
            raise UnauthenticatedError("Log in at /api/v1/auth/login and send the token as `Authorization: Bearer`.")
        try:
            policy = self._handler(function)(authorizer_event(request, route), _context(function, request))
        except Exception as error:
            if str(error) != UNAUTHORIZED:
                raise
            raise UnauthenticatedError("The access token is not valid any more: log in again.") from None
        effects = {statement["Effect"] for statement in policy["policyDocument"]["Statement"]}
        if effects != {"Allow"}:
            raise ForbiddenError("The authorizer lets nobody in with this token.")
        return dict(policy.get("context") or {}) | {"principalId": policy["principalId"]}

    def _handler(self, function: Function) -> Handler:
        found = self._handlers.get(function.name)
        if found is None:
            found = self._handlers[function.name] = getattr(importlib.import_module(function.module), function.handler)
        return found


def _context(function: Function, request: HttpRequest) -> LambdaContext:
    return LambdaContext(function.name, request.id, function.arn)


def _of(answer: ProblemAnswer) -> HttpAnswer:
    return HttpAnswer(answer.status, tuple(answer.headers.items()), answer.body.encode())


def _finished(request: HttpRequest, answer: HttpAnswer) -> HttpAnswer:
    """Return the answer as it goes over the wire: compressed where that was asked for, named, and without a body for HEAD."""
    headers, body = list(answer.headers), answer.body
    if len(body) > COMPRESSED_FROM_BYTES and not answer.header("content-encoding"):
        headers.append(("Vary", "Accept-Encoding"))
        if _takes_gzip(request.header("accept-encoding")):
            body = gzip.compress(body, compresslevel=5, mtime=0)
            headers.append(("Content-Encoding", "gzip"))
    headers += [pair for pair in SAFE_HEADERS if not answer.header(pair[0])]
    headers.append(("X-Request-Id", request.id))
    if answer.status not in {204, 304}:
        headers.append(("Content-Length", str(len(body))))
    return HttpAnswer(answer.status, tuple(headers), b"" if request.method == "HEAD" else body)


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        name, _, parameters = part.partition(";")
        if name.strip() in {"gzip", "*"} and parameters.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
            return True
    return False
