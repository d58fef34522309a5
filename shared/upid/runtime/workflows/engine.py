"""The engine: resumes what was running, watches for what is new, and stops in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import Any, Final

from upid.adapters.embedded.workflows import RUNNING, EmbeddedWorkflows
from upid.bootstrap import Services
from upid.domain.errors import AppError
from upid.ports.records import Record
from upid.runtime.template import Template
from upid.runtime.workflows.executions import Executions, persistently
from upid.runtime.workflows.frames import Tasks
from upid.runtime.workflows.lock import DirectoryLock
from upid.runtime.workflows.pool import WorkerPool
from upid.runtime.workflows.tasks import PooledTasks

PAGE: Final = 500
_LOG = logging.getLogger(__name__)


class WorkflowEngine:
    """Runs executions in one thread with an event loop, and their tasks in worker processes (or by `tasks`, where given).

    Two engines on one data directory take turns: the second waits until the first has ended or was killed.
    """

    def __init__(
        self,
        services: Services,
        template: Template,
        *,
        tasks: Tasks | None = None,
        pool: WorkerPool | None = None,
        poll_seconds: float = 0.05,
    ) -> None:
        self._services = services
        self._pool = pool or (None if tasks else worker_pool(services, template))
        self._tasks = tasks or PooledTasks(template, self._needed_pool())
        self._executions = Executions(services.records, services.clock, template, self._tasks)
        self._poll_seconds = poll_seconds
        self._lock = DirectoryLock(services.settings.home / "engine.lock")
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="workflows", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._stopping = threading.Event()
        self._grace_seconds = 0.0

    def start(self) -> None:
        """Start the workers and the engine's thread, and return at once."""
        if self._pool:
            self._pool.start()
        self._listeners().append(self._tell)
        self._thread.start()

    def stop(self, grace_seconds: float = 3.0) -> None:
        """Let the tasks that run end and be recorded for as long as this, then leave everything to be resumed, and return when all is still."""
        self._grace_seconds = grace_seconds
        self._stopping.set()
        with contextlib.suppress(ValueError):
            self._listeners().remove(self._tell)
        self._tell()
        if self._thread.is_alive():
            self._thread.join()
        if self._pool:
            self._pool.close()

    def _needed_pool(self) -> WorkerPool:
        if self._pool is None:
            raise ValueError("Tasks need a pool.")
        return self._pool

    def _listeners(self) -> list[Any]:
        workflows = self._services.workflows
        return workflows.listeners if isinstance(workflows, EmbeddedWorkflows) else []

    def _tell(self) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended in between
                loop.call_soon_threadsafe(self._news.set)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        active: dict[tuple[str, str], asyncio.Task[None]] = {}
        try:
            while not self._stopping.is_set():
                self._news.clear()
                try:
                    if self._lock.take():
                        self._look(active)
                except (AppError, OSError) as error:
                    _LOG.warning("The list of executions cannot be read: %s", error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), self._poll_seconds)
        finally:
            await self._wind_down(active)

    def _look(self, active: dict[tuple[str, str], asyncio.Task[None]]) -> None:
        """Take up what is in the list of running executions and not active here, and end what was stopped."""
        listed = {(entry.body["machine"], entry.body["name"]): entry.body["stopped"] for entry in self._listed()}
        for key in [key for key, task in active.items() if task.done() and key not in listed]:
            del active[key]
        for key, stopped in listed.items():
            if stopped and key in active and not active[key].done():
                active[key].cancel()
            if key not in active or (active[key].cancelled() and stopped):
                active[key] = asyncio.create_task(persistently(self._executions, *key))

    def _listed(self) -> list[Record]:
        found: list[Record] = []
        after: str | None = None
        while True:
            page = self._services.records.query(RUNNING, after=after, limit=PAGE)
            found += page.items
            after = page.after
            if after is None:
                return found

    async def _wind_down(self, active: dict[tuple[str, str], asyncio.Task[None]]) -> None:
        if self._pool:
            await asyncio.to_thread(self._pool.drain, self._grace_seconds)
            await asyncio.sleep(0.01)  # what has just ended is recorded
        for task in active.values():
            task.cancel()
        await asyncio.gather(*active.values(), return_exceptions=True)
        self._lock.give_back()


def worker_pool(services: Services, template: Template) -> WorkerPool:
    """Return the pool of this process' settings, its workers on the same data directory, with the template's tasks imported while idle."""
    modules = sorted({f.module for f in template.functions.values() if f.module.startswith("functions.events.")})
    return WorkerPool(services.settings.workers, environment={"UPID_HOME": str(services.settings.home)}, modules=modules)
