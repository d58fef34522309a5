"""A process that runs what was started in a folder to its end, or kills itself at the n-th write of its life: `process.py FOLDER WRITES MOMENT`.

MOMENT is `before` or `after` the write, or `never`. The machine is `machine.json` of the folder with the functions of the tests, or, where there is
none, those of the project with the project's own.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from machines.running import services_in, template_of, wait_until, workers
from upid.adapters.embedded.workflows import RUNNING
from upid.bootstrap import Services
from upid.domain.events import Event
from upid.ports.records import Key, Record, RecordPage, Records, Write
from upid.runtime.template import Template
from upid.runtime.workflows.engine import WorkflowEngine


class MortalRecords:
    """Records that end the process, as `kill -9` does, at a certain write."""

    def __init__(self, inner: Records, writes: int, moment: str) -> None:
        self._inner = inner
        self._left = writes
        self._moment = moment

    def get(self, key: Key) -> Record | None:
        return self._inner.get(key)

    def query(self, partition: str, **options: Any) -> RecordPage:
        return self._inner.query(partition, **options)

    def put(self, key: Key, body: Mapping[str, Any], **options: Any) -> Record:
        self._die("before")
        record = self._inner.put(key, body, **options)
        self._die("after")
        return record

    def delete(self, key: Key, **options: Any) -> None:
        self._die("before")
        self._inner.delete(key, **options)
        self._die("after")

    def transact(self, writes: Sequence[Write], events: Sequence[Event] = ()) -> None:
        self._die("before")
        self._inner.transact(writes, events)
        self._die("after")

    def _die(self, moment: str) -> None:
        if moment == self._moment:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main(folder: Path, writes: int, moment: str) -> None:
    services = services_in(folder)
    engine = own_machine(services, folder) if (folder / "machine.json").exists() else WorkflowEngine(services, Template.load())
    # The engine alone is mortal: what a process does before it starts one is not what is tested here.
    engine._executions = replace(engine._executions, records=MortalRecords(services.records, writes, moment))
    engine.start()
    wait_until(lambda: not services.records.query(RUNNING).items, seconds=120)
    engine.stop()


def own_machine(services: Services, folder: Path) -> WorkflowEngine:
    services.workflows.start("m", "x", json.loads((folder / "input.json").read_text()))
    template = template_of(folder, {"m": json.loads((folder / "machine.json").read_text())})
    return WorkflowEngine(services, template, pool=workers(2))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
