"""The functions that test machines call, in this process or in workers, as `function(event, context)`."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any


class ValidationError(Exception):
    """What a failing task raises."""


def echo(event: Any, _context: Any) -> Any:
    return event


def double(event: Any, _context: Any) -> Any:
    return {"v": event["v"] * 2}


def nothing(_event: Any, _context: Any) -> Any:
    return None


def fail(_event: Any, _context: Any) -> Any:
    raise ValidationError("bad input")


def refuse_odd(event: Any, _context: Any) -> Any:
    if event["v"] % 2:
        raise ValidationError("odd")
    return event


def count_batch(event: Any, _context: Any) -> Any:
    return {"n": len(event["Items"]), "ctx": event.get("BatchInput")}


def long_text(event: Any, _context: Any) -> Any:
    return {"d": "x" * event["n"]}


def sleep(event: Any, _context: Any) -> Any:
    time.sleep(event["seconds"])
    return event


def compute(event: Any, _context: Any) -> Any:
    """Keep a processor busy for as many seconds of its time as the event says."""
    until = time.process_time() + event["seconds"]
    while time.process_time() < until:
        pass
    return event


def note(event: Any, _context: Any) -> Any:
    """Write a line for this call into the file of its event, wait as long as it says, and hand on what it says."""
    line = f"{event['task']} {os.getpid()}\n"
    with Path(event["file"]).open("a") as file:
        file.write(line)
    time.sleep(event.get("seconds", 0.0))
    return event.get("result")


def fail_at_first(event: Any, context: Any) -> Any:
    """Fail as often as `fails` says, counted in a file, so that every process sees the same count."""
    path = Path(event["file"])
    seen = len(path.read_text().splitlines()) if path.exists() else 0
    note({**event, "task": "try"}, context)
    if seen < event["fails"]:
        raise ValidationError(f"try {seen + 1}")
    return {"tries": seen + 1}


def die_at_first(event: Any, context: Any) -> Any:
    """Kill this very process as often as `fails` says."""
    path = Path(event["file"])
    seen = len(path.read_text().splitlines()) if path.exists() else 0
    note({**event, "task": "try"}, context)
    if seen < event["fails"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"tries": seen + 1}


def print_something(_event: Any, _context: Any) -> Any:
    print("this belongs into the log")  # noqa: T201 a task that prints is what is tested
    return {}


def give_what_json_cannot_hold(_event: Any, _context: Any) -> Any:
    return {"at": time}


def tell_context(_event: Any, context: Any) -> Any:
    return {"name": context.function_name, "left_ms": context.get_remaining_time_in_millis(), "pid": os.getpid()}


def tell_environment(event: Any, _context: Any) -> Any:
    return {name: os.environ.get(name) for name in event["names"]}


FUNCTIONS = (
    echo, double, nothing, fail, refuse_odd, count_batch, long_text, sleep, compute, note, fail_at_first, die_at_first, print_something,
    give_what_json_cannot_hold, tell_context, tell_environment,
)  # fmt: skip
