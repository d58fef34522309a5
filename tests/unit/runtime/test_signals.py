from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from upid.runtime.signals import ENDING, Ending, until_signalled

# The process waits for moments only, so that signals reach it inside of `wait` as well as between two calls.
IMPATIENT = """
from upid.runtime.signals import until_signalled
with until_signalled() as ending:
    print("waiting", flush=True)
    while not ending.wait(0.0):
        ending.is_set()
print("ended", flush=True)
"""


def test_nobody_asked_for_the_end_yet() -> None:
    ending = Ending()
    assert not ending.is_set()
    assert not ending.wait(0.01)


def test_all_threads_that_wait_are_told() -> None:
    ending, told = Ending(), []
    threads = [threading.Thread(target=lambda: told.append(ending.wait(20))) for _ in range(3)]
    for thread in threads:
        thread.start()
    ending.ask()
    ending.ask()
    for thread in threads:
        thread.join(20)
    assert told == [True, True, True]
    assert ending.is_set()
    assert ending.wait()


def test_a_signal_ends_the_waiting_and_the_next_one_acts_as_before() -> None:
    before = [signal.getsignal(number) for number in ENDING]
    with until_signalled() as ending:
        os.kill(os.getpid(), signal.SIGTERM)
        assert ending.wait(20)
        assert signal.getsignal(signal.SIGTERM) == before[ENDING.index(signal.SIGTERM)]
        assert signal.getsignal(signal.SIGINT) != before[ENDING.index(signal.SIGINT)]
    assert [signal.getsignal(number) for number in ENDING] == before


def test_a_signal_at_any_moment_of_the_waiting_is_no_deadlock() -> None:
    for _ in range(20):
        with subprocess.Popen([sys.executable, "-c", IMPATIENT], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "waiting\n"
            process.terminate()
            try:
                assert process.communicate(timeout=20)[0] == "ended\n"
            finally:
                process.kill()
            assert process.returncode == 0
