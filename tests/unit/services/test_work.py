from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from upid.adapters.sqlite.database import Database
from upid.adapters.sqlite.events import SqliteEventStore
from upid.adapters.sqlite.records import SqliteRecords
from upid.domain.errors import NotFoundError
from upid.domain.events import Event
from upid.domain.work import WorkError
from upid.services.work import WorkLog

COMPLETED = Event("evt_1", "analysis.completed", "default", "an_1", 100.0)


@dataclass
class Clock:
    seconds: float = 100.0

    def now(self) -> float:
        return self.seconds


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "upid.db")


@pytest.fixture
def log(database: Database) -> WorkLog:
    records = SqliteRecords(database, Clock())
    log = WorkLog("analyses", records, Clock())
    records.transact([log.queued("default", "an_1", {"cluster_id": "cl_1"})])
    return log


def test_new_work_is_queued_and_has_done_nothing(log: WorkLog) -> None:
    view = log.view("default", "an_1")

    assert (view["status"], view["progress"], view["errors"], view["request"]) == ("queued", 0.0, [], {"cluster_id": "cl_1"})
    assert view["created_at"] == "1970-01-01T00:01:40Z"


def test_progress_is_the_share_of_parts_that_are_marked(log: WorkLog) -> None:
    log.begin("default", "an_1", parts={"shards": 3, "summary": 1})

    log.mark("default", "an_1", "shards", "0000")
    log.mark("default", "an_1", "shards", "0000")

    assert (log.view("default", "an_1")["status"], log.view("default", "an_1")["progress"]) == ("running", 0.25)


def test_ended_work_is_complete_and_tells_its_events_once(log: WorkLog, database: Database) -> None:
    first = log.end("default", "an_1", "succeeded", result={"recommended": 7}, events=[COMPLETED])
    second = log.end("default", "an_1", "failed", result={}, events=[COMPLETED])

    view = log.view("default", "an_1")
    assert (first, second) == (True, False)
    assert (view["status"], view["progress"], view["result"]) == ("succeeded", 1.0, {"recommended": 7})
    assert [stored.event.id for stored in SqliteEventStore(database).read("default")] == ["evt_1"]


def test_ended_work_does_not_begin_again(log: WorkLog) -> None:
    log.end("default", "an_1", "failed", result={}, errors=[WorkError("unavailable", "Nobody answers.", "shard 3")])

    log.begin("default", "an_1", parts={"shards": 3})

    view = log.view("default", "an_1")
    assert view["status"] == "failed"
    assert view["errors"] == [{"code": "unavailable", "detail": "Nobody answers.", "subject": "shard 3"}]


def test_another_tenants_work_is_not_found(log: WorkLog) -> None:
    with pytest.raises(NotFoundError, match="There is no an_1"):
        log.view("other", "an_1")


def test_recent_work_comes_newest_first(log: WorkLog) -> None:
    log.records.transact([log.queued("default", "an_2", {})])

    assert [record.key.sort for record in log.recent("default").items] == ["an_2", "an_1"]
