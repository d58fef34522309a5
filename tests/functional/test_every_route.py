"""What every route answers to callers and requests that it must refuse."""

from __future__ import annotations

import re

import pytest
from functional.client import Answer, Client

from functions.gateway.groups import apis
from upid.http.api import Endpoint

ENDPOINTS = [endpoint for api in apis().values() for endpoint in api.endpoints]


def parametrized(endpoints: list[Endpoint]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("endpoint", endpoints, ids=[f"{e.method} {e.rule}" for e in endpoints])


def send(client: Client, endpoint: Endpoint, *, body: object = None, query: dict[str, str] | None = None, value: str = "nobody") -> Answer:
    with_body = body if body is not None else {} if endpoint.method in {"POST", "PUT"} else None
    return client.send(endpoint.method, re.sub(r"<\w+>", value, endpoint.rule), body=with_body, query=query)


@parametrized([e for e in ENDPOINTS if e.permission])
def test_nobody_is_401_and_a_user_without_the_permission_403(client: Client, endpoint: Endpoint) -> None:
    assert send(client.anonymous(), endpoint).problem(401, "unauthenticated")
    if not endpoint.permission.startswith("self:"):
        assert send(client.as_user("nothing:read"), endpoint).problem(403, "forbidden")["permission"] == endpoint.permission


@parametrized([e for e in ENDPOINTS if e.permission])
def test_the_permission_that_it_names_is_enough(client: Client, endpoint: Endpoint) -> None:
    assert send(client.as_user(endpoint.permission), endpoint).status not in {401, 403, 500}


@parametrized([e for e in ENDPOINTS if "<" in e.rule])
@pytest.mark.parametrize("value", ["nobody", "cl_01HZZZZZZZZZZZZZZZZZZZZZZZ", "%2e%2e%2f", "ä", "a" * 300, "'--", "%00"])
def test_a_thing_that_is_not_there_is_a_problem(client: Client, endpoint: Endpoint, value: str) -> None:
    answer = send(client, endpoint, value=value)
    assert answer.status in {404, 422}, answer.raw.body
    assert answer.header("content-type") == "application/problem+json"


@parametrized(ENDPOINTS)
def test_an_unknown_query_parameter_is_a_problem(client: Client, endpoint: Endpoint) -> None:
    errors = send(client, endpoint, query={"no_such_parameter": "1"}).problem(422, "invalid-request")["errors"]
    assert errors[0]["pointer"] == "?no_such_parameter"


@parametrized([e for e in ENDPOINTS if e.method in {"POST", "PUT"} and "body" in e.function.__annotations__])
@pytest.mark.parametrize("body", [b"{", b"[1]", b'{"no_such_field": 1}'])
def test_a_body_that_it_does_not_know_is_a_problem(client: Client, endpoint: Endpoint, body: bytes) -> None:
    answer = send(client, endpoint, body=body)
    assert answer.problem(400 if body == b"{" else 422, "malformed" if body == b"{" else "invalid-request")


@parametrized([e for e in ENDPOINTS if e.method == "GET"])
def test_head_answers_as_get_does(client: Client, endpoint: Endpoint) -> None:
    path = re.sub(r"<\w+>", "nobody", endpoint.rule)
    assert client.send("HEAD", path).status == client.get(path).status
