"""A home, moved: everything of it into an archive, and from there into another home.

Not moved: executions of workflows (they end where they began), idempotency keys (a day old at most) and the key that signs access tokens (the
new home makes its own: everybody logs in again). Credentials of clusters are sealed; they travel as they are, and then only a home with the
same key opens them, or sealed again under a passphrase. They are never written in the clear.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, Final, NamedTuple

from upid.domain.errors import ConflictError, InvalidError, VersionConflictError
from upid.domain.events import Event
from upid.ports.blobs import Blobs
from upid.ports.clock import Clock
from upid.ports.keys import Sealer
from upid.ports.records import Key, Put, Record
from upid.ports.whole import WholeEvents, WholeRecords
from upid.services.archives import (
    BLOBS,
    MANIFEST,
    SEALED_BY_PASSPHRASE,
    SEALED_BY_SOURCE,
    Manifest,
    checked,
    digest,
    read_lines,
    read_manifest,
    write_lines,
    write_manifest,
)

AT_ONCE: Final = 25  # records of a transaction, events of an append
STAYING: Final = ("wf#", "g#keys")  # partitions of what is not moved
RUNNING: Final = frozenset({"queued", "running"})

Progress = Callable[[str, int], None]  # what is moved, and how much of it so far


class Imported(NamedTuple):
    """How many records, events and blobs an archive holds, and how many of records and blobs were there already."""

    records: int
    events: int
    blobs: int
    there: int


@dataclass(frozen=True, slots=True)
class TransferService:
    """Writes a home into an archive, and reads it back; done again after it was broken off, either goes on and changes nothing twice."""

    records: WholeRecords
    events: WholeEvents
    blobs: Blobs
    sealer: Sealer
    clock: Clock

    def export(self, archive: Blobs, progress: Progress, *, travelling: Sealer | None = None, salt: bytes = b"") -> Manifest:
        """Write everything into an archive and return its manifest, which is written last.

        `travelling`: seals the clusters' credentials for their way; `salt` goes with it. Without it they stay sealed as they are.
        """
        archive.delete(MANIFEST)
        manifest = Manifest(self.clock.now(), SEALED_BY_PASSPHRASE if travelling else SEALED_BY_SOURCE, salt.hex())
        write_lines(archive, manifest, "records", _counted(self._records_out(travelling), "records", progress))
        write_lines(archive, manifest, "events", _counted(self._events_out(), "events", progress))
        write_lines(archive, manifest, "blob-lists", _counted(self._blobs_out(archive, manifest), "blobs", progress))
        manifest.counts["blobs"] = manifest.counts.pop("blob-lists")
        write_manifest(archive, manifest)
        return manifest

    def read_in(self, archive: Blobs, progress: Progress, *, opener: Sealer | None = None, replace: bool = False) -> Imported:
        """Write everything of an archive into this home; `opener`: opens what travels under a passphrase. `replace`: other data gives way.

        Raises
        ------
        InvalidError
            Where the archive is incomplete or changed, or its credentials cannot be opened; then nothing was written.
        ConflictError
            Where this home holds something else under the same name, unless `replace`.
        """
        manifest = read_manifest(archive)
        self._hold_secrets(archive, manifest, opener)
        there = 0
        for entry in _counted(read_lines(archive, manifest, "blob-lists"), "blobs", progress):
            there += not self._blob_in(archive, entry, replace=replace)
        rows = _counted(read_lines(archive, manifest, "records"), "records", progress)
        while some := [self._record_in(row, opener) for row in islice(rows, AT_ONCE)]:
            there += self._put_all(some, replace=replace)
        self._events_in(_counted(read_lines(archive, manifest, "events"), "events", progress))
        counts = manifest.counts
        return Imported(counts["records"], counts["events"], counts["blobs"], there)

    def running(self) -> int:
        """Return how many collections and analyses are under way: they would not end in another home."""
        return sum(record.body.get("status") in RUNNING for record in self.records.everything() if _is_work(record))

    def _records_out(self, travelling: Sealer | None) -> Iterator[dict[str, Any]]:
        for record in self.records.everything():
            if _moves(record.key):
                body = record.body if travelling is None else _resealed(record.body, self.sealer, travelling)
                yield {"key": list(record.key), "body": body, "expires_at": record.expires_at}

    def _events_out(self) -> Iterator[dict[str, Any]]:
        for event, published in self.events.everything():
            yield {"event": event, "published": published}

    def _blobs_out(self, archive: Blobs, manifest: Manifest) -> Iterator[dict[str, Any]]:
        manifest.counts["bytes"] = 0
        for name in self.blobs.names(""):
            data = self.blobs.get(name)
            archive.put(BLOBS + name, data)
            manifest.counts["bytes"] += len(data)
            yield {"name": name, "sha256": digest(data)}

    def _hold_secrets(self, archive: Blobs, manifest: Manifest, opener: Sealer | None) -> None:
        """Hold, before anything is written, that this home will be able to open all credentials."""
        if (manifest.secrets == SEALED_BY_PASSPHRASE) != (opener is not None):
            raise InvalidError(
                "The credentials in this archive are sealed under a passphrase: give it." if opener is None else "It has no passphrase."
            )
        for row in read_lines(archive, manifest, "records"):
            sealed = row["body"].get("sealed")
            if sealed is None:
                continue
            try:
                (opener or self.sealer).open(base64.b64decode(sealed), context=row["body"]["id"])
            except ValueError as error:
                hint = "" if opener else " Export with --with-secrets to move them to a home with another key."
                raise InvalidError(f"The credentials of {row['body']['id']} cannot be opened here: {error}{hint}") from None

    def _record_in(self, row: Mapping[str, Any], opener: Sealer | None) -> Put:
        body = row["body"] if opener is None else _resealed(row["body"], opener, self.sealer)
        return Put(Key(*row["key"]), body, expect=0, expires_at=row["expires_at"])

    def _put_all(self, puts: list[Put], *, replace: bool) -> int:
        """Write records that are not there, and return how many were."""
        try:
            self.records.transact(puts)
        except VersionConflictError:
            return sum(not self._put(put, replace=replace) for put in puts)
        return 0

    def _put(self, put: Put, *, replace: bool) -> bool:
        found = self.records.get(put.key)
        if found is not None and _same(found, put):
            return False
        if found is not None and not replace:
            raise ConflictError(
                f"This home has another record {put.key.partition} {put.key.sort}: import into an empty home, or with --replace."
            )
        self.records.put(put.key, put.body, expires_at=put.expires_at)
        return True

    def _blob_in(self, archive: Blobs, entry: Mapping[str, str], *, replace: bool) -> bool:
        """Write a blob that is not there, and return whether it was not."""
        name = entry["name"]
        data = checked(archive, BLOBS + name, entry["sha256"])
        if self.blobs.put(name, data, if_absent=True):
            return True
        if digest(self.blobs.get(name)) == entry["sha256"]:
            return False
        if not replace:
            raise ConflictError(f"This home has another blob {name}: import into an empty home, or with --replace.")
        return self.blobs.put(name, data)

    def _events_in(self, rows: Iterable[Mapping[str, Any]]) -> None:
        for published, group in groupby(rows, key=lambda row: bool(row["published"])):
            events = (Event(**row["event"]) for row in group)
            while some := list(islice(events, AT_ONCE)):
                if published:
                    self.events.restore(some)
                else:
                    self.events.append(some)


def _moves(key: Key) -> bool:
    return not key.partition.startswith(STAYING) and not key.partition.endswith("#idempotency")


def _is_work(record: Record) -> bool:
    return record.key.partition.endswith(("#collections", "#analyses"))


def _resealed(body: Mapping[str, Any], opener: Sealer, sealer: Sealer) -> Mapping[str, Any]:
    """Return a record's body with its credentials, where it has any, sealed by another; ValueError where they cannot be opened."""
    if "sealed" not in body:
        return body
    plain = opener.open(base64.b64decode(body["sealed"]), context=body["id"])
    return {**body, "sealed": base64.b64encode(sealer.seal(plain, context=body["id"])).decode()}


def _same(found: Record, put: Put) -> bool:
    """Tell whether a record is the one to be written; credentials are sealed anew each time, so they count as the same."""
    mine, theirs = ({name: value for name, value in body.items() if name != "sealed"} for body in (found.body, put.body))
    return mine == theirs and found.expires_at == put.expires_at


def _counted(documents: Iterable[Any], what: str, progress: Progress) -> Iterator[Any]:
    for count, document in enumerate(documents, 1):
        yield document
        progress(what, count)
