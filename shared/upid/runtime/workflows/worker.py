"""A worker process: takes functions to call from its parent, one at a time, and answers with what they return or raise.

It ends when its parent does, even when that was killed: a thread reads the parent's socket all the time, and its end is the parent's. Another
looks again and again whether the call computes, and tells the parent when that changes.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import queue
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from upid.runtime.workflows.wire import WAITS, receive, send

BEGUN: Final = {"begun": True}
# What JSON itself cannot hold is an error here as it is in Lambda, not something that only this runtime can do.
PULSE_SECONDS: Final = 2.0
COMPUTES: Final = 0.1  # of a pulse: a call that is busy for less waits for something
SCHEDULED: Final = Path("/proc/self/schedstat")
STRICT: Final = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """What a function is told about its invocation, as Lambda names it."""

    function_name: str
    invoked_function_arn: str
    aws_request_id: str
    ends_at: float
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 1024

    def get_remaining_time_in_millis(self) -> int:
        """Return what is left of the function's time in milliseconds."""
        return max(0, round((self.ends_at - time.monotonic()) * 1000))


class Worker:
    """One worker at its end of the socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._working = threading.Event()
        self._number = 0  # of calls so far
        self._sending = threading.Lock()

    def serve(self, modules: Iterable[str]) -> None:
        """Import modules as long as there is nothing else to do, then answer until the parent is gone."""
        threading.Thread(target=self._read, name="parent", daemon=True).start()
        threading.Thread(target=self._watch, name="pulse", daemon=True).start()
        for module in modules:
            if not self._jobs.empty():
                break
            # A module that does not import says so to whoever calls a function in it.
            with contextlib.suppress(Exception):
                importlib.import_module(module)
        while (job := self._jobs.get()) is not None:
            with self._sending:
                send(self._connection, BEGUN)  # from here on the task's time counts
                self._number += 1
                self._working.set()
            told = answer(job)
            with self._sending:
                self._working.clear()
                send(self._connection, told)

    def _read(self) -> None:
        while True:
            try:
                self._jobs.put(receive(self._connection))
            except (EOFError, OSError):
                if self._working.is_set():
                    os._exit(1)
                self._jobs.put(None)
                return

    def _watch(self) -> None:
        number, told = 0, False
        while self._working.wait():
            if self._number != number:
                number, told = self._number, False
            busy = busy_seconds()
            time.sleep(PULSE_SECONDS)
            waits = busy_seconds() - busy < COMPUTES * PULSE_SECONDS
            with contextlib.suppress(OSError), self._sending:
                if waits is not told and self._working.is_set() and self._number == number:
                    send(self._connection, {WAITS: waits})
                    told = waits


def busy_seconds() -> float:
    """Return how long this process has computed or would have: its processor time, and on Linux what it waited for a processor.

    On a machine that is overloaded a call that computes gets little of one, and more workers beside it would be the wrong answer to that.
    """
    try:
        waited = int(SCHEDULED.read_bytes().split()[1]) / 1e9  # of the main thread, which is the one that calls [ns]
    except (OSError, IndexError, ValueError):
        waited = 0.0
    return time.process_time() + waited


def answer(job: Mapping[str, Any]) -> dict[str, Any]:
    """Call the function of a job and return its result, or the name, message and traceback of what it raised."""
    try:
        function = getattr(importlib.import_module(job["module"]), job["handler"])
        context = LambdaContext(job["name"], job["arn"], job["request_id"], time.monotonic() + job["seconds"])
        result = function(job["event"], context)
    except (Exception, SystemExit) as error:  # noqa: BLE001 whatever a function raises is the answer to its caller
        return {"error": type(error).__name__, "cause": str(error), "trace": traceback.format_exc()}
    try:
        return {"result": orjson.Fragment(orjson.dumps(result, option=STRICT))}
    except TypeError as error:
        return {"error": "Runtime.MarshalError", "cause": str(error), "trace": ""}


def main() -> None:
    """Serve on the socket whose number is the first argument, with the modules named behind it imported."""
    with contextlib.suppress(ConnectionError), socket.socket(fileno=int(sys.argv[1])) as connection:
        Worker(connection).serve(sys.argv[2:])


if __name__ == "__main__":
    main()
