"""Files that are there whole or not at all, and one clear error for a place that cannot be written."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from upid.domain.errors import UnavailableError


class UnwritableError(UnavailableError):
    """The data directory, or a file in it, cannot be written."""

    title = "Data directory not writable"


@contextlib.contextmanager
def told(path: Path, doing: str = "written") -> Iterator[None]:
    """Turn the operating system's refusal into UnwritableError that names the path and the reason."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnwritableError(f"{path} cannot be {doing}: {reason}. UPID_HOME sets another data directory.") from error


def make_directory(path: Path) -> Path:
    """Make a directory that only its owner reads, with its parents, hold that it can be written, and return it; UnwritableError where not."""
    with told(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    return path


def write_whole(path: Path, data: bytes | memoryview, *, scratch: Path, if_absent: bool = False, durable: bool = True) -> bool:
    """Write a file (mode 0600) so that every reader sees all of it or none; with `if_absent` only where there is none, across processes.

    `scratch` is a directory of the same file system for the unfinished file; `durable` forces the data to the disk before the name appears,
    so that a power cut leaves no name without its data. Returns whether it was written; OSError as the system says.
    """
    handle, unfinished = tempfile.mkstemp(dir=scratch)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        return _publish(Path(unfinished), path, if_absent=if_absent)
    finally:
        Path(unfinished).unlink(missing_ok=True)


def _publish(unfinished: Path, path: Path, *, if_absent: bool) -> bool:
    if not if_absent:
        unfinished.replace(path)
        return True
    try:
        path.hardlink_to(unfinished)  # unlike a rename, a link fails where the name is taken: the one atomic way to be first
    except FileExistsError:
        return False
    return True
