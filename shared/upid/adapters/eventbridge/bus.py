"""Events as CloudEvents 1.0 on an EventBridge bus, in batches of ten and 256 KB; what does not fit travels by reference."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson

from upid.adapters.aws.clients import AwsClients
from upid.adapters.aws.pauses import Sleep, attempts
from upid.domain.errors import UnavailableError
from upid.domain.events import Event
from upid.ports.blobs import Blobs
from upid.ports.events import StoredEvent

SOURCE: Final = "upid"
AT_ONCE: Final = 10
LARGEST_BYTES: Final = 256 * 1024  # of an entry, and of all entries of a request
TIME_BYTES: Final = 14  # what a time counts in an entry's size
ATTEMPTS: Final = 4


class Entry(NamedTuple):
    """An event as EventBridge takes it."""

    sequence: int
    fields: dict[str, Any]
    size: int


class EventBridgeBus:
    """A bus. Entries that it refuses are sent again, up to four times; `blobs` holds the data of events that are too large for it."""

    def __init__(self, clients: AwsClients, bus: str, blobs: Blobs, *, sleep: Sleep = time.sleep) -> None:
        self._clients = clients
        self._bus = bus
        self._blobs = blobs
        self._sleep = sleep

    def publish(self, events: Sequence[StoredEvent]) -> Sequence[int]:
        """Publish events, oldest first, and return the sequence numbers of those that were taken.

        Without a bus all are taken and none is sent. UnavailableError, with what was said, where EventBridge took none of them.
        """
        if not self._bus:
            return [stored.sequence for stored in events]
        left = [self._entry(stored) for stored in events]
        taken: list[int] = []
        said: set[str] = set()
        for _ in attempts(ATTEMPTS, self._sleep):
            refused: list[Entry] = []
            for batch in _batches(left):
                try:
                    answers = self._send(batch)
                except UnavailableError:
                    if taken:  # those count; who asks for the others meets the error
                        return taken
                    raise
                for entry, answer in zip(batch, answers, strict=True):
                    if "ErrorCode" in answer:
                        refused.append(entry)
                        said.add(f"{answer['ErrorCode']}: {answer.get('ErrorMessage')}")
                    else:
                        taken.append(entry.sequence)
            left = refused
            if not left:
                break
        if left and not taken:
            raise UnavailableError(f"The bus {self._bus} took none of {len(left)} events: {'; '.join(sorted(said))}.")
        return taken

    def _send(self, batch: Sequence[Entry]) -> Sequence[Mapping[str, Any]]:
        from upid.adapters.aws.errors import ThrottledError, told  # noqa: PLC0415 imports botocore

        try:
            with told(f"The bus {self._bus} of EventBridge"):
                answers: list[dict[str, Any]] = self._clients.get("events").put_events(Entries=[entry.fields for entry in batch])["Entries"]
        except ThrottledError as error:  # what was taken before still counts
            return [{"ErrorCode": "ThrottlingException", "ErrorMessage": error.detail}] * len(batch)
        return answers

    def _entry(self, stored: StoredEvent) -> Entry:
        event = stored.event
        entry = _made(self._bus, stored, {"data": dict(event.data)})
        if entry.size <= LARGEST_BYTES:
            return entry
        name = f"t/{event.tenant}/events/{event.id}.json"
        self._blobs.put(name, orjson.dumps(event.data), if_absent=True)
        return _made(self._bus, stored, {"dataref": name})


def cloud_event(event: Event) -> dict[str, Any]:
    """Return an event's attributes as CloudEvents 1.0 has them, without its data (cloudevents.io; `tenant` and `actor` are extensions)."""
    return {
        "specversion": "1.0",
        "id": event.id,
        "type": event.type,
        "source": SOURCE,
        "subject": event.subject,
        "time": datetime.fromtimestamp(event.time, UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "tenant": event.tenant,
        "actor": event.actor,
    }


def _made(bus: str, stored: StoredEvent, data: Mapping[str, Any]) -> Entry:
    event = stored.event
    detail = orjson.dumps({**cloud_event(event), "sequence": stored.sequence, **data}).decode()
    fields = {
        "EventBusName": bus,
        "Source": SOURCE,
        "DetailType": event.type,
        "Detail": detail,
        "Time": datetime.fromtimestamp(event.time, UTC),
    }
    size = TIME_BYTES + len(SOURCE) + len(event.type.encode()) + len(detail.encode())
    return Entry(stored.sequence, fields, size)


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    for entry in entries:
        if batch and (len(batch) == AT_ONCE or sum(other.size for other in batch) + entry.size > LARGEST_BYTES):
            yield batch
            batch = []
        batch.append(entry)
    if batch:
        yield batch
