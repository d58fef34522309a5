"""What is SQLite's own: files, connections, forks and clear errors."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from upid.adapters.directory.files import UnwritableError
from upid.adapters.sqlite.database import Database, StoreUnavailableError
from upid.adapters.sqlite.records import SqliteRecords
from upid.adapters.system.clock import SystemClock
from upid.ports.records import Key

KEY = Key("t#a#things", "one")


def opened(path: Path) -> tuple[Database, SqliteRecords]:
    database = Database(path)
    return database, SqliteRecords(database, SystemClock())


def in_a_fork(action: object) -> int:
    """Run a function in a forked child and return its exit status: 0 only where it ended without an exception."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            action()  # type: ignore[operator]  # the child's work
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    opened(tmp_path / "home" / "upid.db")
    assert list(tmp_path.iterdir()) == []


def test_only_its_owner_can_read_the_file_and_its_side_files(tmp_path: Path) -> None:
    database, records = opened(tmp_path / "home" / "upid.db")
    records.put(KEY, {})
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "home").iterdir()}
    database.close()
    assert modes == {"upid.db": 0o600, "upid.db-wal": 0o600, "upid.db-shm": 0o600}


def test_a_forked_child_works_beside_its_parent(tmp_path: Path) -> None:
    database, records = opened(tmp_path / "upid.db")
    records.put(KEY, {"by": "parent"})
    assert in_a_fork(lambda: records.put(KEY, {"by": "child"}, expect=1)) == 0
    found = records.get(KEY)
    database.close()
    assert found is not None
    assert found.body == {"by": "child"}


def test_a_child_that_closes_leaves_its_parents_connection_alone(tmp_path: Path) -> None:
    database, records = opened(tmp_path / "upid.db")
    records.put(KEY, {})
    assert in_a_fork(database.close) == 0
    assert records.put(KEY, {}).version == 2
    database.close()


def test_each_thread_has_a_connection_of_its_own(tmp_path: Path) -> None:
    database, records = opened(tmp_path / "upid.db")
    with database.writing() as connection:
        others: list[sqlite3.Connection] = []

        def read() -> None:
            records.get(KEY)
            with database.reading() as other:
                others.append(other)

        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
        assert others != [connection]
    database.close()
    assert len(others) == 1


def test_an_exception_within_a_transaction_leaves_no_lock_behind(tmp_path: Path) -> None:
    database, _ = opened(tmp_path / "upid.db")
    with pytest.raises(ZeroDivisionError), database.writing():
        raise ZeroDivisionError
    other, others = opened(tmp_path / "upid.db")
    assert others.put(KEY, {}).version == 1
    database.close()
    other.close()


def test_a_home_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    _, records = opened(tmp_path / "file" / "home" / "upid.db")
    with pytest.raises(UnwritableError) as raised:
        records.get(KEY)
    assert str(tmp_path / "file" / "home") in raised.value.detail
    assert "UPID_HOME" in raised.value.detail


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "upid.db"
    path.write_text("this is not SQLite " * 100)
    _, records = opened(path)
    with pytest.raises(StoreUnavailableError, match="not a database") as raised:
        records.get(KEY)
    assert str(path) in raised.value.detail


def test_a_file_that_was_closed_is_opened_again_when_used(tmp_path: Path) -> None:
    database, records = opened(tmp_path / "upid.db")
    records.put(KEY, {})
    database.close()
    database.close()
    assert records.get(KEY) is not None
    database.close()


def test_expired_records_are_removed_from_the_file_in_time(tmp_path: Path) -> None:
    database, records = opened(tmp_path / "upid.db")
    for number in range(10):
        records.put(Key("t#a#tokens", str(number)), {}, expires_at=1.0)
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM records").fetchone() == (0,)
    database.close()
