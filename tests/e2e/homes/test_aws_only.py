"""What only the home on AWS has: roles that allow no more than they say, the bus, links to long answers."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
import urllib3
from botocore.exceptions import ClientError
from e2e.homes.journey import Journey
from outside.serving import Reply, Request, serving

from upid.bootstrap import Services
from upid.runtime.scheduler import event_of
from upid.runtime.template import Template
from upid.settings import Settings


@pytest.fixture(scope="module")
def journey(journey_of: Callable[[str], Journey]) -> Journey:
    return journey_of("aws")


@pytest.fixture
def services(journey: Journey) -> Iterator[Services]:
    """The services of the home, as a process on its data has them."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in journey.home.environment.items():
            environment.setenv(name, value)
        yield Services(Settings.from_environment())


def as_role(function: str, service: str) -> Any:
    """Return a client with the rights of a function's role."""
    name = boto3.client("cloudformation").describe_stack_resource(StackName="upid", LogicalResourceId=f"{function}Role")
    arn = boto3.client("iam").get_role(RoleName=name["StackResourceDetail"]["PhysicalResourceId"])["Role"]["Arn"]
    given = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return boto3.client(
        service,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def test_a_role_allows_what_its_function_does(journey: Journey) -> None:
    key = {"partition": {"S": "r#none"}, "sort": {"S": "#none"}}

    assert "Item" not in as_role("Gateway", "dynamodb").get_item(TableName=journey.home.environment["UPID_TABLE"], Key=key)


@pytest.mark.parametrize(
    ("function", "service", "call"),
    [
        ("Gateway", "dynamodb", lambda c, home: c.delete_item(TableName=home["UPID_TABLE"], Key={"partition": {"S": "a"}, "sort": {"S": "b"}})),
        ("Gateway", "s3", lambda c, home: c.get_object(Bucket=home["UPID_BUCKET"], Key="t/default/x")),
        ("AnalyzeShard", "dynamodb", lambda c, home: c.delete_table(TableName=home["UPID_TABLE"])),
        ("AnalyzeShard", "stepfunctions", lambda c, home: c.start_execution(stateMachineArn=home["UPID_MACHINES"] + "analyze-cluster")),
        ("Authorizer", "s3", lambda c, home: c.list_objects_v2(Bucket=home["UPID_BUCKET"])),
    ],
)  # fmt: skip
def test_a_role_allows_nothing_else(journey: Journey, function: str, service: str, call: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        call(as_role(function, service), journey.home.environment)


def test_the_outbox_goes_to_the_bus_once(journey: Journey, services: Services) -> None:
    assert journey.analysis["status"] == "succeeded"
    queue = boto3.client("sqs").create_queue(QueueName=f"heard-{journey.mark}")["QueueUrl"]
    rule = {"Name": f"all-{journey.mark}", "EventBusName": "upid"}
    boto3.client("events").put_rule(**rule, EventPattern=json.dumps({"source": ["upid"]}))
    arn = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    boto3.client("events").put_targets(EventBusName="upid", Rule=rule["Name"], Targets=[{"Id": "heard", "Arn": arn}])
    waiting = {stored.event.id for stored in services.events.unpublished(1000)}
    function = boto3.client("cloudformation").describe_stack_resource(StackName="upid", LogicalResourceId="PublishEventsFunction")

    event = event_of(Template.load().schedules[0], 0.0)  # of the same form for every schedule

    answers = [
        json.loads(
            boto3.client("lambda")
            .invoke(FunctionName=function["StackResourceDetail"]["PhysicalResourceId"], Payload=json.dumps(event))["Payload"]
            .read()
        )
        for _ in range(2)
    ]

    heard: list[str] = []
    while found := boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        heard += [json.loads(message["Body"])["detail"]["id"] for message in found]
        for message in found:
            boto3.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert answers == [{"published": len(waiting)}, {"published": 0}]
    assert sorted(heard) == sorted(waiting)


def test_an_execution_that_somebody_stops_ends_its_work(journey: Journey) -> None:
    assert journey.analysis["status"] == "succeeded"
    started = journey.post("/optimization/analyze", {"cluster_id": journey.cluster_id})
    arn = journey.home.environment["UPID_MACHINES"].replace(":stateMachine:", ":execution:") + "analyze-cluster:"

    boto3.client("stepfunctions").stop_execution(executionArn=arn + started.expect(202)["id"], cause="Enough.")

    work = journey.ended(started)
    # The cause is there where somebody looks before the event comes: the emulator's event of an abort holds none.
    assert (work["status"], [error["code"] for error in work["errors"]]) == ("cancelled", ["cancelled"])


@contextmanager
def apart(machine: str) -> Iterator[None]:
    """Let a machine run every shard apart, one after the other, until the block ends: few shards show what more than 40 are dealt with by."""
    machines = boto3.client("stepfunctions")
    before = machines.describe_state_machine(stateMachineArn=machine)["definition"]
    definition = json.loads(before)
    definition["States"]["HasManyShards"]["Choices"][0]["NumericGreaterThan"] = 0
    definition["States"]["ForEachShardApart"]["MaxConcurrency"] = 1
    machines.update_state_machine(stateMachineArn=machine, definition=json.dumps(definition))
    try:
        yield
    finally:
        machines.update_state_machine(stateMachineArn=machine, definition=before)


@pytest.fixture
def in_four_shards(journey: Journey, services: Services) -> str:
    """Return the demo cluster, registered once more and collected in four shards: so small a one has a single one by itself."""
    told = {**journey.registration, "name": f"apart-{journey.mark}"}
    cluster_id = str(journey.post("/clusters", told).expect(201)["id"])
    services.cluster_records.change("default", cluster_id, lambda body: body | {"shards": 4})
    assert journey.ended(journey.post("/metrics/collect", {"cluster_id": cluster_id, "history": "1d"}))["status"] == "succeeded"
    return cluster_id


def test_shards_that_run_apart_end_as_shards_that_do_not(journey: Journey, in_four_shards: str) -> None:
    machine = journey.home.environment["UPID_MACHINES"] + "analyze-cluster"

    def analyzed() -> tuple[str, list[dict[str, Any]]]:
        work = journey.ended(journey.post("/optimization/analyze", {"cluster_id": in_four_shards}))
        assert (work["status"], work["errors"]) == ("succeeded", [])
        own = ("id", "analysis_id", "created_at", "generated_at")
        entries = journey.items(f"/optimization/recommendations/{in_four_shards}", limit=100)
        return work["id"], [{name: value for name, value in entry.items() if name not in own} for entry in entries]

    _, together = analyzed()
    with apart(machine):
        analysis_id, one_by_one = analyzed()

    machines, execution = boto3.client("stepfunctions"), machine.replace(":stateMachine:", ":execution:")
    (run,) = machines.list_map_runs(executionArn=f"{execution}:{analysis_id}")["mapRuns"]
    counts = machines.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
    assert (counts["total"], counts["succeeded"]) == (4, 4)
    assert one_by_one == together != []


@contextmanager
def allowed(function: str, seconds: int) -> Iterator[None]:
    """Let a function of the stack run no longer than this until the block ends."""
    functions = boto3.client("lambda")
    found = boto3.client("cloudformation").describe_stack_resource(StackName="upid", LogicalResourceId=function)
    name = found["StackResourceDetail"]["PhysicalResourceId"]
    before = functions.get_function_configuration(FunctionName=name)["Timeout"]
    functions.update_function_configuration(FunctionName=name, Timeout=seconds)
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Timeout=before)


def test_a_function_that_times_out_in_the_middle_is_called_again_and_nothing_is_lost(journey: Journey) -> None:
    http, over, hung = urllib3.PoolManager(retries=False, timeout=60), threading.Event(), []

    def answer(request: Request) -> Reply:
        if request.path.endswith("/query_range") and not hung:
            hung.append(request.path)
            over.wait(120)  # for ever, to the function: AWS ends it
        headers = {name: request.headers[name] for name in ("content-type",) if name in request.headers}
        query = f"?{urlencode(request.params, doseq=True)}" if not request.body else ""
        sent = http.request(
            "POST" if request.body else "GET", f"{journey.cluster_url}{request.path}{query}", body=request.body, headers=headers
        )
        return Reply(sent.data, sent.status)

    assert journey.collection["status"] == "succeeded"
    with serving(answer) as url, allowed("CollectNamespacesFunction", 15):
        metrics = {"kind": "prometheus", "url": f"{url}/prometheus"}
        cluster = journey.post("/clusters", {**journey.registration, "name": f"hung-{journey.mark}", "metrics": metrics}).expect(201)
        try:
            work = journey.ended(journey.post("/metrics/collect", {"cluster_id": cluster["id"]}))
        finally:
            over.set()

    assert len(hung) == 1
    assert (work["status"], work["errors"]) == ("succeeded", [])
    same = ("containers", "workloads")
    assert [work["result"][name] for name in same] == [journey.collection["result"][name] for name in same]
    # Pods come and go meanwhile; a part that was lost, or came twice, would show.
    assert work["result"]["samples"] == pytest.approx(journey.collection["result"]["samples"], rel=0.02)


def test_a_link_gives_a_stored_answer_without_a_token(services: Services) -> None:
    services.blobs.put("answers/long", b'{"items": []}')

    with urllib.request.urlopen(services.links.link("answers/long", seconds=60, content_type="application/json")) as answer:
        assert (answer.status, answer.headers["Content-Type"], answer.read()) == (200, "application/json", b'{"items": []}')
