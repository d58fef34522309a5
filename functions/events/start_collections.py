"""StartCollections: what the schedule does every five minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upid.bootstrap import build_services


def handler(_event: Mapping[str, Any], _context: object) -> dict[str, list[str]]:
    """Return the ids of clusters by what was done for them."""
    return build_services().schedule.start_collections()
