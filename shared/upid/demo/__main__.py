"""Serves the demo cluster of a state file, until SIGTERM or until the process that started it is gone (standard input closes)."""

from __future__ import annotations

import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from upid.demo.server import DemoCluster, DemoServer
from upid.demo.state import read_state, write_state
from upid.runtime.signals import Ending


def main(arguments: list[str]) -> int:
    """Serve, say `ready URL` once, and return 0 at the end; 1 with one line where it can't start."""
    path = Path(arguments[0])
    state = read_state(path)
    if state is None:
        sys.stderr.write(f"{path} holds no demo cluster\n")
        return 1
    stopping = Ending()
    signal.signal(signal.SIGTERM, lambda *_: stopping.ask())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = _bound(DemoCluster(state.identity), state.port)
    if server.server_port != state.port:
        write_state(path, replace(state, port=server.server_port))
    server.cluster.apis()
    for target, given in ((server.serve_forever, ()), (_watch, (sys.stdin.buffer, stopping))):
        threading.Thread(target=target, args=given, daemon=True).start()
    sys.stdout.write(f"ready {server.url}\n")
    sys.stdout.flush()
    stopping.wait()
    server.server_close()
    return 0


def _bound(cluster: DemoCluster, port: int) -> DemoServer:
    """Return a server on the port of the last time, on any free one where that is taken now."""
    try:
        return DemoServer(cluster, port)
    except OSError:
        return DemoServer(cluster, 0)


def _watch(parent: BinaryIO, stopping: Ending) -> None:
    parent.read()
    stopping.ask()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
