"""One SQLite file, safe across threads and processes: a connection for each thread of each process, opened when it is first used."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from upid.adapters.directory.files import make_directory
from upid.domain.errors import UnavailableError

BUSY_SECONDS: Final = 30.0
SCRUB_SECONDS: Final = 1.0
LONGEST_LOG_BYTES: Final = 64 << 20
SCHEMA_VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS records (
    partition TEXT NOT NULL, sort TEXT NOT NULL, version INTEGER NOT NULL, expires_at REAL, body BLOB NOT NULL, PRIMARY KEY (partition, sort)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_expiring ON records (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, tenant TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL, time REAL NOT NULL,
    actor TEXT NOT NULL, data BLOB NOT NULL, published INTEGER NOT NULL DEFAULT 0, UNIQUE (tenant, id)
);
CREATE INDEX IF NOT EXISTS events_of_tenant ON events (tenant, sequence);
CREATE INDEX IF NOT EXISTS events_unpublished ON events (sequence) WHERE published = 0;
"""


class StoreUnavailableError(UnavailableError):
    """The data file cannot be opened, read or written, or another process holds it for too long."""

    title = "Data file unavailable"


class Database:
    """The file and its connections. Opening is lazy, so that an instance may be made before a fork and used behind it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        # By process and thread: a forked child finds none of its own and leaves its parent's untouched, as SQLite demands.
        self._connections: dict[tuple[int, int], sqlite3.Connection] = {}

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give this thread's connection for single statements; StoreUnavailableError where the file does not answer."""
        with self._told():
            yield self._connection()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give this thread's connection within a transaction that no other writer is in: committed at the end, rolled back by any exception."""
        with self._told():
            connection = self._connection()
            # IMMEDIATE takes the write lock first, so that what is read inside is what is changed and no upgrade can fail half way.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def scrub(self) -> None:
        """Empty the log that runs ahead of the file, so that nothing of what was deleted is left in it; who reads or writes just now delays that to the next checkpoint."""
        with self._told(), contextlib.closing(sqlite3.connect(self._path, timeout=SCRUB_SECONDS, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close this process's connections; whoever uses the database afterwards opens new ones."""
        with self._lock:
            own = [key for key in self._connections if key[0] == os.getpid()]
            for key in own:
                self._connections.pop(key).close()

    def _connection(self) -> sqlite3.Connection:
        key = os.getpid(), threading.get_ident()
        found = self._connections.get(key)
        if found is None:
            found = self._connections[key] = _open(self._path)
        return found

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise StoreUnavailableError(f"{self._path} cannot be used: {error}.") from error


def _open(path: Path) -> sqlite3.Connection:
    make_directory(path.parent)
    # The file holds sealed secrets and password hashes: only its owner reads it, and SQLite gives its side files the same mode.
    with contextlib.suppress(FileExistsError, PermissionError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """Set the connection up and make the tables; the switch to WAL is not covered by SQLite's own waiting, so it is tried until it works."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    # With WAL, NORMAL keeps the file whole through any crash; a power cut may take the last transactions back, all or none of each.
    connection.execute("PRAGMA synchronous = NORMAL")
    # What is deleted or replaced may have been a sealed credential: it is written over with zeros.
    connection.execute("PRAGMA secure_delete = ON")
    # A burst of writes lets the log grow; behind a checkpoint it is cut back to this. [bytes]
    connection.execute(f"PRAGMA journal_size_limit = {LONGEST_LOG_BYTES}")
    if connection.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
        connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
