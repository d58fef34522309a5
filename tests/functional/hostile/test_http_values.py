"""Hostile values in every field of every body: never a 5xx, and the pointer says which field."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from functional.client import Answer, Client

ID = "cl_01HZZZZZZZZZZZZZZZZZZZZZZZ"
RECOMMENDATION = "rec_01HZZZZZZZZZZZZZZZZZZZZZZZ00000000"
CLUSTER: dict[str, Any] = {
    "name": "c", "server": "https://127.0.0.1:1", "token": "t", "certificate_authority": "", "context": "", "region": "r", "tags": {"a": "b"},
    "metrics": {"kind": "prometheus", "url": "http://127.0.0.1:1", "headers": {"X-A": "b"}, "bearer_token": "t", "cluster_label": 'a="b"'},
}  # fmt: skip
ANALYZE: dict[str, Any] = {"cluster_id": ID, "namespaces": ["shop"], "strategy": "balanced", "allowed_time_above": 0.01}
WORKLOADS = {"workloads": [{"namespace": "shop", "kind": "Deployment", "name": "api"}]}
BODIES: dict[str, dict[str, Any]] = {
    "POST /auth/login": {"username": "a", "password": "b"},
    "POST /auth/validate": {"token": "t"},
    "POST /clusters": CLUSTER,
    "PUT /clusters/" + ID: CLUSTER,
    "POST /metrics/collect": {"cluster_id": ID, "history": "7d", "step_seconds": 300},
    "POST /optimization/analyze": ANALYZE,
    "POST /optimization/analyze/batch": {"requests": [ANALYZE]},
    "POST /optimization/deep-analysis": ANALYZE | WORKLOADS | {"compare": [0.01]},
    "POST /optimization/recommendations/generate": ANALYZE | WORKLOADS,
    "POST /optimization/recommendations/bulk-generate": {"cluster_ids": [ID], "strategy": "balanced", "allowed_time_above": 0.01},
    f"PUT /optimization/recommendations/{RECOMMENDATION}/status": {"review": "approved", "comment": "c"},
    f"POST /optimization/recommendations/{RECOMMENDATION}/simulate": dict.fromkeys(
        ("cpu_request_cores", "cpu_limit_cores", "memory_request_bytes", "memory_limit_bytes"), 1.0
    ),
}  # fmt: skip
TOGETHER = {"server", "token", "certificate_authority"}  # what is wrong with these may be told at the field that they exclude
DEEP: list[Any] = []
for _ in range(100):
    DEEP = [DEEP]
VALUES: dict[str, Any] = {
    "null": None, "true": True, "list": [], "map": {}, "empty": "", "zero": 0, "negative": -1, "huge": 1e308, "beyond 64 bits": 2**63, "fraction": 0.5,
    "NUL": "a\x00b", "line break": "a\r\nb: c", "direction": "\u202ea", "long": "x" * 300_000, "deep": DEEP, "list of maps": [{}], "list of null": [None],
    "map of maps": {"a": {"b": {}}}, "traversal": "../../etc/passwd", "odd key": {"\x00": "a", "": "b"},
}  # fmt: skip


def sent(client: Client, place: str, body: Any) -> Answer:
    method, path = place.split(" ")
    return client.send(method, path, body=orjson.dumps(body))


def with_value(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return the document with another value at the path."""
    if not path:
        return value
    changed = list(body) if isinstance(body, list) else dict(body)
    changed[path[0]] = with_value(body[path[0]], path[1:], value)
    return changed


def paths_of(body: Any) -> list[tuple[Any, ...]]:
    """Return the path of every value within a document, those of maps and lists too."""
    inside = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    return [found for key, value in inside for found in [(key,), *((key, *rest) for rest in paths_of(value))]]


@pytest.mark.parametrize("place", BODIES)
def test_no_value_of_any_field_is_more_than_a_problem(client: Client, place: str) -> None:
    for path in paths_of(BODIES[place]):
        for name, value in VALUES.items():
            answer = sent(client, place, with_value(BODIES[place], path, value))
            told = (place, path, name, answer.raw.body[:500])
            assert answer.status < 500, told
            if answer.status == 422:
                assert any(error["pointer"].startswith(f"#/{path[0]}") for error in answer.json["errors"]) or path[0] in TOGETHER, told
            if answer.status >= 400:
                assert answer.header("content-type") == "application/problem+json", told
                assert b"Traceback" not in answer.raw.body, told


@pytest.mark.parametrize("place", BODIES)
def test_an_unknown_field_at_any_depth_is_refused_with_its_place(client: Client, place: str) -> None:
    maps = [
        path
        for path in [(), *paths_of(BODIES[place])]
        if isinstance(at(BODIES[place], path), dict) and path[-1:] not in {("tags",), ("headers",)}
    ]
    for path in maps:
        answer = sent(client, place, with_value(BODIES[place], path, {**at(BODIES[place], path), "tenant": "other"}))
        pointers = {error["pointer"] for error in answer.problem(422, "invalid-request")["errors"]}
        assert f"#/{'/'.join(map(str, (*path, 'tenant')))}" in pointers


def at(body: Any, path: tuple[Any, ...]) -> Any:
    """Return the value at a path of a document."""
    return at(body[path[0]], path[1:]) if path else body
