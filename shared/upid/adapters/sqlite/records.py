"""Documents by key in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from upid.adapters.sqlite.database import Database
from upid.adapters.sqlite.events import insert_events
from upid.domain.errors import VersionConflictError
from upid.domain.events import Event
from upid.ports.clock import Clock
from upid.ports.records import Check, Delete, Key, Put, Record, RecordPage, Write

MOST_WRITES: Final = 100
REMOVED_AT_ONCE: Final = 50
LAST_CHARACTER: Final = 0x10FFFF

_LIVE: Final = "(expires_at IS NULL OR expires_at > ?)"
_VERSION: Final = f"SELECT version FROM records WHERE partition = ? AND sort = ? AND {_LIVE}"  # noqa: S608 a constant
_GET: Final = f"SELECT sort, body, version, expires_at FROM records WHERE partition = ? AND sort = ? AND {_LIVE}"  # noqa: S608 a constant
_ALL: Final = f"SELECT sort, body, version, expires_at, partition FROM records WHERE (partition, sort) > (?, ?) AND {_LIVE} ORDER BY partition, sort LIMIT 500"  # noqa: S608 a constant
_PUT: Final = "INSERT OR REPLACE INTO records (partition, sort, version, expires_at, body) VALUES (?, ?, ?, ?, ?)"
_DELETE: Final = "DELETE FROM records WHERE partition = ? AND sort = ?"
_REMOVE_EXPIRED: Final = """DELETE FROM records WHERE (partition, sort) IN (
    SELECT partition, sort FROM records WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT ?)"""


class SqliteRecords:
    """Records in one table. Bodies are JSON; sort keys are in the order of their code points; the clock says what has expired."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, key: Key) -> Record | None:
        """Return the record, None where there is none or where it has expired."""
        with self._database.reading() as connection:
            row = connection.execute(_GET, (*key, self._clock.now())).fetchone()
        return None if row is None else _record(key.partition, row)

    def put(self, key: Key, body: Mapping[str, Any], *, expect: int | None = None, expires_at: float | None = None) -> Record:
        """Write one document and return it with its new version; VersionConflictError where `expect` does not hold."""
        encoded = orjson.dumps(body)
        with self._database.writing() as connection:
            version = _put(connection, Put(key, body, expect, expires_at), encoded, self._clock.now())
        return Record(key, orjson.loads(encoded), version, expires_at)

    def delete(self, key: Key, *, expect: int | None = None) -> None:
        """Remove one document; VersionConflictError where `expect` does not hold."""
        self.transact([Delete(key, expect)])

    def transact(self, writes: Sequence[Write], events: Sequence[Event] = ()) -> None:
        """Do all writes and append all events, or nothing; VersionConflictError where a condition fails, ValueError for over 100 or a key twice."""
        if len(writes) + len(events) > MOST_WRITES:
            raise ValueError(f"A transaction holds at most {MOST_WRITES} writes and events, not {len(writes) + len(events)}.")
        if len({write.key for write in writes}) < len(writes):
            raise ValueError("A transaction can't hold the same key twice.")
        encoded = [orjson.dumps(write.body) if isinstance(write, Put) else b"" for write in writes]
        now = self._clock.now()
        with self._database.writing() as connection:
            for write, body in zip(writes, encoded, strict=True):
                _apply(connection, write, body, now)
            insert_events(connection, events)

    def query(
        self, partition: str, *, prefix: str = "", after: str | None = None, limit: int = 100, descending: bool = False
    ) -> RecordPage:
        """Return up to `limit` (at least 1) records whose sort key begins with `prefix`, in order, beginning behind `after`; ValueError for less."""
        if limit < 1:
            raise ValueError(f"A page holds at least one record, not {limit}.")
        terms = ["partition = ?", _LIVE, "sort >= ?"]
        values: list[Any] = [partition, self._clock.now(), prefix]
        end = _behind(prefix)
        if end:
            terms.append("sort < ?")
            values.append(end)
        if after is not None:
            terms.append("sort < ?" if descending else "sort > ?")
            values.append(after)
        order = "DESC" if descending else "ASC"
        statement = f"SELECT sort, body, version, expires_at FROM records WHERE {' AND '.join(terms)} ORDER BY sort {order} LIMIT ?"  # noqa: S608 fixed terms, bound values
        with self._database.reading() as connection:
            rows = connection.execute(statement, (*values, limit + 1)).fetchall()
        items = tuple(_record(partition, row) for row in rows[:limit])
        return RecordPage(items, items[-1].key.sort if len(rows) > limit else None)

    def everything(self) -> Iterator[Record]:
        """Yield every record that has not expired, in the order of their keys."""
        now = self._clock.now()
        last = Key("", "")
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(_ALL, (*last, now)).fetchall()
            yield from [_record(row[4], row[:4]) for row in rows]
            if not rows:
                return
            last = Key(rows[-1][4], rows[-1][0])


def _record(partition: str, row: tuple[str, bytes, int, float | None]) -> Record:
    sort, body, version, expires_at = row
    return Record(Key(partition, sort), orjson.loads(body), version, expires_at)


def _apply(connection: sqlite3.Connection, write: Write, body: bytes, now: float) -> None:
    match write:
        case Put():
            _put(connection, write, body, now)
        case Delete(key, expect):
            if expect is not None:
                _held(connection, key, expect, now)
            connection.execute(_DELETE, key)
        case Check(key, expect):
            _held(connection, key, expect, now)


def _put(connection: sqlite3.Connection, write: Put, body: bytes, now: float) -> int:
    version = _held(connection, write.key, write.expect, now) + 1
    connection.execute(_PUT, (*write.key, version, write.expires_at, body))
    if write.expires_at is not None:  # who lets records expire also pays for removing them
        connection.execute(_REMOVE_EXPIRED, (now, REMOVED_AT_ONCE))
    return version


def _held(connection: sqlite3.Connection, key: Key, expect: int | None, now: float) -> int:
    """Return the version that a record has (0 = there is none); VersionConflictError where it is not the one expected."""
    row = connection.execute(_VERSION, (*key, now)).fetchone()
    version: int = 0 if row is None else row[0]
    if expect is not None and version != expect:
        raise VersionConflictError(f"{key.sort} has version {version}, not {expect}.", expected=expect, actual=version)
    return version


def _behind(prefix: str) -> str:
    """Return the first text behind all that begin with `prefix`, "" where there is none."""
    kept = prefix.rstrip(chr(LAST_CHARACTER))
    if not kept:
        return ""
    following = ord(kept[-1]) + 1
    # UTF-8 has no surrogates: the character behind U+D7FF is U+E000.
    return kept[:-1] + chr(0xE000 if following == 0xD800 else following)
