"""One OpenAPI 3.1 document of all groups, and the table of problems, made from the routes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import orjson

from upid import __version__
from upid.domain.errors import AppError, InvalidRequestError
from upid.http.api import Api
from upid.http.problems import SCHEMA, STATUS, status_of, type_of
from upid.http.validation import query_model

DESCRIPTION: Final = (
    "UPID tells every Kubernetes workload what it really needs, proves it, rolls it out step by step and takes it back when it hurts.\n\n"
    "Quantities are numbers in base units (cores, bytes, USD), times RFC 3339 in UTC. Lists answer `items` and `next_cursor`. Work that outlasts a second "
    "is answered with 202 and a `Location`. Errors are problems (RFC 9457). `x-permission` names what a caller needs."
)
_OF_POWERTOOLS: Final = frozenset({"HTTPValidationError", "ValidationError", "ResponseValidationError"})
_FORMS: Final[dict[str, Any]] = {
    "text/csv": {"schema": {"type": "string"}},
    "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
}
_IDS: Final = {
    "aggregation_id": "Of an aggregation, as starting it answered.",
    "algorithm_id": "Of an algorithm: one that `GET /algorithms` lists.",
    "analysis_id": "Of an analysis, as starting it answered.",
    "cluster_id": "Of a cluster: one that `GET /clusters` lists.",
    "collection_id": "Of a collection, as starting it answered.",
    "collector_id": "Of a collector: one that `GET /metrics/collectors` lists.",
    "id": "Of a cluster or of a recommendation.",
    "prediction_id": "Of a prediction, as making it answered.",
    "recommendation_id": "Of a recommendation: one that its cluster's list has.",
    "rule_id": "Of a rule: one that `GET /rules` lists.",
}
_METHODS: Final = ("get", "put", "post", "delete", "patch", "head")


def document(apis: Iterable[Api]) -> dict[str, Any]:
    """Return the document of these groups; ValueError where two of them mean different models by one name, or share an operation id."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {"Problem": dict(SCHEMA)}
    for api in apis:
        part = json.loads(api.get_openapi_json_schema())
        _type_queries(api, part["paths"])
        _complete(part["paths"])
        for path, item in part["paths"].items():
            if not item.keys().isdisjoint(paths.setdefault(path, {})):
                raise ValueError(f"{path} is answered by two groups.")
            paths[path].update(item)
        for name, schema in part.get("components", {}).get("schemas", {}).items():
            if name not in _OF_POWERTOOLS and schemas.setdefault(name, schema) != schema:
                raise ValueError(f"Two groups have different models named {name}.")
    _check_ids(paths)
    operations = [operation for item in paths.values() for operation in item.values()]
    for operation in operations:
        operation["responses"] = dict(sorted(operation["responses"].items()))
    return {
        "openapi": "3.1.0",
        "info": {"title": "UPID", "version": __version__, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in sorted({tag for operation in operations for tag in operation["tags"]})],
        "paths": {path: {method: paths[path][method] for method in _METHODS if method in paths[path]} for path in sorted(paths)},
        "components": {
            "schemas": {name: schemas[name] for name in sorted(schemas)},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def as_text(found: dict[str, Any]) -> str:
    """Return a document as it is committed."""
    return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() + "\n"


def problems_page(apis: Iterable[Api]) -> str:
    """Return the table of problems as Markdown: every error class that a route of these groups names, by status and type."""
    named: set[type[AppError]] = {kind for api in apis for endpoint in api.endpoints for kind in endpoint.errors}
    named |= {*STATUS, InvalidRequestError}
    known = sorted(named, key=lambda kind: (status_of(kind), type_of(kind)))
    rows = [f"| {status_of(k)} | `{type_of(k)}` | {k.title} | {(k.__doc__ or '').strip().partition(chr(10))[0]} |" for k in known]
    head = [
        "# Problems",
        "",
        "Errors are answered as `application/problem+json` (RFC 9457). `instance` is the request's id, as the log has it. An error that nobody expected",
        "is answered as `about:blank` with status 500 and nothing else. This page is made from the error classes by `upid openapi`.",
        "",
        "| status | type | title | when |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


def _type_queries(api: Api, paths: dict[str, Any]) -> None:
    """Give the queries that come from a model the types and bounds of its fields: Powertools makes a bare text of most."""
    for route in api.all_routes:
        for model in filter(None, map(query_model, route.dependant.query_params)):
            fields = model.model_json_schema()["properties"]
            for parameter in paths[route.openapi_path][route.method.lower()]["parameters"]:
                if parameter["in"] == "query" and parameter["name"] in fields:
                    parameter["schema"] = fields[parameter["name"]]


def _complete(paths: dict[str, Any]) -> None:
    """Add what Powertools does not know: what ids in a path are of, and the forms beside JSON of an answer where the operation takes `Accept`."""
    for operation in (operation for item in paths.values() for operation in item.values()):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path" and parameter["name"] in _IDS:
                parameter.setdefault("description", _IDS[parameter["name"]])
            if (parameter["in"], parameter["name"]) == ("header", "accept"):
                operation["responses"]["200"]["content"] |= _FORMS


def _check_ids(paths: dict[str, Any]) -> None:
    seen: set[str] = set()
    for operation in (operation for item in paths.values() for operation in item.values()):
        if operation["operationId"] in seen:
            raise ValueError(f"Two operations are called {operation['operationId']}.")
        seen.add(operation["operationId"])
