"""The embedded gateway against functions of our own: what it hands them and what it makes of their answers."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest

from upid.runtime.gateway import Gateway
from upid.runtime.proxy_event import HttpAnswer, HttpRequest
from upid.runtime.template import Template

TEMPLATE = """
Globals: {Function: {CodeUri: .}}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties: {Auth: {DefaultAuthorizer: Own, Authorizers: {Own: {FunctionArn: !GetAtt Authorizer.Arn}}}}
  Authorizer: {Type: AWS::Serverless::Function, Properties: {Handler: gateway_probe.authorize}}
  Group:
    Type: AWS::Serverless::Function
    Properties:
      Handler: gateway_probe.answer
      Events:
        All: {Type: Api, Properties: {Path: "/things/{proxy+}", Method: ANY}}
        Open: {Type: Api, Properties: {Path: /things/open, Method: ANY, Auth: {Authorizer: NONE}}}
"""


class Probe(ModuleType):
    """Functions that record their events and answer what the test says."""

    def __init__(self) -> None:
        super().__init__("gateway_probe")
        self.events: list[dict[str, Any]] = []
        self.contexts: list[Any] = []
        self.result: Any = {"statusCode": 200, "body": "done"}
        self.effect = "Allow"
        self.error: Exception | None = None

    def authorize(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        self.events.append(event)
        if self.error:
            raise self.error
        return {"principalId": "p", "policyDocument": {"Statement": [{"Effect": self.effect}]}, "context": {"user_id": "u"}}

    def answer(self, event: dict[str, Any], context: Any) -> Any:
        self.events.append(event)
        self.contexts.append(context)
        return self.result


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Probe:
    made = Probe()
    monkeypatch.setitem(sys.modules, "gateway_probe", made)
    return made


@pytest.fixture
def gateway(tmp_path: Path, probe: Probe) -> Gateway:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    made = Gateway(Template.load(tmp_path))
    made.load()
    return made


def ask(gateway: Gateway, path: str = "/things/1", **more: Any) -> HttpAnswer:
    headers = (("authorization", "Bearer t"), ("x-many", "a"), ("x-many", "b"), *more.pop("headers", ()))
    return gateway.answer(HttpRequest("GET", path, headers=headers, id="req-1", time=1_700_000_000.5, **more))


def test_the_event_is_payload_1_0(gateway: Gateway, probe: Probe) -> None:
    ask(gateway, query="a=1&b=x%20y&a=2&empty=", body=b'{"k": "\xc3\xa4"}', client="10.0.0.9")
    event = probe.events[1]
    assert event["resource"] == "/things/{proxy+}"
    assert event["pathParameters"] == {"proxy": "1"}
    assert event["queryStringParameters"] == {"a": "2", "b": "x y", "empty": ""}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": ["x y"], "empty": [""]}
    assert (event["headers"]["x-many"], event["multiValueHeaders"]["x-many"]) == ("b", ["a", "b"])
    assert (event["body"], event["isBase64Encoded"]) == ('{"k": "ä"}', False)
    context = event["requestContext"]
    assert context["authorizer"] == {"user_id": "u", "principalId": "p"}
    assert (context["requestId"], context["requestTimeEpoch"], context["identity"]["sourceIp"]) == ("req-1", 1_700_000_000_500, "10.0.0.9")
    assert context["requestTime"] == "14/Nov/2023:22:13:20 +0000"


def test_the_function_gets_a_lambda_context(gateway: Gateway, probe: Probe) -> None:
    ask(gateway)
    assert (probe.contexts[0].aws_request_id, probe.contexts[0].function_name) == ("req-1", "Group")


def test_the_authorizer_gets_everything_but_the_body(gateway: Gateway, probe: Probe) -> None:
    ask(gateway, body=b"secret")
    event = probe.events[0]
    assert (event["type"], "body" in event) == ("REQUEST", False)
    assert event["methodArn"] == "arn:aws:execute-api:us-east-1:000000000000:embedded/live/GET/things/1"


def test_an_open_path_asks_no_authorizer(gateway: Gateway, probe: Probe) -> None:
    assert ask(gateway, "/things/open").status == 200
    assert [event.get("type") for event in probe.events] == [None]
    assert probe.events[0]["requestContext"]["authorizer"] is None


def test_bytes_that_are_no_text_travel_in_base_64(gateway: Gateway, probe: Probe) -> None:
    probe.result = {"statusCode": 200, "isBase64Encoded": True, "body": base64.b64encode(b"\xff\x00").decode()}
    answer = ask(gateway, body=b"\xff\xfe")
    assert (probe.events[1]["body"], probe.events[1]["isBase64Encoded"]) == (base64.b64encode(b"\xff\xfe").decode(), True)
    assert answer.body == b"\xff\x00"


def test_headers_of_both_kinds_go_out(gateway: Gateway, probe: Probe) -> None:
    probe.result = {"statusCode": 201, "headers": {"X-One": "1"}, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}, "body": None}
    answer = ask(gateway)
    assert (answer.status, answer.body, answer.header("x-one")) == (201, b"", "1")
    assert [value for name, value in answer.headers if name == "Set-Cookie"] == ["a=1", "b=2"]


@pytest.mark.parametrize(("effect", "status"), [("Deny", 403), ("Perhaps", 403), ("Allow", 200)])
def test_only_a_clear_allow_lets_in(gateway: Gateway, probe: Probe, effect: str, status: int) -> None:
    probe.effect = effect
    assert ask(gateway).status == status


@pytest.mark.parametrize(
    ("error", "status"), [(Exception("Unauthorized"), 401), (Exception("unauthorized"), 500), (RuntimeError("disk"), 500)]
)
def test_an_authorizer_that_fails_lets_nobody_in(gateway: Gateway, probe: Probe, error: Exception, status: int) -> None:
    probe.error = error
    answer = ask(gateway)
    assert (answer.status, len(probe.events)) == (status, 1)
    assert b"disk" not in answer.body


@pytest.mark.parametrize("result", [None, {}, "text", {"statusCode": "x"}, {"statusCode": 200, "isBase64Encoded": True, "body": "a"}])
def test_a_malformed_result_is_our_error(gateway: Gateway, probe: Probe, result: object) -> None:
    probe.result = result
    answer = ask(gateway)
    assert (answer.status, orjson.loads(answer.body)["type"]) == (500, "about:blank")


def test_without_a_header_the_authorizer_is_not_even_asked(gateway: Gateway, probe: Probe) -> None:
    assert gateway.answer(HttpRequest("GET", "/things/1", id="r")).status == 401
    assert probe.events == []
