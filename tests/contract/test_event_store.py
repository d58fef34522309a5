"""What every EventStore adapter keeps to."""

from __future__ import annotations

from upid.domain.events import Event
from upid.ports.events import EventStore


def made(*numbers: int, tenant: str = "a") -> list[Event]:
    return [Event(f"evt_{n}", "user.created", tenant, f"usr_{n}", 1e9 + n + 0.25, {"n": n, "text": "ü"}, "usr_0") for n in numbers]


def test_events_are_read_as_they_were_in_the_order_of_appending(events: EventStore) -> None:
    events.append(made(2, 1))
    events.append(made(3))
    stored = events.read("a")
    assert [s.event for s in stored] == made(2, 1, 3)
    assert sorted(s.sequence for s in stored) == [s.sequence for s in stored]


def test_a_tenant_reads_only_its_own(events: EventStore) -> None:
    events.append(made(1, 2))
    events.append(made(3, tenant="b"))
    assert [s.event.id for s in events.read("b")] == ["evt_3"]
    assert not events.read("c")


def test_reading_goes_on_behind_a_sequence_number(events: EventStore) -> None:
    events.append(made(*range(5)))
    first = events.read("a", limit=2)
    rest = events.read("a", after=first[-1].sequence)
    assert [s.event.id for s in [*first, *rest]] == [f"evt_{n}" for n in range(5)]


def test_an_event_appended_twice_is_there_once_and_as_it_was_first(events: EventStore) -> None:
    events.append(made(1))
    events.append([Event("evt_1", "user.created", "a", "other", 0.0), *made(2)])
    assert [s.event for s in events.read("a")] == made(1, 2)


def test_one_tenants_ids_do_not_hide_anothers(events: EventStore) -> None:
    events.append(made(1))
    events.append(made(1, tenant="b"))
    assert len(events.read("b")) == 1


def test_the_outbox_holds_what_was_not_published_of_all_tenants_oldest_first(events: EventStore) -> None:
    events.append(made(1, 2))
    events.append(made(3, tenant="b"))
    waiting = events.unpublished()
    assert [s.event.id for s in waiting] == ["evt_1", "evt_2", "evt_3"]
    events.mark_published([waiting[0].sequence, waiting[2].sequence])
    assert [s.event.id for s in events.unpublished()] == ["evt_2"]


def test_marking_twice_and_marking_what_is_not_there_change_nothing(events: EventStore) -> None:
    events.append(made(1, 2))
    first = events.unpublished(limit=1)[0].sequence
    for _ in range(2):
        events.mark_published([first, 999_999])
    assert [s.event.id for s in events.unpublished()] == ["evt_2"]
    assert len(events.read("a")) == 2


def test_appending_and_marking_nothing_is_no_error(events: EventStore) -> None:
    events.append([])
    events.mark_published([])
    assert not events.unpublished()
