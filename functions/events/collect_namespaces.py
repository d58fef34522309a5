"""CollectNamespaces: ask the metrics source for one group of namespaces in one window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.events.app import app
from upid.bootstrap import build_services


@app.lambda_function(name="CollectNamespaces")
def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Return `{"item": n}`: what was measured lies in blobs, by shard."""
    return build_services().collecting.collect(event["tenant"], event["collection_id"], int(event["item"]))
