"""Requests are held strictly to their schema, and every fault is told with where it is."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.event_handler.middlewares.openapi_validation import (
    OpenAPIRequestValidationMiddleware,
    OpenAPIResponseValidationMiddleware,
)
from aws_lambda_powertools.event_handler.openapi.compat import field_annotation_is_scalar
from pydantic import BaseModel

from upid.domain.errors import InvalidRequestError
from upid.http.problems import MalformedError, UnsupportedMediaTypeError

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Response
    from aws_lambda_powertools.event_handler.api_gateway import Route
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
    from aws_lambda_powertools.event_handler.openapi.compat import ModelField
    from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
    from aws_lambda_powertools.event_handler.types import EventHandlerInstance

LONGEST_STEP: Final = 100  # of a name in a pointer: a client's own text is not sent back without end


class StrictRequests(OpenAPIRequestValidationMiddleware):
    """Powertools' validation, and what it lets through: bodies that are no objects, other media types, query parameters that nobody reads or that are given twice."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Powertools leaves it bare

    def handler(self, app: EventHandlerInstance, next_middleware: NextMiddleware) -> Response[Any]:
        """Validate the request and go on; InvalidRequestError for queries that the route does not know, and for two values of what takes one."""
        wrong = query_faults(app.current_event.resolved_query_string_parameters, queries_of(app.context["_route"]))
        if wrong:
            raise InvalidRequestError(wrong)
        return super().handler(app, next_middleware)

    def _get_body(self, app: EventHandlerInstance) -> dict[str, Any]:
        return read_body(app)


class TypedAnswers(OpenAPIResponseValidationMiddleware):
    """Powertools' validation of answers, but of JSON alone: a text such as CSV is no model, nor are bytes."""

    def _handle_response(self, *, route: Route, response: Response[Any]) -> Response[Any]:
        if isinstance(response.body, str | bytes) and not response.is_json():
            return response
        answer: Response[Any] = super()._handle_response(route=route, response=response)
        return answer


def read_body(app: EventHandlerInstance) -> dict[str, Any]:
    """Return the request's body, a JSON object, {} where it has none; MalformedError, UnsupportedMediaTypeError or InvalidRequestError."""
    media_type = (app.current_event.headers.get("content-type") or "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (media_type.startswith("application/") and media_type.endswith("+json")):
        raise UnsupportedMediaTypeError(f"A body of {media_type[:100]} is not understood here: send application/json.")
    try:
        body = app.current_event.json_body
    except json.JSONDecodeError as error:
        raise MalformedError(
            [{"pointer": "#", "detail": f"Line {error.lineno}, column {error.colno}: {error.msg}."}], "The body is not valid JSON."
        ) from None
    except UnicodeDecodeError:
        raise MalformedError([{"pointer": "#", "detail": "The text is not UTF-8."}], "The body is not valid JSON.") from None
    if body is None and not app.current_event.body:
        return {}
    if not isinstance(body, dict):
        raise InvalidRequestError([{"pointer": "#", "detail": "The body must be a JSON object."}])
    return body


def faults(error: RequestValidationError, body: object, queries: Collection[str]) -> list[dict[str, str]]:
    """Return each fault of a request with a pointer: `#/name` into the body, `?limit` for the query, `{id}` for the path, a header's name.

    body: the request's. queries: the query parameters that the route knows.
    """
    return [
        {"pointer": pointer(fault["loc"], body, queries), "detail": str(fault["msg"]).removeprefix("Value error, ")}
        for fault in error.errors()
    ]


def pointer(location: Sequence[str | int], body: object, queries: Collection[str]) -> str:
    """Return where a fault is. Steps of the validator that are not in the request (branches of a union, a model of queries) are left out."""
    place, *steps = location
    if place == "body":
        return "#" + "".join("/" + str(step)[:LONGEST_STEP].replace("~", "~0").replace("/", "~1") for step in _steps(steps, body))
    name = str(next((step for step in steps if step in queries), steps[0]))[:LONGEST_STEP]
    return {"query": f"?{name}", "path": f"{{{name}}}"}.get(str(place), name)


def _steps(steps: Sequence[str | int], document: object) -> list[str | int]:
    kept: list[str | int] = []
    for index, step in enumerate(steps):
        last = index == len(steps) - 1
        if isinstance(document, dict) and (step in document or last):
            kept.append(step)
            document = document.get(step)
        elif isinstance(document, list) and isinstance(step, int) and step < len(document):
            kept.append(step)
            document = document[step]
    return kept


def query_model(parameter: ModelField) -> type[BaseModel] | None:
    """Return the model of queries that a parameter is, None where it is a single query."""
    annotation = parameter.field_info.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def queries_of(route: Route) -> dict[str, Any]:
    """Return the query parameters that a route knows, each with its type."""
    types: dict[str, Any] = {}
    for parameter in route.dependant.query_params:
        model = query_model(parameter)
        if model:
            types |= {field.alias or name: field.annotation for name, field in model.model_fields.items()}
        else:
            types[parameter.alias] = parameter.field_info.annotation
    return types


def query_faults(given: Mapping[str, Sequence[str]], types: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the faults of the queries that are `given`: those without a type, and those with more values than their type has room for."""
    details = {name: "There is no such parameter here." for name in given if name not in types}
    # Of two values, Powertools takes the first in silence.
    details |= {name: "It is given twice." for name in types if len(given.get(name, ())) > 1 and field_annotation_is_scalar(types[name])}
    return [{"pointer": f"?{name[:LONGEST_STEP]}", "detail": detail} for name, detail in details.items()]
