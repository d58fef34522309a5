"""PlanAnalysis: pin what is analyzed and name its shards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.events.app import app
from upid.bootstrap import build_services


@app.lambda_function(name="PlanAnalysis")
def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Return `{"shards": [0, ...]}`, the shards that hold something to analyze."""
    return build_services().analyzing.plan(event["tenant"], event["analysis_id"], event["request"], event.get("actor", "system"))
