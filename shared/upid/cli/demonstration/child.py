"""The demo cluster as a process of its own, beside the platform, as a real cluster is."""

from __future__ import annotations

import select
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from upid.domain.errors import UnavailableError
from upid.runtime.signals import Ending

READY: Final = b"ready"
START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 3.0
LAST_WORDS: Final = 20


@dataclass(slots=True)
class ClusterProcess:
    """Serves the cluster of a state file. It ends when this process does, however that ends: it watches the pipe that it reads from.

    `stopping`, once set, ends the waiting for its start.
    """

    state_file: Path
    stopping: Ending
    url: str = ""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _words: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_WORDS), repr=False)

    def start(self) -> None:
        """Start the process and wait until it answers; UnavailableError with its last words where it does not."""
        command = [sys.executable, "-m", "upid.demo", str(self.state_file)]
        # A session of its own: Ctrl-C in a terminal reaches the platform, which then ends this in order.
        self._process = subprocess.Popen(  # noqa: S603 our own program
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        listener = threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
        listener.start()
        word, _, url = self._first_line(self._process.stdout).partition(b" ")
        if word == READY:
            self.url = url.decode().strip()
            return
        self.stop()
        listener.join(1.0)
        if not self.stopping.is_set():
            raise UnavailableError(f"The demo cluster did not start: {self._words[-1] if self._words else 'it said nothing'}.")

    @property
    def running(self) -> bool:
        """Tell whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End the process; stopping twice is no error."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _first_line(self, output: IO[bytes]) -> bytes:
        deadline = time.monotonic() + START_SECONDS
        while self.running and time.monotonic() < deadline and not self.stopping.is_set():
            if select.select([output], [], [], 0.1)[0]:
                return output.readline()
        return b""

    def _listen(self, errors: IO[bytes]) -> None:
        with errors:
            for line in errors:
                self._words.append(line.decode(errors="replace").strip())
