"""RecordFailure: end work whose workflow failed, for every machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.events.app import app
from upid.bootstrap import build_services


@app.lambda_function(name="RecordFailure")
def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Return `{"status": ...}` of the work. `kind` is collections or analyses, `error` what Step Functions caught."""
    return build_services().completing.fail(event["tenant"], event["kind"], event["work_id"], event["error"])
