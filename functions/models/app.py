"""Entry point of the models group."""

from __future__ import annotations

from functools import cache
from typing import Any

from functions.models.routes import capacity, performance, resource, statistical
from upid.http.api import Api, build_api


@cache
def api() -> Api:
    """Return this group's routes, built on first use."""
    return build_api(statistical.router, resource.router, performance.router, capacity.router)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one API Gateway event."""
    return api().resolve(event, context)
