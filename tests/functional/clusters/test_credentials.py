"""Credentials of a cluster, from its registration to its end: nowhere to be read, and gone when they are changed or deleted."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from functional.client import Answer, Client
from outside.serving import Reply, Request, serving

from functions.clusters.schemas import ClusterIn
from upid.bootstrap import Services

TOKEN, BEARER, HEADER = "a-tökenlike-s3cret-0001".encode().hex(), "bearer-of-metrics-0002", "tenant-header-0003"
SECRETS = (TOKEN, BEARER, HEADER)


@pytest.fixture
def outside() -> Iterator[str]:
    """An API server that repeats the credentials in its refusal, as some proxies do, and a metrics source that is none."""

    def refuse(request: Request) -> Reply:
        return Reply({"message": f"not for {request.path}"}, 401)

    with serving(refuse) as url:
        yield url


def told(url: str, token: str = TOKEN, **changed: Any) -> dict[str, Any]:
    source = {"kind": "prometheus", "url": url, "bearer_token": BEARER, "headers": {"X-Scope-OrgID": HEADER}}
    return {"name": "vault", "server": url, "token": token, "metrics": source, **changed}


def walk(client: Client, cluster_id: str) -> Iterator[Answer]:
    """Ask for everything that the group and its collections have to say of a cluster."""
    for path in ("", "/health", "/status", "/metrics", "/nodes", "/pods", "/secrets"):
        for query in ({}, {"live": "true"}):
            yield client.get(f"/clusters/{cluster_id}{path}", query=query if path else None)
    yield client.post(f"/clusters/{cluster_id}/validate")
    started = client.post("/metrics/collect", {"cluster_id": cluster_id})
    yield started
    with pytest.raises(Exception, match="not accept these credentials"):
        client.services.collecting.plan("default", started.json["id"])
    yield client.get(f"/metrics/collect/{started.json['id']}")
    yield client.get("/clusters")


def spellings(secret: str) -> list[bytes]:
    """Return a secret as it is, and as it is written in other places."""
    return [secret.encode(), base64.b64encode(secret.encode()), secret.encode().hex().encode(), quote(secret).encode()]


def stored(services: Services) -> bytes:
    """Return every byte below the data folder: the database with its log, and the blobs."""
    return b"".join(path.read_bytes() for path in sorted(services.settings.home.rglob("*")) if path.is_file())


def test_a_credential_is_in_no_answer_log_event_record_or_blob(
    client: Client, services: Services, outside: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = {"Idempotency-Key": "once"}
    registered = client.post("/clusters", told(outside), headers=key)
    cluster_id = registered.expect(201)["id"]
    answers = [registered, *walk(client, cluster_id), client.post("/clusters", told(outside), headers=key)]
    answers.append(client.put(f"/clusters/{cluster_id}", told(outside, name="vault 2")))
    answers.append(client.post(f"/clusters/{cluster_id}/rotate-key"))
    answers.append(client.post("/clusters", told(outside, name="vault 2", unknown=TOKEN)))
    answers.append(client.post("/clusters", told(f"{outside}/?token={TOKEN}", name="vault 3")))

    seen = b"\0".join(answer.raw.body + repr(answer.raw.headers).encode() for answer in answers)
    seen += caplog.text.encode() + stored(services)
    assert len(caplog.records) > 5
    assert [secret for secret in SECRETS for spelling in spellings(secret) if spelling in seen] == []


def test_what_is_to_be_registered_shows_no_secret_where_it_is_printed() -> None:
    basic = {"username": "u", "password": BEARER}
    source = {"kind": "prometheus", "url": "http://p", "headers": {"X-Scope-OrgID": HEADER}}
    bodies = [
        told("http://k"),
        told("http://k", metrics=source | {"basic_auth": basic}),
        {"name": "k", "kubeconfig": TOKEN, "metrics": source},
    ]

    printed = [repr(body) for body in map(ClusterIn.model_validate, bodies)]
    printed += [repr(ClusterIn.model_validate(body).registration()) for body in bodies]

    assert not [text for text in printed for secret in SECRETS if secret in text]


def envelope(services: Services, cluster_id: str) -> str:
    return str(services.cluster_records.get("default", cluster_id).body["sealed"])


@pytest.mark.parametrize("how", ["replaced", "rotated", "deleted"])
def test_a_credential_that_is_changed_or_deleted_leaves_not_even_its_envelope(
    client: Client, services: Services, outside: str, how: str
) -> None:
    cluster_id = client.post("/clusters", told(outside)).expect(201)["id"]
    before = envelope(services, cluster_id)
    assert before.encode() in stored(services)

    if how == "replaced":
        client.put(f"/clusters/{cluster_id}", told(outside, token="another")).expect(200)
    elif how == "rotated":
        client.post(f"/clusters/{cluster_id}/rotate-key").expect(200)
    else:
        client.delete(f"/clusters/{cluster_id}").expect(204)

    left = stored(services)
    assert before.encode() not in left
    assert (cluster_id.encode() in left) is True  # events tell of it still
    if how != "deleted":
        assert envelope(services, cluster_id).encode() in left


def test_keys_are_rotated_while_the_cluster_is_read(client: Client, services: Services, registered: str) -> None:
    sealed = {envelope(services, registered)}
    for _ in range(5):
        client.post(f"/clusters/{registered}/rotate-key").expect(200)
        sealed.add(envelope(services, registered))
        assert client.get(f"/clusters/{registered}/namespaces", query={"live": "true"}).expect(200)["items"]

    assert len(sealed) == 6
