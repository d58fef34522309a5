"""The table of problems."""

from __future__ import annotations

import orjson
import pytest

from upid.domain.errors import (
    AppError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    InvalidRequestError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
    VersionConflictError,
)
from upid.http.problems import STATUS, MethodNotAllowedError, documented, problem, status_of, type_of, unexpected


class NoSuchHTTPProxyError(NotFoundError):
    """A class that the table does not name."""

    title = "No such proxy"


class HomelessError(AppError):
    """A class without a kind."""


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (InvalidError, 422), (InvalidRequestError, 422), (UnauthenticatedError, 401), (ForbiddenError, 403), (NotFoundError, 404), (ConflictError, 409),
        (VersionConflictError, 412), (UnavailableError, 503), (NoSuchHTTPProxyError, 404), (HomelessError, 500),
    ],
)  # fmt: skip
def test_an_error_has_the_status_of_its_kind(kind: type[AppError], status: int) -> None:
    assert status_of(kind) == status


@pytest.mark.parametrize(
    ("kind", "name"),
    [(NotFoundError, "not-found"), (NoSuchHTTPProxyError, "no-such-http-proxy"), (VersionConflictError, "version-conflict")],
)
def test_a_type_is_the_class_name_in_words(kind: type[AppError], name: str) -> None:
    assert type_of(kind) == f"/problems/{name}"


def test_members_reach_the_client_but_never_override_the_reserved_ones() -> None:
    error = NoSuchHTTPProxyError("There is no p1.", id="p1", status=200, type="about:blank")
    status, headers, body = problem(error, request_id="r1")
    assert orjson.loads(body) == {
        "type": "/problems/no-such-http-proxy", "title": "No such proxy", "status": 404, "detail": "There is no p1.", "instance": "urn:request:r1", "id": "p1",
    }  # fmt: skip
    assert (status, headers["Content-Type"]) == (404, "application/problem+json")


def test_some_problems_have_headers_that_the_standard_asks_for() -> None:
    assert problem(UnauthenticatedError("Who?"), request_id="r").headers["WWW-Authenticate"] == "Bearer"
    assert problem(MethodNotAllowedError("No.", allowed=["GET", "POST"]), request_id="r").headers["Allow"] == "GET, POST"
    assert problem(UnavailableError("Later.", retry_after_seconds=7), request_id="r").headers["Retry-After"] == "7"
    assert "Retry-After" not in problem(UnavailableError("Later."), request_id="r").headers


def test_an_unexpected_error_says_nothing_of_itself() -> None:
    assert orjson.loads(unexpected(request_id="r").body) == {
        "type": "about:blank", "title": "Internal Server Error", "status": 500, "instance": "urn:request:r",
    }  # fmt: skip


def test_errors_of_one_status_are_documented_together() -> None:
    found = documented([NotFoundError, NoSuchHTTPProxyError, ConflictError, NotFoundError])
    assert list(found) == [404, 409]
    assert found[404]["description"] == "Not found (`/problems/not-found`); No such proxy (`/problems/no-such-http-proxy`)"


def test_every_row_of_the_table_is_used_by_its_own_class() -> None:
    assert all(status_of(kind) == status for kind, status in STATUS.items())
