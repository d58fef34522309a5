"""The template as AWS gets it: who may do what, what is kept how, and that it names what there is."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from chalice.app import ScheduledEventConfig
from e2e.homes.packaging import plain

from functions.events.app import app
from upid.ports.workflows import ExecutionStatus
from upid.runtime.template import Template
from upid.services.completing import KIND_OF

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = Template.load()
RESOURCES: dict[str, Any] = plain(TEMPLATE.document)["Resources"]
GLOBALS: dict[str, Any] = plain(TEMPLATE.document)["Globals"]["Function"]


def of_type(kind: str) -> dict[str, Any]:
    return {name: resource for name, resource in RESOURCES.items() if resource["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
SERVICES = re.compile(r"(?<!upid\.)\b(?:services|build_services\(\))\.([a-z_]+)")
ON_AWS = {
    "UPID_HOME": "aws", "UPID_TABLE": "upid", "UPID_BUCKET": "upid", "UPID_KEY": "alias/upid", "AWS_REGION": "eu-west-1",
    "UPID_MACHINES": "arn:aws:states:eu-west-1:123456789012:stateMachine:upid-",
}  # fmt: skip
WITHOUT_NUMERICS = """
import importlib, json, sys
sys.modules["numpy"] = sys.modules["scipy"] = None
module, services = json.loads(sys.argv[1])
try:
    loaded = importlib.import_module(module)
    getattr(loaded, "api", lambda: None)()
    from upid.bootstrap import build_services
    for name in services:
        getattr(build_services(), name)
except ImportError as error:
    print(error)
"""


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every statement of every policy with the resource that it stands in."""
    for name, resource in RESOURCES.items():
        properties = resource.get("Properties", {})
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        documents += [properties[key] for key in ("PolicyDocument", "KeyPolicy") if key in properties]
        for document in documents:
            yield from ((name, statement) for statement in document["Statement"])


def wildcards(statement: dict[str, Any]) -> Iterator[str]:
    """Yield what of a statement stands for more than it names."""
    for action in _listed(statement["Action"]):
        if "*" in action:
            yield action
    for resource in _listed(statement.get("Resource", [])):
        text = resource if isinstance(resource, str) else str(resource.get("Fn::Sub", ""))
        if "*" in text:
            yield "Resource *" if text == "*" else text
    if statement.get("Principal") == "*":
        yield "Principal *"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_every_wildcard_has_a_written_reason() -> None:
    for name, statement in statements():
        reasons = RESOURCES[name].get("Metadata", {}).get("Wildcards", {})
        for found in wildcards(statement):
            assert any(found.endswith(known) and len(why) > 20 for known, why in reasons.items()), (name, found)


@pytest.mark.parametrize(
    "statement", [{"Action": "s3:*", "Resource": "x"}, {"Action": ["s3:GetObject"], "Resource": "*"}, {"Action": "a", "Resource": {"Fn::Sub": "${B}/*"}}]
)  # fmt: skip
def test_a_wildcard_is_found_wherever_it_stands(statement: dict[str, Any]) -> None:
    assert list(wildcards(statement))


def test_no_policy_of_somebody_else_is_attached() -> None:
    assert [name for name, resource in RESOURCES.items() if {"ManagedPolicyArns"} & set(resource.get("Properties", {}))] == []
    assert [name for name, function in FUNCTIONS.items() if "Policies" in function["Properties"]] == []


def test_every_function_has_a_role_of_its_own() -> None:
    roles = Counter(json.dumps(function["Properties"]["Role"]) for function in FUNCTIONS.values())

    assert set(roles.values()) == {1}
    assert all(json.dumps({"Fn::GetAtt": [name.removesuffix("Function") + "Role", "Arn"]}) in roles for name in FUNCTIONS)


def test_every_file_of_a_task_is_a_function_and_every_function_is_there() -> None:
    modules = {function["Properties"]["Handler"].removesuffix(".handler") for function in FUNCTIONS.values()}
    files = {f"functions.events.{file.stem}" for file in (ROOT / "functions" / "events").glob("[a-z]*.py")} - {"functions.events.app"}

    assert {module for module in modules if module.startswith("functions.events.")} == files
    assert all((ROOT / f"{module.replace('.', '/')}.py").is_file() for module in modules)


def test_every_task_is_registered_with_chalice_by_the_name_of_its_function() -> None:
    handlers = {f.name: importlib.import_module(f.module).handler for f in TEMPLATE.functions.values() if ".events." in f.module}

    assert {f"{name}Function": handler for name, handler in app.handler_map.items()} == handlers


def test_chalice_and_the_template_say_the_same_of_what_calls_a_task() -> None:
    for function in TEMPLATE.functions.values():
        if ".events." in function.module:
            importlib.import_module(function.module)
    sources = {source.name: source for source in app.event_sources}
    schedules = {name: s.schedule_expression.to_string() for name, s in sources.items() if isinstance(s, ScheduledEventConfig)}
    told = {s.function.name.removesuffix("Function"): s.expression for s in TEMPLATE.schedules}
    (rule,) = TEMPLATE.rules
    detail = {name: wanted for name, wanted in rule.pattern["detail"].items() if name != "stateMachineArn"}

    assert schedules == told | {"PublishEvents": RESOURCES["EveryMinute"]["Properties"]["ScheduleExpression"]}
    assert sources["RecordLostExecution"].event_pattern == rule.pattern | {"detail": detail}
    assert {*schedules, "RecordLostExecution"} == set(sources)


def test_every_group_has_its_paths_bare_and_with_everything_below() -> None:
    groups = {file.parent.name for file in (ROOT / "functions").glob("*/routes*")}
    served = {function.module.split(".")[1] for function in {route.function for route in TEMPLATE.routes}}
    bare = {route.path for route in TEMPLATE.routes if not route.proxy and not route.open}

    assert groups == served
    assert bare == {route.path for route in TEMPLATE.routes if route.proxy}


def services_of(module: str) -> list[str]:
    """Return the services that a function's own files name."""
    path = ROOT / module.replace(".", "/")
    files = [path.with_suffix(".py")] if "events" in path.parts else list(path.parent.rglob("*.py"))
    return sorted({name for file in files for name in SERVICES.findall(file.read_text())})


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, f in FUNCTIONS.items()
        if not {"NumericsLayer", "TablesLayer"} & {layer["Ref"] for layer in f["Properties"].get("Layers", [])}
    ],
)
def test_who_has_no_numerics_needs_none(name: str) -> None:
    module = TEMPLATE.functions[name].module
    arguments = json.dumps([module, services_of(module)])
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}", **ON_AWS}

    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMERICS, arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
    )

    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_everything_that_is_stored_is_sealed() -> None:
    key = {"Fn::GetAtt": ["Key", "Arn"]}

    assert RESOURCES["Key"]["Properties"]["EnableKeyRotation"] is True
    assert {r["Properties"]["SSESpecification"]["KMSMasterKeyId"]["Fn::GetAtt"][0] for r in of_type("AWS::DynamoDB::Table").values()} == {
        "Key"
    }
    for bucket in of_type("AWS::S3::Bucket").values():
        rule = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert [r["Properties"]["KmsKeyId"] for r in of_type("AWS::Logs::LogGroup").values()] == [key]
    assert [r["Properties"]["KmsMasterKeyId"] for r in of_type("AWS::SNS::Topic").values()] == [key]
    assert [r["Properties"]["SqsManagedSseEnabled"] for r in of_type("AWS::SQS::Queue").values()] == [True]


def test_logs_end_and_data_stays() -> None:
    assert all("RetentionInDays" in group["Properties"] for group in of_type("AWS::Logs::LogGroup").values())
    for kind in ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key"):
        assert {(r["DeletionPolicy"], r["UpdateReplacePolicy"]) for r in of_type(kind).values()} == {("Retain", "Retain")}


def test_what_is_invoked_without_an_answer_has_a_queue_for_what_fails() -> None:
    told = {each.function.name for each in (*TEMPLATE.schedules, *TEMPLATE.rules)} | {"PublishEventsFunction"}

    assert {name for name, function in FUNCTIONS.items() if "DeadLetterQueue" in function["Properties"]} == told
    assert "DeadLetterConfig" in RESOURCES["EveryMinute"]["Properties"]["Target"]


def test_whatever_machine_ends_badly_is_told_of() -> None:
    (rule,) = TEMPLATE.rules

    assert set(rule.pattern["detail"]["stateMachineArn"]) == {machine.arn for machine in TEMPLATE.machines.values()}
    assert set(rule.pattern["detail"]["status"]) == set(get_args(ExecutionStatus)) - {"RUNNING", "SUCCEEDED"}
    assert set(KIND_OF) == set(TEMPLATE.machines)


def test_every_machine_and_the_queue_raise_an_alarm_that_somebody_hears() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm").values()
    watched = {(alarm["Properties"]["MetricName"], json.dumps(alarm["Properties"]["Dimensions"][0]["Value"])) for alarm in alarms}

    for machine in of_type("AWS::Serverless::StateMachine"):
        assert {(metric, json.dumps({"Ref": machine})) for metric in ("ExecutionsFailed", "ExecutionsTimedOut")} <= watched
    assert ("ApproximateNumberOfMessagesVisible", json.dumps({"Fn::GetAtt": ["Undelivered", "QueueName"]})) in watched
    assert {json.dumps(alarm["Properties"]["AlarmActions"]) for alarm in alarms} == {'[{"Ref": "Alarms"}]'}


def test_an_authorizers_answer_is_kept_by_the_token_alone() -> None:
    identity = RESOURCES["Api"]["Properties"]["Auth"]["Authorizers"]["TokenAuthorizer"]["Identity"]

    assert identity == {"Headers": ["Authorization"], "ReauthorizeEvery": 60}


def test_a_machine_may_invoke_exactly_the_functions_that_it_names() -> None:
    for machine in of_type("AWS::Serverless::StateMachine").values():
        role = RESOURCES[machine["Properties"]["Role"]["Fn::GetAtt"][0]]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        allowed = next(statement["Resource"] for statement in role if statement["Action"] == "lambda:InvokeFunction")

        assert sorted(map(str, allowed)) == sorted(map(str, machine["Properties"]["DefinitionSubstitutions"].values()))


def test_layers_hold_what_the_package_asks_for_but_for_the_command_line_and_the_server() -> None:
    wanted = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])
    lines = [line for file in (ROOT / "layers").glob("*/*.txt") for line in file.read_text().splitlines()]
    asked = {line for line in lines if not line.startswith("#")}

    assert asked <= wanted
    assert {re.split(r"[<>=]", line)[0] for line in wanted - asked} == {"httptools", "rich", "typer", "uvicorn"}


def test_usage_is_read_without_scipy_beside_which_tables_do_not_fit() -> None:
    loaded = "import sys, upid.services.usage, upid.services.current_usage, upid.adapters.columnar.rollups, upid.adapters.columnar.packing, functions.metrics.app as app; app.api(); print(sorted({'scipy', 'pandas', 'fastparquet'} & set(sys.modules)))"
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}"}
    done = subprocess.run([sys.executable, "-c", loaded], env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert FUNCTIONS["MetricsFunction"]["Properties"]["Layers"] == [{"Ref": "TablesLayer"}]
