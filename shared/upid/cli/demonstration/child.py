"""The demo cluster as a process of its own, beside the platform, as a real cluster is."""

from __future__ import annotations

import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from upid.domain.errors import UnavailableError

READY: Final = b"ready"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 3.0


@dataclass(slots=True)
class ClusterProcess:
    """Serves the cluster of a state file. It ends when this process does, however that ends: it watches the pipe that it reads from."""

    state_file: Path
    url: str = ""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start the process and wait until it answers; UnavailableError with its own words where it does not."""
        command = [sys.executable, "-m", "upid.demo", str(self.state_file)]
        # A session of its own: Ctrl-C in a terminal reaches the platform, which then ends this in order.
        self._process = subprocess.Popen(  # noqa: S603 our own program
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        word, _, url = self._first_line().partition(b" ")
        if word != READY:
            said = self._stopped().decode(errors="replace").strip().splitlines()
            raise UnavailableError(f"The demo cluster did not start: {said[-1] if said else 'it said nothing'}.")
        self.url = url.decode().strip()

    @property
    def running(self) -> bool:
        """Tell whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End the process; stopping twice is no error."""
        self._stopped()

    def _first_line(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        deadline = time.monotonic() + START_SECONDS
        while self.running and time.monotonic() < deadline:
            if select.select([self._process.stdout], [], [], 0.2)[0]:
                return self._process.stdout.readline()
        return b""

    def _stopped(self) -> bytes:
        process, self._process = self._process, None
        if process is None:
            return b""
        process.terminate()
        try:
            _, words = process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            _, words = process.communicate()
        return words
