"""AnalyzeShard: size every container of one shard and store its recommendations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upid.bootstrap import build_services


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Return `{"shard": n}`: the results lie in blobs, by the analysis' id and the shard's number."""
    return build_services().analyzing.analyze(event["tenant"], event["analysis_id"], int(event["shard"]))
