"""Entry point of the metrics group."""

from __future__ import annotations

from functools import cache
from typing import Any

from functions.metrics.routes import aggregations, collections, collectors, history, resources
from upid.http.api import Api, build_api


@cache
def api() -> Api:
    """Return this group's routes, built on first use."""
    return build_api(collections.router, collectors.router, resources.router, history.router, aggregations.router)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one API Gateway event."""
    return api().resolve(event, context)
