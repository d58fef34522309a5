"""Several processes at one store: conditions hold between them, and nothing is lost or torn."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from contract import rivals
from contract.stores import ALONE, Documents

from upid.domain.errors import VersionConflictError
from upid.ports.blobs import Blobs
from upid.ports.keys import Sealer
from upid.ports.records import Key, Records

ROUNDS = 20


@pytest.fixture(autouse=True)
def _rivals_meet(request: pytest.FixtureRequest) -> None:
    """Skip what a store in one process cannot show: these run where the store is a server (tests/aws)."""
    kinds = {str(request.getfixturevalue(name)) for name in ("documents_kind", "blobs_kind", "sealer_kind") if name in request.fixturenames}
    if kinds & ALONE:
        pytest.skip("moto lives in one process and lets two writers with one condition win: shown on MiniStack")


def number_of(documents: Documents) -> int:
    """Return what the writer of pairs has come to, 0 before it began."""
    found = documents.records.get(Key("t#a#pairs", "right"))
    return found.body["number"] if found else 0


def test_of_several_processes_that_create_one_record_exactly_one_wins(documents: Documents, documents_kind: str, tmp_path: Path) -> None:
    won = rivals.at_once(3, rivals.create, documents_kind, tmp_path, ROUNDS)
    assert sum(won) == ROUNDS
    assert len(documents.records.query(rivals.KEY.partition).items) == ROUNDS


def test_only_the_winner_leaves_an_event(documents: Documents, documents_kind: str, tmp_path: Path) -> None:
    rivals.at_once(3, rivals.create, documents_kind, tmp_path, ROUNDS)
    by = {item.key.sort: item.body["by"] for item in documents.records.query(rivals.KEY.partition).items}
    assert sorted(stored.event.id for stored in documents.events.read("a")) == sorted(f"evt_{sort}_{number}" for sort, number in by.items())


def test_no_change_is_lost_between_processes(documents: Documents, documents_kind: str, tmp_path: Path) -> None:
    rivals.at_once(3, rivals.increment, documents_kind, tmp_path, ROUNDS)
    found = documents.records.get(rivals.KEY)
    assert found is not None
    assert (found.body, found.version) == ({"count": 3 * ROUNDS}, 3 * ROUNDS)


def test_of_several_threads_that_create_one_record_exactly_one_wins(records: Records) -> None:
    def create(number: int) -> bool:
        try:
            records.put(Key("t#a#race", str(number // 8)), {}, expect=0)
        except VersionConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(160))) == 20


def test_of_several_processes_that_write_an_absent_blob_exactly_one_does(blobs: Blobs, blobs_kind: str, tmp_path: Path) -> None:
    wrote = rivals.at_once(3, rivals.write_if_absent, blobs_kind, tmp_path, ROUNDS)
    for number, outcomes in enumerate(zip(*wrote, strict=True)):
        assert sum(outcomes) == 1
        assert blobs.get(f"race/{number}") == bytes([outcomes.index(True)]) * 100_000


def test_no_process_ever_reads_half_a_blob(blobs_kind: str, tmp_path: Path) -> None:
    assert rivals.at_once(3, rivals.write_and_read, blobs_kind, tmp_path, ROUNDS) == [0, 0, 0]


def test_processes_that_seal_at_once_use_one_key(open_sealer: Callable[[Path], Sealer], sealer_kind: str, tmp_path: Path) -> None:
    envelopes = rivals.at_once(3, rivals.seal, sealer_kind, tmp_path)
    assert [open_sealer(tmp_path).open(envelope, context="cl_1") for envelope in envelopes] == [b"\x00", b"\x01", b"\x02"]


def test_a_process_that_is_killed_leaves_whole_transactions_and_whole_blobs(
    documents: Documents, documents_kind: str, blobs: Blobs, blobs_kind: str, tmp_path: Path
) -> None:
    for _ in range(3):
        process = multiprocessing.get_context("forkserver").Process(
            target=rivals.write_pairs_for_ever, args=(documents_kind, blobs_kind, tmp_path)
        )
        process.start()
        before = number_of(documents)
        deadline = time.monotonic() + 30
        while number_of(documents) in {before, 0, 1, 2} and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.join()
        left, right = (documents.records.get(Key("t#a#pairs", side)) for side in ("left", "right"))
        assert left is not None
        assert right is not None
        assert left.body == right.body
        assert len(set(blobs.get("killed/blob"))) == 1
        assert len(blobs.get("killed/blob")) == 200_000
