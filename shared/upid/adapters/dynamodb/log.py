"""Events of a tenant in the order in which they were committed, at the price of one item in the transaction of their change.

Events that are committed together lie in one item under the number of the first, never changed afterwards; the next item's number is the one
behind the last. An item is written only where its number is free, so that a number can be taken only by who has seen all before it: the order
is total and without gaps, and of two writers at once one tries again. Two notes are written before the transaction, each of them only a hint
that means nothing where the item is not there: under the event's id, the number that it may come to lie at (so that an id is appended once),
and, in the outbox, that it will have to be published.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson

from upid.adapters.dynamodb.items import new_token
from upid.adapters.dynamodb.table import Item, Table, key_of
from upid.domain.errors import UnavailableError
from upid.domain.events import Event
from upid.ports.clock import Clock

EVENTS: Final = "e#"
IDS: Final = "i#"
OUTBOX: Final = "outbox"
MICROSECONDS: Final = 1_000_000


class End(NamedTuple):
    """The end of a tenant's log: the number of the next event, and when the last were written [microseconds since the epoch]."""

    number: int
    written: int


class Part(NamedTuple):
    """A tenant's events of one transaction: the action that writes them, the key of their note in the outbox, and the log's end behind them."""

    tenant: str
    action: dict[str, Any]
    note: Item
    end: End


@dataclass
class Staged:
    """What a transaction takes of the log. Whoever commits it sets `committed`."""

    parts: list[Part] = field(default_factory=list)
    committed: bool = False


class EventLog:
    """Stages events for a transaction. It remembers where each tenant's log ended when it wrote last, which saves asking most of the time."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._ends: dict[str, End] = {}
        self._latest = 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def staged(self, events: Sequence[Event], *, publish: bool = True) -> Iterator[Staged]:
        """Give the actions that append these events, those left out that are there already; `publish`: into the outbox too.

        Where the block ends without `committed`, the notes are taken back; where it ends with an error they stay, since then nobody knows.
        """
        by_tenant: dict[str, dict[str, Event]] = {}
        for event in events:
            by_tenant.setdefault(event.tenant, {}).setdefault(event.id, event)
        staged = Staged()
        try:
            for tenant, own in by_tenant.items():
                staged.parts += self._parts(tenant, own.values(), publish=publish)
            yield staged
        except BaseException:
            self._forget(by_tenant)
            raise
        if staged.committed:
            self._ends.update({part.tenant: part.end for part in staged.parts})
        else:
            self._forget(by_tenant)
            self._take_back(staged.parts if publish else [])

    def _parts(self, tenant: str, events: Iterable[Event], *, publish: bool) -> list[Part]:
        end = self._ends.get(tenant) or self._end(tenant)
        new = [event for event in events if not self._is_there(event, end.number)]
        if not new:
            return []
        part = _part(tenant, new, end.number, self._moment(end.written))
        if publish:
            item = part.action["Put"]["Item"]
            note = {**part.note, "tenant": {"S": tenant}, "number": item["sort"], "token": item["token"]}
            self._table.write({"Put": {"Item": note}})
        return [part]

    def _end(self, tenant: str) -> End:
        for item in self._table.query(EVENTS + tenant, descending=True, page=1):
            return End(int(item["sort"]["S"]) + int(item["count"]["N"]), int(item["written"]["N"]))
        return End(1, 0)

    def _is_there(self, event: Event, number: int) -> bool:
        """Note that an event may come to lie at `number`, and tell whether one of its id lies somewhere already."""
        update = {
            "Key": key_of(IDS + event.tenant, event.id),
            "UpdateExpression": "ADD #n :n",
            "ExpressionAttributeNames": {"#n": "numbers"},
            "ExpressionAttributeValues": {":n": {"NS": [str(number)]}},
        }
        noted = {int(text) for text in self._table.write({"Update": update}, returned="ALL_NEW")["numbers"]["NS"]}
        places = [key_of(EVENTS + event.tenant, sort_of(other)) for other in sorted(noted - {number})]
        return any(event.id == stored.id for item in self._table.get_all(places) for stored in events_in(item))

    def _moment(self, last: int) -> int:
        """Return the time in microseconds, behind `last` and behind every other that was given here, so that the outbox keeps the order."""
        with self._lock:
            self._latest = max(int(self._clock.now() * MICROSECONDS), last + 1, self._latest + 1)
            return self._latest

    def _forget(self, tenants: Iterable[str]) -> None:
        for tenant in tenants:
            self._ends.pop(tenant, None)

    def _take_back(self, parts: Sequence[Part]) -> None:
        with contextlib.suppress(UnavailableError):  # a note that stays is found out by whoever reads the outbox
            for part in parts:
                self._table.write({"Delete": {"Key": part.note}})


def sort_of(number: int) -> str:
    """Return a number as text that sorts as numbers do."""
    return f"{number:016d}"


def note_key(item: Item) -> Item:
    """Return the key of the note that an item of events has in the outbox: by its time, and apart from the notes of all others."""
    return key_of(OUTBOX, f"{int(item['written']['N']):020d}#{item['token']['S']}")


def events_in(item: Item) -> list[Event]:
    """Return the events of an item, in order."""
    tenant = item["partition"]["S"].removeprefix(EVENTS)
    rows = orjson.loads(item["events"]["S"])
    return [Event(id_, kind, tenant, subject, time, data, actor) for id_, kind, subject, time, data, actor in rows]


def _part(tenant: str, events: Sequence[Event], number: int, written: int) -> Part:
    rows = [[event.id, event.type, event.subject, event.time, event.data, event.actor] for event in events]
    item = key_of(EVENTS + tenant, sort_of(number)) | {
        "events": {"S": orjson.dumps(rows).decode()},
        "count": {"N": str(len(events))},
        "written": {"N": str(written)},
        "token": {"S": new_token()},
    }
    # Only where the number is free; the answer of a failed condition need not hold the other's events.
    free = {"ConditionExpression": "attribute_not_exists(#p)", "ExpressionAttributeNames": {"#p": "partition"}}
    return Part(tenant, {"Put": {"Item": item, **free}}, note_key(item), End(number + len(events), written))
