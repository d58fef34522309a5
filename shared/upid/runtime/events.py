"""The outbox: events that were committed with their change are published to whoever subscribes in this process, at least once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from upid.bootstrap import Services
from upid.domain.errors import AppError
from upid.domain.events import Event
from upid.ports.events import StoredEvent

BATCH: Final = 500
LONGEST_PAUSE_SECONDS: Final = 60.0
Subscriber = Callable[[Event], Any]
_LOG = logging.getLogger(__name__)


class OutboxPublisher:
    """Publishes in the order of the store. An event is marked when every subscriber took it; one that a subscriber refuses is offered again.

    Until then the events behind it wait, so that no subscriber sees a later state before an earlier one; the pause between two offers
    doubles up to a minute.
    """

    def __init__(
        self, services: Services, _template: object = None, *, subscribers: Sequence[Subscriber] = (), poll_seconds: float = 0.5
    ) -> None:
        self._events = services.events
        self._subscribers = tuple(subscribers)
        self._poll_seconds = poll_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="outbox", daemon=True)

    def start(self) -> None:
        """Begin to publish, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Publish no more: the event that is being published is the last."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def publish(self) -> bool:
        """Publish what is in the outbox; return False where a subscriber refused an event or the store did not answer."""
        while not self._stopping.is_set():
            try:
                waiting = self._events.unpublished(BATCH)
                taken = self._offer(waiting)
                if taken:
                    self._events.mark_published(taken)
            except AppError as error:
                _LOG.warning("The outbox cannot be read: %s", error)
                return False
            if len(taken) < len(waiting):
                return False
            if len(waiting) < BATCH:
                return True
        return True

    def _offer(self, waiting: Sequence[StoredEvent]) -> list[int]:
        """Return the sequence numbers of the events that all took, up to the first that one refused."""
        taken: list[int] = []
        for stored in waiting:
            if self._stopping.is_set() or not all(_accepts(subscriber, stored.event) for subscriber in self._subscribers):
                break
            taken.append(stored.sequence)
        return taken

    def _watch(self) -> None:
        pause = self._poll_seconds
        while not self._stopping.wait(pause):
            pause = self._poll_seconds if self.publish() else min(pause * 2, LONGEST_PAUSE_SECONDS)


def _accepts(subscriber: Subscriber, event: Event) -> bool:
    try:
        subscriber(event)
    except Exception:  # noqa: BLE001 the event stays in the outbox; it is logged and offered again
        _LOG.exception("Event %s (%s) was not taken.", event.id, event.type)
        return False
    return True
