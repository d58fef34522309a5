"""How much memory a process and everything below it hold at most, by looking again and again (Linux)."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

EVERY_SECONDS: Final = 0.02
LIST_EVERY: Final = 5  # looks between two lists of the processes: reading all of /proc costs more than their sizes
PROC: Final = Path("/proc")


class PeakMemory:
    """Samples the resident memory of a process tree until its block ends; `peak_bytes` is the highest sum, pages that are shared counted each time."""

    def __init__(self, pid: int) -> None:
        self.peak_bytes = 0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        looked = 0
        members: set[int] = set()
        while not self._over.wait(EVERY_SECONDS):
            if looked % LIST_EVERY == 0:
                members = descendants(self._pid) | {self._pid}
            looked += 1
            self.peak_bytes = max(self.peak_bytes, sum(resident_bytes(pid) for pid in members))


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process, 0 where it ended. [bytes]"""
    try:
        pages = int((PROC / str(pid) / "statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> set[int]:
    """Return the processes below a process."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            children.setdefault(_parent(entry), []).append(int(entry.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.update(below)
        waiting += below
    return found


def _parent(process: Path) -> int:
    try:
        # The name before it is in parentheses and may hold anything.
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return -1
