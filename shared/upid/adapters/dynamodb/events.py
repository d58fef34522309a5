"""The event store and its outbox in DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from upid.adapters.aws.pauses import attempts
from upid.adapters.dynamodb.log import EVENTS, MICROSECONDS, OUTBOX, EventLog, events_in, note_key, sort_of
from upid.adapters.dynamodb.table import Cancelled, ConditionFailed, Item, Table, key_of
from upid.adapters.dynamodb.tenants import TenantNumbers
from upid.domain.errors import UnavailableError
from upid.domain.events import Event
from upid.ports.clock import Clock
from upid.ports.events import StoredEvent

ATTEMPTS: Final = 25
AT_ONCE: Final = 100
ABANDONED_SECONDS: Final = 3600.0  # no transaction is under way for so long


class DynamoEventStore:
    """Events in the table of the records. Notes in the outbox that no committed item answers to are passed over, and removed when they are old."""

    def __init__(self, table: Table, log: EventLog, clock: Clock) -> None:
        self._table = table
        self._log = log
        self._clock = clock
        self._tenants = TenantNumbers(table)

    def append(self, events: Sequence[Event]) -> None:
        """Append events that belong to no record, up to a hundred at once all or none; an id that is there already is left as it is."""
        self._append(events, publish=True)

    def restore(self, events: Sequence[Event]) -> None:
        """Append events that were published elsewhere already; an id that is there already is left as it is."""
        self._append(events, publish=False)

    def read(self, tenant: str, *, after: int = 0, limit: int = 100) -> Sequence[StoredEvent]:
        """Return a tenant's events behind a sequence number, oldest first."""
        place = self._tenants.place(after) if after else None
        number = place[1] if place else 0
        found = (stored for stored in self._from(tenant, number) if stored.sequence > after)
        return list(islice(found, limit))

    def unpublished(self, limit: int = 100) -> Sequence[StoredEvent]:
        """Return events of all tenants that were not marked as published, oldest first."""
        waiting = (stored for note in self._notes(limit) for stored in self._waiting(*note))
        return list(islice(waiting, limit))

    def mark_published(self, sequences: Sequence[int]) -> None:
        """Remember that these were published; marking twice changes nothing."""
        wanted: dict[str, tuple[Item, set[int]]] = {}
        for sequence in sequences:
            place = self._tenants.place(sequence)
            item = self._item_of(*place) if place else None
            if item is not None and place is not None:
                wanted.setdefault(note_key(item)["sort"]["S"], (item, set()))[1].add(place[1])
        for item, numbers in wanted.values():
            self._mark(item, numbers)

    def everything(self) -> Iterator[tuple[Event, bool]]:
        """Yield every event of every tenant with whether it was published, each tenant's in order."""
        waiting = {stored.sequence for note in self._notes(None) for stored in self._waiting(*note)}
        tenants = {item["partition"]["S"].removeprefix(EVENTS) for item in self._table.scan() if item["partition"]["S"].startswith(EVENTS)}
        for tenant in sorted(tenants):
            for stored in self._from(tenant, 0):
                yield stored.event, stored.sequence not in waiting

    def _append(self, events: Sequence[Event], *, publish: bool) -> None:
        for start in range(0, len(events), AT_ONCE):
            self._append_some(events[start : start + AT_ONCE], publish=publish)

    def _append_some(self, events: Sequence[Event], *, publish: bool) -> None:
        for _ in attempts(ATTEMPTS):
            with self._log.staged(events, publish=publish) as staged:
                if not staged.parts:
                    return
                try:
                    self._table.transact([part.action for part in staged.parts])
                except Cancelled:
                    continue
                staged.committed = True
            return
        raise UnavailableError(f"Events could not be appended in {ATTEMPTS} attempts: too many append at once.")

    def _from(self, tenant: str, number: int) -> Iterator[StoredEvent]:
        """Yield events of a tenant, beginning with those that were committed together with `number`."""
        first = self._item_of(tenant, number) if number > 1 else None
        if first is not None:
            yield from self._stored(first)
        after = first["sort"]["S"] if first is not None else None
        for item in self._table.query(EVENTS + tenant, after=after):
            yield from self._stored(item)

    def _stored(self, item: Item) -> list[StoredEvent]:
        tenant, first = item["partition"]["S"].removeprefix(EVENTS), int(item["sort"]["S"])
        return [StoredEvent(self._tenants.sequence(tenant, first + place), event) for place, event in enumerate(events_in(item))]

    def _item_of(self, tenant: str, number: int) -> Item | None:
        """Return the item in which a tenant's event of this number lies."""
        behind = sort_of(number + 1)
        for item in self._table.query(EVENTS + tenant, after=behind, descending=True, page=1):
            return item if number < int(item["sort"]["S"]) + int(item["count"]["N"]) else None
        return None

    def _notes(self, limit: int | None) -> Iterator[tuple[Item, Item]]:
        """Yield the notes of the outbox that hold, oldest first, each with its item; those that will never hold are removed."""
        notes = self._table.query(OUTBOX, page=min(limit or AT_ONCE, AT_ONCE))
        while some := list(islice(notes, AT_ONCE)):
            keys = {_place(note): key_of(EVENTS + note["tenant"]["S"], note["number"]["S"]) for note in some}
            items = {(item["partition"]["S"], item["sort"]["S"]): item for item in self._table.get_all(list(keys.values()))}
            for note in some:
                item = items.get(_place(note))
                if item is not None and item["token"] == note["token"]:
                    yield note, item
                elif item is not None or self._is_abandoned(note):
                    self._table.write({"Delete": {"Key": key_of(OUTBOX, note["sort"]["S"])}})

    def _waiting(self, note: Item, item: Item) -> list[StoredEvent]:
        first, published = int(item["sort"]["S"]), _published(note)
        return [stored for place, stored in enumerate(self._stored(item)) if first + place not in published]

    def _is_abandoned(self, note: Item) -> bool:
        written = int(note["sort"]["S"].partition("#")[0])
        return written < (self._clock.now() - ABANDONED_SECONDS) * MICROSECONDS

    def _mark(self, item: Item, numbers: set[int]) -> None:
        count, key = int(item["count"]["N"]), note_key(item)
        if len(numbers) < count:
            update = {
                "Key": key,
                "UpdateExpression": "ADD #n :n",
                "ConditionExpression": "attribute_exists(#p)",
                "ExpressionAttributeNames": {"#n": "published", "#p": "partition"},
                "ExpressionAttributeValues": {":n": {"NS": [str(number) for number in sorted(numbers)]}},
            }
            try:
                numbers = _published(self._table.write({"Update": update}, returned="ALL_NEW"))
            except ConditionFailed:  # all of them were published before
                return
        if len(numbers) == count:
            self._table.write({"Delete": {"Key": key}})


def _place(note: Item) -> tuple[str, str]:
    return EVENTS + note["tenant"]["S"], note["number"]["S"]


def _published(note: Item) -> set[int]:
    return {int(number) for number in note.get("published", {}).get("NS", [])}
