"""A home's records and events as a whole, to move them to another home."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from upid.domain.events import Event
from upid.ports.events import EventStore
from upid.ports.records import Record, Records


class WholeRecords(Records, Protocol):
    """A store of documents that can also tell every one of every partition."""

    def everything(self) -> Iterator[Record]:
        """Yield every record that has not expired, in no order; what is written meanwhile may be among them or not."""
        ...


class WholeEvents(EventStore, Protocol):
    """An event store that can also tell every event of every tenant."""

    def everything(self) -> Iterator[tuple[Event, bool]]:
        """Yield every event, each tenant's in order, and whether it was published."""
        ...

    def restore(self, events: Sequence[Event]) -> None:
        """Append events that were published elsewhere already; an id that is there already is left as it is."""
        ...
