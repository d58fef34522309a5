"""PublishEvents: the outbox goes to the bus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upid.bootstrap import build_services


def handler(_event: Mapping[str, Any], _context: object) -> dict[str, int]:
    """Return `{"published"}`: how many events left the outbox. An UnavailableError makes the schedule try again."""
    return {"published": build_services().publishing.run()}
