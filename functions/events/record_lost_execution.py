"""RecordLostExecution: end work whose execution is over, for whatever no state of its machine could record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from chalice.app import CloudWatchEvent

from functions.events.app import app
from upid.bootstrap import build_services
from upid.ports.workflows import Execution
from upid.services.completing import KIND_OF

# Of the stack's own machines: the template names them.
ENDED_BADLY: Final = {
    "source": ["aws.states"],
    "detail-type": ["Step Functions Execution Status Change"],
    "detail": {"status": ["FAILED", "TIMED_OUT", "ABORTED"]},
}


@app.on_cw_event(ENDED_BADLY, name="RecordLostExecution")
def handler(event: CloudWatchEvent) -> dict[str, Any]:
    """Return `{"status": ...}` of the work. The event is that of Step Functions about an execution that failed, took too long or was aborted."""
    tenant: str = orjson.loads(event.detail["input"])["tenant"]
    return build_services().completing.lose(tenant, execution_of(event.detail))


def execution_of(detail: Mapping[str, Any]) -> Execution:
    """Return the execution that an event of Step Functions tells of, its machine by the name of its file, which every stack puts its own before."""
    machine = next(name for name in KIND_OF if detail["stateMachineArn"].endswith(name))
    return Execution(machine, detail["name"], detail["status"], None, detail.get("error"), detail.get("cause"))
