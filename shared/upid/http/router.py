"""Routes as a group declares them. What the gateway, the permission table and the OpenAPI document need is derived from the function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from upid.domain.errors import AppError, ForbiddenError, InvalidRequestError, UnauthenticatedError
from upid.http.problems import MalformedError, UnsupportedMediaTypeError, documented

Function = TypeVar("Function", bound=Callable[..., Any])

LINK: Final[dict[str, Any]] = {
    "description": "An answer over 5 MB lies behind a link that works for five minutes.",
    "headers": {"Location": {"description": "The link.", "required": True, "schema": {"type": "string", "format": "uri-reference"}}},
    "content": {},
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route: `permission` is what a caller must hold, None = open to everybody."""

    method: str
    rule: str
    function: Callable[..., Any]
    permission: str | None
    errors: tuple[type[AppError], ...]
    status: int
    tag: str
    content: str | None
    long: bool = False

    @property
    def operation_id(self) -> str:
        """The function's name in camel case: `get_cluster` is `getCluster`."""
        first, *others = self.function.__name__.split("_")
        return first + "".join(word.capitalize() for word in others)

    @property
    def description(self) -> str:
        """The function's docstring."""
        return inspect.getdoc(self.function) or ""

    @property
    def summary(self) -> str:
        """The first sentence of the docstring, without its full stop."""
        return self.description.partition("\n")[0].partition(". ")[0].rstrip(".")

    @property
    def extensions(self) -> dict[str, Any]:
        """What the OpenAPI operation says beyond the standard: the permission, or that none is needed."""
        return {"security": []} if self.permission is None else {"x-permission": self.permission}

    @property
    def has_forms(self) -> bool:
        """Whether it reads `Accept`: its answer is JSON or a table, as that asks."""
        return "accept" in inspect.signature(self.function).parameters

    def responses(self) -> dict[int, dict[str, Any]]:
        """Return the OpenAPI responses: the success, typed by the return annotation, and a problem for every error class."""
        success: dict[str, Any] = {"description": self.summary}
        if self.status in {204, 303, 304}:
            success["content"] = {}
        elif self.content:
            success["content"] = {self.content: {"schema": {"type": "object" if "json" in self.content else "string"}}}
        linked = {303: LINK} if self.long and (self.method == "GET" or self.has_forms) else {}
        known = () if self.permission is None else (UnauthenticatedError, ForbiddenError)
        body = (MalformedError, UnsupportedMediaTypeError) if self.method in {"POST", "PUT", "PATCH"} else ()
        return {self.status: success} | linked | documented((*known, *body, *self.errors, InvalidRequestError))


@dataclass(frozen=True, slots=True)
class Router:
    """Routes below one prefix, such as `/clusters`. Each names a permission (`clusters:read`) or is public; there is no third way.

    long: what they answer may be over 5 MB, and then lies behind a link.
    """

    prefix: str
    tag: str
    long: bool = False
    endpoints: list[Endpoint] = field(default_factory=list)

    def get(self, rule: str = "", **options: Any) -> Callable[[Function], Function]:
        """Declare a GET route; the options are those of `route`."""
        return self.route("GET", rule, **options)

    def post(self, rule: str = "", **options: Any) -> Callable[[Function], Function]:
        """Declare a POST route; the options are those of `route`."""
        return self.route("POST", rule, **options)

    def put(self, rule: str = "", **options: Any) -> Callable[[Function], Function]:
        """Declare a PUT route; the options are those of `route`."""
        return self.route("PUT", rule, **options)

    def delete(self, rule: str = "", **options: Any) -> Callable[[Function], Function]:
        """Declare a DELETE route; the options are those of `route`."""
        return self.route("DELETE", rule, **options)

    def route(
        self,
        method: str,
        rule: str = "",
        *,
        permission: str = "",
        public: bool = False,
        errors: tuple[type[AppError], ...] = (),
        status: int = 200,
        content: str | None = None,
    ) -> Callable[[Function], Function]:
        """Return a decorator that declares a route below the prefix.

        permission: what the caller must hold, or public=True. errors: the classes that it may answer with beyond those of every route. status: of
        the success. content: the success' media type where it is not typed JSON. ValueError unless exactly one of permission and public is given.
        """
        if bool(permission) == public:
            raise ValueError(f"{method} {self.prefix}{rule} must name a permission or be public, and not both.")

        def declare(function: Function) -> Function:
            self.endpoints.append(
                Endpoint(method, self.prefix + rule, function, permission or None, errors, status, self.tag, content, self.long)
            )
            return function

        return declare
