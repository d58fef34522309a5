"""The event store: every domain event in the order it was committed, and the outbox of those not published yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from upid.domain.events import Event


class StoredEvent(NamedTuple):
    """An event and its place in the store: sequence numbers grow, gaps may occur."""

    sequence: int
    event: Event


class EventStore(Protocol):
    """Events are appended with the change that they tell of (`Records.transact`), or alone."""

    def append(self, events: Sequence[Event]) -> None:
        """Append events that belong to no record; an id that is there already is left as it is."""
        ...

    def read(self, tenant: str, *, after: int = 0, limit: int = 100) -> Sequence[StoredEvent]:
        """Return a tenant's events behind a sequence number, oldest first."""
        ...

    def unpublished(self, limit: int = 100) -> Sequence[StoredEvent]:
        """Return events of all tenants that were not marked as published, oldest first."""
        ...

    def mark_published(self, sequences: Sequence[int]) -> None:
        """Remember that these were published; marking twice changes nothing."""
        ...
