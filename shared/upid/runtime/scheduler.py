"""The schedules of the template: each invokes its function when it is due, and never while its last invocation still runs."""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from upid.bootstrap import Services
from upid.domain.errors import AppError, VersionConflictError
from upid.domain.times import format_time
from upid.ports.records import Key, Record
from upid.runtime.template import ACCOUNT, REGION, Function, Schedule, Template
from upid.runtime.timetable import Expression, parse_schedule

TURNED_BACK_SECONDS: Final = 60.0  # by less a clock is only set right: a slot must not come twice for that
PARTITION: Final = "wf#schedules"
Invoke = Callable[[Function, Any], Any]
_LOG = logging.getLogger(__name__)


class Scheduler:
    """Looks once a second what is due. Which slots were taken is a record, so that neither a restart nor a second process takes one twice.

    A schedule that is seen for the first time is due one period later. Slots that were missed while nothing ran are made up for once.
    """

    def __init__(self, services: Services, template: Template, *, invoke: Invoke | None = None, poll_seconds: float = 1.0) -> None:
        self._records = services.records
        self._clock = services.clock
        self._invoke = invoke or call_here
        self._poll_seconds = poll_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="scheduler", daemon=True)
        self._schedules: list[tuple[Schedule, Expression]] = [(s, parse_schedule(s.expression)) for s in template.schedules]

    def start(self) -> None:
        """Begin to look, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; an invocation that runs is left to its end or to that of the process."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def tick(self) -> list[threading.Thread]:
        """Invoke what is due now, each in a thread, and return these."""
        threads = []
        for schedule, expression in self._schedules:
            slot = self._claim(schedule, expression)
            if slot is not None:
                thread = threading.Thread(target=self._run, args=(schedule, slot), name=schedule.name, daemon=True)
                thread.start()
                threads.append(thread)
        return threads

    def _watch(self) -> None:
        while not self._stopping.wait(self._poll_seconds):
            try:
                self.tick()
            except AppError as error:
                _LOG.warning("The schedules cannot be read: %s", error)

    def _claim(self, schedule: Schedule, expression: Expression) -> float | None:
        """Return the slot that this process is to run now, None where there is none or another process has it."""
        key, now = Key(PARTITION, schedule.name), self._clock.now()
        found = self._records.get(key)
        body = dict(found.body) if found else {"last": now, "running_until": 0.0}
        turned_back = body["last"] > now + TURNED_BACK_SECONDS
        if turned_back:  # or nothing would be due until the clock has come up with what it once said
            body = {"last": now, "running_until": 0.0}
        slot = expression.latest(body["last"], now) if body["running_until"] <= now else None
        if found and slot is None and not turned_back:
            return None
        lease = {"running_until": now + schedule.function.timeout_seconds, "last": slot} if slot is not None else {}
        try:
            self._records.put(key, {**body, **lease}, expect=found.version if found else 0)
        except VersionConflictError:
            return None
        return slot

    def _run(self, schedule: Schedule, slot: float) -> None:
        event = event_of(schedule, slot) if schedule.event is None else schedule.event
        try:
            self._invoke(schedule.function, event)
        except Exception:  # noqa: BLE001 a function that fails is logged, and due again at its next slot
            _LOG.exception("%s failed on its schedule.", schedule.function.name)
        finally:
            self._release(schedule)

    def _release(self, schedule: Schedule) -> None:
        key = Key(PARTITION, schedule.name)
        found: Record | None = self._records.get(key)
        if found:
            self._records.put(key, {**found.body, "running_until": 0.0})


def call_here(function: Function, event: Any) -> Any:
    """Return what a function gives, called in this process: scheduled functions only start work, which workers then do."""
    handler = getattr(importlib.import_module(function.module), function.handler)
    return handler(event, None)


def event_of(schedule: Schedule, slot: float) -> Mapping[str, Any]:
    """Return the event that EventBridge Scheduler sends where the schedule names no input."""
    return {
        "version": "0", "id": f"{schedule.name}-{slot:.0f}", "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": ACCOUNT,
        "time": format_time(slot), "region": REGION, "resources": [f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{schedule.name}"],
        "detail": "{}",
    }  # fmt: skip
