"""An engine over a folder of machines, and waiting for what it does."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from machines.handlers import FUNCTIONS
from upid.bootstrap import Services
from upid.ports.workflows import Execution
from upid.runtime.template import Template
from upid.runtime.workflows.engine import WorkflowEngine
from upid.runtime.workflows.pool import WorkerPool
from upid.runtime.workflows.tasks import InlineTasks
from upid.settings import Settings

TESTS = Path(__file__).parents[1]
INVOKE = "arn:aws:states:::lambda:invoke"


def task(function: str, **fields: Any) -> dict[str, Any]:
    """A task that calls a function with the whole input and hands on what it returns."""
    state = {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName": function, "Payload.$": "$"}, "OutputPath": "$.Payload"}
    return {**state, **({} if "Next" in fields else {"End": True}), **fields}


def machine(start: str, states: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return {"StartAt": start, "States": dict(states), **fields}


def one(kind: str, **fields: Any) -> dict[str, Any]:
    """A machine of one state, `A`."""
    return machine("A", {"A": {"Type": kind, **fields}})


def template_of(folder: Path, machines: Mapping[str, Any]) -> Template:
    """Write machines into a folder and return a template of them and of all test functions."""
    functions = {f.__name__: f for f in FUNCTIONS}
    resources: dict[str, Any] = {
        name: {"Type": "AWS::Serverless::Function", "Properties": {"Handler": f"machines.handlers.{name}", "Timeout": 100}}
        for name in functions
    }
    for name, definition in machines.items():
        (folder / f"{name}.asl.json").write_text(json.dumps(definition))
        resources[f"Machine{name}"] = {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": f"{name}.asl.json"}}
    return Template(folder, {"Resources": resources})


def inline_tasks() -> InlineTasks:
    return InlineTasks({f.__name__: f for f in FUNCTIONS})


def workers(count: int = 1, **environment: str) -> WorkerPool:
    return WorkerPool(count, environment={"PYTHONPATH": str(TESTS), **environment}, modules=["machines.handlers"])


def services_in(folder: Path) -> Services:
    return Services(Settings(home=folder, workers=1))


def engine_of(services: Services, machines: Mapping[str, Any], pool: WorkerPool | None = None) -> WorkflowEngine:
    """Return an engine for machines in the services' folder, with tasks in this process or in a pool."""
    return WorkflowEngine(services, template_of(services.settings.home, machines), tasks=None if pool else inline_tasks(), pool=pool)


def wait_until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"It did not come about within {seconds} s.")
        time.sleep(0.003)


def ended(services: Services, name: str, execution: str = "x") -> Execution:
    """Wait for an execution's end and return it."""
    wait_until(lambda: services.workflows.describe(name, execution).status != "RUNNING")
    return services.workflows.describe(name, execution)


def run(folder: Path, definition: Mapping[str, Any], payload: Mapping[str, Any], pool: WorkerPool | None = None) -> Execution:
    """Run one machine to its end."""
    services = services_in(folder)
    engine = engine_of(services, {"m": definition}, pool)
    engine.start()
    try:
        services.workflows.start("m", "x", payload)
        return ended(services, "m")
    finally:
        engine.stop()
        services.database.close()
