"""Where events go when they leave the platform (EventBridge)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from upid.ports.events import StoredEvent


class EventBus(Protocol):
    """Takes events for whoever subscribes. An event may be given twice and keeps its id; subscribers tell by it."""

    def publish(self, events: Sequence[StoredEvent]) -> Sequence[int]:
        """Publish events and return the sequence numbers of those that were taken; the others may be offered again. UnavailableError where none was."""
        ...
