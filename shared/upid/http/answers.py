"""Answers that carry more than a body."""

from __future__ import annotations

from typing import TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.content_types import APPLICATION_JSON

from upid.domain.errors import InvalidRequestError

Body = TypeVar("Body")


def accepted(body: Body, *, location: str) -> Response[Body]:
    """Return 202: work began; `location` (`/api/v1/...`) is where its state is read."""
    return Response(202, APPLICATION_JSON, body, headers={"Location": location})


def created(body: Body, *, location: str, version: int | None = None) -> Response[Body]:
    """Return 201: the thing is there, at `location` (`/api/v1/...`), with its version as ETag where it has one."""
    return Response(201, APPLICATION_JSON, body, headers={"Location": location} | etag(version))


def versioned(body: Body, version: int) -> Response[Body]:
    """Return 200 with the version as ETag."""
    return Response(200, APPLICATION_JSON, body, headers=etag(version))


def no_content(*, remains: str = "") -> Response[None]:
    """Return 204; what could not be removed and `remains` is told in a header."""
    return Response(204, headers={"Upid-Remains": remains} if remains else {})


def etag(version: int | None) -> dict[str, str]:
    """Return the ETag header of a version, nothing for None."""
    return {} if version is None else {"ETag": f'"{version}"'}


def version_of(if_match: str | None) -> int | None:
    """Return the version that `If-Match` names, None without one or for `*`; InvalidRequestError for a text that is no ETag of ours."""
    text = (if_match or "*").strip().removeprefix("W/").strip('"')
    if text == "*":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise InvalidRequestError([{"pointer": "If-Match", "detail": "This is no ETag of this API: send what was read."}])
    return int(text)
