"""Requests that Schemathesis makes from the OpenAPI document: no answer is a 500, and each is one that the document has, in status, type and schema.

UPID_GENERATED_EXAMPLES=100 makes more of them for each operation, the same ones every time.
"""

from __future__ import annotations

import contextlib
import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import pytest
import requests
import schemathesis
from functional.client import PASSWORD, Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from worlds.analysis import SHOP, analyze
from worlds.collection import FakeCluster, FakeWorkflows, SetClock, World, inventory

from upid.bootstrap import build_services
from upid.domain.errors import UnavailableError
from upid.runtime.gateway import Gateway
from upid.runtime.proxy_event import HttpRequest
from upid.runtime.template import Template

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "openapi.json"
CHECKS: Final = [status_code_conformance, content_type_conformance, response_schema_conformance, response_headers_conformance]
HOW: Final[dict[str, Any]] = {
    "derandomize": True, "deadline": None, "database": None, "phases": (Phase.explicit, Phase.generate), "suppress_health_check": list(HealthCheck),
}  # fmt: skip
EXAMPLES: Final = int(os.environ.get("UPID_GENERATED_EXAMPLES", "10"))
INPUTS: Final = ("values", "points", "series", "selection", "start", "x", "y")
SERIES: Final[tuple[list[float | None], ...]] = (
    [0.0] * 60, [float(i % 24) for i in range(100)], [(-1.0) ** i * 10.0 ** (i * 7 % 200 - 100) for i in range(60)], [1.0, 2.0], [5.0, None] * 40,
)  # fmt: skip
ENDS: Final = {"deleteCluster", "replaceCluster"}  # they would end the cluster that all others ask about
RAW: Final = orjson.loads(DOCUMENT.read_bytes())
OPERATIONS: Final = {
    each.ok().definition.raw["operationId"]: each.ok() for each in schemathesis.openapi.from_dict(orjson.loads(DOCUMENT.read_bytes())).get_all_operations()
}  # fmt: skip


def _properties(operation: Any) -> set[str]:
    """Return the members of an operation's body."""
    content = operation.definition.raw.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    return set(RAW["components"]["schemas"].get(reference.rpartition("/")[2], {}).get("properties", {}))


class Silent:
    """Outside systems that do not answer to who asks them now."""

    def __getattr__(self, name: str) -> Any:
        return self._asked

    def _asked(self, *_: Any, **__: Any) -> Any:
        raise UnavailableError("It does not answer.")

    def open(self, _access: object) -> Silent:
        return self


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, dict[str, str]]]:
    """A client of a platform that has one of everything, and the ids of that."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"UPID_HOME": str(tmp_path_factory.mktemp("home")), "UPID_SCHEDULES": "off", "UPID_WORKERS": "1"}.items():
            patch.setenv(name, value)
        build_services.cache_clear()
        services = build_services()
        cluster, clock, workflows = FakeCluster(inventory(*SHOP)), SetClock(), FakeWorkflows()
        for name, port in {
            "clock": clock, "kubernetes": cluster, "metrics_sources": cluster, "workflows": workflows, "live_kubernetes": Silent(),
            "live_metrics_sources": Silent(),
        }.items():  # fmt: skip
            setattr(services, name, port)
        services.identity.ensure_admin(PASSWORD)
        world = World(services, clock, cluster, workflows)
        client = Client(Gateway(Template.load()), services).named("admin")
        yield client, _made(world, client)
        build_services.cache_clear()


def _made(world: World, client: Client) -> dict[str, str]:
    """Make one of everything, and return its ids by the names that the document has for them."""
    cluster_id = world.register()
    collection_id = world.collect(cluster_id)["id"]
    analysis_id = analyze(world, cluster_id)["id"]
    entry = client.get(f"/optimization/recommendations/{cluster_id}").expect(200)["items"][0]
    prediction = client.post("/forecasting/predict", {"values": SERIES[1], "step_seconds": 3600}).expect(200)
    preset = {"name": "Mine", "algorithm": "forecast", "parameters": {}}
    rule = {"name": "Mine", "category": "availability", "when": "true", "then": {"kind": "tag", "tag": "mine"}}
    return {
        "cluster_id": cluster_id, "collection_id": collection_id, "analysis_id": analysis_id, "recommendation_id": entry["id"], "id": entry["id"],
        "rule_id": client.post("/rules", rule).expect(201)["id"], "algorithm_id": client.post("/algorithms", preset).expect(201)["id"],
        "prediction_id": prediction["id"], "collector_id": client.get("/metrics/collectors").expect(200)["items"][0]["id"],
        "workload": entry["name"], "namespace": entry["namespace"],
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(OPERATIONS, key=lambda name: name.startswith("delete")))  # what they end, others ask about
def test_every_answer_is_one_of_the_document(name: str, known: tuple[Client, dict[str, str]]) -> None:
    client, ids = known
    operation = OPERATIONS[name]
    seen: dict[int, int] = {}

    def hold(case: Any) -> None:
        # Two of three are about what is there: of ids that nobody has, there is little to say.
        if name not in ENDS and sum(seen.values()) % 3:
            _aim(case, ids, sum(seen.values()))
        request = requests.Request(**case.as_transport_kwargs(base_url="http://upid.test")).prepare()
        answer = _sent(client, request)
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        case.validate_response(answer, checks=CHECKS)

    for mode, examples in ((GenerationMode.POSITIVE, EXAMPLES), (GenerationMode.NEGATIVE, EXAMPLES // 2)):
        with contextlib.suppress(Unsatisfiable):  # there may be no wrong request
            settings(max_examples=examples, **HOW)(given(case=operation.as_strategy(mode))(hold))()

    assert seen
    assert not {500, 401} & (set(seen) - ({401} if name == "login" else set()))


def _aim(case: Any, ids: dict[str, str], turn: int) -> None:
    """Let a request be about what is there, and its series be one of SERIES, with all else as it was generated."""
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            place |= {name: value for name, value in ids.items() if name in place}
    if isinstance(case.body, dict) and "values" in _properties(case.operation):
        for name in INPUTS:
            case.body.pop(name, None)
        case.body["values"] = SERIES[turn % len(SERIES)]


def _sent(client: Client, request: requests.PreparedRequest) -> Response:
    parts = urlsplit(request.url or "")
    headers = {k.lower(): str(v) for k, v in request.headers.items()} | {"host": "upid.test", "authorization": f"Bearer {client.token}"}
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    answer = client.gateway.answer(
        HttpRequest(
            method=request.method or "GET",
            path=parts.path,
            query=parts.query,
            headers=tuple(headers.items()),
            body=body,
            id="generated",
            time=client.services.clock.now(),
        )
    )
    told: dict[str, list[str]] = {}
    for header, value in answer.headers:
        told.setdefault(header.lower(), []).append(value)
    content = gzip.decompress(answer.body) if answer.header("content-encoding") == "gzip" else answer.body
    return Response(answer.status, told, content, request, 0.0, verify=False)
