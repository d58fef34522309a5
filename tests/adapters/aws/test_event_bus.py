"""Events on an EventBridge bus: in batches, as CloudEvents, the refused ones again, the large ones by reference."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from contract.stores import BLOBS, DOCUMENTS, SetClock

from upid.adapters.eventbridge.bus import EventBridgeBus
from upid.domain.errors import UnavailableError
from upid.domain.events import Event
from upid.ports.blobs import Blobs
from upid.ports.events import StoredEvent
from upid.services.publishing import PublishingService

PAUSES: list[float] = []


class ScriptedBus:
    """EventBridge's client: refuses the entries whose event the script names, as often as it says, and keeps what it took."""

    def __init__(self, refusals: dict[str, int] | None = None) -> None:
        self.refusals = dict(refusals or {})
        self.requests: list[list[dict[str, Any]]] = []
        self.taken: list[dict[str, Any]] = []

    def get(self, _service: str) -> ScriptedBus:
        return self

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 the name is AWS'
        self.requests.append(Entries)
        answers = [self._answer(entry) for entry in Entries]
        return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}

    def _answer(self, entry: dict[str, Any]) -> dict[str, str]:
        detail = json.loads(entry["Detail"])
        if self.refusals.get(detail["id"], 0) > 0:
            self.refusals[detail["id"]] -= 1
            return {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
        self.taken.append(detail)
        return {"EventId": "x"}


def made(*numbers: int, data: Any = None) -> list[StoredEvent]:
    return [StoredEvent(n, Event(f"evt_{n}", "user.created", "a", f"usr_{n}", 1.5, data or {"n": n}, "usr_0")) for n in numbers]


def bus(client: ScriptedBus, blobs: Blobs) -> EventBridgeBus:
    return EventBridgeBus(client, "upid", blobs, sleep=PAUSES.append)  # type: ignore[arg-type] # a client of the test


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return BLOBS["directory"](tmp_path)


def ids(details: Sequence[dict[str, Any]]) -> list[str]:
    return [detail["id"] for detail in details]


def test_events_go_in_batches_of_ten_in_order(blobs: Blobs) -> None:
    client = ScriptedBus()
    assert list(bus(client, blobs).publish(made(*range(23)))) == list(range(23))
    assert [len(entries) for entries in client.requests] == [10, 10, 3]
    assert ids(client.taken) == [f"evt_{n}" for n in range(23)]


def test_an_entry_is_a_cloud_event(blobs: Blobs) -> None:
    client = ScriptedBus()
    bus(client, blobs).publish(made(7))
    ((entry,),) = client.requests
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == ("upid", "upid", "user.created")
    assert json.loads(entry["Detail"]) == {
        "specversion": "1.0", "id": "evt_7", "type": "user.created", "source": "upid", "subject": "usr_7", "time": "1970-01-01T00:00:01.500000Z",
        "datacontenttype": "application/json", "tenant": "a", "actor": "usr_0", "sequence": 7, "data": {"n": 7},
    }  # fmt: skip


def test_only_the_entries_that_were_refused_are_sent_again(blobs: Blobs) -> None:
    client = ScriptedBus({"evt_1": 1, "evt_3": 2})
    assert sorted(bus(client, blobs).publish(made(*range(5)))) == list(range(5))
    assert [[json.loads(entry["Detail"])["id"] for entry in entries] for entries in client.requests] == [
        [f"evt_{n}" for n in range(5)], ["evt_1", "evt_3"], ["evt_3"],
    ]  # fmt: skip
    assert len(set(ids(client.taken))) == len(client.taken) == 5


def test_what_is_refused_for_good_stays_behind_and_the_others_are_taken(blobs: Blobs) -> None:
    client = ScriptedBus({"evt_1": 99})
    assert list(bus(client, blobs).publish(made(*range(3)))) == [0, 2]


def test_where_none_is_taken_the_error_says_what_eventbridge_said(blobs: Blobs) -> None:
    with pytest.raises(UnavailableError, match="took none of 1 events: ThrottlingException: Rate exceeded"):
        bus(ScriptedBus({"evt_1": 99}), blobs).publish(made(1))


def test_data_over_256_kb_travels_by_reference(blobs: Blobs) -> None:
    client = ScriptedBus()
    data = {"text": "x" * 300_000}
    bus(client, blobs).publish(made(1, data=data))
    (detail,) = client.taken
    assert "data" not in detail
    assert json.loads(blobs.get(detail["dataref"])) == data


def test_no_request_is_over_256_kb(blobs: Blobs) -> None:
    client = ScriptedBus()
    bus(client, blobs).publish(made(*range(7), data={"text": "x" * 100_000}))
    assert [len(entries) for entries in client.requests] == [2, 2, 2, 1]


def test_without_a_bus_events_are_taken_and_none_is_sent(blobs: Blobs) -> None:
    client = ScriptedBus()
    assert EventBridgeBus(client, "", blobs).publish(made(1, 2)) == [1, 2]  # type: ignore[arg-type] # a client of the test
    assert client.requests == []


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
def test_the_outbox_is_emptied_once_and_keeps_what_was_refused(kind: str, tmp_path: Path, blobs: Blobs, aws: object) -> None:
    store, client = DOCUMENTS[kind](tmp_path, SetClock()), ScriptedBus({"evt_7": 4})
    store.events.append([stored.event for stored in made(*range(60))])
    store.events.append([stored.event for stored in made(*range(60, 120))])
    publishing = PublishingService(store.events, bus(client, blobs))

    assert [publishing.run(), publishing.run(), publishing.run()] == [99, 21, 0]

    assert sorted(ids(client.taken)) == sorted(f"evt_{n}" for n in range(120))
    assert not store.events.unpublished()
    store.close()
