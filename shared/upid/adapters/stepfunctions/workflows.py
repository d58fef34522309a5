"""The port Workflows over Step Functions: an execution's name is its idempotency key, as AWS keeps it for 90 days."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

import orjson

from upid.adapters.aws.clients import AwsClients
from upid.domain.errors import InvalidError, NotFoundError
from upid.ports.workflows import Execution, ExecutionStatus

DATA_LIMIT_BYTES: Final = 256 * 1024
LONGEST_CAUSE: Final = 32_768
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_STATUSES: Final = frozenset(get_args(ExecutionStatus))


class StepFunctionsWorkflows:
    """Executions of the machines whose ARNs begin with `machines` (`arn:aws:states:<region>:<account>:stateMachine:<stack>-`), then their name."""

    def __init__(self, clients: AwsClients, machines: str) -> None:
        self._clients = clients
        self._machines = machines

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> None:
        """Start an execution; InvalidError for a name or an input that Step Functions refuses, UnavailableError where the machine is not there."""
        if not _NAME.fullmatch(machine) or not _NAME.fullmatch(name):
            raise InvalidError(f"{machine}/{name} cannot name an execution: letters, digits, - and _, at most 80.")
        text = orjson.dumps(payload)
        if len(text) > DATA_LIMIT_BYTES:
            raise InvalidError(f"The input of {name} is over {DATA_LIMIT_BYTES} bytes: pass references.")
        with self._told(machine), contextlib.suppress(self._client.exceptions.ExecutionAlreadyExists):
            self._client.start_execution(stateMachineArn=self._machines + machine, name=name, input=text.decode())

    def describe(self, machine: str, name: str) -> Execution:
        """Return an execution as it stands; NotFoundError where there is none."""
        with self._told(machine):
            try:
                found = self._client.describe_execution(executionArn=self._arn(machine, name))
            except self._client.exceptions.ExecutionDoesNotExist:
                raise NotFoundError(f"There is no execution {name} of {machine}.", machine=machine, name=name) from None
        status: ExecutionStatus = found["status"] if found["status"] in _STATUSES else "RUNNING"  # PENDING_REDRIVE: it will go on
        output = orjson.loads(found["output"]) if found.get("output") else None
        return Execution(machine, name, status, output, found.get("error") or None, found.get("cause") or None)

    def stop(self, machine: str, name: str, *, cause: str) -> None:
        """Abort an execution that still runs; NotFoundError where there is none."""
        if self.describe(machine, name).status == "RUNNING":
            with self._told(machine):
                self._client.stop_execution(executionArn=self._arn(machine, name), cause=cause[:LONGEST_CAUSE])

    @property
    def _client(self) -> Any:
        return self._clients.get("stepfunctions")

    def _arn(self, machine: str, name: str) -> str:
        return f"{self._machines.replace(':stateMachine:', ':execution:')}{machine}:{name}"

    @contextlib.contextmanager
    def _told(self, machine: str) -> Iterator[None]:
        from upid.adapters.aws.errors import told  # noqa: PLC0415 imports botocore

        with told(f"The state machine {self._machines.rpartition(':')[2]}{machine}"):
            yield
