"""Errors as RFC 9457 problems: one table from the kinds of `upid.domain.errors` to HTTP statuses, for answers and for the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import orjson

from upid.domain.errors import (
    AppError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    InvalidRequestError,
    NotFoundError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
    VersionConflictError,
)

CONTENT_TYPE: Final = "application/problem+json"


class MalformedError(InvalidRequestError):
    """A body that is no JSON at all."""

    title = "Not JSON"


class MethodNotAllowedError(AppError):
    """The path exists, but not with this method."""

    title = "Method not allowed"


class TooLargeError(AppError):
    """A body larger than the platform takes."""

    title = "Too large"


class UnsupportedMediaTypeError(AppError):
    """A body that is said to be something other than JSON."""

    title = "Unsupported media type"


STATUS: Final[Mapping[type[AppError], int]] = MappingProxyType({
    MalformedError: 400,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    MethodNotAllowedError: 405,
    ConflictError: 409,
    VersionConflictError: 412,
    TooLargeError: 413,
    UnsupportedMediaTypeError: 415,
    InvalidError: 422,
    TooManyRequestsError: 429,
    UnavailableError: 503,
})  # fmt: skip

SCHEMA: Final[Mapping[str, Any]] = MappingProxyType({
    "title": "Problem",
    "type": "object",
    "description": "What went wrong (RFC 9457). Members beyond these are named by the problem's type.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Which problem it is; see docs/problems.md."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri", "description": "The request, as the log has it."},
        "errors": {
            "type": "array",
            "description": "Each fault of an invalid request: `#/name` points into the body, `?limit` at a query parameter.",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
    "additionalProperties": True,
})  # fmt: skip


class ProblemAnswer(NamedTuple):
    """A problem as it goes over the wire."""

    status: int
    headers: dict[str, str]
    body: str


def status_of(kind: type[AppError]) -> int:
    """Return the HTTP status of an error class: its own, or that of the nearest base; 500 for what no table row knows."""
    return next((STATUS[base] for base in kind.__mro__ if base in STATUS), 500)


def type_of(kind: type[AppError]) -> str:
    """Return the `type` of an error class: NoSuchClusterError is `/problems/no-such-cluster`."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", kind.__name__.removesuffix("Error"))
    return "/problems/" + "-".join(word.lower() for word in words)


def problem(error: AppError, *, request_id: str) -> ProblemAnswer:
    """Return the answer for an expected error, with its members; reserved members are never overridden."""
    kind = type(error)
    status = status_of(kind)
    body = {
        "type": type_of(kind), "title": kind.title, "status": status, "detail": error.detail, "instance": f"urn:request:{request_id}",
    }  # fmt: skip
    headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if kind is MethodNotAllowedError:
        headers["Allow"] = ", ".join(str(method) for method in _strings(error.members.get("allowed")))
    retry_after = error.members.get("retry_after_seconds")
    if isinstance(retry_after, int):
        headers["Retry-After"] = str(retry_after)
    return ProblemAnswer(status, headers, orjson.dumps(body | {k: v for k, v in error.members.items() if k not in body}).decode())


def unexpected(*, request_id: str, status: int = 500) -> ProblemAnswer:
    """Return the answer for an error that nobody expected: nothing of it leaves, the request's id finds it in the log."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "instance": f"urn:request:{request_id}"}
    return ProblemAnswer(status, {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}, orjson.dumps(body).decode())


def documented(kinds: Sequence[type[AppError]]) -> dict[int, dict[str, Any]]:
    """Return the OpenAPI responses of error classes, one per status, each naming the problem types that it stands for."""
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    by_status: dict[int, list[type[AppError]]] = {}
    for kind in dict.fromkeys(kinds):
        by_status.setdefault(status_of(kind), []).append(kind)
    return {
        status: {"description": "; ".join(f"{kind.title} (`{type_of(kind)}`)" for kind in kinds_of), "content": content}
        for status, kinds_of in sorted(by_status.items())
    }


def _strings(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
