"""Answers that carry more than a body."""

from __future__ import annotations

from typing import TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.content_types import APPLICATION_JSON

Body = TypeVar("Body")


def accepted(body: Body, *, location: str) -> Response[Body]:
    """Return 202: work began; `location` (`/api/v1/...`) is where its state is read."""
    return Response(202, APPLICATION_JSON, body, headers={"Location": location})


def created(body: Body, *, location: str) -> Response[Body]:
    """Return 201: the thing is there, at `location` (`/api/v1/...`)."""
    return Response(201, APPLICATION_JSON, body, headers={"Location": location})


def no_content() -> Response[None]:
    """Return 204."""
    return Response(204)
