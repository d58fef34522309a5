"""The outbox: every event reaches every subscriber, in order, at least once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from machines.running import services_in, wait_until

from upid.bootstrap import Services
from upid.domain.errors import UnavailableError
from upid.domain.events import Event
from upid.ports.events import StoredEvent
from upid.runtime.events import OutboxPublisher


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    services = services_in(tmp_path)
    yield services
    services.database.close()


def events(*numbers: int) -> list[Event]:
    return [Event(f"evt_{number}", "cluster.registered", "default", "cl_1", 1.0 * number) for number in numbers]


def test_every_subscriber_gets_every_event_in_order(services: Services) -> None:
    first: list[Event] = []
    second: list[Event] = []
    services.events.append(events(1, 2, 3))

    assert OutboxPublisher(services, subscribers=[first.append, second.append]).publish()

    assert first == second == events(1, 2, 3)
    assert not services.events.unpublished()


def test_what_was_published_is_not_published_again(services: Services) -> None:
    got: list[Event] = []
    services.events.append(events(1))
    publisher = OutboxPublisher(services, subscribers=[got.append])
    publisher.publish()
    services.events.append(events(2))
    publisher.publish()

    assert [event.id for event in got] == ["evt_1", "evt_2"]


def test_an_event_that_a_subscriber_refuses_is_offered_again_before_the_next(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    tries: list[str] = []

    def refuse_twice(event: Event) -> None:
        tries.append(event.id)
        if tries.count("evt_2") < 3 and event.id == "evt_2":
            raise RuntimeError("not now")

    services.events.append(events(1, 2, 3))
    publisher = OutboxPublisher(services, subscribers=[refuse_twice])

    assert [publisher.publish() for _ in range(3)] == [False, False, True]
    assert tries == ["evt_1", "evt_2", "evt_2", "evt_2", "evt_3"]
    assert "not now" in caplog.text


def test_without_a_subscriber_events_are_published_to_nobody(services: Services) -> None:
    services.events.append(events(*range(1200)))  # more than one batch

    assert OutboxPublisher(services).publish()
    assert not services.events.unpublished()


def test_a_store_that_does_not_answer_is_asked_again_later(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    class Closed:
        def unpublished(self, limit: int) -> list[StoredEvent]:
            raise UnavailableError(f"No {limit} events: the file is locked.")

    services.events = Closed()  # type: ignore[assignment]  # a fake of what the test needs

    assert not OutboxPublisher(services).publish()
    assert "the file is locked" in caplog.text


def test_the_thread_publishes_until_it_is_stopped(services: Services) -> None:
    got: list[Event] = []
    publisher = OutboxPublisher(services, subscribers=[got.append], poll_seconds=0.005)
    publisher.start()
    services.events.append(events(1))
    wait_until(lambda: bool(got))
    publisher.stop()
    services.events.append(events(2))

    assert got == events(1)
    assert len(services.events.unpublished()) == 1
