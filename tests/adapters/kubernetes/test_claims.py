"""Which PersistentVolumeClaims a cluster has, and whose they are."""

from __future__ import annotations

from adapters.kubernetes.playing import PODS, STATEFUL_SETS, Api, named, pod, refusal, workload

from upid.domain.inventory import Claim

CLAIMS = "/api/v1/persistentvolumeclaims"
GIB = 2.0**30


def claim(name: str, request: str = "10Gi", capacity: str | None = "16Gi") -> dict[str, object]:
    spec = {"storageClassName": "gp3", "resources": {"requests": {"storage": request}}}
    status = {"phase": "Bound", "capacity": {"storage": capacity}} if capacity else {"phase": "Pending"}
    return named("a", name) | {"spec": spec, "status": status}


def mounting(name: str, owner: tuple[str, str] | None, *volumes: dict[str, object], phase: str = "Running") -> dict[str, object]:
    body = pod("a", name, owner, phase=phase)
    body["spec"]["volumes"] = list(volumes)
    return body


def of(name: str) -> dict[str, object]:
    return {"name": "data", "persistentVolumeClaim": {"claimName": name}}


def test_a_claim_belongs_to_the_workload_whose_pod_mounts_it(api: Api) -> None:
    api.add(STATEFUL_SETS, workload("a", "db"))
    api.add(PODS, mounting("db-0", ("StatefulSet", "db"), of("data-db-0"), {"name": "tmp", "emptyDir": {}}))
    api.add(CLAIMS, claim("data-db-0"), claim("left-over", capacity=None))

    assert api.inventory().claims == (
        Claim("a", "data-db-0", "uid-db", 10 * GIB, 16 * GIB, "gp3", "Bound"),
        Claim("a", "left-over", "", 10 * GIB, None, "gp3", "Pending"),
    )


def test_a_generic_ephemeral_volumes_claim_is_named_after_pod_and_volume(api: Api) -> None:
    api.add(PODS, mounting("shell", None, {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {}}}))
    assert [(found.name, found.workload_uid) for found in api.inventory().claims] == [("shell-scratch", "uid-shell")]


def test_claims_that_may_not_be_listed_are_known_by_the_pods_that_mount_them(api: Api) -> None:
    api.add(PODS, mounting("shell", None, of("home")))
    api.always[CLAIMS] = refusal(403)

    inventory = api.inventory()

    assert inventory.claims == (Claim("a", "home", "uid-shell"),)
    assert inventory.unreadable == ()


def test_of_a_running_and_an_ended_pod_the_running_ones_workload_has_the_claim(api: Api) -> None:
    api.add(PODS, mounting("a-import", None, of("home"), phase="Succeeded"), mounting("b-server", None, of("home")))
    assert [found.workload_uid for found in api.inventory().claims] == ["uid-b-server"]


def test_a_claim_that_cannot_be_read_is_named(api: Api) -> None:
    api.add(CLAIMS, claim("odd", request="ten"))
    (found,) = api.inventory().unreadable
    assert found.what == "PersistentVolumeClaim a/odd"
