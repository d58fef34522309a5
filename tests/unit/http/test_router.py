"""Routes as they are declared."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from pydantic import BaseModel, Field

from upid.domain.errors import InvalidRequestError, NotFoundError
from upid.domain.identity import Caller
from upid.http.answers import accepted, created, no_content, version_of, versioned
from upid.http.api import Api, Endpoint, Router, build_api
from upid.http.callers import caller_context, caller_of
from upid.http.openapi import document
from upid.http.paging import Limit
from upid.http.params import CurrentCaller


class Thing(BaseModel):
    """A thing."""

    size: int


@pytest.mark.parametrize("options", [{}, {"permission": "a:b", "public": True}])
def test_a_route_must_choose_between_a_permission_and_being_open(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must name a permission or be public"):
        Router("/things", tag="Things").get("", **options)


def declared() -> Endpoint:
    router = Router("/things", tag="Things")

    @router.get("/<thing_id>", permission="things:read", errors=(NotFoundError,))
    def get_one_thing(thing_id: str) -> Thing:
        """Return a thing. It is never two.

        More of it.
        """
        return Thing(size=len(thing_id))

    return router.endpoints[0]


def test_what_the_document_needs_comes_from_the_function() -> None:
    endpoint = declared()
    assert (endpoint.operation_id, endpoint.summary) == ("getOneThing", "Return a thing")
    assert endpoint.description == "Return a thing. It is never two.\n\nMore of it."
    assert sorted(endpoint.responses()) == [200, 401, 403, 404, 422]


def test_the_document_has_each_form_of_an_answer_and_the_link_to_a_long_one() -> None:
    router = Router("/things", tag="Things", long=True)

    @router.get("/<cluster_id>", public=True)
    def get_things(cluster_id: str, accept: Annotated[str, Header(alias="Accept")] = "") -> Thing:
        """Return things."""
        return Thing(size=len(cluster_id + accept))

    @router.post("", public=True)
    def make_thing(body: Thing) -> Thing:
        """Make a thing."""
        return body

    paths = document([build_api(router)])["paths"]
    reading, making = paths["/api/v1/things/{cluster_id}"]["get"], paths["/api/v1/things"]["post"]
    assert list(reading["responses"]["200"]["content"]) == ["application/json", "text/csv", "application/vnd.apache.parquet"]
    assert list(reading["responses"]["303"]["headers"]) == ["Location"]
    assert reading["parameters"][0]["description"] == "Of a cluster: one that `GET /clusters` lists."
    assert (list(making["responses"]["200"]["content"]), "303" in making["responses"]) == (["application/json"], False)


def test_a_route_that_lost_its_permission_lets_nobody_in() -> None:
    router = Router("/things", tag="Things")
    router.endpoints.append(declared())
    api = build_api(router)
    api._dynamic_routes[0].openapi_extensions = {}
    event = {
        "httpMethod": "GET",
        "path": "/api/v1/things/a",
        "requestContext": {"authorizer": caller_context(Caller("u", "n", "t", ("*",)))},
    }
    assert api.resolve(event, None)["statusCode"] == 403


def test_an_answer_that_breaks_its_own_schema_is_our_error(caplog: pytest.LogCaptureFixture) -> None:
    router = Router("/things", tag="Things")

    @router.get("", public=True)
    def get_thing() -> Thing:
        """Return what is no thing."""
        return {"size": "secret"}  # type: ignore[return-value]

    answer = build_api(router).resolve({"httpMethod": "GET", "path": "/api/v1/things", "body": None}, None)
    assert (answer["statusCode"], "secret" in answer["body"]) == (500, False)
    assert "('response', 'size')" in caplog.text


def test_two_groups_cannot_mean_different_things_by_one_name() -> None:
    def api(model: type[BaseModel], path: str, name: str = "") -> Api:
        router = Router(path, tag="T")

        def get_it() -> object:
            """Return it."""

        get_it.__annotations__["return"] = model
        get_it.__name__ = name or f"get{path[1:]}"
        router.get("", public=True)(get_it)
        return build_api(router)

    other = type("Thing", (BaseModel,), {"__annotations__": {"size": str}, "__doc__": "Another."})
    assert "Thing" in document([api(Thing, "/a"), api(Thing, "/b")])["components"]["schemas"]
    with pytest.raises(ValueError, match="different models named Thing"):
        document([api(Thing, "/a"), api(other, "/b")])
    with pytest.raises(ValueError, match="/api/v1/a is answered by two groups"):
        document([api(Thing, "/a"), api(Thing, "/a", "another")])
    with pytest.raises(ValueError, match="Two operations are called same"):
        document([api(Thing, "/a", "same"), api(Thing, "/b", "same")])


def test_answers_carry_their_headers() -> None:
    thing = Thing(size=1)
    assert (accepted(thing, location="/x").status_code, accepted(thing, location="/x").headers["Location"]) == (202, "/x")
    assert (created(thing, location="/x", version=3).status_code, created(thing, location="/x", version=3).headers["ETag"]) == (201, '"3"')
    assert (versioned(thing, 4).status_code, versioned(thing, 4).headers["ETag"]) == (200, '"4"')
    assert isinstance(no_content(), Response)
    assert no_content().status_code == 204


@pytest.mark.parametrize(("text", "version"), [(None, None), ("*", None), ('"7"', 7), ('W/"7"', 7), ("7", 7)])
def test_if_match_names_a_version(text: str | None, version: int | None) -> None:
    assert version_of(text) == version


@pytest.mark.parametrize("text", ['"x"', '"1", "2"', "-1", '"' + "9" * 16 + '"', "٣"])
def test_an_etag_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        version_of(text)


def test_a_caller_survives_the_way_through_the_authorizer() -> None:
    caller = Caller("usr_1", "Jürgen", "default", ("a:b", "c:*"))
    context = caller_context(caller)
    assert all(isinstance(value, str) for value in context.values())
    assert caller_of({"requestContext": {"authorizer": context}}) == caller


@pytest.mark.parametrize("context", [None, {}, {"authorizer": None}, {"authorizer": {}}, {"authorizer": {"user_id": "", "tenant": "t"}}])
def test_without_an_authorizer_there_is_no_caller(context: object) -> None:
    assert caller_of({"requestContext": context}) is None


def test_a_public_route_that_asks_for_its_caller_refuses_strangers() -> None:
    router = Router("/things", tag="Things")

    @router.get("", public=True)
    def get_own_thing(caller: CurrentCaller) -> Thing:
        """Return the caller's thing."""
        return Thing(size=len(caller.username))

    assert build_api(router).resolve({"httpMethod": "GET", "path": "/api/v1/things"}, None)["statusCode"] == 401


def test_an_event_without_a_request_id_is_answered_all_the_same() -> None:
    answer = build_api().resolve({"httpMethod": "GET", "path": "/api/v1/x", "headers": None}, None)
    assert (answer["statusCode"], '"urn:request:unknown"' in answer["body"]) == (404, True)


class Filters(BaseModel):
    """What a list can be narrowed to."""

    color: Literal["red", "blue"] | None = None
    least: float | None = Field(None, ge=0, description="The smallest.")
    limit: Limit = 5


def filtered() -> Api:
    router = Router("/things", tag="Things")

    @router.get("", public=True)
    def find_things(filters: Annotated[Filters, Query()]) -> dict[str, float | None]:
        """Return what was asked for."""
        return {"least": filters.least, "limit": filters.limit}

    return build_api(router)


def test_a_model_of_queries_is_documented_with_its_types() -> None:
    parameters = document([filtered()])["paths"]["/api/v1/things"]["get"]["parameters"]
    schemas = {parameter["name"]: parameter["schema"] for parameter in parameters}
    assert schemas["color"]["anyOf"][0]["enum"] == ["red", "blue"]
    assert schemas["least"]["anyOf"][0] == {"type": "number", "minimum": 0}
    assert (schemas["limit"]["type"], schemas["limit"]["maximum"], schemas["limit"]["default"]) == ("integer", 500, 5)


def test_a_fault_in_a_model_of_queries_names_the_query() -> None:
    event = {"httpMethod": "GET", "path": "/api/v1/things", "multiValueQueryStringParameters": {"color": ["green"], "least": ["-1"]}}
    body = filtered().resolve(event | {"queryStringParameters": {"color": "green", "least": "-1"}}, None)["body"]
    assert ('"?color"' in body, '"?least"' in body, "filters" in body) == (True, True, False)
