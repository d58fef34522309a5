"""Worker processes, each with a thread here that hands it functions to call.

Not `concurrent.futures`: there a worker that dies or hangs takes the whole pool with it, and with it the tasks of other executions. Here
a task that runs out of time, or whose worker dies, costs that one worker, which is started anew. Workers are plain interpreters, so that
starting one imports nothing of the program that started them.

The number of workers is that of tasks that compute. One that waits for an outside system computes nothing: while it does, another worker takes
its turn, so that clusters that hang hold up no other.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from upid.runtime.template import Function
from upid.runtime.workflows.faults import TIMEOUT, StatesError
from upid.runtime.workflows.wire import WAITS, receive, send

ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
LOST: Final = "Lambda.Unknown"
LEAVE_SECONDS: Final = 0.3
START_SECONDS: Final = 60.0
MOST_SPARE: Final = 16  # workers beside those that wait
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A function to call: the message for the worker, and how many seconds it may take."""

    message: Mapping[str, Any]
    seconds: float
    by_state: bool
    future: Future[Any] = field(default_factory=Future)

    @classmethod
    def of(cls, function: Function, payload: Any, timeout_seconds: float | None) -> Job:
        """Return the call of a function, ended by the state's timeout or the function's own, whichever is shorter."""
        seconds = min(function.timeout_seconds, timeout_seconds or function.timeout_seconds)
        message = {
            "name": function.name, "arn": function.arn, "module": function.module, "handler": function.handler, "event": payload,
            "request_id": f"{os.getpid()}-{time.monotonic_ns()}", "seconds": seconds,
        }  # fmt: skip
        return cls(message, seconds, timeout_seconds is not None and timeout_seconds <= function.timeout_seconds)

    def timed_out(self) -> StatesError:
        """Return the error of a call that took too long: the state's timeout, or what Step Functions tells of a function's own."""
        return StatesError(TIMEOUT if self.by_state else LOST, f"{self.message['name']} took longer than {self.seconds:g} s.")


class WorkerPool:
    """Workers, `size` of them at a time beside those that wait. `environment`: variables for them beside this process' own; `modules`: what they import while idle. `seats`: where workers sit now."""

    def __init__(self, size: int, *, environment: Mapping[str, str] | None = None, modules: Iterable[str] = ()) -> None:
        self._environment = {**os.environ, **ONE_THREAD, **(environment or {})}
        self._modules = tuple(modules)
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._size = size
        self._numbers = itertools.count()
        self.seats = [_Seat(self, next(self._numbers)) for _ in range(size)]
        self._idle = 0
        self._lock = threading.Lock()  # of the seats and of what they do

    def start(self) -> None:
        """Start every worker, so that they are warm when the first function is called."""
        for seat in self.seats:
            seat.thread.start()

    def submit(self, job: Job) -> Future[Any]:
        """Return the future result of a call; a future that is cancelled before a worker takes it is never called."""
        self._jobs.put(job)
        self._make_room()
        return job.future

    def drain(self, grace_seconds: float) -> None:
        """Take nothing on any more, and wait for what runs, but not longer than this."""
        with self._lock:
            self._closing.set()
            seats = list(self.seats)
        for _ in seats:
            self._jobs.put(None)
        deadline = time.monotonic() + grace_seconds
        for seat in seats:
            if seat.thread.is_alive():
                seat.thread.join(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """End every worker at once, whatever it does."""
        self.drain(0.0)
        for seat in self.seats:
            seat.kill()
            if seat.thread.is_alive():
                seat.thread.join()

    @property
    def closing(self) -> bool:
        """Whether the pool takes nothing on any more."""
        return self._closing.is_set()

    def take(self) -> Job | None:
        """Return the next call, waiting for one; None when the pool closes."""
        with self._lock:
            self._idle += 1
        job = self._jobs.get()
        with self._lock:
            self._idle -= 1
        return None if self._closing.is_set() else job

    def waits(self, seat: _Seat, *, whether: bool) -> None:
        """Note whether the worker of a seat waits for something outside, and let another take its turn while it does."""
        with self._lock:
            seat.waiting = whether
        self._make_room()

    def dismisses(self, seat: _Seat) -> bool:
        """Tell whether a seat that has ended its call is one too many, which it then is no more."""
        with self._lock:
            if self._closing.is_set() or self._awake() <= self._size:
                return False
            self.seats.remove(seat)
            return True

    def _make_room(self) -> None:
        """Open seats for calls that wait although fewer workers compute than may."""
        with self._lock:
            if self._closing.is_set():
                return
            missing = min(self._size - self._awake(), self._jobs.qsize() - self._idle, self._size + MOST_SPARE - len(self.seats))
            opened = [_Seat(self, next(self._numbers)) for _ in range(missing)]
            self.seats += opened
            for seat in opened:
                seat.thread.start()

    def _awake(self) -> int:
        return sum(not seat.waiting for seat in self.seats)

    def spawn(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        """Start a worker and return it with this process' end of its socket."""
        ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, "-P", "-u", "-m", "upid.runtime.workflows.worker", str(number), *self._modules]
            # A process group of its own: Ctrl-C in a terminal is for the parent, which then ends its workers in order.
            # What functions print goes to standard error, as logs do: standard output belongs to the program.
            process = subprocess.Popen(  # noqa: S603 our own interpreter and module
                command, env=self._environment, pass_fds=[number], stdin=subprocess.DEVNULL, stdout=2, process_group=0
            )
        return process, ours


class _Seat:
    """A worker's place: the thread that feeds it, and the process that sits there now. `waiting`: for something outside."""

    def __init__(self, pool: WorkerPool, at: int) -> None:
        self._pool = pool
        self.waiting = False
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self.thread = threading.Thread(target=self._feed, name=f"worker-{at}", daemon=True)

    def kill(self) -> None:
        """End the process that sits here."""
        if self._process:
            self._process.kill()

    def _feed(self) -> None:
        try:
            self._connection()
            while (job := self._pool.take()) is not None:
                if job.future.set_running_or_notify_cancel():
                    self._call(job)
                self._pool.waits(self, whether=False)
                if self._pool.dismisses(self):
                    return
        finally:
            self._leave()

    def _call(self, job: Job) -> None:
        name = job.message["name"]
        try:
            answer = self._ask(job)
        except TimeoutError:
            _LOG.warning("Task %s took longer than %g s; its worker is replaced.", name, job.seconds)
            self._leave()
            job.future.set_exception(job.timed_out())
        except (EOFError, OSError) as error:
            status = self._leave()
            _LOG.log(
                logging.INFO if self._pool.closing else logging.WARNING, "Task %s lost its worker (status %s): %r", name, status, error
            )
            job.future.set_exception(StatesError(LOST, f"The worker of {name} ended before it answered (status {status})."))
        else:
            _settle(job, answer)

    def _ask(self, job: Job) -> Mapping[str, Any]:
        """Return the worker's answer. What it takes to start and to import is no time of the task, as a cold start is none of a Lambda's."""
        connection = self._connection()
        send(connection, job.message)
        try:
            receive(connection, time.monotonic() + START_SECONDS)
        except TimeoutError as error:
            raise EOFError(f"it did not begin within {START_SECONDS:g} s") from error
        deadline = time.monotonic() + job.seconds
        while True:
            answer: Mapping[str, Any] = receive(connection, deadline)
            if WAITS not in answer:
                return answer
            self._pool.waits(self, whether=answer[WAITS])

    def _connection(self) -> socket.socket:
        if self._socket is None:
            self._process, self._socket = self._pool.spawn()
        return self._socket

    def _leave(self) -> int | None:
        """End the process of this seat and return its exit status (negative: the signal)."""
        if self._process is None or self._socket is None:
            return None
        self._socket.close()  # which a worker takes as its end
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(LEAVE_SECONDS)
        self.kill()
        status = self._process.wait()
        self._process = self._socket = None
        return status


def _settle(job: Job, answer: Mapping[str, Any]) -> None:
    if "error" not in answer:
        job.future.set_result(answer["result"])
        return
    _LOG.warning("Task %s failed with %s: %s\n%s", job.message["name"], answer["error"], answer["cause"], answer["trace"])
    job.future.set_exception(StatesError(answer["error"], answer["cause"]))
