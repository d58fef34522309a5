"""FoldShard: append one shard's windows to the history and fold them into its profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.events.app import app
from upid.bootstrap import build_services


@app.lambda_function(name="FoldShard")
def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Return `{"shard", "until", "samples", "series", "unfilled"}`."""
    return build_services().collecting.fold(event["tenant"], event["collection_id"], int(event["shard"]))
