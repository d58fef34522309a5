"""Ports for servers that must be told theirs before they listen."""

from __future__ import annotations

import secrets
import socket

# Below those that the system gives to whoever asks for any (Linux: from 32768 on): none is taken by another test's server or by an outgoing
# connection between here and the server's start, or while a server that was killed is started again.
FIRST, LAST = 20_000, 32_000


def free_port() -> int:
    """Return a port on loopback that nobody listens on, and that the system hands to nobody by itself."""
    while True:
        port = FIRST + secrets.randbelow(LAST - FIRST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
