"""Entry point of the rules group."""

from __future__ import annotations

from functools import cache
from typing import Any

from functions.rules.routes import algorithms, categories, classification, rules
from upid.http.api import Api, build_api


@cache
def api() -> Api:
    """Return this group's routes, built on first use."""
    return build_api(categories.router, rules.router, algorithms.router, classification.router)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one API Gateway event."""
    return api().resolve(event, context)
