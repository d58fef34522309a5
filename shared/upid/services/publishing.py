"""The outbox, emptied: events that were committed with their change go to the bus, at least once, and are marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from upid.ports.bus import EventBus
from upid.ports.events import EventStore

BATCH: Final = 100
MOST_BATCHES: Final = 50  # of one call: what is left waits for the next


@dataclass(frozen=True, slots=True)
class PublishingService:
    """Publishes what waits. Killed in the middle, it sends again at most one batch, whose events keep their ids."""

    events: EventStore
    bus: EventBus

    def run(self) -> int:
        """Publish events, oldest first, until none waits or one was refused, and return how many were; UnavailableError where the bus takes none."""
        count = 0
        for _ in range(MOST_BATCHES):
            waiting = self.events.unpublished(BATCH)
            taken = self.bus.publish(waiting) if waiting else []
            self.events.mark_published(taken)
            count += len(taken)
            if len(taken) < BATCH:
                break
        return count
