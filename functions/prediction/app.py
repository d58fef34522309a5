"""Entry point of the prediction group."""

from __future__ import annotations

from functools import cache
from typing import Any

from functions.prediction.routes import confidence, forecasting, patterns, statistics
from upid.http.api import Api, build_api


@cache
def api() -> Api:
    """Return this group's routes, built on first use."""
    return build_api(statistics.router, forecasting.router, patterns.router, confidence.router)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one API Gateway event."""
    return api().resolve(event, context)
