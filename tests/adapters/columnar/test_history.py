"""What is the columnar form's own: names, size and damage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from upid.adapters.columnar.history import ColumnarHistory
from upid.adapters.directory.blobs import DirectoryBlobs
from upid.domain.errors import ForbiddenError, UnavailableError
from upid.engine.arrays import pack
from upid.ports.usage_history import HistoryScope, SeriesKey, UsageChunk

SCOPE = HistoryScope("default", "cl_1", 3)
NAME = "t/default/clusters/cl_1/history/0003/1700000000-1700030000.bin"


def chunk(throttled: float = np.nan) -> UsageChunk:
    series, steps = 5, 100
    usage = np.ones((series, steps), np.float32)
    keys = [SeriesKey(f"uid-{n}", "app", f"pod-{n}") for n in range(series)]
    counts = np.zeros(series, np.int32)
    return UsageChunk(
        keys, 1_700_000_000, 300, usage, usage, np.full((series, steps), throttled, np.float32), counts, counts, np.full(series, np.nan)
    )


@pytest.fixture
def blobs(tmp_path: Path) -> DirectoryBlobs:
    return DirectoryBlobs(tmp_path)


def read(blobs: DirectoryBlobs) -> list[UsageChunk]:
    return list(ColumnarHistory(blobs).read(SCOPE, start=0, end=4e9))


def test_a_chunk_lies_under_its_cluster_shard_and_window(blobs: DirectoryBlobs) -> None:
    ColumnarHistory(blobs).append(SCOPE, chunk())
    assert list(blobs.names("")) == [NAME]


def test_samples_that_are_all_missing_take_no_space(blobs: DirectoryBlobs) -> None:
    ColumnarHistory(blobs).append(SCOPE, chunk(np.nan))
    without = len(blobs.get(NAME))
    blobs.delete(NAME)
    ColumnarHistory(blobs).append(SCOPE, chunk(0.0))
    assert len(blobs.get(NAME)) >= without + 5 * 100 * 4


AFTER = 1_700_030_000


@pytest.mark.parametrize("damage", [lambda d: d[:-1], lambda d: d[:100] + b"?" + d[101:], lambda d: b"", lambda d: b"x" * 500])
def test_a_damaged_chunk_is_put_aside_and_named_and_the_rest_is_served(blobs: DirectoryBlobs, damage: object) -> None:
    history = ColumnarHistory(blobs)
    for start in (1_700_000_000, AFTER):
        history.append(SCOPE, replace(chunk(), start=start))
    damaged = damage(blobs.get(NAME))  # type: ignore[operator]  # a lambda of the parameters
    blobs.put(NAME, damaged)

    assert [[found.start for found in read(blobs)] for _ in range(2)] == [[AFTER], [AFTER]]
    aside = "t/default/clusters/cl_1/quarantine/history/0003/1700000000-1700030000.bin"
    assert blobs.get(aside) == damaged
    assert history.state("default", "cl_1") == ("degraded", f"1 damaged chunks were put aside: {aside}.")
    assert history.state("default", "cl_2").state == "healthy"
    assert history.append(SCOPE, chunk())
    assert len(read(blobs)) == 2


@pytest.mark.parametrize("meta", [{}, {"format": 1, "keys": [], "start": 0, "step_seconds": 1, "steps": 1}])
def test_a_whole_blob_of_another_form_is_put_aside_too(blobs: DirectoryBlobs, meta: dict[str, object]) -> None:
    blobs.put(NAME, pack({}, meta))
    assert read(blobs) == []
    assert ColumnarHistory(blobs).state("default", "cl_1").state == "degraded"


def test_what_a_newer_version_wrote_is_told_and_stays(blobs: DirectoryBlobs) -> None:
    blobs.put(NAME, pack({}, {"format": 3}))
    with pytest.raises(UnavailableError, match="format 3"):
        read(blobs)
    assert list(blobs.names("")) == [NAME]


def test_who_may_only_read_serves_the_rest_all_the_same(blobs: DirectoryBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs.put(NAME, b"damaged")
    monkeypatch.setattr(blobs, "put", lambda *_: (_ for _ in ()).throw(ForbiddenError("read only")))
    assert read(blobs) == []
    assert blobs.get(NAME) == b"damaged"


def test_a_file_that_is_no_chunk_is_passed_over(blobs: DirectoryBlobs) -> None:
    blobs.put("t/default/clusters/cl_1/history/0003/README", b"")
    assert read(blobs) == []


def test_a_day_with_a_damaged_chunk_is_not_joined(blobs: DirectoryBlobs) -> None:
    history, midnight = ColumnarHistory(blobs), 1_700_000_000 // 86400 * 86400
    for start in (midnight, midnight + 30_000):
        history.append(SCOPE, replace(chunk(), start=start))
    first = f"t/default/clusters/cl_1/history/0003/{midnight}-{midnight + 30_000}.bin"
    blobs.put(first, b"damaged")

    assert history.compact(SCOPE, before=midnight + 86400) == 0
    assert [found.start for found in read(blobs)] == [midnight + 30_000]


def test_what_a_joined_day_was_made_of_goes_a_day_later(blobs: DirectoryBlobs) -> None:
    history, midnight = ColumnarHistory(blobs), 1_700_000_000 // 86400 * 86400
    for start in (midnight, midnight + 30_000):
        history.append(SCOPE, replace(chunk(), start=start))

    counts = []
    for days in (1, 1.9, 2):
        history.compact(SCOPE, before=midnight + days * 86400)
        counts.append(len(list(blobs.names("t/"))))

    assert counts == [3, 3, 1]
