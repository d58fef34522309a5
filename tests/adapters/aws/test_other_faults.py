"""KMS, Step Functions and EventBridge when they slow down, lose answers or are gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from adapters.aws.endpoint import HANG_UP, Answer, Endpoint, dynamo, failure
from contract.stores import BLOBS

from upid.adapters.aws.clients import ATTEMPTS, AwsClients
from upid.adapters.aws.errors import ThrottledError
from upid.adapters.eventbridge.bus import EventBridgeBus
from upid.adapters.kms.sealer import KmsSealer
from upid.adapters.stepfunctions.workflows import StepFunctionsWorkflows
from upid.domain.errors import RefusedError, UnavailableError
from upid.domain.events import Event
from upid.ports.events import StoredEvent

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1"
MACHINES = "arn:aws:states:eu-central-1:123456789012:stateMachine:upid-"


def events(count: int) -> list[StoredEvent]:
    return [StoredEvent(n, Event(f"evt_{n}", "user.created", "a", "usr_1", 0.0)) for n in range(count)]


@pytest.fixture
def bus(clients: AwsClients, tmp_path: Path) -> EventBridgeBus:
    return EventBridgeBus(clients, "upid", BLOBS["directory"](tmp_path), sleep=lambda _: None)


@pytest.fixture
def workflows(clients: AwsClients) -> StepFunctionsWorkflows:
    return StepFunctionsWorkflows(clients, MACHINES)


def took(count: int) -> Answer:
    return dynamo({"FailedEntryCount": 0, "Entries": [{"EventId": "x"}] * count})


def test_kms_that_throttles_is_asked_again_and_told_in_the_end(endpoint: Endpoint, clients: AwsClients) -> None:
    endpoint.says(failure("ThrottlingException", "Rate exceeded"))
    with pytest.raises(ThrottledError, match=r"The key arn.* of KMS answered GenerateDataKey with ThrottlingException: Rate exceeded"):
        KmsSealer(clients, KEY).seal(b"x", context="cl_1")
    assert len(endpoint.requests) == ATTEMPTS


def test_a_key_that_is_switched_off_is_told_and_not_asked_again(endpoint: Endpoint, clients: AwsClients) -> None:
    endpoint.says(failure("DisabledException", "key is disabled"))
    with pytest.raises(RefusedError, match="DisabledException"):
        KmsSealer(clients, KEY).seal(b"x", context="cl_1")
    assert len(endpoint.requests) == 1


def test_an_execution_whose_start_lost_its_answer_is_started_once(endpoint: Endpoint, workflows: StepFunctionsWorkflows) -> None:
    endpoint.says(HANG_UP, failure("ExecutionAlreadyExists"))
    workflows.start("collect-usage", "col_1", {"v": 1})
    assert [request.json["name"] for request in endpoint.requests] == ["col_1", "col_1"]
    assert endpoint.requests[0].json["stateMachineArn"] == f"{MACHINES}collect-usage"


def test_a_machine_that_is_not_there_is_told_by_its_name(endpoint: Endpoint, workflows: StepFunctionsWorkflows) -> None:
    endpoint.says(failure("StateMachineDoesNotExist"))
    with pytest.raises(
        UnavailableError, match="The state machine upid-collect-usage answered StartExecution with StateMachineDoesNotExist"
    ):
        workflows.start("collect-usage", "col_1", {})


def test_an_execution_that_waits_to_go_on_still_runs(endpoint: Endpoint, workflows: StepFunctionsWorkflows) -> None:
    endpoint.says(dynamo({"status": "PENDING_REDRIVE", "error": "X"}))
    assert workflows.describe("collect-usage", "col_1").status == "RUNNING"


def test_events_that_were_taken_before_the_bus_was_gone_are_not_sent_again(endpoint: Endpoint, bus: EventBridgeBus) -> None:
    endpoint.says(took(10), HANG_UP)
    assert list(bus.publish(events(15))) == list(range(10))


def test_a_bus_that_is_gone_is_told_as_such(endpoint: Endpoint, bus: EventBridgeBus) -> None:
    endpoint.close()
    with pytest.raises(UnavailableError, match="The bus upid of EventBridge does not answer"):
        bus.publish(events(1))


def test_a_throttled_batch_is_sent_again(endpoint: Endpoint, bus: EventBridgeBus) -> None:
    endpoint.says(*[failure("ThrottlingException")] * ATTEMPTS, took(3))
    assert list(bus.publish(events(3))) == [0, 1, 2]
