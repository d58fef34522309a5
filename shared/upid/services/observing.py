"""Keeps what a collection saw, and tells of what changed since the one before: an event each, or one for all of a kind where they are many."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from upid.domain.errors import NotFoundError
from upid.domain.events import Event
from upid.domain.ids import PREFIXES, ULID_LENGTH, encode
from upid.domain.objects import Row
from upid.ports.blobs import Blobs
from upid.ports.events import EventStore
from upid.ports.kubernetes import Observation
from upid.services.changes import NOUNS, Change, changes
from upid.services.cluster_records import blob_prefix
from upid.services.surveys import Index, Surveys, index_of

MANY: Final = 20  # changes of a kind that one event tells of together
AT_ONCE: Final = 50  # events that are appended together
LISTS_KEPT: Final = 100  # collections whose lists of changes are kept


@dataclass(frozen=True, slots=True)
class Observing:
    """Writes surveys and raises events of what changed. Doing it twice for one collection tells of everything once."""

    surveys: Surveys
    blobs: Blobs
    events: EventStore

    def keep(self, tenant: str, cluster_id: str, collection_id: str, time: float, observation: Observation) -> None:
        """Store what a collection saw as the latest survey, with events of what changed; nothing changed where there was none before."""
        rows = self.surveys.write(tenant, cluster_id, collection_id, observation)
        before = self.surveys.index(tenant, cluster_id)
        if before is not None and before.id != collection_id:
            old = {kind: listed for kind in NOUNS if (listed := self._before(tenant, cluster_id, before, kind)) is not None}
            found = list(self._events(tenant, cluster_id, collection_id, time, changes(old, rows)))
            for start in range(0, len(found), AT_ONCE):
                self.events.append(found[start : start + AT_ONCE])
        self.surveys.publish(tenant, cluster_id, index_of(collection_id, time, observation, rows))
        self._forget_old_lists(tenant, cluster_id)

    def _before(self, tenant: str, cluster_id: str, index: Index, kind: str) -> Sequence[Row] | None:
        """Return the rows of the survey before, None where it could not read the kind."""
        return self.surveys.rows(tenant, cluster_id, index, kind) if kind in index.counts else None

    def _events(self, tenant: str, cluster_id: str, collection_id: str, time: float, found: Iterator[Change]) -> Iterator[Event]:
        by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for change in found:
            by_kind[change.kind].append(_told(change))
        for kind, items in by_kind.items():
            about = {"cluster_id": cluster_id, "collection_id": collection_id}
            if len(items) <= MANY:
                for item in items:
                    yield Event(event_id(collection_id, kind, item["uid"]), kind, tenant, cluster_id, time, about | item)
            else:
                name = f"{self._lists(tenant, cluster_id)}{collection_id}/{kind}.json"
                self.blobs.put(name, orjson.dumps(items))
                yield Event(event_id(collection_id, kind, ""), kind, tenant, cluster_id, time, about | {"count": len(items), "list": name})

    def listed(self, tenant: str, cluster_id: str, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the objects that an event's data tells of; NotFoundError where its list is kept no more."""
        if "list" not in event:
            return [dict(event)]
        name = str(event["list"])
        if not name.startswith(self._lists(tenant, cluster_id)):
            raise NotFoundError("This list belongs to another cluster.")
        found: list[dict[str, Any]] = orjson.loads(self.blobs.get(name))
        return found

    def _lists(self, tenant: str, cluster_id: str) -> str:
        return f"{blob_prefix(tenant, cluster_id)}changes/"

    def _forget_old_lists(self, tenant: str, cluster_id: str) -> None:
        prefix = self._lists(tenant, cluster_id)
        names = list(self.blobs.names(prefix))
        kept = set(sorted({name.removeprefix(prefix).partition("/")[0] for name in names})[-LISTS_KEPT:])
        for name in names:
            if name.removeprefix(prefix).partition("/")[0] not in kept:
                self.blobs.delete(name)


def event_id(collection_id: str, kind: str, uid: str) -> str:
    """Return the id of an event, the same however often the collection's task is done: its moment is the collection's, the rest a hash."""
    ulid = collection_id.removeprefix(PREFIXES["collection"])
    digest = int.from_bytes(hashlib.blake2b(f"{collection_id}\0{kind}\0{uid}".encode(), digest_size=10).digest(), "big")
    return PREFIXES["event"] + ulid[:10].rjust(10, "0") + encode(digest, ULID_LENGTH - 10)


def _told(change: Change) -> dict[str, Any]:
    row = change.row
    place = {"namespace": row["namespace"]} if row.get("namespace") else {}
    return {**place, "name": row["name"], "uid": row["uid"], **change.told}
