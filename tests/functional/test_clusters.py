"""Clusters over HTTP, against the real adapters: nothing needs to answer for a cluster to be registered."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from functional.client import Client

from upid.bootstrap import Services

SECRETS = ("s3cret-token", "s3cret-bearer", "s3cret-password", "s3cret-header")


def told(**changed: Any) -> dict[str, Any]:
    """A registration as a client sends it; None takes a field out."""
    body = {
        "name": "production", "server": "https://10.0.0.1:6443", "token": "s3cret-token", "region": "eu-central-1", "tags": {"team": "shop"},
        "metrics": {"kind": "prometheus", "url": "https://prometheus.example/p", "bearer_token": "s3cret-bearer", "cluster_label": 'cluster="a"'},
    } | changed  # fmt: skip
    return {name: value for name, value in body.items() if value is not None}


def kubeconfig(user: dict[str, Any], cluster: dict[str, Any] | None = None) -> str:
    return yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": "prod",
        "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1:6443"} | (cluster or {})}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
    })  # fmt: skip


def by_kubeconfig(text: str, **changed: Any) -> dict[str, Any]:
    return told(server=None, token=None, kubeconfig=text, **changed)


def pointers(problem: dict[str, Any]) -> list[str]:
    return [fault["pointer"] for fault in problem["errors"]]


def test_a_registered_cluster_is_201_with_location_and_etag(client: Client) -> None:
    answer = client.post("/clusters", told())

    body = answer.expect(201)
    assert answer.header("location") == f"/api/v1/clusters/{body['id']}"
    assert answer.header("etag") == '"1"'
    read = client.get(f"/clusters/{body['id']}")
    assert (read.expect(200), read.header("etag")) == (body, '"1"')
    assert (body["name"], body["server"], body["context"], body["version"]) == ("production", "https://10.0.0.1:6443", "10.0.0.1:6443", 1)


def test_a_kubeconfig_with_inline_data_is_taken_and_its_context_shown(client: Client) -> None:
    body = client.post("/clusters", by_kubeconfig(kubeconfig({"token": "s3cret-token"}))).expect(201)

    assert (body["context"], body["server"]) == ("prod", "")


def test_no_answer_holds_a_credential(client: Client) -> None:
    source = {
        "kind": "prometheus",
        "url": "https://p",
        "basic_auth": {"username": "u", "password": "s3cret-password"},
        "headers": {"X-Key": "s3cret-header"},
    }
    created = client.post("/clusters", told(metrics=source))
    cluster_id = created.expect(201)["id"]
    answers = [
        created,
        client.get(f"/clusters/{cluster_id}"),
        client.get("/clusters"),
        client.put(f"/clusters/{cluster_id}", told(metrics=source)),
    ]

    assert not [secret for answer in answers for secret in SECRETS if secret.encode() in answer.raw.body]
    assert answers[1].json["metrics"]["authentication"] == "basic"
    assert answers[1].json["metrics"]["headers"] == ["X-Key"]


@pytest.mark.parametrize(
    ("user", "cluster", "wrong"),
    [
        ({"exec": {"command": "/bin/sh", "apiVersion": "client.authentication.k8s.io/v1"}}, None, "#/kubeconfig/users/0/user/exec"),
        ({"auth-provider": {"name": "gcp"}}, None, "#/kubeconfig/users/0/user/auth-provider"),
        ({"tokenFile": "/etc/shadow"}, None, "#/kubeconfig/users/0/user/tokenFile"),
        ({"client-key": "/etc/key"}, None, "#/kubeconfig/users/0/user/client-key"),
        ({"token": "t"}, {"certificate-authority": "/etc/ca"}, "#/kubeconfig/clusters/0/cluster/certificate-authority"),
    ],
)
def test_a_kubeconfig_with_programs_or_paths_is_refused_with_a_pointer(client: Client, user: Any, cluster: Any, wrong: str) -> None:
    problem = client.post("/clusters", by_kubeconfig(kubeconfig(user, cluster))).problem(422, "invalid-request")

    assert pointers(problem) == [wrong]
    assert client.get("/clusters").expect(200)["items"] == []


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (told(server=None, token=None), ["#/kubeconfig"]),
        (told(kubeconfig=kubeconfig({"token": "t"})), ["#/server", "#/token"]),
        (told(token=None), ["#/token"]),
        (told(server="ftp://x"), ["#/server"]),
        (told(certificate_authority="no pem"), ["#/certificate_authority"]),
        (by_kubeconfig("{no yaml"), ["#/kubeconfig"]),
        (by_kubeconfig(kubeconfig({"token": "t"}), context="other"), ["#/context"]),
        (told(name=""), ["#/name"]),
        (told(name=" padded "), ["#/name"]),
        (told(name="n" * 254), ["#/name"]),
        (told(name="two\nlines"), ["#/name"]),
        (told(name="null\x00"), ["#/name"]),
        (told(server="https://admin:s3cret@10.0.0.1"), ["#/server"]),
        (told(metrics={"kind": "prometheus", "url": "https://admin:s3cret@p"}), ["#/metrics/url"]),
        (told(metrics={"kind": "prometheus", "url": "https://p?token=s3cret"}), ["#/metrics/url"]),
        (told(metrics={"kind": "prometheus", "url": "not a url"}), ["#/metrics/url"]),
        (told(metrics={"kind": "influx", "url": "https://p"}), ["#/metrics/kind"]),
        (told(metrics={"kind": "prometheus", "url": "https://p", "secret": 1}), ["#/metrics/secret"]),
        (told(tags={"a=b": "c"}), ["#/tags/a=b"]),
        (told(unknown=1), ["#/unknown"]),
        ({}, ["#/name", "#/metrics"]),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_422_with_pointers(client: Client, body: dict[str, Any], wrong: list[str]) -> None:
    assert pointers(client.post("/clusters", body).problem(422, "invalid-request")) == wrong


def test_no_problem_repeats_a_credential(client: Client) -> None:
    answer = client.post(
        "/clusters", told(token=["s3cret-token"], metrics={"kind": "prometheus", "url": "", "bearer_token": {"s3cret-bearer": 1}})
    )

    answer.problem(422, "invalid-request")
    assert b"s3cret" not in answer.raw.body


def test_a_taken_name_is_409(client: Client) -> None:
    client.post("/clusters", told()).expect(201)

    assert client.post("/clusters", told()).problem(409, "cluster-name-taken")["name"] == "production"


@pytest.mark.parametrize("name", ["数据库-" + "集" * 249, "a/b?c=d&e", "'; DROP TABLE records; --", "😀"])
def test_any_name_of_253_characters_is_kept_as_it_is(client: Client, name: str) -> None:
    body = client.post("/clusters", told(name=name)).expect(201)

    assert client.get("/clusters", query={"name": name}).expect(200)["items"] == [body]


def test_sending_twice_with_the_same_key_registers_once(client: Client) -> None:
    first = client.post("/clusters", told(), headers={"Idempotency-Key": "k1"})
    again = client.post("/clusters", told(), headers={"Idempotency-Key": "k1"})

    assert (again.status, again.json, again.header("location")) == (201, first.json, first.header("location"))
    assert len(client.get("/clusters").expect(200)["items"]) == 1
    client.post("/clusters", told(region="us"), headers={"Idempotency-Key": "k1"}).problem(409, "idempotency-key-reused")


def test_lists_go_by_pages_and_filter(client: Client) -> None:
    ids = [client.post("/clusters", told(name=f"c{n}", region=f"r{n % 2}", tags={"n": str(n)})).expect(201)["id"] for n in range(5)]

    first = client.get("/clusters", query={"limit": 2}).expect(200)
    second = client.get("/clusters", query={"limit": 3, "cursor": first["next_cursor"]}).expect(200)
    assert [item["id"] for item in first["items"] + second["items"]] == ids
    assert second["next_cursor"] is None
    assert [item["name"] for item in client.get("/clusters", query={"region": "r1"}).expect(200)["items"]] == ["c1", "c3"]
    assert [item["name"] for item in client.get("/clusters", query={"tag": "n=3"}).expect(200)["items"]] == ["c3"]


def test_a_put_replaces_and_moves_the_version(client: Client) -> None:
    cluster_id = client.post("/clusters", told()).expect(201)["id"]

    answer = client.put(f"/clusters/{cluster_id}", told(name="renamed", tags=None), headers={"If-Match": '"1"'})

    body = answer.expect(200)
    assert (body["name"], body["tags"], body["version"], answer.header("etag")) == ("renamed", {}, 2, '"2"')


def test_a_version_that_moved_on_is_412(client: Client) -> None:
    cluster_id = client.post("/clusters", told()).expect(201)["id"]
    client.put(f"/clusters/{cluster_id}", told(region="us")).expect(200)

    client.put(f"/clusters/{cluster_id}", told(), headers={"If-Match": '"1"'}).problem(412, "version-conflict")
    client.delete(f"/clusters/{cluster_id}", headers={"If-Match": '"1"'}).problem(412, "version-conflict")
    client.put(f"/clusters/{cluster_id}", told(), headers={"If-Match": "abc"}).problem(422, "invalid-request")
    assert client.get(f"/clusters/{cluster_id}").expect(200)["region"] == "us"


def test_what_a_store_cannot_delete_is_told_in_the_answer(client: Client, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, kept = (str(client.post("/clusters", told(name=name)).expect(201)["id"]) for name in ("gone", "kept"))
    answer = client.delete(f"/clusters/{gone}")
    monkeypatch.setattr(type(services.history), "delete_cluster", lambda *_: "Its samples stay until 2026-12-31.")
    assert (answer.status, answer.header("upid-remains")) == (204, "")
    assert client.delete(f"/clusters/{kept}").header("upid-remains") == "Its samples stay until 2026-12-31."


def test_a_deleted_cluster_is_gone(client: Client) -> None:
    cluster_id = client.post("/clusters", told()).expect(201)["id"]

    answer = client.delete(f"/clusters/{cluster_id}", headers={"If-Match": "*"})

    assert (answer.status, answer.raw.body) == (204, b"")
    for again in (
        client.get(f"/clusters/{cluster_id}"),
        client.delete(f"/clusters/{cluster_id}"),
        client.put(f"/clusters/{cluster_id}", told()),
    ):
        again.problem(404, "not-found")
    client.post("/clusters", told()).expect(201)


def test_reading_needs_less_than_writing(client: Client) -> None:
    cluster_id = client.post("/clusters", told()).expect(201)["id"]
    reader = client.as_user("clusters:read")

    reader.get(f"/clusters/{cluster_id}").expect(200)
    for refused in (
        reader.post("/clusters", told()),
        reader.put(f"/clusters/{cluster_id}", told()),
        reader.delete(f"/clusters/{cluster_id}"),
    ):
        refused.problem(403, "forbidden")


def test_a_key_is_rotated_on_demand(client: Client) -> None:
    cluster_id = client.post("/clusters", told()).expect(201)["id"]

    answer = client.post(f"/clusters/{cluster_id}/rotate-key")

    body = answer.expect(200)
    assert (body["version"], answer.header("etag")) == (1, '"1"')
    assert body["credentials_sealed_at"] >= body["created_at"]
    client.as_user("clusters:read").post(f"/clusters/{cluster_id}/rotate-key").problem(403, "forbidden")
    client.post("/clusters/cl_nobodys/rotate-key").problem(404, "not-found")


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"eks": {"name": "p", "region": "eu-central-1"}, "token": "t"}, ["#/token"]),
        ({"eks": {"name": "p", "region": "eu-central-1"}, "in_cluster": True}, ["#/in_cluster"]),
        ({"eks": {"name": "p", "region": "eu-central-1"}, "context": "c"}, ["#/context"]),
        ({"eks": {"name": "p", "region": "frankfurt"}}, ["#/eks/region"]),
        ({"eks": {"name": "p", "region": "eu-central-1", "role_arn": "admin"}}, ["#/eks/role_arn"]),
        ({"in_cluster": True}, ["#/in_cluster"]),
    ],
)
def test_other_ways_of_access_that_cannot_be_right_are_422(client: Client, changed: dict[str, Any], wrong: list[str]) -> None:
    problem = client.post("/clusters", told(server=None, token=None) | changed).problem(422, "invalid-request")

    assert pointers(problem) == wrong


def test_an_eks_cluster_is_registered_by_its_name(client: Client) -> None:
    body = client.post("/clusters", told(server=None, token=None, eks={"name": "prod-1", "region": "eu-central-1"})).expect(201)

    assert (body["context"], body["server"]) == ("prod-1", "")


@pytest.mark.parametrize(
    ("metrics", "shown"),
    [
        ({"kind": "mimir", "url": "https://mimir/prometheus", "tenant": "team-a"}, {"tenant": "team-a", "authentication": "none"}),
        ({"kind": "amp", "url": "https://aps-workspaces.us-west-2.amazonaws.com/workspaces/ws-1"}, {"authentication": "sigv4"}),
        ({"kind": "metrics-server"}, {"authentication": "cluster", "url": ""}),
    ],
)
def test_sources_of_every_kind_are_registered(client: Client, metrics: dict[str, Any], shown: dict[str, Any]) -> None:
    body = client.post("/clusters", told(metrics=metrics)).expect(201)

    assert body["metrics"]["kind"] == metrics["kind"]
    assert {name: body["metrics"][name] for name in shown} == shown


@pytest.mark.parametrize(
    ("metrics", "pointer"),
    [
        ({"kind": "thanos"}, "#/metrics/url"), ({"kind": "metrics-server", "url": "http://x"}, "#/metrics/url"),
        ({"kind": "amp", "url": "https://example.com"}, "#/metrics/url"), ({"kind": "graphite", "url": "http://x"}, "#/metrics/kind"),
        ({"kind": "prometheus", "url": "http://x", "tenant": "a"}, "#/metrics/tenant"),
        ({"kind": "prometheus", "url": "https://x", "certificate_authority": "/etc/ca.pem"}, "#/metrics/certificate_authority"),
        ({"kind": "metrics-server", "certificate_authority": "x"}, "#/metrics/certificate_authority"),
    ],
)  # fmt: skip
def test_a_source_that_cannot_be_used_is_pointed_to(client: Client, metrics: dict[str, Any], pointer: str) -> None:
    assert pointers(client.post("/clusters", told(metrics=metrics)).expect(422)) == [pointer]
