"""Schedules: when something is due, and that it runs once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from contract.stores import START, SetClock
from machines.running import services_in, wait_until

from upid.bootstrap import Services
from upid.runtime.scheduler import Scheduler, call_here
from upid.runtime.template import Function, Template
from upid.runtime.timetable import parse_schedule

MINUTE = 60.0
DAY = 86400.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def template(expression: str = "rate(5 minutes)", **properties: Any) -> Template:
    event = {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": expression, **properties}}
    function = {"Handler": "f.handler", "Timeout": 60, "Events": {"Due": event}}
    return Template(Path(), {"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": function}}})


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def services(tmp_path: Path, clock: SetClock) -> Iterator[Services]:
    services = services_in(tmp_path)
    services.clock = clock
    yield services
    services.database.close()


class Calls:
    """Remembers what was invoked; waits, where told to, until it is let go."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.go_on = Event()
        self.go_on.set()

    def __call__(self, function: Function, event: Any) -> None:
        self.events.append(event)
        self.go_on.wait(10)


def tick(scheduler: Scheduler, *, join: bool = True) -> int:
    threads = scheduler.tick()
    for thread in threads if join else []:
        thread.join(10)
    return len(threads)


def test_a_rate_is_due_once_in_each_period(services: Services, clock: SetClock) -> None:
    calls = Calls()
    scheduler = Scheduler(services, template(), invoke=calls)
    due = []

    for minute in range(12):
        clock.moment = START + minute * MINUTE
        due.append(tick(scheduler))

    # Seen first at minute 0, due at 5 and 10.
    assert [minute for minute, count in enumerate(due) if count] == [5, 10]
    assert calls.events[0]["time"] == "2023-11-14T22:18:20Z"  # START is 22:13:20


def test_slots_that_were_missed_are_made_up_for_once(services: Services, clock: SetClock) -> None:
    scheduler = Scheduler(services, template(), invoke=Calls())
    tick(scheduler)
    clock.moment = START + 27 * MINUTE

    assert [tick(scheduler), tick(scheduler)] == [1, 0]
    clock.moment = START + 30 * MINUTE  # the slots stay where they were
    assert tick(scheduler) == 1


def test_two_processes_do_not_take_the_same_slot(services: Services, clock: SetClock) -> None:
    calls = Calls()
    first, second = (Scheduler(services, template(), invoke=calls) for _ in range(2))
    tick(first)
    clock.moment = START + 5 * MINUTE

    assert tick(first) + tick(second) == 1
    assert len(calls.events) == 1


def test_an_invocation_that_still_runs_is_not_overtaken(services: Services, clock: SetClock) -> None:
    calls = Calls()
    calls.go_on.clear()
    scheduler = Scheduler(services, template("rate(1 minute)"), invoke=calls)
    tick(scheduler)
    clock.moment = START + MINUTE
    (running,) = scheduler.tick()
    clock.moment = START + MINUTE + 59

    assert tick(scheduler, join=False) == 0
    calls.go_on.set()
    running.join(10)
    clock.moment = START + 2 * MINUTE
    assert tick(scheduler) == 1


def test_the_lease_of_a_process_that_was_killed_ends_with_the_time_limit(services: Services, clock: SetClock) -> None:
    calls = Calls()
    calls.go_on.clear()
    killed = Scheduler(services, template("rate(1 minute)"), invoke=calls)
    tick(killed)
    clock.moment = START + MINUTE
    killed.tick()
    clock.moment = START + 2 * MINUTE  # the function's limit is 60 s

    assert tick(Scheduler(services, template("rate(1 minute)"), invoke=Calls())) == 1
    calls.go_on.set()


def test_a_function_that_fails_is_logged_and_due_again(services: Services, clock: SetClock, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_function: Function, _event: Any) -> None:
        raise RuntimeError("no luck")

    scheduler = Scheduler(services, template(), invoke=fail)
    tick(scheduler)
    clock.moment = START + 5 * MINUTE
    first = tick(scheduler)
    clock.moment = START + 10 * MINUTE

    assert (first, tick(scheduler)) == (1, 1)
    assert "no luck" in caplog.text


def test_a_schedule_may_name_its_event(services: Services, clock: SetClock) -> None:
    calls = Calls()
    scheduler = Scheduler(services, template(Input={"a": 1}), invoke=calls)
    tick(scheduler)
    clock.moment = START + 5 * MINUTE
    tick(scheduler)

    assert calls.events == [{"a": 1}]


def test_the_thread_looks_until_it_is_stopped(services: Services, clock: SetClock) -> None:
    calls = Calls()
    scheduler = Scheduler(services, template(), invoke=calls, poll_seconds=0.005)
    tick(scheduler)
    clock.moment = START + 5 * MINUTE
    scheduler.start()
    wait_until(lambda: bool(calls.events))
    scheduler.stop()

    assert len(calls.events) == 1


def test_by_default_the_function_is_called_in_this_process() -> None:
    assert call_here(Function("F", "machines.handlers", "double", 1.0), {"v": 3}) == {"v": 6}


@pytest.mark.parametrize(
    ("expression", "last", "now", "latest"),
    [
        ("rate(1 hour)", "2026-01-01T00:00", "2026-01-01T00:59", None),
        ("rate(1 hour)", "2026-01-01T00:10", "2026-01-01T03:59", "2026-01-01T03:10"),
        ("rate(2 days)", "2026-01-01T00:00", "2026-01-03T00:00", "2026-01-03T00:00"),
        ("cron(0 3 * * ? *)", "2026-01-01T03:00", "2026-01-02T02:59", None),
        ("cron(0 3 * * ? *)", "2026-01-01T03:00", "2026-01-02T03:00", "2026-01-02T03:00"),
        ("cron(0/15 * * * ? *)", "2026-01-01T03:00", "2026-01-01T03:44", "2026-01-01T03:30"),
        ("cron(0 9 ? * MON-FRI *)", "2026-01-02T09:00", "2026-01-04T23:00", None),  # Friday to Sunday
        ("cron(0 9 ? * MON-FRI *)", "2026-01-02T09:00", "2026-01-05T09:30", "2026-01-05T09:00"),
        ("cron(30 0 1 JAN,JUL ? *)", "2026-01-01T00:30", "2026-08-15T00:00", "2026-07-01T00:30"),
        ("cron(0 0 29 2 ? *)", "2026-01-01T00:00", "2026-12-31T00:00", None),
        ("cron(0 0 1 1 ? 2027)", "2026-01-01T00:00", "2026-12-31T00:00", None),
    ],
)
def test_the_latest_moment_that_was_due(expression: str, last: str, now: str, latest: str | None) -> None:
    assert parse_schedule(expression).latest(at(last), at(now)) == (None if latest is None else at(latest))


@pytest.mark.parametrize(
    "expression",
    ["", "rate(0 minutes)", "rate(5 seconds)", "rate(5)", "cron(0 3 * * *)", "cron(0 3 * * * *)", "cron(0 3 ? * ? *)", "cron(60 3 * * ? *)",
     "cron(0 3 L * ? *)", "cron(0 3 ? * MON#1 *)", "cron(0 3 * FOO ? *)", "cron(*/0 3 * * ? *)", "cron(5-1 3 * * ? *)", "at(2026-01-01T00:00:00)"],
)  # fmt: skip
def test_what_is_not_known_in_a_schedule_is_refused_at_the_start(services: Services, expression: str) -> None:
    with pytest.raises(ValueError, match=r"schedule|outside|must be"):
        Scheduler(services, template(expression))


@pytest.mark.parametrize("expression", ["rate(5 minutes)", "cron(0/5 * * * ? *)"])
def test_a_clock_that_is_set_back_holds_up_no_schedule(services: Services, clock: SetClock, expression: str) -> None:
    scheduler = Scheduler(services, template(expression), invoke=Calls())
    clock.moment = START + 365 * DAY
    tick(scheduler)
    clock.moment += 5 * MINUTE
    assert tick(scheduler) == 1

    due = []
    for minute in range(12):
        clock.moment = START + minute * MINUTE
        due.append(tick(scheduler))

    assert sum(due) == 2
    clock.moment -= 30  # it is only set right: the slot that was taken stays taken
    assert tick(scheduler) == 0
    clock.moment += 31
    assert tick(scheduler) == 0
