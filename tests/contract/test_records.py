"""What every Records adapter keeps to."""

from __future__ import annotations

import pytest
from contract.stores import START, Documents, SetClock

from upid.domain.errors import VersionConflictError
from upid.domain.events import Event
from upid.ports.events import EventStore
from upid.ports.records import Check, Delete, Key, Put, Record, Records, Write

KEY = Key("t#a#clusters", "cl_1")
OTHER = Key("t#a#clusters", "cl_2")


def event(identifier: str = "evt_1", tenant: str = "a") -> Event:
    return Event(identifier, "cluster.registered", tenant, "cl_1", START, {"name": "prod"}, "usr_1")


def test_a_record_that_was_never_written_is_none(records: Records) -> None:
    assert records.get(KEY) is None


def test_a_written_document_is_read_as_it_was(records: Records) -> None:
    body = {"text": "Ünïcode ☃ \x00", "number": 0.1, "whole": 2**53, "none": None, "list": [1, [2]], "empty": {}}
    written = records.put(KEY, body)
    assert written == Record(KEY, body, 1)
    assert records.get(KEY) == written


@pytest.mark.parametrize("length", [15_000, 17_000, 3_000_000])
def test_a_long_document_is_read_as_it_was(records: Records, length: int) -> None:
    body = {"text": "ü☃x" * (length // 3)}
    records.put(KEY, {})
    assert records.put(KEY, body) == Record(KEY, body, 2)
    assert records.put(KEY, body, expect=2, expires_at=START + 1) == records.get(KEY) == Record(KEY, body, 3, START + 1)


def test_every_write_counts_the_version_up(records: Records) -> None:
    assert [records.put(KEY, {"n": n}).version for n in range(3)] == [1, 2, 3]


def test_a_transaction_that_expects_nothing_counts_up_too(records: Records) -> None:
    other = Key(KEY.partition, "other")
    for number in range(3):
        records.transact([Put(KEY, {"n": number}), Put(other, {}, expect=number)])

    found = records.get(KEY)
    assert found is not None
    assert (found.version, found.body) == (3, {"n": 2})


def test_a_write_replaces_the_document_whole(records: Records) -> None:
    records.put(KEY, {"a": 1, "b": 2})
    records.put(KEY, {"a": 3})
    assert records.get(KEY) == Record(KEY, {"a": 3}, 2)


def test_what_a_caller_does_to_the_answer_does_not_reach_the_store(records: Records) -> None:
    body = {"list": [1]}
    records.put(KEY, body)
    body["list"].append(2)
    found = records.get(KEY)
    assert found is not None
    found.body["list"].append(3)
    assert records.get(KEY) == Record(KEY, {"list": [1]}, 1)


def test_expecting_no_record_creates_once(records: Records) -> None:
    records.put(KEY, {"by": "first"}, expect=0)
    with pytest.raises(VersionConflictError):
        records.put(KEY, {"by": "second"}, expect=0)
    assert records.get(KEY) == Record(KEY, {"by": "first"}, 1)


@pytest.mark.parametrize("expect", [0, 1, 3])
def test_expecting_another_version_than_the_one_there_changes_nothing(records: Records, expect: int) -> None:
    records.put(KEY, {"n": 1})
    records.put(KEY, {"n": 2})
    with pytest.raises(VersionConflictError):
        records.put(KEY, {"n": 3}, expect=expect)
    with pytest.raises(VersionConflictError):
        records.delete(KEY, expect=expect)
    assert records.get(KEY) == Record(KEY, {"n": 2}, 2)


def test_expecting_a_version_of_what_is_not_there_fails(records: Records) -> None:
    with pytest.raises(VersionConflictError):
        records.put(KEY, {}, expect=1)
    assert records.get(KEY) is None


def test_the_expected_version_lets_a_write_and_a_removal_through(records: Records) -> None:
    records.put(KEY, {"n": 1})
    assert records.put(KEY, {"n": 2}, expect=1).version == 2
    records.delete(KEY, expect=2)
    assert records.get(KEY) is None


def test_removing_what_is_not_there_is_no_error_unless_a_version_is_expected(records: Records) -> None:
    records.delete(KEY)
    records.delete(KEY, expect=0)
    with pytest.raises(VersionConflictError):
        records.delete(KEY, expect=1)


def test_a_record_made_again_after_removal_begins_at_version_one(records: Records) -> None:
    records.put(KEY, {})
    records.put(KEY, {})
    records.delete(KEY)
    assert records.put(KEY, {}, expect=0).version == 1


def test_a_transaction_does_all_of_its_writes_and_events(records: Records, events: EventStore) -> None:
    records.put(KEY, {"n": 1})
    records.put(OTHER, {"n": 1})
    third = Key("t#a#users", "usr_1")
    records.transact(
        [Put(KEY, {"n": 2}, expect=1), Delete(OTHER, expect=1), Put(third, {"n": 3}, expect=0)], [event("evt_1"), event("evt_2")]
    )
    assert records.get(KEY) == Record(KEY, {"n": 2}, 2)
    assert records.get(OTHER) is None
    assert records.get(third) == Record(third, {"n": 3}, 1)
    assert [stored.event for stored in events.read("a")] == [event("evt_1"), event("evt_2")]


@pytest.mark.parametrize(
    "failing", [Put(OTHER, {}, expect=2), Put(OTHER, {}, expect=0), Delete(OTHER, expect=7), Check(OTHER, expect=0), Check(OTHER, expect=2)]
)
def test_one_failing_condition_undoes_the_whole_transaction(records: Records, events: EventStore, failing: Write) -> None:
    records.put(OTHER, {"there": True})
    with pytest.raises(VersionConflictError):
        records.transact([Put(KEY, {"n": 1}), failing], [event()])
    assert records.get(KEY) is None
    assert records.get(OTHER) == Record(OTHER, {"there": True}, 1)
    assert not events.read("a")
    assert not events.unpublished()


def test_a_check_that_holds_writes_nothing(records: Records) -> None:
    records.put(OTHER, {"n": 1})
    records.transact([Check(OTHER, expect=1), Check(Key("t#a#clusters", "none"), expect=0), Put(KEY, {})])
    assert records.get(OTHER) == Record(OTHER, {"n": 1}, 1)


def test_a_body_that_is_no_document_undoes_the_whole_transaction(records: Records) -> None:
    with pytest.raises(TypeError):
        records.transact([Put(KEY, {}), Put(OTHER, {"object": object()})])
    assert records.get(KEY) is None


def test_a_transaction_holds_a_hundred_writes_and_events_and_no_more(records: Records, events: EventStore) -> None:
    writes = [Put(Key("t#a#many", f"{number:03}"), {}) for number in range(99)]
    records.transact(writes, [event()])
    assert len(records.query("t#a#many").items) == 99
    with pytest.raises(ValueError, match="100"):
        records.transact([*writes, Put(KEY, {})], [event("evt_2")])
    assert records.get(KEY) is None
    assert len(events.read("a")) == 1


def test_a_transaction_with_a_key_twice_is_refused(records: Records) -> None:
    with pytest.raises(ValueError, match="twice"):
        records.transact([Put(KEY, {}), Delete(KEY)])
    assert records.get(KEY) is None


def test_an_empty_transaction_is_no_error(records: Records) -> None:
    records.put(KEY, {"n": 1})
    records.transact([])
    assert records.get(KEY) == Record(KEY, {"n": 1}, 1)


def test_events_alone_make_a_transaction(records: Records, events: EventStore) -> None:
    records.transact([], [event()])
    assert [stored.event.id for stored in events.read("a")] == ["evt_1"]


def test_a_record_is_there_until_the_moment_it_expires(records: Records, clock: SetClock) -> None:
    written = records.put(KEY, {"n": 1}, expires_at=START + 10)
    assert written.expires_at == START + 10
    clock.moment = START + 9.999
    assert records.get(KEY) == written
    assert records.query(KEY.partition).items == (written,)
    clock.moment = START + 10
    assert records.get(KEY) is None
    assert records.query(KEY.partition).items == ()


def test_no_condition_sees_an_expired_record(records: Records, clock: SetClock) -> None:
    records.put(KEY, {"old": True}, expires_at=START + 10)
    records.put(KEY, {"old": True}, expires_at=START + 10)
    clock.moment = START + 11
    with pytest.raises(VersionConflictError):
        records.put(KEY, {}, expect=2)
    records.transact([Check(KEY, expect=0)])
    assert records.put(KEY, {"new": True}, expect=0) == Record(KEY, {"new": True}, 1)


def test_a_later_write_takes_the_expiry_away(records: Records, clock: SetClock) -> None:
    records.put(KEY, {}, expires_at=START + 10)
    records.put(KEY, {})
    clock.moment = START + 11
    assert records.get(KEY) == Record(KEY, {}, 2)


def test_an_expired_record_takes_no_place_on_a_page(records: Records, clock: SetClock) -> None:
    for number in range(6):
        records.put(Key("t#a#mixed", str(number)), {}, expires_at=START + 10 if number % 2 else None)
    clock.moment = START + 10
    page = records.query("t#a#mixed", limit=3)
    assert [item.key.sort for item in page.items] == ["0", "2", "4"]
    assert page.after is None


def test_many_expired_records_do_not_disturb_those_that_live(records: Records, clock: SetClock) -> None:
    for number in range(120):
        records.put(Key("t#a#tokens", f"{number:03}"), {}, expires_at=START + 1)
    clock.moment = START + 2
    for number in range(5):
        records.put(Key("t#a#tokens", f"new{number}"), {}, expires_at=START + 9)
    assert [item.key.sort for item in records.query("t#a#tokens").items] == [f"new{number}" for number in range(5)]


def test_what_was_written_is_there_after_opening_again(documents: Documents) -> None:
    documents.records.put(KEY, {"n": 1})
    documents.close()
    assert documents.records.get(KEY) == Record(KEY, {"n": 1}, 1)
