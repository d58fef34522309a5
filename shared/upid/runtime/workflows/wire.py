"""Messages between this process and its workers: JSON behind its length, over a socket."""

from __future__ import annotations

import socket
import struct
import time
from typing import Any, Final

import orjson

WAITS: Final = "waits"  # what a worker says while it works: whether it waits for something outside, or computes again
_LENGTH: Final = struct.Struct("!Q")


def send(connection: socket.socket, message: Any) -> None:
    """Send a message; OSError where the other side is gone."""
    data = orjson.dumps(message)
    connection.settimeout(None)
    connection.sendall(_LENGTH.pack(len(data)) + data)


def receive(connection: socket.socket, deadline: float | None = None) -> Any:
    """Return the next message; EOFError where the other side is gone, TimeoutError at the deadline [s of the monotonic clock]."""
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size, deadline))
    return orjson.loads(_exactly(connection, length, deadline))


def _exactly(connection: socket.socket, length: int, deadline: float | None) -> bytes:
    data = bytearray()
    while len(data) < length:
        connection.settimeout(None if deadline is None else max(deadline - time.monotonic(), 1e-6))
        try:
            part = connection.recv(min(length - len(data), 1 << 20))
        except ConnectionError as error:
            raise EOFError from error
        if not part:
            raise EOFError
        data += part
    return bytes(data)
