"""What is the file system's own: modes, unfinished files and clear errors."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from upid.adapters.directory.blobs import ABANDONED_SECONDS, SCRATCH, DirectoryBlobs, open_blobs
from upid.adapters.directory.files import UnwritableError, make_directory, write_whole


def test_a_directory_is_made_with_its_parents_for_its_owner_only(tmp_path: Path) -> None:
    made = make_directory(tmp_path / "a" / "b")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert make_directory(made) == made


def test_a_directory_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError, match=r"cannot be written: .*UPID_HOME"):
        make_directory(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_the_right_to_write_is_one_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UnwritableError, match="Permission denied"):
        make_directory(tmp_path)


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_written_whole_for_its_owner_and_leaves_no_scratch(tmp_path: Path, durable: bool) -> None:
    scratch = make_directory(tmp_path / "scratch")
    assert write_whole(tmp_path / "file", b"data", scratch=scratch, durable=durable)
    assert (tmp_path / "file").read_bytes() == b"data"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    assert list(scratch.iterdir()) == []


def test_a_refused_write_leaves_no_scratch(tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path)
    blobs.put("a/b", b"1")
    assert not blobs.put("a/b", b"2", if_absent=True)
    with pytest.raises(ValueError, match="folder"):
        blobs.put("a", b"3")
    with pytest.raises(ValueError, match="folder"):
        blobs.put("a", b"3", if_absent=True)
    with pytest.raises(ValueError, match="folder"):
        blobs.put("a/b/c", b"4")
    assert list((tmp_path / SCRATCH).iterdir()) == []


def test_opening_removes_what_killed_processes_left_an_hour_ago(tmp_path: Path) -> None:
    open_blobs(tmp_path, 0.0)
    old, young = tmp_path / SCRATCH / "old", tmp_path / SCRATCH / "young"
    for path, changed in ((old, 1_000_000.0), (young, 1_000_000.0 + ABANDONED_SECONDS)):
        path.write_bytes(b"half")
        os.utime(path, (changed, changed))
    open_blobs(tmp_path, 1_000_001.0 + ABANDONED_SECONDS)
    assert [path.name for path in (tmp_path / SCRATCH).iterdir()] == ["young"]


def test_removing_blobs_leaves_no_empty_folders(tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path)
    for name in ("t/a/x/1", "t/a/y/2", "t/b/3"):
        blobs.put(name, b"")
    blobs.delete_all("t/a/")
    assert sorted(path.name for path in (tmp_path / "t").iterdir()) == ["b"]
    blobs.delete("t/b/3")
    assert sorted(path.name for path in tmp_path.iterdir()) == [SCRATCH]


def test_a_root_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError, match=str(tmp_path)):
        open_blobs(tmp_path / "file", 0.0)
