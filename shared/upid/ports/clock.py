"""Time and chance come in through here, so that the same input gives the same bytes."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The time now."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        ...


class Ids(Protocol):
    """New identifiers."""

    def new(self, kind: str) -> str:
        """Return a new id of a kind that `upid.domain.ids.PREFIXES` names; ids of one process sort in the order they were made."""
        ...

    def secret(self) -> str:
        """Return a new unguessable text of at least 128 bits, safe in a URL."""
        ...
