"""The port Workflows over Records: starting writes a durable record, and the engine of `upid.runtime.workflows` does the rest.

Two records tell of an execution: what it is (`wf#executions#<machine>`, kept for KEPT_SECONDS after its end, as Step Functions does),
and, until everything of it is settled, an entry in the list of what runs (`wf#running`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from upid.domain.errors import InvalidError, NotFoundError, VersionConflictError
from upid.ports.clock import Clock
from upid.ports.records import Key, Put, Record, Records
from upid.ports.workflows import Execution

RUNNING: Final = "wf#running"
KEPT_SECONDS: Final = 90 * 86400.0
DATA_LIMIT_BYTES: Final = 256 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")


def execution_key(machine: str, name: str) -> Key:
    """Return where an execution's record lies."""
    return Key(f"wf#executions#{machine}", name)


def running_key(machine: str, name: str) -> Key:
    """Return where an execution stands in the list of what runs."""
    return Key(RUNNING, f"{machine}#{name}")


@dataclass(frozen=True, slots=True)
class EmbeddedWorkflows:
    """Executions of state machines, as records. `listeners` are called after each start and stop in this process."""

    records: Records
    clock: Clock
    listeners: list[Callable[[], None]] = field(default_factory=list)

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> None:
        """Record an execution to be run; InvalidError for a name or an input that Step Functions would refuse."""
        if not _NAME.fullmatch(machine) or not _NAME.fullmatch(name):
            raise InvalidError(f"{machine}/{name} cannot name an execution: letters, digits, - and _, at most 80.")
        if len(orjson.dumps(payload)) > DATA_LIMIT_BYTES:
            raise InvalidError(f"The input of {name} is over {DATA_LIMIT_BYTES} bytes: pass references.")
        body = {"status": "RUNNING", "input": dict(payload), "started_at": self.clock.now()}
        entry = {"machine": machine, "name": name, "stopped": False}
        try:
            self.records.transact([Put(execution_key(machine, name), body, expect=0), Put(running_key(machine, name), entry)])
        except VersionConflictError:
            return
        self._tell()

    def describe(self, machine: str, name: str) -> Execution:
        """Return an execution as it stands; NotFoundError where there is none."""
        body = self._record(machine, name).body
        return Execution(machine, name, body["status"], body.get("output"), body.get("error"), body.get("cause"))

    def stop(self, machine: str, name: str, *, cause: str) -> None:
        """Abort an execution that still runs; tasks of it that run now come to their end without effect on it."""
        found = self._record(machine, name)
        while found.body["status"] == "RUNNING":
            now = self.clock.now()
            body = {**found.body, "status": "ABORTED", "cause": cause, "ended_at": now}
            entry = {"machine": machine, "name": name, "stopped": True}
            try:
                self.records.transact(
                    [
                        Put(found.key, body, expect=found.version, expires_at=now + KEPT_SECONDS),
                        Put(running_key(machine, name), entry),
                    ]
                )
            except VersionConflictError:
                found = self._record(machine, name)
                continue
            self._tell()
            return

    def _record(self, machine: str, name: str) -> Record:
        found = self.records.get(execution_key(machine, name))
        if found is None:
            raise NotFoundError(f"There is no execution {name} of {machine}.", machine=machine, name=name)
        return found

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()
