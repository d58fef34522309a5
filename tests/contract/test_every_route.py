"""What every route of every group holds to, whoever writes it."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections import Counter
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from functions.gateway.groups import apis, openapi_text
from upid.http.api import PREFIX, Endpoint
from upid.http.openapi import document
from upid.http.paging import Page
from upid.runtime.template import Template

ENDPOINTS = [(group, endpoint) for group, api in apis().items() for endpoint in api.endpoints]
every_route = pytest.mark.parametrize(("group", "endpoint"), ENDPOINTS, ids=[f"{e.method} {e.rule}" for _, e in ENDPOINTS])


def operation(endpoint: Endpoint) -> dict[str, Any]:
    path = re.sub(r"<(\w+)>", r"{\1}", PREFIX + endpoint.rule)
    return DOCUMENT["paths"][path][endpoint.method.lower()]


def body_of(endpoint: Endpoint) -> list[ast.stmt]:
    function = ast.parse(textwrap.dedent(inspect.getsource(endpoint.function))).body[0]
    assert isinstance(function, ast.FunctionDef)
    return function.body[1:]


DOCUMENT = document(apis().values())


def test_there_are_routes() -> None:
    assert {"gateway", "identity"} <= set(apis())


@every_route
def test_it_is_short_and_says_what_it_does(group: str, endpoint: Endpoint) -> None:
    assert len(inspect.getsource(endpoint.function).splitlines()) <= 20
    assert len(body_of(endpoint)) <= 3
    assert endpoint.description.endswith(".")
    assert len(endpoint.summary) <= 130


@every_route
def test_it_leaves_errors_to_the_table(group: str, endpoint: Endpoint) -> None:
    assert not [node for statement in body_of(endpoint) for node in ast.walk(statement) if isinstance(node, ast.Try | ast.Raise)]


@every_route
def test_it_names_a_permission_or_is_open(group: str, endpoint: Endpoint) -> None:
    found = operation(endpoint)
    if endpoint.permission is None:
        assert (found["security"], found.get("x-permission")) == ([], None)
    else:
        assert re.fullmatch(r"[a-z]+:[a-z]+", endpoint.permission)
        assert (found["x-permission"], found.get("security")) == (endpoint.permission, None)


@every_route
def test_the_document_types_its_success_and_its_problems(group: str, endpoint: Endpoint) -> None:
    found = operation(endpoint)
    assert found["description"] == endpoint.description
    success = found["responses"][str(endpoint.status)]
    schemas = [media.get("schema") for media in success.get("content", {}).values()]
    assert endpoint.status in {204, 303} or all(schema and schema != {} for schema in schemas)
    errors = {status: answer for status, answer in found["responses"].items() if status[0] in "45"}
    assert "422" in errors
    assert all(list(answer["content"]) == ["application/problem+json"] for answer in errors.values())
    assert endpoint.permission is None or {"401", "403"} <= set(errors)


@every_route
def test_a_route_for_one_thing_can_miss_it(group: str, endpoint: Endpoint) -> None:
    assert "<" not in endpoint.rule or "404" in operation(endpoint)["responses"]


@every_route
def test_a_list_goes_by_pages(group: str, endpoint: Endpoint) -> None:
    answer = inspect.signature(endpoint.function, eval_str=True).return_annotation
    is_page = isinstance(answer, type) and issubclass(answer, Page)
    assert not str(answer).startswith("list[")
    assert is_page or not endpoint.function.__name__.startswith("list_")
    if is_page:
        assert {"limit", "cursor"} <= {parameter["name"] for parameter in operation(endpoint)["parameters"]}


@every_route
def test_request_bodies_refuse_fields_that_nobody_reads(group: str, endpoint: Endpoint) -> None:
    for parameter in inspect.signature(endpoint.function, eval_str=True).parameters.values():
        if isinstance(parameter.annotation, type) and issubclass(parameter.annotation, BaseModel):
            assert parameter.annotation.model_config.get("extra") == "forbid"


def test_operation_ids_are_unique() -> None:
    assert not [name for name, count in Counter(endpoint.operation_id for _, endpoint in ENDPOINTS).items() if count > 1]


def schema_modules() -> list[ModuleType]:
    packages = [importlib.import_module(f"functions.{group}") for group in apis()]
    names = [found.name for package in packages for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [importlib.import_module(name) for name in names if ".schemas" in name]


def test_model_names_are_unique_over_all_groups() -> None:
    names = [
        name
        for module in schema_modules()
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == module.__name__
    ]
    assert not [name for name, count in Counter(names).items() if count > 1]


@every_route
def test_the_template_leads_its_path_to_its_group(group: str, endpoint: Endpoint) -> None:
    route = Template.load().route(re.sub(r"<\w+>", "x", PREFIX + endpoint.rule))
    assert route is not None
    assert route.function.module == f"functions.{group}.app"
    assert route.open == (endpoint.permission is None)


def test_every_function_of_the_api_has_its_folder() -> None:
    modules = {route.function.module for route in Template.load().routes}
    assert modules == {f"functions.{group}.app" for group in apis()}


def test_entry_points_are_alike() -> None:
    sources = {group: inspect.getsource(importlib.import_module(f"functions.{group}.app")) for group in apis()}
    assert all(len(text.splitlines()) <= 25 for text in sources.values())
    assert len({re.sub(r"\(.*?\)|import .*|\"\"\".*?\"\"\"|functions\.\w+", "", text) for text in sources.values()}) == 1


def test_the_served_document_is_this_one() -> None:
    import orjson

    assert orjson.loads(openapi_text()) == DOCUMENT
