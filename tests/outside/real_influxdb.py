"""A real InfluxDB (Debian's package) on a free port of loopback, with its data in a folder of the test."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from outside.ports import free_port

STARTED: Final = 20.0  # seconds that a start may take on a busy machine
NEEDED: Final = "this needs influxd: Debian's package influxdb (scripts/install-test-services)"


def is_installed() -> bool:
    """Tell whether InfluxDB is on this machine."""
    return shutil.which("influxd") is not None


class InfluxServer:
    """A server that can be stopped, killed and started again on the same port with the same data."""

    def __init__(self, place: Path) -> None:
        self.place, self.port = place, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        place.mkdir(parents=True, exist_ok=True)
        (place / "influxdb.conf").write_text(_configuration(place, self.port))

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.place / "log").open("ab") as log:
            command = ["influxd", "-config", str(self.place / "influxdb.conf")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"HOME": str(self.place)})
        deadline = time.monotonic() + STARTED
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"InfluxDB ended with status {self._process.returncode}: {(self.place / 'log').read_text()[-2000:]}")
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/ping", timeout=1) as answer:
                if answer.status == 204:
                    return
            time.sleep(0.02)
        raise TimeoutError(f"{self.url} did not answer within {STARTED} s.")

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=STARTED)
            self._process = None


@contextlib.contextmanager
def influxdb(place: Path) -> Iterator[InfluxServer]:
    """Serve until the block ends."""
    server = InfluxServer(place)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _configuration(place: Path, port: int) -> str:
    return f"""reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "{place}/meta"
[data]
  dir = "{place}/data"
  wal-dir = "{place}/wal"
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[monitor]
  store-enabled = false
[retention]
  check-interval = "1s"
"""
