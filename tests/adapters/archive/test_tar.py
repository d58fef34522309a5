"""Blobs in a tar file."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from upid.adapters.archive.tar import TarBlobs
from upid.domain.errors import ConflictError, InvalidError, NotFoundError


def written(path: Path, **blobs: bytes) -> Path:
    with TarBlobs(path, write=True) as tar:
        for name, data in blobs.items():
            assert tar.put(name, data)
    return path


def test_blobs_are_read_as_they_were_written(tmp_path: Path) -> None:
    with TarBlobs(written(tmp_path / "a.tar", b=b"", a=bytes(range(256)) * 100), write=False) as tar:
        assert list(tar.names("")) == ["a", "b"]
        assert (tar.get("a"), tar.get("b")) == (bytes(range(256)) * 100, b"")
        with pytest.raises(NotFoundError):
            tar.get("c")


def test_the_same_blobs_make_the_same_bytes(tmp_path: Path) -> None:
    one, two = (written(tmp_path / name, a=b"1", b=b"2").read_bytes() for name in ("one.tar", "two.tar"))
    assert one == two


def test_a_name_is_written_once(tmp_path: Path) -> None:
    with TarBlobs(tmp_path / "a.tar", write=True) as tar:
        assert [tar.put("a", b"1", if_absent=True), tar.put("a", b"2", if_absent=True)] == [True, False]
        with pytest.raises(ConflictError):
            tar.put("a", b"2")
        with pytest.raises(ConflictError):
            tar.delete("a")
        tar.delete("b")


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tar", a=b"1")
    with pytest.raises(ConflictError, match="there already"):
        TarBlobs(path, write=True)


def test_what_is_no_tar_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"no archive" * 100)
    with pytest.raises(InvalidError, match="no tar file"):
        TarBlobs(tmp_path / "a.tar", write=False)


@pytest.mark.parametrize("left", [100, 700, 2100])
def test_a_tar_file_that_was_cut_within_a_blob_is_told(tmp_path: Path, left: int) -> None:
    path = written(tmp_path / "a.tar", a=b"1" * 600, b=b"2" * 600)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InvalidError, match="not whole"), TarBlobs(path, write=False) as tar:
        [tar.get(name) for name in ("a", "b")]


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b"])
def test_names_that_lead_out_of_it_are_never_read_or_unpacked(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as hostile:
        member = tarfile.TarInfo(name)
        member.size = 1
        hostile.addfile(member, io.BytesIO(b"x"))
    with TarBlobs(tmp_path / "a.tar", write=False) as tar, pytest.raises(ValueError, match="can't be a blob's name"):
        tar.get(name)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


def test_a_link_in_a_tar_file_is_no_blob(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as hostile:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        hostile.addfile(member)
    with TarBlobs(tmp_path / "a.tar", write=False) as tar, pytest.raises(NotFoundError):
        tar.get("link")
