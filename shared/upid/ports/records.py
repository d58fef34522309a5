"""Documents by key, as a single-table store has them (DynamoDB, or SQLite embedded)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from upid.domain.events import Event


class Key(NamedTuple):
    """Where a record lies: every partition begins with its tenant (`t#<tenant>#clusters`), so that nothing is ever read across tenants."""

    partition: str
    sort: str


@dataclass(frozen=True, slots=True)
class Record:
    """A document and its version: 1 when created, one more with every change. `expires_at`: seconds since the epoch, None = never."""

    key: Key
    body: Mapping[str, Any]
    version: int
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """Write a document whole. `expect`: the version it must have now, 0 = it must not exist, None = whatever is there."""

    key: Key
    body: Mapping[str, Any]
    expect: int | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a document. `expect` as in Put; removing what is not there is no error unless a version is expected."""

    key: Key
    expect: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Hold that a document has this version (0 = does not exist) without writing it."""

    key: Key
    expect: int


Write = Put | Delete | Check


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Records in the order of their sort keys, and the sort key to go on after (None = no more)."""

    items: tuple[Record, ...]
    after: str | None


class Records(Protocol):
    """A store of documents. A record past `expires_at` is not there for any reader or condition, whether or not it was removed yet."""

    def get(self, key: Key) -> Record | None:
        """Return the record, None where there is none."""
        ...

    def put(self, key: Key, body: Mapping[str, Any], *, expect: int | None = None, expires_at: float | None = None) -> Record:
        """Write one document and return it with its new version; VersionConflictError where `expect` does not hold."""
        ...

    def delete(self, key: Key, *, expect: int | None = None) -> None:
        """Remove one document; VersionConflictError where `expect` does not hold."""
        ...

    def transact(self, writes: Sequence[Write], events: Sequence[Event] = ()) -> None:
        """Do all writes and append all events, or nothing: at most 100 in all, no key twice; VersionConflictError where a condition fails.

        Raises ValueError for more than 100 or a key twice.
        """
        ...

    def query(
        self, partition: str, *, prefix: str = "", after: str | None = None, limit: int = 100, descending: bool = False
    ) -> RecordPage:
        """Return records of a partition whose sort key begins with `prefix`, in order, beginning behind `after`."""
        ...
