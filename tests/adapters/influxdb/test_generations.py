"""Looking after databases on servers of 2.x and 3.x, as their documentation has it; a real 1.x is held to the contract suite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from adapters.influxdb.answering import Asked, Server, serving

from upid.adapters.influxdb.databases import MEASUREMENTS, Databases
from upid.adapters.influxdb.history import InfluxHistory

NAME = "upid_default_300s"
NAMES = [NAME, "upid_defaults_300s", "upid_default_3600r", "other"]


def answer(asked: Asked) -> tuple[int, Any]:
    if asked.path == "/api/v2/orgs":
        return 200, {"orgs": [{"id": "0a"}]}
    if (asked.method, asked.path) == ("GET", "/api/v2/buckets"):
        return 200, {"buckets": [{"id": "0b", "name": name} for name in NAMES] if asked.query.get("offset", "0") == "0" else []}
    if (asked.method, asked.path) == ("GET", "/api/v3/configure/database"):
        return 200, [{"iox::database": name} for name in NAMES]
    return (204, "") if asked.path == "/api/v2/delete" else (200, {})


@pytest.fixture
def second() -> Iterator[Server]:
    with serving(Server(answer, version="v2.7.6")) as server:
        yield server


@pytest.fixture
def third() -> Iterator[Server]:
    with serving(Server(answer, version="3.4.0")) as server:
        yield server


def changes(server: Server) -> list[tuple[str, str, dict[str, str], Any]]:
    return [
        (asked.method, asked.path, asked.query, json.loads(asked.body) if asked.body else None)
        for asked in server.asked
        if asked.path.startswith("/api/") and asked.method != "GET"
    ]


def test_a_server_of_2_has_a_bucket_for_each_database(second: Server) -> None:
    databases = Databases(second.client(token="t", organization="ops"))
    databases.create(NAME)
    databases.keep(NAME, 90)
    databases.drop(NAME)
    assert changes(second) == [
        ("POST", "/api/v2/buckets", {}, {"name": NAME, "orgID": "0a", "retentionRules": []}),
        ("PATCH", "/api/v2/buckets/0b", {}, {"retentionRules": [{"type": "expire", "everySeconds": 7776000}]}),
        ("DELETE", "/api/v2/buckets/0b", {}, None),
    ]
    assert {asked.headers["Authorization"] for asked in second.asked} == {"Token t"}


def test_a_server_of_2_deletes_one_cluster(second: Server) -> None:
    assert InfluxHistory(second.client(organization="ops")).delete_cluster("default", "cl_1") == ""
    assert [(query, body["predicate"]) for _, path, query, body in changes(second) if path == "/api/v2/delete"] == [
        ({"org": "ops", "bucket": name}, f'_measurement="{measurement}" AND cluster="cl_1"')
        for name in (NAME, "upid_default_3600r") for measurement in MEASUREMENTS
    ]  # fmt: skip


def test_a_server_of_3_has_an_interface_of_its_own(third: Server) -> None:
    databases = Databases(third.client(token="t"))
    databases.create(NAME)
    databases.keep(NAME, 90)
    databases.drop(NAME)
    path = "/api/v3/configure/database"
    assert changes(third) == [
        ("POST", path, {}, {"db": NAME}),
        ("PUT", path, {}, {"db": NAME, "retention_period": "90d"}),
        ("DELETE", path, {"db": NAME, "hard_delete_at": "now"}, None),
    ]


def test_a_server_of_3_says_in_the_answer_and_in_health_that_it_deletes_no_cluster(third: Server) -> None:
    history = InfluxHistory(third.client())
    remains = history.delete_cluster("default", "cl_1")
    assert remains.endswith(f"The samples of cl_1 stay in {NAME}, upid_default_3600r until their retention ends.")
    assert history.state("default", "cl_1") == ("healthy", "InfluxDB 3.4.0 answers. This server deletes nothing less than a database.")


def test_a_database_that_is_there_is_no_error_and_another_refusal_is_one(third: Server) -> None:
    third.answer = lambda _: (409, {"error": "attempted to create a resource that already exists"})
    Databases(third.client()).create(NAME)
    third.answer = lambda _: (422, {"error": "too many databases"})
    with pytest.raises(Exception, match="too many databases"):
        Databases(third.client()).create(NAME)


def test_databases_are_listed_page_by_page_and_by_their_kind(second: Server, third: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upid.adapters.influxdb.databases.BUCKETS", len(NAMES))
    for server in (second, third):
        databases = Databases(server.client())
        assert [databases.of("default"), databases.of("default", "r"), databases.of("nobody", "sr")] == [[NAME], ["upid_default_3600r"], []]
    assert [asked.query["offset"] for asked in second.asked if asked.path == "/api/v2/buckets"] == ["0", "4"] * 3
