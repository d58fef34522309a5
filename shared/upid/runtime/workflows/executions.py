"""One execution from its record to its end."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from upid.adapters.embedded.workflows import KEPT_SECONDS, execution_key, running_key
from upid.domain.errors import AppError, VersionConflictError
from upid.domain.times import format_time
from upid.ports.clock import Clock
from upid.ports.records import Key, Record, Records
from upid.runtime.template import ACCOUNT, REGION, Template, TemplateError, machine_arn
from upid.runtime.workflows.faults import RUNTIME, TIMEOUT, DefinitionError, StatesError
from upid.runtime.workflows.frames import ROOT, Frame, Run, Tasks
from upid.runtime.workflows.journal import Journal
from upid.runtime.workflows.loader import Definition, load
from upid.runtime.workflows.states import HANDLERS

DEFINITIONS: Final = "wf#definitions"
PREFIX: Final = f"arn:aws:states:{REGION}:{ACCOUNT}"
PAUSES_SECONDS: Final = (0.2, 1.0, 5.0, 15.0)
LONGEST_PAUSE_SECONDS: Final = 30.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Executions:
    """Runs executions over the record store, each from wherever its journal says."""

    records: Records
    clock: Clock
    template: Template
    tasks: Tasks

    async def run(self, machine: str, name: str) -> None:
        """Bring an execution to its end, tell of it and settle it; of one that has ended is only told. Until it is settled it is told again."""
        record = self.records.get(execution_key(machine, name))
        if record is not None and record.body["status"] == "RUNNING":
            journal = Journal.open(self.records, machine, name)
            end = await self._end(record, machine, journal)
            self._record(record, machine, end)
        await self._tell(machine, name)
        await self.settle(machine, name)

    async def settle(self, machine: str, name: str) -> None:
        """Remove the journal of an execution that ended, and last its place in the list of what runs."""
        journal = Journal(self.records, f"wf#journal#{machine}#{name}")
        while journal.clear():  # noqa: ASYNC110 other executions go on between two batches; there is nothing to be told of
            await asyncio.sleep(0)
        self.records.delete(running_key(machine, name))

    async def _tell(self, machine: str, name: str) -> None:
        """Invoke the functions whose rules are for the end of this execution, as EventBridge does: at least once."""
        record = self.records.get(execution_key(machine, name))
        event = status_event(machine, record) if record else {}
        for rule in self.template.rules:
            if rule.matches(event):
                await self.tasks.run(rule.function.name, event, rule.function.timeout_seconds)

    async def _end(self, record: Record, machine: str, journal: Journal) -> dict[str, Any]:
        try:
            definition, stamp = self._definition(machine, journal)
        except (DefinitionError, TemplateError) as error:
            return {"status": "FAILED", "error": RUNTIME, "cause": str(error)}
        run = Run(record.key.sort, journal, self.tasks, self.clock, stamp)
        frame = Frame(run, ROOT, definition.states, _context(record, machine))
        left = None if definition.timeout_seconds is None else record.body["started_at"] + definition.timeout_seconds - self.clock.now()
        try:
            async with asyncio.timeout(left) as limit:
                output = await frame.go(definition.start_at, record.body["input"], HANDLERS)
        except StatesError as error:
            return {"status": "FAILED", "error": error.error, "cause": error.cause}
        except TimeoutError:
            if not limit.expired():
                raise
            return {"status": "TIMED_OUT", "error": TIMEOUT, "cause": f"The execution took longer than {definition.timeout_seconds:g} s."}
        return {"status": "SUCCEEDED", "output": output}

    def _record(self, record: Record, machine: str, end: Mapping[str, Any]) -> None:
        now = self.clock.now()
        try:
            self.records.put(record.key, {**record.body, **end, "ended_at": now}, expect=record.version, expires_at=now + KEPT_SECONDS)
        except VersionConflictError:
            _LOG.info("Execution %s of %s was stopped before it ended.", record.key.sort, machine)
            return
        _LOG.info("Execution %s of %s %s.", record.key.sort, machine, end["status"])

    def _definition(self, machine: str, journal: Journal) -> tuple[Definition, Mapping[str, str]]:
        """Return the machine that an execution runs: the one that it began with, though the file may have changed since."""
        begun = journal.found.get(ROOT)
        kept = self.records.get(Key(DEFINITIONS, begun["definition"])) if begun else None
        text = kept.body["text"] if kept else self._text(machine)
        digest = hashlib.sha256(text.encode()).hexdigest()
        key = Key(DEFINITIONS, digest)
        if self.records.get(key) is None:
            self.records.put(key, {"machine": machine, "text": text})
        return load(machine, text, is_function=self._is_function), {"definition": digest}

    def _text(self, machine: str) -> str:
        if machine not in self.template.machines:
            raise DefinitionError(machine, "there is no such machine.")
        return self.template.machines[machine].text()

    def _is_function(self, reference: str) -> bool:
        try:
            self.template.function(reference)
        except TemplateError:
            return False
        return True


async def persistently(
    executions: Executions,
    machine: str,
    name: str,
    *,
    pauses: tuple[float, ...] = PAUSES_SECONDS,
    longest_seconds: float = LONGEST_PAUSE_SECONDS,
) -> None:
    """Run an execution, again from its journal after a pause where the store or the runtime itself failed.

    A store that is away (a disk that is full) is waited for, however long it takes: work that nobody goes on with would be running for ever. After a
    fault of the runtime it stays as it is, once the pauses are used up, until the next start.
    """
    waiting = iter(pauses)
    while True:
        pause = next(waiting, None)
        try:
            await executions.run(machine, name)
        except AppError as error:
            _LOG.warning("Execution %s of %s is interrupted: %s", name, machine, error)
            pause = longest_seconds if pause is None else pause
        except Exception:  # noqa: BLE001 a fault of the runtime must not lose the execution; it is logged and tried again
            _LOG.exception("Execution %s of %s is interrupted.", name, machine)
        else:
            return
        if pause is None:
            break
        await asyncio.sleep(pause)
    _LOG.error("Execution %s of %s is left as it is until the next start.", name, machine)


def status_event(machine: str, record: Record) -> dict[str, Any]:
    """Return the event by which Step Functions tells of an execution's status, with what a rule or its function may look at."""
    body, arn = record.body, f"{PREFIX}:execution:{machine}:{record.key.sort}"
    detail = {
        "executionArn": arn, "stateMachineArn": machine_arn(machine), "name": record.key.sort, "status": body["status"],
        "startDate": int(body["started_at"] * 1000), "stopDate": int(body.get("ended_at", 0.0) * 1000) or None,
        "input": orjson.dumps(body["input"]).decode(), "inputDetails": {"included": True}, "error": body.get("error"), "cause": body.get("cause"),
    }  # fmt: skip
    return {
        "version": "0", "id": f"{record.key.sort}-{body['status']}", "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states", "account": ACCOUNT, "time": format_time(body.get("ended_at", body["started_at"])), "region": REGION,
        "resources": [arn], "detail": detail,
    }  # fmt: skip


def _context(record: Record, machine: str) -> dict[str, Any]:
    """Return the context object that every state of an execution sees."""
    return {
        "Execution": {
            "Id": f"{PREFIX}:execution:{machine}:{record.key.sort}", "Input": record.body["input"], "Name": record.key.sort,
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{machine}", "StartTime": format_time(record.body["started_at"]), "RedriveCount": 0,
        },
        "StateMachine": {"Id": machine_arn(machine), "Name": machine},
    }  # fmt: skip
