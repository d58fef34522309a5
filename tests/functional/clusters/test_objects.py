"""What the demo cluster holds, over HTTP: live and from the last snapshot, by pages, filtered, in part."""

from __future__ import annotations

from typing import Any

import pytest
from functional.client import Client
from functional.clusters.conftest import every

from upid.bootstrap import Services

KINDS = ("nodes", "namespaces", "workloads", "pods", "deployments", "services", "configmaps", "secrets")
NAMESPACED = KINDS[2:]
MODES = [{}, {"live": "true"}]
every_kind = pytest.mark.parametrize("kind", KINDS)
both_modes = pytest.mark.parametrize("mode", MODES, ids=["snapshot", "live"])


def names(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(item.get("namespace", ""), item["name"]) for item in items]


@every_kind
@both_modes
def test_a_list_tells_of_when_it_is(client: Client, observed: str, kind: str, mode: dict[str, str]) -> None:
    page = client.get(f"/clusters/{observed}/{kind}", query=mode).expect(200)

    assert page["source"] == ("live" if mode else "snapshot")
    assert page["items"]
    assert (page["age_seconds"] == 0) == bool(mode)
    assert page["malformed"] == 0
    assert page["observed_at"].endswith("Z")


@every_kind
@both_modes
def test_small_pages_hold_what_one_large_page_holds(client: Client, observed: str, kind: str, mode: dict[str, str]) -> None:
    whole = client.get(f"/clusters/{observed}/{kind}", query={**mode, "limit": 500}).expect(200)

    assert names(every(client, f"/clusters/{observed}/{kind}", limit=4, **mode)) == names(whole["items"])
    assert whole["next_cursor"] is None


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "workloads"])
def test_live_and_snapshot_hold_the_same(client: Client, observed: str, kind: str) -> None:
    seen, live = (every(client, f"/clusters/{observed}/{kind}", limit=500, **mode) for mode in MODES)

    stable = [{key: value for key, value in item.items() if key != "age_seconds"} for item in seen if "pods" not in kind]
    assert stable == [{key: value for key, value in item.items() if key != "age_seconds"} for item in live if "pods" not in kind]
    assert {place[0] for place in names(seen)} == {place[0] for place in names(live)}


def test_live_workloads_are_those_of_the_snapshot_but_for_bare_pods_and_operators(client: Client, observed: str) -> None:
    seen, live = (every(client, f"/clusters/{observed}/workloads", limit=500, **mode) for mode in MODES)

    listed = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"}
    assert {(w["kind"], *names([w])[0]) for w in live} == {(w["kind"], *names([w])[0]) for w in seen if w["kind"] in listed}


@pytest.mark.parametrize("kind", NAMESPACED)
@both_modes
def test_a_namespace_and_a_selector_leave_what_matches(client: Client, observed: str, kind: str, mode: dict[str, str]) -> None:
    path = f"/clusters/{observed}/{kind}"

    part = every(client, path, namespace="shop", **mode)
    assert part
    assert {item["namespace"] for item in part} == {"shop"}
    named = every(client, path, selector="app.kubernetes.io/name=api,app.kubernetes.io/part-of in (shop, payments)", **mode)
    assert {item["labels"]["app.kubernetes.io/name"] for item in named} == {"api"}
    assert {item["namespace"] for item in named} == {"shop", "payments"}
    assert every(client, path, namespace="nowhere", **mode) == []


@every_kind
@both_modes
def test_fields_leave_the_others_out(client: Client, observed: str, kind: str, mode: dict[str, str]) -> None:
    page = client.get(f"/clusters/{observed}/{kind}", query={**mode, "fields": "uid, labels"}).expect(200)

    wanted = {"name", "uid", "labels"} | ({"namespace"} if kind in NAMESPACED else set())
    assert all(item.keys() == wanted for item in page["items"])


@both_modes
def test_pods_tell_their_state_and_what_they_ask_for(client: Client, observed: str, mode: dict[str, str]) -> None:
    pods = every(client, f"/clusters/{observed}/pods", **mode)

    running = [pod for pod in pods if pod["phase"] == "Running"]
    assert all(pod["node"] and pod["ready_containers"] == pod["containers"] > 0 and pod["age_seconds"] >= 0 for pod in running)
    assert {pod["owner"]["kind"] for pod in pods if pod["owner"]} >= {"ReplicaSet", "StatefulSet", "DaemonSet"}
    assert any(pod["cpu_request_cores"] for pod in pods)


@both_modes
def test_no_value_of_a_secret_or_configmap_is_answered(client: Client, services: Services, observed: str, mode: dict[str, str]) -> None:
    secrets = client.get(f"/clusters/{observed}/secrets", query=mode)
    configs = client.get(f"/clusters/{observed}/configmaps", query=mode)

    for item in secrets.json["items"]:
        # "demo-username-of-<name>" and "demo-password-of-<name>", of <name>-credentials.
        assert (item["type"], item["keys"], item["size_bytes"]) == ("Opaque", 2, 2 * (17 + len(item["name"]) - len("-credentials")))
    assert {key["name"] for item in configs.json["items"] for key in item["keys"]} == {"LOG_LEVEL", "application.yaml"}
    stored = b"".join(path.read_bytes() for path in services.settings.home.rglob("*") if path.is_file())
    for text in (b"ZGVtby1wYXNzd29yZC", b"demo-password", b"log: info"):
        assert text not in stored + secrets.raw.body + configs.raw.body


@every_kind
def test_before_the_first_collection_only_live_answers(client: Client, registered: str, kind: str) -> None:
    assert client.get(f"/clusters/{registered}/{kind}").problem(409, "not-observed")["id"] == registered
    assert client.get(f"/clusters/{registered}/{kind}", query={"live": "true"}).expect(200)["items"]


@every_kind
def test_a_caller_needs_the_permission_and_the_cluster(client: Client, observed: str, kind: str) -> None:
    path = f"/clusters/{observed}/{kind}"

    client.anonymous().get(path).problem(401, "unauthenticated")
    client.as_user("metrics:read").get(path).problem(403, "forbidden")
    assert client.as_user("clusters:read").get(path).expect(200)["items"]
    client.get(f"/clusters/cl_nobodys/{kind}").problem(404, "not-found")
    client.get(f"/clusters/cl_nobodys/{kind}", query={"live": "true"}).problem(404, "not-found")


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"limit": 0}, "?limit"),
        ({"limit": 501}, "?limit"),
        ({"limit": "many"}, "?limit"),
        ({"live": "perhaps"}, "?live"),
        ({"selector": "a in b"}, "?selector"),
        ({"selector": "a in b", "live": "true"}, "?selector"),
        ({"fields": "name,values"}, "?fields"),
        ({"cursor": "***"}, "?cursor"),
        ({"cursor": "bGl2ZTox"}, "?cursor"),  # live:1, of the other mode
        ({"cursor": "c2VlbjphL2I", "live": "true"}, "?cursor"),  # seen:a/b
        ({"namespace": "../../nodes"}, "?namespace"),
        ({"namespace": "Shop"}, "?namespace"),
        ({"color": "red"}, "?color"),
    ],
)
@pytest.mark.parametrize("kind", ["pods", "workloads"])
def test_a_query_that_cannot_be_right_is_422_with_a_pointer(
    client: Client, observed: str, kind: str, query: dict[str, Any], wrong: str
) -> None:
    problem = client.get(f"/clusters/{observed}/{kind}", query=query).problem(422, "invalid-request")

    assert [fault["pointer"] for fault in problem["errors"]] == [wrong]


@pytest.mark.parametrize("token", ["live:99:x", "live:x", "live:-1:"])
def test_a_cursor_that_nobody_made_is_422(client: Client, observed: str, token: str) -> None:
    from upid.http.paging import encode_cursor

    answer = client.get(f"/clusters/{observed}/workloads", query={"live": "true", "cursor": encode_cursor(token)})

    assert answer.problem(422, "invalid-request")["errors"][0]["pointer"] == "?cursor"
