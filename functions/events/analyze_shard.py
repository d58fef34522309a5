"""AnalyzeShard: size every container of one shard and store its recommendations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import upid.engine.rightsizing.assess
import upid.services.gathering
import upid.services.tables  # noqa: F401 all three are what the first shard would wait for: an idle worker imports them ahead
from functions.events.app import app
from upid.bootstrap import build_services
from upid.services.analyzing import AnalysisTasks


@app.lambda_function(name="AnalyzeShard")
def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Return `{"shard": n}`: the results lie in blobs, by the analysis' id and the shard's number."""
    tasks: AnalysisTasks = build_services().analyzing
    return tasks.analyze(event["tenant"], event["analysis_id"], int(event["shard"]))
