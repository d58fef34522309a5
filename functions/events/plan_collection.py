"""PlanCollection: read the inventory, decide windows and groups of namespaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.events.app import app
from upid.bootstrap import build_services


@app.lambda_function(name="PlanCollection")
def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Return `{"items": [0, ...], "shards": [0, ...]}`, the numbers that the maps go over; the plan itself lies in a blob."""
    return build_services().collecting.plan(event["tenant"], event["collection_id"])
