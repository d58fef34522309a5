"""Blobs in one tar file: written once from its beginning to its end, or read. Nothing of it is ever unpacked onto the disk."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from upid.adapters.directory.files import told
from upid.adapters.naming import hold_name, hold_prefix
from upid.domain.errors import ConflictError, InvalidError, NotFoundError


class TarBlobs:
    """A tar file of blobs. Writing goes into a file beside it, which takes its name when all is there: a broken-off archive is never seen."""

    def __init__(self, path: Path, *, write: bool) -> None:
        self._path = path
        self._unfinished = path.with_name(f"{path.name}.part") if write else None
        with told(path, "opened"):
            if write and path.exists():
                raise ConflictError(f"{path} is there already.")
            # Closed at the end of the block that the archive is used in.
            self._tar = tarfile.open(self._unfinished, "w") if self._unfinished else _reading(path)  # noqa: SIM115 as above
        self._members: dict[str, tarfile.TarInfo] = {}
        if self._unfinished is None:
            self._members = {member.name: member for member in self._tar.getmembers() if member.isfile()}
        else:
            self._unfinished.chmod(0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with told(self._path):
            self._tar.close()
            if self._unfinished is not None and kind is None:
                self._unfinished.replace(self._path)
            elif self._unfinished is not None:
                self._unfinished.unlink(missing_ok=True)

    def put(self, name: str, data: bytes | memoryview, *, if_absent: bool = False) -> bool:
        """Add a blob, at most once for each name; returns whether it was written."""
        if hold_name(name) in self._members:
            if if_absent:
                return False
            raise ConflictError(f"{name} is in {self._path} already.")
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), 0o600
        with told(self._path):
            self._tar.addfile(member, io.BytesIO(data))
        self._members[name] = member
        return True

    def get(self, name: str) -> bytes:
        """Return a blob of an archive that is read; NotFoundError where there is none."""
        member = self._members.get(hold_name(name))
        if member is None or self._unfinished is not None:
            raise NotFoundError(f"There is no {name} in {self._path}.", name=name)
        with told(self._path, "read"):
            try:
                file = self._tar.extractfile(member)
                return file.read() if file else b""
            except tarfile.TarError as error:
                raise InvalidError(f"{self._path} is not whole: {error}.") from None

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names that begin with `prefix`, sorted."""
        yield from sorted(name for name in self._members if name.startswith(hold_prefix(prefix)))

    def delete(self, name: str) -> None:
        """Refuse to remove a blob that is there: a tar file only grows."""
        if hold_name(name) in self._members:
            raise ConflictError(f"{name} stays in {self._path}.")

    def delete_all(self, prefix: str) -> int:
        """Refuse to remove blobs that are there."""
        for name in list(self.names(prefix)):
            self.delete(name)
        return 0


def _reading(path: Path) -> tarfile.TarFile:
    """Return a tar file whose members are all known; InvalidError where it is none, or not whole."""
    try:
        tar = tarfile.open(path, "r:")  # noqa: SIM115 whoever asks closes it
        try:
            tar.getmembers()
        except BaseException:
            tar.close()
            raise
    except tarfile.TarError as error:
        raise InvalidError(f"{path} is no tar file, or not whole: {error}.") from None
    return tar
