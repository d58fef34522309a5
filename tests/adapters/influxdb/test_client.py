"""What an InfluxDB answers, and what is made of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from adapters.influxdb.answering import Server, serving
from contract.stores import SetClock

from upid.adapters.influxdb.client import BrokenError, InfluxClient
from upid.adapters.resilience.breaker import CircuitOpenError
from upid.adapters.resilience.guards import Guards
from upid.domain.errors import AppError, ForbiddenError, NotFoundError, RefusedError, UnauthenticatedError, UnavailableError
from upid.settings import InfluxSettings


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (401, {"error": "unable to parse"}, UnauthenticatedError, "401"), (403, {"error": "not authorized"}, ForbiddenError, "not authorized"),
        (404, {"error": "database not found"}, NotFoundError, "database not found"), (400, {"message": "bad line"}, RefusedError, "bad line"),
        (500, {"error": "engine is closed"}, BrokenError, "engine is closed"), (429, b"slow down", BrokenError, "slow down"),
        (503, b"<html>", BrokenError, "503"), (301, b"", RefusedError, "301"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_as_what_it_is(status: int, body: Any, error: type[AppError], said: str) -> None:
    with serving(Server(lambda _: (status, body))) as server, pytest.raises(error, match=said):
        server.client().write("db", b"m v=1 1\n")


def test_points_are_compressed_where_that_pays_and_carry_seconds() -> None:
    with serving(Server(lambda _: (204, ""))) as server:
        client = server.client(username="u", password="p")
        client.write("db", b"m v=1 1\n")
        client.write("db", b"m v=1 1\n" * 1000)
    assert [asked.headers.get("Content-Encoding") for asked in server.asked] == [None, "gzip"]
    assert [(asked.query, len(asked.body)) for asked in server.asked] == [({"db": "db", "precision": "s"}, size) for size in (8, 8000)]
    assert server.asked[0].headers["Authorization"] == "Basic dTpw"


def test_a_streamed_answer_is_read_line_by_line_and_values_are_bound() -> None:
    lines = [{"results": [{"series": [{"name": "m", "columns": ["time"], "values": [[n]]}], "partial": n == 1}]} for n in (1, 2)]
    with serving(Server(lambda _: (200, b"\n".join(json.dumps(line).encode() for line in lines) + b"\n"))) as server:
        found = list(server.client().query("db", "SELECT", {"pod": "x' OR 1=1"}))
    assert [series["values"] for series in found] == [[[1]], [[2]]]
    assert server.asked[0].query["params"] == '{"pod":"x\' OR 1=1"}'


def test_an_error_within_an_answer_is_one_and_a_database_that_is_not_there_is_empty() -> None:
    with serving(Server(lambda _: (200, {"results": [{"error": "database not found: db"}]}))) as server:
        assert list(server.client().query("db", "SELECT")) == []
        server.answer = lambda _: (200, {"results": [{"error": "timeout"}]})
        with pytest.raises(RefusedError, match="timeout"):
            list(server.client().query("db", "SELECT"))
        server.answer = lambda _: (200, b"<html>")
        with pytest.raises(BrokenError, match="does not answer as an InfluxDB"):
            list(server.client().query("db", "SELECT"))


def test_a_dead_server_is_left_alone_after_five_failures() -> None:
    guards = Guards(SetClock(), lambda *_: None)
    client = InfluxClient(InfluxSettings("http://127.0.0.1:9"), guards.of("usage-history/influxdb"))
    for _ in range(5):
        with pytest.raises(BrokenError, match="refused"):
            client.write("db", b"m v=1 1\n")
    with pytest.raises(CircuitOpenError):
        client.write("db", b"m v=1 1\n")


def test_what_tells_no_version_is_no_influxdb() -> None:
    with serving(Server(lambda _: (204, ""), version="")) as server, pytest.raises(UnavailableError, match="tells no version"):
        server.client().version()
