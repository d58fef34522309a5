"""Who runs the functions that tasks call: worker processes, or, for tests and tools, this process."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from upid.runtime.template import Function, Template, TemplateError
from upid.runtime.workflows.faults import TIMEOUT, StatesError
from upid.runtime.workflows.pool import Job, WorkerPool

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PooledTasks:
    """Runs the functions of the template in worker processes."""

    template: Template
    pool: WorkerPool

    async def run(self, function: str, payload: Any, timeout_seconds: float | None) -> Any:
        """Return a function's result; the time counts from when a worker takes it, so that waiting for one is no timeout."""
        found = resolve(self.template, function)
        return await asyncio.wrap_future(self.pool.submit(Job.of(found, payload, timeout_seconds)))


@dataclass(frozen=True, slots=True)
class InlineTasks:
    """Runs functions of a table, by name, in threads of this process."""

    functions: Mapping[str, Callable[[Any, Any], Any]]

    async def run(self, function: str, payload: Any, timeout_seconds: float | None) -> Any:
        """Return a function's result; one that takes too long goes on without effect."""
        name = function.split(":")[6] if function.startswith("arn:") else function
        if name not in self.functions:
            raise unknown(function)
        try:
            return await asyncio.wait_for(asyncio.to_thread(self.functions[name], payload, None), timeout_seconds)
        except TimeoutError:
            raise StatesError(TIMEOUT, f"{name} took longer than {timeout_seconds} s.") from None
        except Exception as error:
            _LOG.warning("Task %s failed with %s.\n%s", name, type(error).__name__, traceback.format_exc())
            raise StatesError(type(error).__name__, str(error)) from error


def resolve(template: Template, function: str) -> Function:
    """Return the function of a name or ARN; the error that Lambda gives where there is none."""
    try:
        return template.function(function)
    except TemplateError as error:
        raise unknown(function) from error


def unknown(function: str) -> StatesError:
    """Return the error of a function that is not there."""
    return StatesError("Lambda.ResourceNotFoundException", f"There is no function {function}.")
