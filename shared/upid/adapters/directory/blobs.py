"""Blobs as files: a blob's name is its path below the root."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from upid.adapters.directory.files import make_directory, told, write_whole
from upid.adapters.naming import hold_name, hold_prefix
from upid.domain.errors import NotFoundError

SCRATCH: Final = "~"  # unfinished files lie here: no blob's name holds this character
ABANDONED_SECONDS: Final = 3600.0
ATTEMPTS: Final = 5


class DirectoryBlobs:
    """A directory of blobs. `durable`: force every blob to the disk before its name appears (a power cut then leaves no empty blob)."""

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self._root = root
        self._durable = durable

    def put(self, name: str, data: bytes | memoryview, *, if_absent: bool = False) -> bool:
        """Write a blob whole; with `if_absent` only where there is none. Returns whether it was written.

        Raises
        ------
        ValueError
            For a name that is not made of `/`-separated parts, or one that lies under another blob's name.
        UnwritableError
            Where the file system refuses.
        """
        path = self._path(name)
        with told(path):
            for attempt in range(ATTEMPTS):
                try:
                    return self._write(path, data, if_absent=if_absent)
                except FileNotFoundError:  # somebody removed the empty folder in between
                    if attempt == ATTEMPTS - 1:
                        raise
                except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
                    raise ValueError(f"{name!r} can't be a blob: another blob's name is a folder of it.") from error
        return False

    def get(self, name: str) -> bytes:
        """Return a blob; NotFoundError where there is none, ValueError for an impossible name, UnwritableError where it cannot be read."""
        path = self._path(name)
        with told(path, "read"):
            try:
                return path.read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise NotFoundError(f"There is no blob {name}.", name=name) from None

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names that begin with `prefix`, sorted; ValueError for a prefix that no name can have."""
        folder, _, beginning = hold_prefix(prefix).rpartition("/")
        return self._walk(self._root / folder, f"{folder}/" if folder else "", beginning)

    def delete(self, name: str) -> None:
        """Remove a blob; removing what is not there is no error."""
        path = self._path(name)
        with told(path, "removed"):
            self._remove(path)
        self._prune(path.parent)

    def delete_all(self, prefix: str) -> int:
        """Remove every blob whose name begins with `prefix` and return how many."""
        folders: set[Path] = set()
        count = 0
        for name in list(self.names(prefix)):
            path = self._path(name)
            with told(path, "removed"):
                count += self._remove(path)
            folders.add(path.parent)
        for folder in sorted(folders, reverse=True):
            self._prune(folder)
        return count

    def _path(self, name: str) -> Path:
        return self._root / hold_name(name)

    def _write(self, path: Path, data: bytes | memoryview, *, if_absent: bool) -> bool:
        scratch = self._root / SCRATCH
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if if_absent and path.is_file():
            return False
        written = write_whole(path, data, scratch=scratch, if_absent=if_absent, durable=self._durable)
        if not written and path.is_dir():
            raise IsADirectoryError(str(path))
        return written

    def _walk(self, folder: Path, before: str, beginning: str) -> Iterator[str]:
        try:
            entries = list(os.scandir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return
        # With the slash at a folder's end, the order within each folder is the order of whole names.
        for key in sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries if entry.name.startswith(beginning)):
            if not key.startswith(SCRATCH):
                if key.endswith("/"):
                    yield from self._walk(folder / key, before + key, "")
                else:
                    yield before + key

    @staticmethod
    def _remove(path: Path) -> int:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if stat.S_ISDIR(path.lstat().st_mode):
                return 0
            path.unlink()
            return 1
        return 0

    def _prune(self, folder: Path) -> None:
        """Remove folders that are empty now, up to the root; a folder that got a new blob in between stays."""
        while folder != self._root:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                return
            folder = folder.parent


def open_blobs(root: Path, now: float) -> DirectoryBlobs:
    """Return the blobs of a directory that is made where there is none; UnwritableError where it cannot be written.

    What killed processes left unfinished more than an hour before `now` [seconds since the epoch] is removed.
    """
    scratch = make_directory(root / SCRATCH)
    with told(scratch, "cleaned"):
        for left in scratch.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if left.stat().st_mtime < now - ABANDONED_SECONDS:
                    left.unlink()
    return DirectoryBlobs(root)
