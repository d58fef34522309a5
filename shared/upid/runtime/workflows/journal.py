"""What an execution has done so far, in records: one for each scope that is under way or ended, under a key that its place determines.

A scope (the machine itself, an item of a Map, a branch of a Parallel) writes its record after every state. What is recorded never runs
again; a task that ended but was not recorded yet may run once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from upid.ports.records import Delete, Key, Records

PAGE: Final = 500
BATCH: Final = 100


@dataclass(slots=True)
class Journal:
    """The records of one execution. `found` holds what was there when it was opened, until the scope that it is about asks for it."""

    records: Records
    partition: str
    found: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def open(cls, records: Records, machine: str, name: str) -> Journal:
        """Read what is recorded of an execution."""
        journal = cls(records, f"wf#journal#{machine}#{name}")
        after: str | None = None
        while True:
            page = records.query(journal.partition, after=after, limit=PAGE)
            journal.found.update((record.key.sort, record.body) for record in page.items)
            after = page.after
            if after is None:
                return journal

    def take(self, place: str) -> Mapping[str, Any] | None:
        """Return what was recorded of a scope, once."""
        return self.found.pop(place, None)

    def put(self, place: str, body: Mapping[str, Any]) -> None:
        """Record how far a scope is."""
        self.records.put(Key(self.partition, place), body)

    def clear(self) -> bool:
        """Remove up to a batch of records and return whether there may be more."""
        page = self.records.query(self.partition, limit=BATCH)
        if page.items:
            self.records.transact([Delete(record.key) for record in page.items])
        return page.after is not None
