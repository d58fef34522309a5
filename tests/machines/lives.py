"""Process after process on one folder, each killed, until one comes to the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from machines.running import TESTS

MOST_LIVES = 80
LONGEST_SECONDS = 150


def process_of(folder: Path, writes: int, moment: str) -> subprocess.Popen[bytes]:
    """Start a process that kills itself at its n-th write; see `machines.process`."""
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "UPID_HOME": str(folder)}
    return subprocess.Popen([sys.executable, "-m", "machines.process", str(folder), str(writes), moment], env=environment)


def killed_until_done(folder: Path, writes: int, moment: str) -> int:
    """Start processes until one comes to the end by itself, and return how many killed themselves before."""
    for killed in range(MOST_LIVES):
        process = process_of(folder, writes, moment)
        status = process.wait(LONGEST_SECONDS)
        if status == 0:
            return killed
        assert status == -signal.SIGKILL
    raise AssertionError(f"It has not come to its end in {MOST_LIVES} lives.")
