"""What a platform process holds while it runs: its port and its data folder, each for itself alone."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from pathlib import Path
from typing import Final

LOCK_NAME: Final = "server.lock"
BACKLOG: Final = 512


class PlatformError(Exception):
    """The platform cannot start; the message is one line for a person."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound but does not listen yet (port 0 = any free one); PlatformError where it can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise PlatformError(_why_not_bound(host, port, error)) from None
    return bound


class DataFolder:
    """The data directory, locked against a second platform process on the same data. The lock ends with the process, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self) -> None:
        """Make the folder where it is not there, and lock it; PlatformError where it can't be written or another process has it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            reason = error.strerror or str(error)
            raise PlatformError(f"The data folder {self.path} cannot be written ({reason}): set UPID_HOME to one that can.") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise PlatformError(
                f"Another UPID is running on the data folder {self.path}: stop it, or set UPID_HOME to another folder."
            ) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the folder go; letting go twice is no error."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _why_not_bound(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken: stop what listens there, or set PORT to another one."
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} needs privileges that this user does not have: set PORT to one above 1023."
    return f"Cannot listen on {host} port {port}: {error.strerror or error}."
