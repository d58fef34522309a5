"""Clusters: registered, shown without credentials, replaced, removed with everything of theirs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from worlds.collection import ALICE, MALLORY, World, registration

from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.errors import InvalidRequestError, NotFoundError, VersionConflictError
from upid.services.clusters import ClusterFilter, ClusterNameTakenError
from upid.services.idempotency import IdempotencyKeyReusedError
from upid.services.own_identity import OwnIdentity, OwnIdentityError

SECRETS = ("t0ken-secret", "bearer-secret", "p4ss", "kube-secret", "header-secret")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.at(tmp_path)


def events(world: World, tenant: str = "default") -> list[str]:
    return [stored.event.type for stored in world.services.events.read(tenant)]


def pointers(error: InvalidRequestError) -> list[str]:
    return [entry["pointer"] for entry in error.members["errors"]]


def test_a_registered_cluster_is_shown_as_it_was_told(world: World) -> None:
    view = world.services.clusters.register(ALICE, registration("production", region="eu", tags={"team": "shop"}))

    assert (view["name"], view["region"], view["tags"], view["version"]) == ("production", "eu", {"team": "shop"}, 1)
    assert view["metrics"]["authentication"] == "bearer"
    assert view["watermark"] is None
    assert world.services.clusters.get(ALICE, view["id"]) == view
    assert events(world) == ["cluster.registered"]


def test_no_credential_is_shown_told_in_events_or_stored_in_the_clear(world: World, tmp_path: Path) -> None:
    metrics = MetricsAccess("http://p", headers=(("X-Key", "header-secret"),), username="u", password="p4ss")
    view = world.services.clusters.register(ALICE, registration(access=ClusterAccess(kubeconfig="kube-secret"), metrics=metrics))
    world.services.clusters.register(ALICE, registration("other"), idempotency_key="k")

    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not [secret for secret in SECRETS if secret.encode() in stored]
    assert not [secret for secret in SECRETS if secret in str(view)]
    assert view["metrics"]["headers"] == ["X-Key"]


def test_the_credentials_come_back_for_the_tasks_that_need_them(world: World) -> None:
    cluster_id = world.register(metrics=MetricsAccess("http://p", headers=(("X-Key", "header-secret"),)))

    access = world.services.cluster_records.access("default", world.services.cluster_records.get("default", cluster_id).body)

    assert access.cluster.token == "t0ken-secret"
    assert access.metrics.headers == (("X-Key", "header-secret"),)
    assert not access.cluster.trusted


@pytest.mark.parametrize(
    ("access", "wrong"),
    [
        (ClusterAccess(), ["#/kubeconfig"]),
        (ClusterAccess(kubeconfig="k", server="https://s", token="t"), ["#/server", "#/token"]),
        (ClusterAccess(server="https://s"), ["#/token"]),
        (ClusterAccess(server="https://s", token="t", context="c"), ["#/context"]),
        (ClusterAccess(kubeconfig="no kubeconfig"), ["#/kubeconfig"]),
    ],
)
def test_anything_but_one_way_of_access_is_refused_with_pointers(world: World, access: ClusterAccess, wrong: list[str]) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        world.services.clusters.register(ALICE, registration(access=access))

    assert pointers(refused.value) == wrong
    assert events(world) == []


def test_a_metrics_url_that_cannot_be_used_is_pointed_to(world: World) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        world.services.clusters.register(ALICE, registration(metrics=MetricsAccess("gopher:/x")))

    assert pointers(refused.value) == ["#/metrics/url"]


def test_two_ways_of_authentication_at_the_source_are_refused(world: World) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        world.services.clusters.register(ALICE, registration(metrics=MetricsAccess("http://p", bearer_token="b", username="u")))

    assert pointers(refused.value) == ["#/metrics/basic_auth"]


def test_a_name_is_taken_once_in_a_tenant_and_free_in_another(world: World) -> None:
    world.register("production")

    with pytest.raises(ClusterNameTakenError):
        world.register("production")
    assert world.register("production", MALLORY)


def test_a_cluster_of_another_tenant_is_not_there(world: World) -> None:
    cluster_id = world.register()

    for act in (world.services.clusters.get, world.services.clusters.delete):
        with pytest.raises(NotFoundError):
            act(MALLORY, cluster_id)
    assert world.services.clusters.list(MALLORY, ClusterFilter()) == ([], None)


def test_the_same_key_and_registration_give_the_first_answer_again(world: World) -> None:
    first = world.services.clusters.register(ALICE, registration(), idempotency_key="k1")
    world.clock.moment += 60
    again = world.services.clusters.register(ALICE, registration(), idempotency_key="k1")

    assert again == first
    assert events(world) == ["cluster.registered"]


def test_a_key_with_another_registration_is_refused(world: World) -> None:
    world.services.clusters.register(ALICE, registration(), idempotency_key="k1")

    with pytest.raises(IdempotencyKeyReusedError):
        world.services.clusters.register(ALICE, registration(region="elsewhere"), idempotency_key="k1")


def test_a_key_is_forgotten_after_a_day_and_belongs_to_its_tenant(world: World) -> None:
    first = world.services.clusters.register(ALICE, registration("a"), idempotency_key="k1")
    assert world.services.clusters.register(MALLORY, registration("b"), idempotency_key="k1")["id"] != first["id"]

    world.clock.moment += 24 * 3600 + 1

    assert world.services.clusters.register(ALICE, registration("c"), idempotency_key="k1")["id"] != first["id"]


def test_lists_page_in_order_of_registration_and_filter(world: World) -> None:
    ids = [world.register(f"c{n}", region="eu" if n % 2 else "us", tags={"n": str(n)}) for n in range(5)]
    listed = world.services.clusters.list

    first, after = listed(ALICE, ClusterFilter(), limit=2)
    second, last = listed(ALICE, ClusterFilter(), after=after, limit=3)
    assert [view["id"] for view in (*first, *second)] == ids
    assert last is None
    assert [view["name"] for view in listed(ALICE, ClusterFilter(region="eu"))[0]] == ["c1", "c3"]
    assert [view["name"] for view in listed(ALICE, ClusterFilter(tag="n=4"))[0]] == ["c4"]
    assert len(listed(ALICE, ClusterFilter(tag="n"))[0]) == 5
    assert listed(ALICE, ClusterFilter(name="c2", tag="x"))[0] == []


def test_a_replaced_cluster_has_a_new_version_name_and_credentials(world: World) -> None:
    cluster_id = world.register("old")

    view = world.services.clusters.replace(
        ALICE, cluster_id, registration("new", access=ClusterAccess(server="https://s2", token="t2")), if_match=1
    )

    assert (view["name"], view["version"], view["server"]) == ("new", 2, "https://s2")
    access = world.services.cluster_records.access("default", world.services.cluster_records.get("default", cluster_id).body)
    assert access.cluster.token == "t2"
    assert events(world)[-1] == "cluster.updated"
    assert world.register("old") != cluster_id


def test_a_version_that_is_not_the_clusters_changes_nothing(world: World) -> None:
    cluster_id = world.register()

    with pytest.raises(VersionConflictError):
        world.services.clusters.replace(ALICE, cluster_id, registration("new"), if_match=2)
    with pytest.raises(VersionConflictError):
        world.services.clusters.delete(ALICE, cluster_id, if_match=2)
    assert world.services.clusters.get(ALICE, cluster_id)["name"] == "production"


def test_a_collection_in_between_is_no_change_of_the_version(world: World) -> None:
    cluster_id = world.register()
    world.start(cluster_id)

    assert world.services.clusters.replace(ALICE, cluster_id, registration(region="eu"), if_match=1)["version"] == 2


def test_a_cluster_cannot_take_anothers_name(world: World) -> None:
    world.register("a")
    other = world.register("b")

    with pytest.raises(ClusterNameTakenError):
        world.services.clusters.replace(ALICE, other, registration("a"))
    assert world.services.clusters.get(ALICE, other)["name"] == "b"


def test_a_deleted_cluster_leaves_neither_record_nor_name_nor_blob(world: World) -> None:
    cluster_id = world.register("a")
    world.services.blobs.put(f"t/default/clusters/{cluster_id}/inventory.json", b"{}")

    world.services.clusters.delete(ALICE, cluster_id)

    with pytest.raises(NotFoundError):
        world.services.clusters.get(ALICE, cluster_id)
    assert list(world.services.blobs.names("t/default/clusters/")) == []
    assert events(world) == ["cluster.registered", "cluster.deleted"]
    assert world.register("a") != cluster_id


def test_deleting_cancels_the_running_collection(world: World) -> None:
    cluster_id = world.register()
    collection_id = world.start(cluster_id)

    world.services.clusters.delete(ALICE, cluster_id)

    assert world.services.collections.view("default", collection_id)["status"] == "cancelled"
    assert world.workflows.executions[collection_id].status == "ABORTED"


def test_a_rotated_key_seals_the_same_credentials_anew(world: World) -> None:
    cluster_id = world.register()
    before = world.services.cluster_records.get("default", cluster_id).body
    world.clock.moment += 60

    view = world.services.clusters.rotate_key(ALICE, cluster_id)

    after = world.services.cluster_records.get("default", cluster_id).body
    assert after["sealed"] != before["sealed"]
    assert world.services.cluster_records.access("default", after) == world.services.cluster_records.access("default", before)
    assert (view["version"], after["sealed_at"] - before["sealed_at"]) == (1, 60)
    assert [entry.event.type for entry in world.services.events.read("default")][-1] == "cluster.key_rotated"


def test_the_schedule_rotates_keys_after_90_days(world: World) -> None:
    cluster_id = world.register()
    sealed = [world.services.cluster_records.get("default", cluster_id).body["sealed"]]
    for days in (89, 1, 1):
        world.clock.moment += days * 86400
        world.services.schedule.start_collections()
        sealed.append(world.services.cluster_records.get("default", cluster_id).body["sealed"])

    assert [old == new for old, new in pairwise(sealed)] == [True, False, True]


EKS = ClusterAccess(eks_name="production", eks_region="eu-central-1", role_arn="arn:aws:iam::123456789012:role/reader")
WORKSPACE = MetricsAccess("https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-1", "amp")


@pytest.mark.parametrize(
    ("told", "way"), [({"access": EKS}, "eks"), ({"metrics": WORKSPACE}, "amp"), ({"access": ClusterAccess(in_cluster=True)}, "in_cluster")]
)
def test_only_tenants_that_the_operator_names_are_the_platform_itself(world: World, told: dict[str, Any], way: str) -> None:
    wanted = registration(**told)
    clusters = world.services.clusters

    with pytest.raises(OwnIdentityError, match=r"UPID_OWN_IDENTITY") as refused:
        clusters.register(MALLORY, wanted)
    assert refused.value.members == {"way": way}
    clusters.register(ALICE, wanted)
    with pytest.raises(OwnIdentityError):
        clusters.replace(MALLORY, clusters.register(MALLORY, registration("own"))["id"], wanted)
    everybody = replace(clusters, clusters=replace(clusters.clusters, own_identity=OwnIdentity(frozenset({"*"}))))
    assert everybody.register(MALLORY, wanted)["name"] == wanted.name


def test_a_tenant_that_is_let_in_no_more_uses_nothing_that_it_registered_before(world: World) -> None:
    records = world.services.cluster_records
    body = records.get("default", world.services.clusters.register(ALICE, registration(access=EKS))["id"]).body
    assert records.access("default", body).cluster.external_id == "upid:default"

    nobody = replace(records, own_identity=OwnIdentity(frozenset()))

    with pytest.raises(OwnIdentityError):
        nobody.access("default", body)
    assert nobody.sealed_access("default", body).cluster == replace(EKS, external_id="upid:default", system=f"{body['id']}/kubernetes")


@pytest.mark.parametrize(
    ("metrics", "authentication", "tenant"),
    [
        (MetricsAccess("http://p", "mimir", tenant="team-a"), "none", "team-a"),
        (MetricsAccess("http://p", "thanos", bearer_token="t0ken-secret"), "bearer", None),
        (MetricsAccess("http://p", "victoriametrics", username="u", password="p4ss"), "basic", None),
        (MetricsAccess("https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-1", "amp"), "sigv4", None),
    ],
)
def test_each_kind_of_source_is_kept_with_its_way_in(world: World, metrics: MetricsAccess, authentication: str, tenant: str | None) -> None:
    view = world.services.clusters.register(ALICE, registration(metrics=metrics))

    stored = world.services.cluster_records.access(ALICE.tenant, world.services.cluster_records.get(ALICE.tenant, view["id"]).body)
    assert (view["metrics"]["kind"], view["metrics"]["authentication"], view["metrics"]["tenant"]) == (metrics.kind, authentication, tenant)
    assert stored.metrics == metrics
    assert stored.metrics.cluster == stored.cluster


@pytest.mark.parametrize(
    ("metrics", "wrong"),
    [
        (MetricsAccess(), ["#/metrics/url"]),
        (MetricsAccess("http://p", "metrics-server", cluster_label="a=b"), ["#/metrics/url", "#/metrics/cluster_label"]),
    ],
)
def test_what_a_kind_of_source_lacks_or_has_too_much_is_pointed_to(world: World, metrics: MetricsAccess, wrong: list[str]) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        world.services.clusters.register(ALICE, registration(metrics=metrics))

    assert pointers(refused.value) == wrong


def test_credentials_are_opened_once_until_they_change(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    records, opened = world.services.cluster_records, list[str]()
    unsealed = type(records.sealer).open

    def counted(self: Any, envelope: bytes, *, context: str) -> bytes:
        opened.append(context)
        return unsealed(self, envelope, context=context)

    monkeypatch.setattr(type(records.sealer), "open", counted)
    cluster_id = world.register()

    def use() -> str:
        return records.access("default", records.get("default", cluster_id).body).cluster.token

    assert [use() for _ in range(3)] == ["t0ken-secret"] * 3
    assert opened == [cluster_id]
    world.services.clusters.replace(ALICE, cluster_id, registration(access=ClusterAccess(server="https://k8s.example", token="another")))
    assert [use() for _ in range(2)] == ["another"] * 2
    world.services.clusters.rotate_key(ALICE, cluster_id)
    assert use() == "another"

    world.clock.moment += 300  # the lifetime
    assert use() == "another"
    assert opened == [cluster_id] * 4  # first, replaced, sealed under the new key, over
