"""PublishEvents: the outbox goes to the bus."""

from __future__ import annotations

from chalice.app import CloudWatchEvent, Rate

from functions.events.app import app
from upid.bootstrap import build_services


@app.schedule(Rate(1, unit=Rate.MINUTES), name="PublishEvents")
def handler(_event: CloudWatchEvent) -> dict[str, int]:
    """Return `{"published"}`: how many events left the outbox. An UnavailableError makes the schedule try again."""
    return {"published": build_services().publishing.run()}
