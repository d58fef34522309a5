"""The event store and its outbox in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson

from upid.adapters.sqlite.database import Database
from upid.domain.events import Event
from upid.ports.events import StoredEvent

_COLUMNS: Final = "sequence, id, type, tenant, subject, time, data, actor"
_INSERT: Final = """INSERT INTO events (id, type, tenant, subject, time, data, actor) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (tenant, id) DO NOTHING"""
_READ: Final = f"SELECT {_COLUMNS} FROM events WHERE tenant = ? AND sequence > ? ORDER BY sequence LIMIT ?"  # noqa: S608 a constant
_ALL: Final = f"SELECT {_COLUMNS}, published FROM events WHERE sequence > ? ORDER BY sequence LIMIT 500"  # noqa: S608 a constant
_UNPUBLISHED: Final = f"SELECT {_COLUMNS} FROM events WHERE published = 0 ORDER BY sequence LIMIT ?"  # noqa: S608 a constant
_THERE: Final = "SELECT 1 FROM events WHERE tenant = ? AND id = ?"
_PUBLISHED: Final = "UPDATE events SET published = 1 WHERE tenant = ? AND id = ?"
_MARK: Final = "UPDATE events SET published = 1 WHERE sequence = ? AND published = 0"


class SqliteEventStore:
    """Events in the file of the records, so that `SqliteRecords.transact` appends them in the transaction of the change."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, events: Sequence[Event]) -> None:
        """Append events that belong to no record, all or none; an id that is there already is left as it is."""
        with self._database.writing() as connection:
            insert_events(connection, events)

    def read(self, tenant: str, *, after: int = 0, limit: int = 100) -> Sequence[StoredEvent]:
        """Return a tenant's events behind a sequence number, oldest first."""
        with self._database.reading() as connection:
            return [_stored(row) for row in connection.execute(_READ, (tenant, after, limit))]

    def unpublished(self, limit: int = 100) -> Sequence[StoredEvent]:
        """Return events of all tenants that were not marked as published, oldest first."""
        with self._database.reading() as connection:
            return [_stored(row) for row in connection.execute(_UNPUBLISHED, (limit,))]

    def mark_published(self, sequences: Sequence[int]) -> None:
        """Remember that these were published; marking twice changes nothing."""
        with self._database.writing() as connection:
            connection.executemany(_MARK, [(sequence,) for sequence in sequences])

    def everything(self) -> Iterator[tuple[Event, bool]]:
        """Yield every event in order, and whether it was published."""
        last = 0
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(_ALL, (last,)).fetchall()
            yield from [(_stored(row[:-1]).event, bool(row[-1])) for row in rows]
            if not rows:
                return
            last = rows[-1][0]

    def restore(self, events: Sequence[Event]) -> None:
        """Append events that were published elsewhere already; an id that is there already is left as it is."""
        with self._database.writing() as connection:
            there = {(e.tenant, e.id) for e in events if connection.execute(_THERE, (e.tenant, e.id)).fetchone()}
            insert_events(connection, events)
            connection.executemany(_PUBLISHED, [(e.tenant, e.id) for e in events if (e.tenant, e.id) not in there])


def insert_events(connection: sqlite3.Connection, events: Sequence[Event]) -> None:
    """Append events within the caller's transaction; an id that is there already is left as it is."""
    connection.executemany(_INSERT, [(e.id, e.type, e.tenant, e.subject, e.time, orjson.dumps(e.data), e.actor) for e in events])


def _stored(row: tuple[Any, ...]) -> StoredEvent:
    sequence, identifier, kind, tenant, subject, time, data, actor = row
    return StoredEvent(sequence, Event(identifier, kind, tenant, subject, time, orjson.loads(data), actor))
