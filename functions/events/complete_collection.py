"""CompleteCollection: move the watermark, end the work, and tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.events.app import app
from upid.bootstrap import build_services


@app.lambda_function(name="CompleteCollection")
def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Return `{"status": ...}` of the collection, which is ended with its figures and event."""
    return build_services().completing.complete(event["tenant"], event["collection_id"], event["collected"], event["folded"])
