"""What is the key file's own: its mode, and clear errors."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from upid.adapters.directory.files import UnwritableError
from upid.adapters.keyfile.sealer import DamagedKeyError, KeyfileSealer


def test_the_key_is_made_when_first_needed_and_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "home" / "master.key"
    sealer = KeyfileSealer(path)
    assert not path.exists()
    sealer.seal(b"", context="")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["master.key"]


def test_the_key_is_32_bytes_in_hexadecimal_and_different_everywhere(tmp_path: Path) -> None:
    keys = set()
    for place in ("a", "b"):
        KeyfileSealer(tmp_path / place / "master.key").seal(b"", context="")
        keys.add(bytes.fromhex((tmp_path / place / "master.key").read_text()))
    assert [len(key) for key in keys] == [32, 32]


@pytest.mark.parametrize("text", [b"", b"abc", b"zz" * 32, b"\xff" * 64, b"ab" * 31, b"ab" * 33])
def test_a_damaged_key_is_never_replaced_by_a_new_one(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(text)
    with pytest.raises(DamagedKeyError, match=str(path)):
        KeyfileSealer(path).seal(b"secret", context="cl_1")
    assert path.read_bytes() == text


def test_a_key_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError, match="cannot be written"):
        KeyfileSealer(tmp_path / "file" / "master.key").seal(b"", context="")
