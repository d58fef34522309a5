"""A disk that is full: nothing half-written, the error told, what is there served, and written on when there is room again."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from adapters.columnar.test_history import SCOPE, chunk
from worlds.collection import STEP, World, workload

from upid.adapters.columnar.history import ColumnarHistory
from upid.adapters.directory.blobs import DirectoryBlobs
from upid.adapters.directory.files import UnwritableError
from upid.ports.usage_history import HistoryScope, UsageChunk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True, check=False).returncode:
        pytest.skip("a small file system can be mounted by root alone")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file fail when it is forced to the disk, as one does that the system had promised room for."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("upid.adapters.directory.files.os.fsync", full)


def times(blobs: DirectoryBlobs, scope: HistoryScope = SCOPE) -> list[int]:
    return [found.start for found in ColumnarHistory(blobs).read(scope, start=0, end=4e9)]


def pieces() -> Iterator[UsageChunk]:
    first = chunk()
    for number in range(100):
        yield replace(
            first,
            start=first.start + number * (first.end - first.start),
            cpu_cores=np.random.default_rng(number).random((5, 100), np.float32),
        )


def append_all(history: ColumnarHistory, written: list[int]) -> None:
    for each in pieces():
        history.append(SCOPE, each)
        written.append(each.start)


def test_a_small_disk_that_runs_full_keeps_what_was_written_whole(small_disk: Path) -> None:
    blobs = DirectoryBlobs(small_disk)
    history, written = ColumnarHistory(blobs), list[int]()
    with pytest.raises(UnwritableError, match="No space left on device"):
        append_all(history, written)

    assert len(written) > 3
    assert times(blobs) == written
    assert list((small_disk / "~").iterdir()) == []
    blobs.delete(next(iter(blobs.names(""))))
    assert history.append(SCOPE, next(pieces()))
    assert times(blobs) == written
    assert history.state("default", "cl_1").state == "healthy"


def test_a_write_that_fails_at_its_end_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = DirectoryBlobs(tmp_path)
    first, second, *_ = pieces()
    ColumnarHistory(blobs).append(SCOPE, first)
    with monkeypatch.context() as patch:
        fill_disk(patch)
        with pytest.raises(UnwritableError, match="No space left on device"):
            ColumnarHistory(blobs).append(SCOPE, second)
        assert times(blobs) == [first.start]
        assert list((tmp_path / "~").iterdir()) == []
    assert ColumnarHistory(blobs).append(SCOPE, second)
    assert times(blobs) == [first.start, second.start]


def test_a_collection_on_a_full_disk_fails_and_the_next_one_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World.at(tmp_path, workload("bank", "ledger"))
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=3600)
    scope, blobs = HistoryScope("default", cluster_id, 0), world.services.blobs
    before = times(blobs, scope)  # type: ignore[arg-type]  # a directory of blobs
    world.clock.moment += 3 * STEP
    collection_id = world.start(cluster_id)
    with monkeypatch.context() as patch:
        fill_disk(patch)
        with pytest.raises(UnwritableError, match="No space left on device"):
            world.run(collection_id)
        assert times(blobs, scope) == before  # type: ignore[arg-type]  # the same

    world.run(collection_id)

    assert world.services.collections.view("default", collection_id)["status"] == "succeeded"
    assert times(blobs, scope) == [*before, before[-1] + 3600]  # type: ignore[arg-type]  # the same
