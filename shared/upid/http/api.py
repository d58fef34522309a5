"""A group's routes as one Lambda handler: routing, permissions, validation and problems, the same for every group.

Powertools keeps the current event in class attributes, which threads would share; here it lives in a ContextVar.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final
from urllib.parse import unquote

import orjson
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import ResponseBuilder, Route
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError, ResponseValidationError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from upid.bootstrap import build_services
from upid.domain.errors import AppError, ForbiddenError, InvalidRequestError, NotFoundError, UnauthenticatedError
from upid.http.callers import caller_of
from upid.http.outgoing import below_stage, by_reference
from upid.http.problems import MethodNotAllowedError, ProblemAnswer, problem, unexpected
from upid.http.router import Endpoint, Router
from upid.http.validation import StrictRequests, TypedAnswers, faults, queries_of

__all__ = ["PREFIX", "Api", "Endpoint", "Router", "build_api"]

PREFIX: Final = "/api/v1"

logger = logging.getLogger(__name__)
# Below INFO, Powertools logs every request's body, and with it passwords and tokens.
logging.getLogger("aws_lambda_powertools.event_handler").setLevel(logging.INFO)


@dataclass(slots=True)
class _Exchange:
    """One request on its way through, and what the resolver remembers of it."""

    event: APIGatewayProxyEvent
    lambda_context: Any
    memory: dict[str, Any] = field(default_factory=dict)


_CURRENT: Final[ContextVar[_Exchange]] = ContextVar("upid_http_exchange")


class Api(APIGatewayRestResolver):
    """Powertools' resolver, safe under threads, that refuses before it validates and answers every error as a problem."""

    def __init__(self) -> None:
        self._building = Lock()
        self._outside: dict[str, Any] = {}
        self.endpoints: list[Endpoint] = []
        super().__init__(enable_validation=True, response_validation_error_http_code=500, json_body_deserializer=orjson.loads, debug=False)
        self._serializer = _dumps
        self.processed_stack_frames = deque(maxlen=0)  # type: ignore[assignment] # a list for debugging that threads would share: it stays empty
        self._request_validation_middleware = StrictRequests()
        self._response_validation_middleware = TypedAnswers(validation_serializer=self._serializer, has_response_validation_error=True)
        self.exception_handler(AppError)(self._expected)
        self.exception_handler(RequestValidationError)(self._invalid)
        self.exception_handler(Exception)(self._unexpected)

    # ------------------------------------------------------------ state of the current request
    @property
    def current_event(self) -> APIGatewayProxyEvent:  # type: ignore[override] # a property instead of a shared attribute is the point
        """The event that this thread of control answers."""
        return _CURRENT.get().event

    @property
    def lambda_context(self) -> Any:  # type: ignore[override] # the same
        """The Lambda context of the current event."""
        return _CURRENT.get().lambda_context

    @property
    def context(self) -> dict[str, Any]:
        """What the resolver remembers during a request."""
        exchange = _CURRENT.get(None)
        return self._outside if exchange is None else exchange.memory

    @context.setter
    def context(self, value: dict[str, Any]) -> None:
        self._outside = value

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Answer one API Gateway event (payload 1.0)."""
        token = _CURRENT.set(_Exchange(APIGatewayProxyEvent(dict(event), orjson.loads), context))
        try:
            answer = below_stage(self._build_response(self._resolve()), event)
            try:
                return by_reference(answer, build_services)
            except AppError as error:
                return self._build_response(self._builder(self._expected(error)))
        finally:
            _CURRENT.reset(token)

    # ------------------------------------------------------------ routes
    def include(self, router: Router) -> None:
        """Add the routes of a router below `/api/v1`."""
        for endpoint in router.endpoints:
            self.endpoints.append(endpoint)
            self.route(
                PREFIX + endpoint.rule,
                endpoint.method,
                summary=endpoint.summary,
                description=endpoint.description,
                responses=endpoint.responses(),  # type: ignore[arg-type] # plain dictionaries of the same shape
                tags=[endpoint.tag],
                operation_id=endpoint.operation_id,
                openapi_extensions=endpoint.extensions,
                status_code=endpoint.status,
            )(endpoint.function)

    @property
    def all_routes(self) -> list[Route]:
        """Every route, those without parameters in the path first."""
        return self._static_routes + self._dynamic_routes

    def _resolve(self) -> ResponseBuilder[Any]:
        method, path = self.current_event.http_method.upper(), self.current_event.path
        allowed = set()
        for route in self.all_routes:
            match = route.rule.match(path)
            if match and route.method == ("GET" if method == "HEAD" else method):
                self.context.update(_route=route, _path=path)
                return self._call_route(route, {name: unquote(value) for name, value in match.groupdict().items()})
            if match:
                allowed |= {route.method} | ({"HEAD"} if route.method == "GET" else set())
        return self._unrouted(method, path, sorted(allowed))

    def _unrouted(self, method: str, path: str, allowed: list[str]) -> ResponseBuilder[Any]:
        if not allowed:
            return self._builder(self._expected(NotFoundError(f"There is no {path[:200]}.")))
        if method == "OPTIONS":
            return self._builder(Response(204, headers={"Allow": ", ".join([*allowed, "OPTIONS"])}))
        return self._builder(self._expected(MethodNotAllowedError(f"{path[:200]} takes no {method}.", allowed=allowed)))

    def _call_route(self, route: Route, route_arguments: dict[str, str]) -> ResponseBuilder[Any]:
        try:
            self._admit(route)
        except AppError as error:
            return self._builder(self._expected(error))
        self._prepare(route)
        return super()._call_route(route, route_arguments)

    def _admit(self, route: Route) -> None:
        """Refuse callers without the permission that the route names; a route that names none and is not public refuses everybody."""
        extensions = route.openapi_extensions or {}
        if extensions.get("security") == []:
            return
        caller = caller_of(self.current_event)
        permission = extensions.get("x-permission")
        if caller is None:
            raise UnauthenticatedError("Log in at /api/v1/auth/login and send the token as `Authorization: Bearer`.")
        if not permission or not caller.may(permission):
            raise ForbiddenError(f"This needs the permission {permission}.", permission=permission)

    def _prepare(self, route: Route) -> None:
        """Build what Powertools builds on a route's first call, once: two threads at once would wrap the function twice."""
        if not route._middleware_stack_built:  # noqa: SLF001 the stack is Powertools' own
            with self._building:
                if not route._middleware_stack_built:  # noqa: SLF001 checked again under the lock
                    route.dependant  # noqa: B018 reading it builds it
                    route._build_middleware_stack(router_middlewares=self._router_middlewares, app=self)  # noqa: SLF001 as Route.__call__ does

    # ------------------------------------------------------------ errors
    def _builder(self, response: Response[Any]) -> ResponseBuilder[Any]:
        return self._response_builder_class(response=response, serializer=self._serializer)

    def _request_id(self) -> str:
        return str((self.current_event.get("requestContext") or {}).get("requestId") or "unknown")

    def _expected(self, error: AppError) -> Response[Any]:
        return _response(problem(error, request_id=self._request_id()))

    def _invalid(self, error: RequestValidationError) -> Response[Any]:
        body = self.current_event.json_body if self.current_event.body else {}
        return self._expected(InvalidRequestError(faults(error, body, queries_of(self.context["_route"]))))

    def _unexpected(self, error: Exception) -> Response[Any]:
        request_id = self._request_id()
        places = [fault["loc"] for fault in error.errors()] if isinstance(error, ResponseValidationError) else ""
        logger.error(
            "Request %s failed: %s %s %s", request_id, self.current_event.http_method, self.current_event.path, places, exc_info=error
        )
        return _response(unexpected(request_id=request_id))

    def _add_resolver_response_validation_error_response_to_route(
        self, route_openapi_path: tuple[dict[str, Any], dict[str, Any]]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Leave the operation as it is: an answer that breaks its own schema is our error, not a part of the contract."""
        return route_openapi_path


def build_api(*routers: Router) -> Api:
    """Return the API of a group's routers."""
    api = Api()
    for router in routers:
        api.include(router)
    return api


def _response(answer: ProblemAnswer) -> Response[Any]:
    return Response(answer.status, body=answer.body, headers=answer.headers)


def _dumps(body: Any) -> str:
    return orjson.dumps(body).decode()
