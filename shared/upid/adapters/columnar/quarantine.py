"""Blobs that are not what was written: found by their checksum, put aside under a name that says so, told by name; the rest goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from upid.domain.errors import AppError, UnavailableError
from upid.ports.blobs import Blobs

PLACE: Final = "quarantine/"
_LOG: Final = logging.getLogger(__name__)
Read = TypeVar("Read")


class DamagedChunkError(UnavailableError):
    """A stored chunk is not what was written: its checksum or its form does not hold."""

    title = "Stored usage damaged"


class Quarantine:
    """Reads blobs, and puts aside those that cannot be read, within the cluster that they belong to: deleting that removes them too."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def read(self, blob: str, reading: Callable[[bytes], Read]) -> Read:
        """Return what `reading` makes of a blob; where it cannot, put the blob aside and raise DamagedChunkError (`blob`, `quarantined`)."""
        data = self._blobs.get(blob)
        try:
            return reading(data)
        except (ValueError, KeyError, TypeError) as error:
            aside = self._put_aside(blob, data)
            _LOG.error("%s is damaged (%s) and lies in %s now.", blob, error, aside or blob)
            raise DamagedChunkError(f"The stored usage {blob} is damaged: {error}", blob=blob, quarantined=aside) from error

    def _put_aside(self, blob: str, data: bytes) -> str:
        """Return where a blob lies now, "" where this process may only read."""
        aside = _aside(blob)
        try:
            self._blobs.put(aside, data)
            self._blobs.delete(blob)
        except AppError:
            return ""
        return aside

    def of(self, tenant: str, cluster_id: str) -> list[str]:
        """Return the names of a cluster's blobs that were put aside."""
        return list(self._blobs.names(f"t/{tenant}/clusters/{cluster_id}/{PLACE}"))


def _aside(blob: str) -> str:
    """Return `t/<tenant>/clusters/<cluster>/quarantine/<the rest>`."""
    parts = blob.split("/", 4)
    return "/".join(parts[:4]) + f"/{PLACE}{parts[4]}" if len(parts) == 5 else f"{PLACE}{blob}"
