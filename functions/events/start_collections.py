"""StartCollections: what the schedule does every five minutes."""

from __future__ import annotations

from chalice.app import CloudWatchEvent, Rate

from functions.events.app import app
from upid.bootstrap import build_services


@app.schedule(Rate(5, unit=Rate.MINUTES), name="StartCollections")
def handler(_event: CloudWatchEvent) -> dict[str, list[str]]:
    """Return the ids of clusters by what was done for them."""
    return build_services().schedule.start_collections()
