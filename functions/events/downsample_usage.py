"""DownsampleUsage: what the schedule does every hour with usage as it ages."""

from __future__ import annotations

from typing import Any, Final

from chalice.app import CloudWatchEvent, Rate

from functions.events.app import app
from upid.bootstrap import build_services

WITHIN_SECONDS: Final = 600.0  # of the function's fifteen minutes: a day that is begun is ended


@app.schedule(Rate(1, unit=Rate.HOURS), name="DownsampleUsage")
def handler(_event: CloudWatchEvent) -> dict[str, Any]:
    """Return how many days were brought onto longer steps, the clusters where that failed, and the tenants whose old usage was removed."""
    return build_services().downsampling.run(within_seconds=WITHIN_SECONDS)
