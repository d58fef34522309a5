"""The project's template, and what is refused of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from upid.runtime.template import Template, TemplateError

TEMPLATE = Template.load()
FUNCTION = "Type: AWS::Serverless::Function\n    Properties: {Handler: a.app.handler}"


def written(folder: Path, resources: str) -> Template:
    (folder / "template.yaml").write_text(f"Resources:\n  F:\n    {FUNCTION}\n{resources}")
    return Template.load(folder)


def test_a_function_is_a_module_below_its_code() -> None:
    function = TEMPLATE.functions["AnalyzeShardFunction"]

    assert (function.module, function.handler, function.timeout_seconds) == ("functions.events.analyze_shard", "handler", 300.0)
    assert TEMPLATE.functions["ClustersFunction"].timeout_seconds == 29.0  # the global one


@pytest.mark.parametrize("reference", ["{arn}", "{arn}:$LATEST", "{name}"])
def test_a_function_is_found_by_its_arn_and_its_name(reference: str) -> None:
    function = TEMPLATE.functions["FoldShardFunction"]

    assert TEMPLATE.function(reference.format(arn=function.arn, name=function.name)) is function


@pytest.mark.parametrize("reference", ["Nope", "arn:aws:lambda:us-east-1:000000000000:function:Nope", "arn:aws:s3:::bucket", ""])
def test_a_function_that_is_not_there_is_an_error(reference: str) -> None:
    with pytest.raises(TemplateError, match="no function"):
        TEMPLATE.function(reference)


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/api/v1/clusters", "/api/v1/clusters"),
        ("/api/v1/clusters/", "/api/v1/clusters"),
        ("/api/v1/clusters/cl_1/x", "/api/v1/clusters/{proxy+}"),
        ("/api/v1/clustersx", None),
        ("/api/v1", None),
        ("/", None),
    ],
)
def test_a_path_leads_to_the_route_of_its_prefix(path: str, resource: str | None) -> None:
    route = TEMPLATE.route(path)

    assert (route.resource if route else None) == resource


def test_the_authorizer_is_the_one_that_the_api_names() -> None:
    authorizer = TEMPLATE.authorizer

    assert authorizer is not None
    assert authorizer.module == "functions.authorizer.app"


def test_a_schedule_invokes_its_function() -> None:
    assert [(schedule.expression, schedule.function.name) for schedule in TEMPLATE.schedules] == [
        ("rate(5 minutes)", "StartCollectionsFunction"),
        ("rate(1 hour)", "DownsampleUsageFunction"),
    ]


def test_a_schedule_that_is_switched_off_is_none(tmp_path: Path) -> None:
    events = "Events: {Off: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute), State: DISABLED}}}"
    template = written(tmp_path, f"  G:\n    Type: AWS::Serverless::Function\n    Properties: {{Handler: a.b, {events}}}\n")

    assert template.schedules == ()


RULE = """  G:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Events:
        Over: {Type: EventBridgeRule, Properties: {Pattern: {source: [aws.states], detail: {stateMachineArn: [!Ref M], status: [FAILED, ABORTED]}}}}
  M: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: a-b.asl.json}}
"""
ARN = "arn:aws:states:us-east-1:000000000000:stateMachine:a-b"


@pytest.mark.parametrize(
    ("event", "matches"),
    [
        ({"source": "aws.states", "detail": {"stateMachineArn": ARN, "status": "ABORTED", "more": 1}}, True),
        ({"source": "aws.states", "detail": {"stateMachineArn": ARN, "status": "SUCCEEDED"}}, False),
        ({"source": "aws.states", "detail": {"stateMachineArn": f"{ARN}/shards", "status": "FAILED"}}, False),
        ({"source": "upid", "detail": {"stateMachineArn": ARN, "status": "FAILED"}}, False),
        ({"source": "aws.states", "detail": "no object"}, False),
        ({}, False),
    ],
)
def test_a_rule_is_for_the_events_that_hold_one_of_its_values_each(tmp_path: Path, event: dict[str, Any], matches: bool) -> None:
    (rule,) = written(tmp_path, RULE).rules

    assert (rule.function.name, rule.matches(event)) == ("G", matches)


@pytest.mark.parametrize("pattern", ["{source: aws.states}", "{source: [{prefix: aws}]}"])
def test_a_pattern_of_another_kind_is_an_error(tmp_path: Path, pattern: str) -> None:
    events = f"Events: {{E: {{Type: EventBridgeRule, Properties: {{Pattern: {pattern}}}}}}}"
    template = written(tmp_path, f"  G:\n    Type: AWS::Serverless::Function\n    Properties: {{Handler: a.b, {events}}}\n")

    with pytest.raises(TemplateError, match="list of values"):
        _ = template.rules


def test_the_longest_prefix_wins_and_an_open_path_says_so(tmp_path: Path) -> None:
    events = """Events:
        A: {Type: Api, Properties: {Path: "/a/{proxy+}", Method: ANY}}
        B: {Type: Api, Properties: {Path: "/a/b/{proxy+}", Method: ANY, Auth: {Authorizer: NONE}}}
"""
    template = written(tmp_path, f"  G:\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: a.b\n      {events}")
    near, far = template.route("/a/b/c"), template.route("/a/x")

    assert near is not None
    assert far is not None
    assert (near.path, near.open, far.path, far.open) == ("/a/b", True, "/a", False)


@pytest.mark.parametrize(
    ("value", "resolved"),
    [("!Ref F", "F"), ("!Ref AWS::Region", "us-east-1"), ('!Sub "${AWS::StackName}-${F}"', "upid-F"), ("plain", "plain")],
)
def test_a_substitution_is_resolved(tmp_path: Path, value: str, resolved: str) -> None:
    (tmp_path / "a-b.asl.json").write_text('{"x": "${Name}"}')
    properties = f"Properties:\n      DefinitionUri: a-b.asl.json\n      DefinitionSubstitutions: {{Name: {value}}}\n"

    template = written(tmp_path, f"  M:\n    Type: AWS::Serverless::StateMachine\n    {properties}")

    assert template.machines["a-b"].text() == f'{{"x": "{resolved}"}}'


@pytest.mark.parametrize("value", ["!Ref Nope", "!GetAtt F.Version", "!GetAtt Nope.Arn", '!Sub "${Nope}"'])
def test_a_reference_to_nothing_is_an_error(tmp_path: Path, value: str) -> None:
    properties = f"Properties:\n      DefinitionUri: a.asl.json\n      DefinitionSubstitutions: {{Name: {value}}}\n"
    template = written(tmp_path, f"  M:\n    Type: AWS::Serverless::StateMachine\n    {properties}")

    with pytest.raises(TemplateError):
        _ = template.machines


@pytest.mark.parametrize(
    "text", ["Resources:\n  A: !Join [a, [b]]", "Resources:\n  A: !If x", "a: [", "[]", "Resources: 1", "A: !!python/name:os.system x"]
)
def test_what_is_no_template_that_we_know_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "template.yaml").write_text(text)

    with pytest.raises(TemplateError):
        Template.load(tmp_path)


def test_a_folder_without_a_template_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"template\.yaml cannot be read"):
        Template.load(tmp_path)
