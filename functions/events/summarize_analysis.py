"""SummarizeAnalysis: add up the shards, end the work, and tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.events.app import app
from upid.bootstrap import build_services


@app.lambda_function(name="SummarizeAnalysis")
def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Return `{"status": ...}` of the analysis, which is ended with its totals and events."""
    return build_services().analyzing.summarize(event["tenant"], event["analysis_id"], event["shards"])
