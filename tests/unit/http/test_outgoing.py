"""What happens to answers on their way out."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from upid.bootstrap import Services
from upid.http.outgoing import LONGEST_BYTES, below_stage, by_reference
from upid.settings import Settings

GET = {"httpMethod": "GET", "path": "/api/v1/x", "requestContext": {"path": "/live/api/v1/x"}}


class NamedLinks:
    """Links that say what they are for."""

    def link(self, name: str, *, seconds: int, content_type: str) -> str:
        return f"https://bucket.example/{name}?seconds={seconds}&type={content_type}"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    made = Services(Settings(home=tmp_path))
    made.links = NamedLinks()
    return made


def answered(body: str) -> dict[str, Any]:
    return {"statusCode": 200, "body": body, "isBase64Encoded": False, "multiValueHeaders": {"Content-Type": ["application/json"]}}


@pytest.mark.parametrize("text", ["x" * (LONGEST_BYTES + 1), "€" * (LONGEST_BYTES // 3 + 1)], ids=["letters", "bytes"])
def test_an_answer_too_long_for_lambda_lies_behind_a_link(services: Services, text: str) -> None:
    answer = by_reference(answered(text), lambda: services)
    location = answer["multiValueHeaders"]["Location"][0]

    assert (answer["statusCode"], answer["body"]) == (303, "")
    assert location.endswith("?seconds=300&type=application/json")
    assert services.blobs.get(location.removeprefix("https://bucket.example/").partition("?")[0]) == text.encode()


def test_an_answer_that_fits_goes_as_it_is(services: Services) -> None:
    fits = answered("x" * LONGEST_BYTES)

    assert by_reference(fits, lambda: services) is fits


def test_what_was_made_is_told_at_once(services: Services) -> None:
    made = answered("x" * (LONGEST_BYTES + 1)) | {"statusCode": 201}

    assert by_reference(made, lambda: services) is made


@pytest.mark.parametrize(
    ("asked", "location"),
    [("/live/api/v1/x", "/live/api/v1/x/1"), ("/api/v1/x", "/api/v1/x/1"), ("", "/api/v1/x/1")],
    ids=["a stage", "a domain of its own", "nothing said"],
)
def test_location_names_the_stage_that_was_asked(asked: str, location: str) -> None:
    answer = {"multiValueHeaders": {"Location": ["/api/v1/x/1"]}}

    assert below_stage(answer, {**GET, "requestContext": {"path": asked}})["multiValueHeaders"]["Location"] == [location]


def test_a_link_to_elsewhere_stays() -> None:
    answer = {"multiValueHeaders": {"Location": ["https://other.example/x"]}}

    assert below_stage(answer, GET)["multiValueHeaders"]["Location"] == ["https://other.example/x"]


def test_what_is_binary_lies_there_as_it_is(services: Services) -> None:
    data = bytes(range(256)) * (LONGEST_BYTES // 256 + 1)
    told = answered(base64.b64encode(data).decode()) | {"isBase64Encoded": True}
    answer = by_reference(told, lambda: services)

    assert services.blobs.get(answer["multiValueHeaders"]["Location"][0].removeprefix("https://bucket.example/").partition("?")[0]) == data


@pytest.mark.parametrize("kind", ["text/csv; charset=utf-8", "application/vnd.apache.parquet"])
def test_a_table_lies_there_as_what_it_is(services: Services, kind: str) -> None:
    told = answered("x" * (LONGEST_BYTES + 1)) | {"multiValueHeaders": {"Content-Type": [kind]}}
    answer = by_reference(told, lambda: services)

    assert (answer["statusCode"], answer["multiValueHeaders"]["Location"][0].partition("&type=")[2]) == (303, kind)
