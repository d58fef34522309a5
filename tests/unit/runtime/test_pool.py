"""Worker processes: what their functions return and raise, and what happens when they hang or die."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from machines.running import TESTS, wait_until, workers

from upid.runtime.template import Function
from upid.runtime.workflows import worker
from upid.runtime.workflows.faults import StatesError
from upid.runtime.workflows.pool import Job, WorkerPool
from upid.runtime.workflows.wire import receive, send
from upid.runtime.workflows.worker import BEGUN, Worker, answer


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = workers(2, UPID_MARK="here")
    pool.start()
    yield pool
    pool.close()


def call(pool: WorkerPool, name: str, event: Any = None, seconds: float = 20.0, *, by_state: bool = True) -> Future[Any]:
    function = Function(name, "machines.handlers", name, 100.0 if by_state else seconds)
    return pool.submit(Job.of(function, event, seconds if by_state else None))


def error_of(future: Future[Any]) -> StatesError:
    error = future.exception(20)
    assert isinstance(error, StatesError)
    return error


def test_a_function_gets_its_event_and_gives_its_result(pool: WorkerPool) -> None:
    event = {"text": "é" * 1000, "list": [1, 2.5, None, True], "deep": {"er": {}}}

    assert call(pool, "echo", event).result(60) == event


def test_a_large_event_goes_through(pool: WorkerPool) -> None:
    event = ["x" * 200_000] * 5

    assert call(pool, "echo", event).result(60) == event


def test_an_exception_is_told_by_class_and_message_and_logged(pool: WorkerPool, caplog: pytest.LogCaptureFixture) -> None:
    error = error_of(call(pool, "fail"))

    assert (error.error, error.cause) == ("ValidationError", "bad input")
    assert 'raise ValidationError("bad input")' in caplog.text


def test_what_json_cannot_hold_is_an_error(pool: WorkerPool) -> None:
    assert error_of(call(pool, "give_what_json_cannot_hold")).error == "Runtime.MarshalError"


def test_a_function_that_is_not_there_is_an_error(pool: WorkerPool) -> None:
    assert error_of(call(pool, "absent")).error == "AttributeError"


def test_a_function_is_told_of_its_invocation(pool: WorkerPool) -> None:
    told = call(pool, "tell_context", seconds=10).result(60)

    assert told["name"] == "tell_context"
    assert 0 < told["left_ms"] <= 10_000
    assert told["pid"] != os.getpid()


def test_workers_count_with_one_thread_each_and_see_their_environment(pool: WorkerPool) -> None:
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "UPID_MARK"]

    assert call(pool, "tell_environment", {"names": names}).result(60) == dict(zip(names, ["1", "1", "here"], strict=True))


def test_a_function_that_takes_too_long_costs_its_worker_alone(pool: WorkerPool) -> None:
    beside = call(pool, "sleep", {"seconds": 1.0})
    slow = call(pool, "sleep", {"seconds": 30}, seconds=0.3)

    assert error_of(slow).error == "States.Timeout"
    assert beside.result(60) == {"seconds": 1.0}
    assert call(pool, "echo", 1).result(60) == 1


def test_the_time_limit_of_a_function_itself_is_lambdas_error(pool: WorkerPool) -> None:
    assert error_of(call(pool, "sleep", {"seconds": 30}, seconds=0.3, by_state=False)).error == "Lambda.Unknown"


def test_waiting_for_a_worker_is_no_time_of_the_task(pool: WorkerPool) -> None:
    futures = [call(pool, "sleep", {"seconds": 0.4}, seconds=2.0) for _ in range(12)]  # 2.4 s on two workers

    assert [future.result(60) for future in futures] == [{"seconds": 0.4}] * 12


def test_a_worker_that_dies_is_replaced(pool: WorkerPool, tmp_path: Path) -> None:
    event = {"file": str(tmp_path / "tries"), "fails": 1}
    error = error_of(call(pool, "die_at_first", event))

    assert (error.error, "status -9" in error.cause) == ("Lambda.Unknown", True)
    assert call(pool, "die_at_first", event).result(60) == {"tries": 2}


def test_a_call_that_is_cancelled_before_it_began_never_begins(pool: WorkerPool, tmp_path: Path) -> None:
    busy = [call(pool, "sleep", {"seconds": 0.5}) for _ in range(2)]
    waiting = call(pool, "note", {"task": "late", "file": str(tmp_path / "notes")})

    assert waiting.cancel()
    assert [future.result(60) for future in busy] == [{"seconds": 0.5}] * 2
    assert call(pool, "echo", 1).result(60) == 1
    assert not (tmp_path / "notes").exists()


def test_calls_that_wait_hold_up_no_other(pool: WorkerPool) -> None:
    waiting = [call(pool, "sleep", {"seconds": 60}, seconds=100) for _ in range(4)]
    ended = [call(pool, "echo", number) for number in range(5)]

    assert [future.result(60) for future in ended] == list(range(5))
    assert [future.running() for future in waiting] == [True] * 4
    # Beside the four there are no more than the pool has; fewer where one of the four was taken for one that computes meanwhile.
    wait_until(lambda: [seat.waiting for seat in pool.seats].count(True) == 4 and len(pool.seats) <= 6)


def test_calls_that_compute_are_no_more_than_the_pool_has_workers(pool: WorkerPool) -> None:
    computing = [call(pool, "compute", {"seconds": 3.0}, seconds=100.0) for _ in range(2)]
    behind = call(pool, "echo", 1, seconds=100.0)

    assert behind.result(100) == 1
    assert any(future.done() for future in computing)  # whose place it took
    assert len(pool.seats) == 2
    assert [future.result(100) for future in computing] == [{"seconds": 3.0}] * 2


def test_draining_waits_for_what_runs_and_begins_nothing(pool: WorkerPool) -> None:
    running = [call(pool, "sleep", {"seconds": 0.3}) for _ in range(2)]
    waiting = call(pool, "echo", 1)
    wait_until(lambda: all(future.running() for future in running))

    pool.drain(10)

    assert all(future.done() for future in running)
    assert not waiting.done()


def test_closing_ends_workers_that_hang(pool: WorkerPool) -> None:
    hanging = call(pool, "sleep", {"seconds": 60})
    wait_until(hanging.running)
    begun = time.monotonic()

    pool.close()

    assert time.monotonic() - begun < 30
    assert error_of(hanging).error == "Lambda.Unknown"


def test_what_a_function_prints_is_not_the_programs_output() -> None:
    code = """
from machines.running import workers
from upid.runtime.template import Function
from upid.runtime.workflows.pool import Job
pool = workers(1)
pool.start()
pool.submit(Job.of(Function("print_something", "machines.handlers", "print_something", 20.0), {}, None)).result(60)
pool.close()
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(TESTS)}, capture_output=True, text=True, check=True, timeout=60
    )

    assert ended.stdout == ""
    assert "this belongs into the log" in ended.stderr


def test_ctrl_c_in_a_terminal_does_not_reach_the_workers(pool: WorkerPool) -> None:
    pids = {call(pool, "tell_context").result(60)["pid"] for _ in range(2)}

    assert all(os.getpgid(pid) != os.getpgrp() for pid in pids)


def test_a_worker_answers_until_its_parent_is_gone() -> None:
    ours, theirs = socket.socketpair()
    worker = threading.Thread(target=lambda: Worker(theirs).serve(["json", "no_such_module"]))
    worker.start()
    job = {"name": "f", "arn": "a", "request_id": "r", "seconds": 1, "module": "machines.handlers", "handler": "double", "event": {"v": 4}}

    send(ours, job)

    assert receive(ours, time.monotonic() + 10) == BEGUN
    assert receive(ours, time.monotonic() + 10) == {"result": {"v": 8}}
    ours.close()
    worker.join(10)
    assert not worker.is_alive()
    theirs.close()


def test_a_function_that_exits_is_an_error_and_not_the_end_of_its_worker() -> None:
    job = {"name": "f", "arn": "a", "request_id": "r", "seconds": 1, "module": "sys", "handler": "exit", "event": 3}

    assert answer(job)["error"] == "TypeError"  # sys.exit takes one argument, and no context
    assert answer({**job, "module": "no_such_module"})["error"] == "ModuleNotFoundError"


def test_what_waits_for_a_processor_is_busy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = tmp_path / "schedstat"
    told.write_text("5000000000 3000000000 17\n")  # 3 s of waiting for a processor
    monkeypatch.setattr(worker, "SCHEDULED", told)
    monkeypatch.setattr(worker.time, "process_time", lambda: 1.5)
    assert worker.busy_seconds() == 4.5

    told.write_text("")
    assert worker.busy_seconds() == 1.5
    told.unlink()
    assert worker.busy_seconds() == 1.5
