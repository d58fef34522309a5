"""Any sequence of writes leaves a Records adapter as a plain dictionary would be left by the same rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from contract.stores import DOCUMENTS, SetClock
from hypothesis import given, settings
from hypothesis import strategies as st

from upid.domain.errors import VersionConflictError
from upid.ports.records import Check, Delete, Key, Put, Record, Write

KEYS = [Key("t#a#x", "1"), Key("t#a#x", "2"), Key("t#a#y", "1")]
EXPECT = st.one_of(st.none(), st.integers(0, 3))
LIFE = st.one_of(st.none(), st.integers(1, 4))  # seconds that a record lives, counted from its write

PUTS = st.builds(lambda key, n, expect, life: (Put(key, {"n": n}, expect), life), st.sampled_from(KEYS), st.integers(0, 9), EXPECT, LIFE)
DELETES = st.builds(lambda key, expect: (Delete(key, expect), None), st.sampled_from(KEYS), EXPECT)
CHECKS = st.builds(lambda key, expect: (Check(key, expect), None), st.sampled_from(KEYS), st.integers(0, 3))
TRANSACTIONS = st.lists(st.one_of(PUTS, DELETES, CHECKS), min_size=1, max_size=3, unique_by=lambda pair: pair[0].key)
STEPS = st.lists(st.one_of(TRANSACTIONS, st.integers(1, 3)), max_size=15)


class Model:
    """What the port promises, in a dictionary."""

    def __init__(self) -> None:
        self.held: dict[Key, Record] = {}

    def live(self, now: float) -> dict[Key, Record]:
        return {key: record for key, record in self.held.items() if record.expires_at is None or record.expires_at > now}

    def transact(self, writes: Sequence[Write], now: float) -> bool:
        """Do all writes and return True, or none where a condition fails."""
        there = self.live(now)
        versions = {write.key: there[write.key].version if write.key in there else 0 for write in writes}
        if any(write.expect is not None and versions[write.key] != write.expect for write in writes):
            return False
        for write in writes:
            if isinstance(write, Put):
                self.held[write.key] = Record(write.key, write.body, versions[write.key] + 1, write.expires_at)
            elif isinstance(write, Delete):
                self.held.pop(write.key, None)
        return True


def timed(step: Sequence[tuple[Write, int | None]], now: float) -> list[Write]:
    """Return the writes with the moment at which their records expire."""
    return [Put(w.key, w.body, w.expect, now + life) if isinstance(w, Put) and life else w for w, life in step]


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(sorted(DOCUMENTS)), steps=STEPS)
def test_any_sequence_of_transactions_does_what_the_rules_say(kind: str, steps: list[int | list[tuple[Write, int | None]]]) -> None:
    clock, model = SetClock(), Model()
    with TemporaryDirectory() as place:
        store = DOCUMENTS[kind](Path(place), clock)
        for step in steps:
            if isinstance(step, int):
                clock.moment += step
                continue
            writes = timed(step, clock.moment)
            try:
                store.records.transact(writes)
                done = True
            except VersionConflictError:
                done = False
            assert done == model.transact(writes, clock.moment)
        there = model.live(clock.moment)
        assert [store.records.get(key) for key in KEYS] == [there.get(key) for key in KEYS]
        assert list(store.records.query("t#a#x").items) == [there[key] for key in KEYS[:2] if key in there]
        store.close()
