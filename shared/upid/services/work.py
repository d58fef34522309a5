"""Work that outlasts a request, as every 202 points to it: one record, and a mark for each part that is done.

Marks make progress idempotent: a part that is redone after a crash marks the same key again, and nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from upid.domain.errors import NotFoundError, VersionConflictError
from upid.domain.events import Event
from upid.domain.times import format_time
from upid.domain.work import ENDED, WorkError, WorkStatus
from upid.ports.clock import Clock
from upid.ports.records import Key, Put, Record, RecordPage, Records

ATTEMPTS = 20
MARK_SECONDS = 7 * 86400.0  # longer than any work runs; what ended needs no marks


@dataclass(frozen=True, slots=True)
class WorkLog:
    """Pieces of work of one kind (`collections`, `analyses`): created queued, then running, then ended exactly once."""

    kind: str
    records: Records
    clock: Clock

    def key(self, tenant: str, work_id: str) -> Key:
        """Return where the work's record lies."""
        return Key(f"t#{tenant}#{self.kind}", work_id)

    def queued(self, tenant: str, work_id: str, request: Mapping[str, Any]) -> Put:
        """Return the write that creates a piece of work, for the caller's transaction."""
        body: dict[str, Any] = {
            "id": work_id, "status": "queued", "created_at": format_time(self.clock.now()), "started_at": None, "ended_at": None,
            "request": dict(request), "parts": {}, "errors": [], "result": {},
        }  # fmt: skip
        return Put(self.key(tenant, work_id), body, expect=0)

    def record(self, tenant: str, work_id: str) -> Record:
        """Return the work's record; NotFoundError where there is none."""
        found = self.records.get(self.key(tenant, work_id))
        if found is None:
            raise NotFoundError(f"There is no {work_id}.", id=work_id)
        return found

    def view(self, tenant: str, work_id: str) -> dict[str, Any]:
        """Return the work as clients see it, with `progress` (0-1) from the marks; NotFoundError where there is none."""
        body = dict(self.record(tenant, work_id).body)
        parts: Mapping[str, int] = body.pop("parts")
        total = sum(parts.values())
        done = sum(min(self._count(tenant, work_id, stage), count) for stage, count in parts.items())
        ended = body["status"] in ENDED
        return body | {"progress": 1.0 if ended else round(done / total, 4) if total else 0.0}

    def recent(self, tenant: str, *, after: str | None = None, limit: int = 100) -> RecordPage:
        """Return records of this kind of work, newest first."""
        return self.records.query(f"t#{tenant}#{self.kind}", after=after, limit=limit, descending=True)

    def begin(self, tenant: str, work_id: str, *, parts: Mapping[str, int]) -> None:
        """Set the work running with the number of parts of each stage; work that runs stays so, work that ended stays as it is."""
        self._change(tenant, work_id, {"status": "running", "started_at": format_time(self.clock.now()), "parts": dict(parts)})

    def mark(self, tenant: str, work_id: str, stage: str, part: str) -> None:
        """Remember that a part of a stage is done; marking twice changes nothing."""
        self.records.put(Key(f"t#{tenant}#work#{work_id}", f"{stage}#{part}"), {}, expires_at=self.clock.now() + MARK_SECONDS)

    def end(
        self,
        tenant: str,
        work_id: str,
        status: WorkStatus,
        *,
        result: Mapping[str, Any],
        errors: Sequence[WorkError] = (),
        events: Sequence[Event] = (),
    ) -> bool:
        """End the work once, with its events in the same transaction; work that ended before stays as it is. Returns whether this ended it."""
        told = [asdict(error) for error in errors]
        fields = {"status": status, "ended_at": format_time(self.clock.now()), "result": dict(result), "errors": told}
        return self._change(tenant, work_id, fields, events)

    def _change(self, tenant: str, work_id: str, fields: Mapping[str, Any], events: Sequence[Event] = ()) -> bool:
        """Set fields of work that has not ended, whoever else writes at the same time; the first `started_at` stays."""
        for attempt in range(ATTEMPTS):
            found = self.record(tenant, work_id)
            if found.body["status"] in ENDED:
                return False
            started_at = found.body["started_at"] or fields.get("started_at")
            try:
                body = {**found.body, **fields, "started_at": started_at}
                self.records.transact([Put(found.key, body, expect=found.version, expires_at=found.expires_at)], events)
            except VersionConflictError:
                if attempt == ATTEMPTS - 1:
                    raise
                continue
            return True
        return False

    def _count(self, tenant: str, work_id: str, stage: str) -> int:
        count, after = 0, None
        while True:
            page = self.records.query(f"t#{tenant}#work#{work_id}", prefix=f"{stage}#", after=after, limit=1000)
            count += len(page.items)
            after = page.after
            if after is None:
                return count
