"""Documents by key in DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import orjson

from upid.adapters.aws.pauses import attempts
from upid.adapters.dynamodb.items import (
    PARTITION,
    action_of,
    is_live,
    new_token,
    record_of,
    stored_key,
    stored_partition,
    stored_sort,
    version_of,
)
from upid.adapters.dynamodb.log import EventLog
from upid.adapters.dynamodb.table import Cancelled, ConditionFailed, Item, Table
from upid.domain.errors import UnavailableError, VersionConflictError
from upid.domain.events import Event
from upid.ports.clock import Clock
from upid.ports.records import Delete, Key, Put, Record, RecordPage, Write

MOST_WRITES: Final = 100
ATTEMPTS: Final = 25


class DynamoRecords:
    """Records as items of one table. Bodies are JSON; every read is strongly consistent; the clock says what has expired."""

    def __init__(self, table: Table, log: EventLog, clock: Clock) -> None:
        self._table = table
        self._log = log
        self._clock = clock

    def get(self, key: Key) -> Record | None:
        """Return the record, None where there is none or where it has expired."""
        item = self._table.get(stored_key(key))
        return record_of(item) if item is not None and is_live(item, self._clock.now()) else None

    def put(self, key: Key, body: Mapping[str, Any], *, expect: int | None = None, expires_at: float | None = None) -> Record:
        """Write one document and return it with its new version; VersionConflictError where `expect` does not hold, TooLargeError over 400 KB."""
        text = orjson.dumps(body).decode()
        version = self._put(Put(key, body, expect, expires_at), text)
        return Record(key, orjson.loads(text), version, expires_at)

    def delete(self, key: Key, *, expect: int | None = None) -> None:
        """Remove one document; VersionConflictError where `expect` does not hold."""
        if expect is None:
            self._table.write(action_of(Delete(key), "", self._clock.now(), token=""))
        else:  # as a transaction: sent twice, it is done once, so that a lost answer is not taken for a conflict
            self.transact([Delete(key, expect)])

    def transact(self, writes: Sequence[Write], events: Sequence[Event] = ()) -> None:
        """Do all writes and append all events, or nothing; VersionConflictError where a condition fails.

        Raises
        ------
        ValueError
            For over 100 writes and events, or a key twice.
        TooLargeError
            For a document over 400 KB, or over 4 MB in all.
        UnavailableError
            Where DynamoDB does not answer; then it may have been done or not.
        """
        if len(writes) + len(events) > MOST_WRITES:
            raise ValueError(f"A transaction holds at most {MOST_WRITES} writes and events, not {len(writes) + len(events)}.")
        if len({write.key for write in writes}) < len(writes):
            raise ValueError("A transaction can't hold the same key twice.")
        texts = [orjson.dumps(write.body).decode() if isinstance(write, Put) else "" for write in writes]
        expired: set[int] = set()
        for _ in attempts(ATTEMPTS):
            if self._tried(writes, texts, events, expired):
                return
        raise UnavailableError(f"A transaction met others in the way {ATTEMPTS} times: too many write the same at once.")

    def query(
        self, partition: str, *, prefix: str = "", after: str | None = None, limit: int = 100, descending: bool = False
    ) -> RecordPage:
        """Return up to `limit` (at least 1) records whose sort key begins with `prefix`, in order, beginning behind `after`; ValueError for less."""
        if limit < 1:
            raise ValueError(f"A page holds at least one record, not {limit}.")
        now = self._clock.now()
        found = (item for item in self._from(partition, prefix, after, limit, descending=descending) if is_live(item, now))
        items = tuple(record_of(item) for item in islice(found, limit + 1))
        return RecordPage(items[:limit], items[limit - 1].key.sort if len(items) > limit else None)

    def everything(self) -> Iterator[Record]:
        """Yield every record of every partition, in no order."""
        now = self._clock.now()
        for item in self._table.scan():
            if item["partition"]["S"].startswith(PARTITION) and is_live(item, now):
                yield record_of(item)

    def _from(self, partition: str, prefix: str, after: str | None, limit: int, *, descending: bool) -> Iterator[Item]:
        if after is not None and not after.startswith(prefix):
            # A start outside of what the prefix selects is refused by DynamoDB: it lies before all of it, or behind.
            if (after > prefix) != descending:
                return iter(())
            after = None
        start = None if after is None else stored_sort(after)
        return self._table.query(
            stored_partition(partition), prefix=stored_sort(prefix), after=start, descending=descending, page=limit + 1
        )

    def _put(self, write: Put, text: str) -> int:
        """Write one document and return its version."""
        token, expired = new_token(), False
        for _ in attempts(ATTEMPTS):
            now = self._clock.now()
            try:
                answer = self._table.write(action_of(write, text, now, token=token, expired=expired))
            except ConditionFailed as failure:
                if failure.retried and failure.item is not None and failure.item.get("write") == {"S": token}:
                    return version_of(failure.item, now)  # our own write, whose answer was lost
                if write.expect is not None:
                    raise _conflict(write, failure.item, now) from failure
                expired = failure.item is not None and not is_live(failure.item, now)
                continue
            return int(answer["version"]["N"]) if answer else (write.expect or 0) + 1
        raise UnavailableError(f"{write.key.sort} could not be written in {ATTEMPTS} attempts: too many write it at once.")

    def _tried(self, writes: Sequence[Write], texts: Sequence[str], events: Sequence[Event], expired: set[int]) -> bool:
        """Try the transaction once and tell whether it was done; False where it may be tried again."""
        now, token = self._clock.now(), new_token()
        actions = [
            action_of(write, text, now, token=token, expired=number in expired)
            for number, (write, text) in enumerate(zip(writes, texts, strict=True))
        ]
        failed: Mapping[int, Item | None] = {}
        with self._log.staged(events) as staged:
            actions += [part.action for part in staged.parts]
            try:
                if actions:
                    self._table.transact(actions)
                staged.committed = True
            except Cancelled as cancelled:  # judged behind the block, which takes its notes back
                failed = cancelled.found
        self._judge(writes, failed, expired, now)
        return staged.committed

    def _judge(self, writes: Sequence[Write], found: Mapping[int, Item | None], expired: set[int], now: float) -> None:
        """Raise VersionConflictError where an expectation did not hold; otherwise note which records have expired."""
        for number, item in found.items():
            if number >= len(writes):
                continue
            if writes[number].expect is not None:
                raise _conflict(writes[number], item, now)
            if item is not None and not is_live(item, now):
                expired.add(number)
            else:
                expired.discard(number)


def _conflict(write: Write, item: Item | None, now: float) -> VersionConflictError:
    actual = version_of(item, now)
    return VersionConflictError(f"{write.key.sort} has version {actual}, not {write.expect}.", expected=write.expect, actual=actual)
