"""ComputeAggregation: compute one aggregation and keep its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.events.app import app
from upid.bootstrap import build_services


@app.lambda_function(name="ComputeAggregation")
def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Return `{"status": ...}` of the aggregation."""
    return build_services().aggregations.compute(event["tenant"], event["aggregation_id"])
