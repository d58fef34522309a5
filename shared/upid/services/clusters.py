"""Clusters: registered with their credentials, shown without, replaced, and removed with everything that was collected from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.errors import ConflictError, InvalidRequestError, VersionConflictError
from upid.domain.events import Event
from upid.domain.identity import Caller
from upid.domain.times import format_time
from upid.ports.blobs import Blobs
from upid.ports.clock import Clock, Ids
from upid.ports.kubernetes import KubernetesClients
from upid.ports.metrics_source import MetricsSources
from upid.ports.records import Delete, Put, Record, Records, Write
from upid.ports.usage_history import UsageHistory
from upid.services.cluster_records import ATTEMPTS, Access, ClusterRecords, blob_prefix, cluster_key, name_key, registry_key
from upid.services.cluster_views import cluster_view, public_metrics
from upid.services.idempotency import IdempotencyKeys

KEY_SECONDS: Final = 90 * 86400.0  # life of a data key
OPERATION: Final = "register-cluster"
NO_CONTEXT: Final = "A context names a part of a kubeconfig; there is none."
BY_CLUSTER: Final = "metrics-server is reached through the cluster's own API server: it has none of this."
PLAIN_URL: Final = "A URL is shown to whoever may read the cluster: no user, password, query or fragment in it."


class ClusterNameTakenError(ConflictError):
    """Another cluster of the tenant has this name."""

    title = "Cluster name taken"


@dataclass(frozen=True, slots=True)
class Registration:
    """What a client says of a cluster. Credentials are in `access` and `metrics` alone."""

    name: str
    access: ClusterAccess
    metrics: MetricsAccess
    region: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClusterFilter:
    """Which clusters a list has; "" = any. `tag` is a key, or `key=value`."""

    name: str = ""
    region: str = ""
    tag: str = ""

    def matches(self, body: Mapping[str, Any]) -> bool:
        """Tell whether a cluster's record is asked for."""
        key, equals, value = self.tag.partition("=")
        tags: Mapping[str, str] = body["tags"]
        tagged = not self.tag or (key in tags and (not equals or tags[key] == value))
        return tagged and self.name in {"", body["name"]} and self.region in {"", body["region"]}


@dataclass(frozen=True, slots=True)
class ClustersService:
    """Registers clusters. A connection that does not work yet is no reason to refuse one; access that can't be used is."""

    records: Records
    clusters: ClusterRecords
    blobs: Blobs
    history: UsageHistory
    kubernetes: KubernetesClients
    metrics_sources: MetricsSources
    keys: IdempotencyKeys
    clock: Clock
    ids: Ids
    cancel_collection: Callable[[str, str, str], None]
    forget_analyses: Callable[[str, str], None]
    forget_connections: Callable[[str, str], None]
    scrub: Callable[[], None]

    def register(self, caller: Caller, registration: Registration, *, idempotency_key: str = "") -> dict[str, Any]:
        """Register a cluster and return its view; the same idempotency key and registration within a day return the first answer.

        Raises InvalidRequestError (pointers) for access that can't be used, OwnIdentityError for one that the tenant may not use,
        ClusterNameTakenError, IdempotencyKeyReusedError.
        """
        request = asdict(registration)
        answered = self.keys.replay(caller.tenant, OPERATION, idempotency_key, request)
        if answered is not None:
            return answered
        context = self._context(caller, registration)
        body = self._new_body(registration, context)
        remembered = self.keys.remember(caller.tenant, OPERATION, idempotency_key, request, cluster_view(body))
        writes = [
            Put(cluster_key(caller.tenant, body["id"]), body, expect=0),
            Put(name_key(caller.tenant, registration.name), {"cluster_id": body["id"]}, expect=0),
            Put(registry_key(body["id"]), {"tenant": caller.tenant, "deleted": False}, expect=0),
        ]
        try:
            self.records.transact([*writes, *remembered], [self._event(caller, "cluster.registered", body)])
        except VersionConflictError:
            # Either the name is taken, or the same request came twice at once and the other one was faster.
            answered = self.keys.replay(caller.tenant, OPERATION, idempotency_key, request)
            if answered is not None:
                return answered
            raise _name_taken(registration.name) from None
        return cluster_view(body)

    def list(
        self, caller: Caller, wanted: ClusterFilter, *, after: str | None = None, limit: int = 100
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return views of the tenant's clusters in the order of their registration, and the id to go on after (None = no more)."""
        views: list[dict[str, Any]] = []
        while True:
            page = self.records.query(f"t#{caller.tenant}#clusters", after=after, limit=100)
            for record in page.items:
                if wanted.matches(record.body):
                    if len(views) == limit:
                        return views, views[-1]["id"]
                    views.append(cluster_view(record.body))
            after = page.after
            if after is None:
                return views, None

    def get(self, caller: Caller, cluster_id: str) -> dict[str, Any]:
        """Return a cluster's view; NotFoundError where the tenant has none of this id."""
        return cluster_view(self.clusters.get(caller.tenant, cluster_id).body)

    def replace(self, caller: Caller, cluster_id: str, registration: Registration, *, if_match: int | None = None) -> dict[str, Any]:
        """Replace what a client says of a cluster, credentials included; what was collected stays.

        Raises NotFoundError, InvalidRequestError, OwnIdentityError, ClusterNameTakenError, and VersionConflictError where `if_match` is not the cluster's version.
        """
        context = self._context(caller, registration)
        for _ in range(ATTEMPTS):
            found = self._matching(caller.tenant, cluster_id, if_match)
            body = {**found.body, **self._told(cluster_id, registration, context), "revision": found.body["revision"] + 1}
            writes: list[Write] = [Put(found.key, body, expect=found.version)]
            if registration.name != found.body["name"]:
                writes.append(Put(name_key(caller.tenant, registration.name), {"cluster_id": cluster_id}, expect=0))
                writes.append(Delete(name_key(caller.tenant, found.body["name"])))
            try:
                self.records.transact(writes, [self._event(caller, "cluster.updated", body)])
            except VersionConflictError:
                self._hold_name(caller.tenant, cluster_id, registration.name)
                continue
            self.forget_connections(caller.tenant, cluster_id)
            self.scrub()
            return cluster_view(body)
        raise VersionConflictError(f"Cluster {cluster_id} changes too often to be written.", id=cluster_id)

    def delete(self, caller: Caller, cluster_id: str, *, if_match: int | None = None) -> str:
        """Remove a cluster, its sealed credentials, its blobs and its history, and cancel its collection; NotFoundError, VersionConflictError as for `replace`.

        Returns what stays of its history and until when, "" = nothing.

        The registry's entry goes last: where the process dies in between, the next `purge_deleted` goes on.
        """
        for _ in range(ATTEMPTS):
            found = self._matching(caller.tenant, cluster_id, if_match)
            writes: list[Write] = [
                Delete(found.key, expect=found.version),
                Delete(name_key(caller.tenant, found.body["name"])),
                Put(
                    registry_key(cluster_id), {"tenant": caller.tenant, "deleted": True, "collection_id": found.body["last_collection_id"]}
                ),
            ]
            try:
                self.records.transact(writes, [self._event(caller, "cluster.deleted", found.body)])
            except VersionConflictError:
                continue
            return self.purge(caller.tenant, cluster_id, found.body["last_collection_id"])
        raise VersionConflictError(f"Cluster {cluster_id} changes too often to be removed.", id=cluster_id)

    def rotate_key(self, caller: Caller, cluster_id: str) -> dict[str, Any]:
        """Seal a cluster's credentials anew under a new data key and return its view; NotFoundError. Who reads them meanwhile reads the old or the new."""
        found = self.clusters.get(caller.tenant, cluster_id).body
        told = [self._event(caller, "cluster.key_rotated", found)]
        view = cluster_view(self.clusters.change(caller.tenant, cluster_id, partial(self._sealed_anew, caller.tenant), events=told))
        self.scrub()
        return view

    def rotate_due_key(self, caller: Caller, cluster_id: str) -> bool:
        """Rotate a cluster's data key where it is older than 90 days, and return whether it was."""
        sealed_at = self.clusters.get(caller.tenant, cluster_id).body.get("sealed_at", 0.0)
        due = self.clock.now() - sealed_at >= KEY_SECONDS
        if due:
            self.rotate_key(caller, cluster_id)
        return bool(due)

    def purge(self, tenant: str, cluster_id: str, collection_id: str | None) -> str:
        """Remove what a deleted cluster left, and return what stays as `delete` does; doing it twice changes nothing."""
        if collection_id:
            self.cancel_collection(tenant, collection_id, f"Cluster {cluster_id} was deleted.")
        self.forget_connections(tenant, cluster_id)
        self.forget_analyses(tenant, cluster_id)
        self.blobs.delete_all(blob_prefix(tenant, cluster_id))
        remains = self.history.delete_cluster(tenant, cluster_id)
        self.records.delete(registry_key(cluster_id))
        self.scrub()
        return remains

    def _matching(self, tenant: str, cluster_id: str, if_match: int | None) -> Record:
        found = self.clusters.get(tenant, cluster_id)
        if if_match is not None and if_match != found.body["revision"]:
            raise VersionConflictError(
                f"Cluster {cluster_id} is at version {found.body['revision']}.", id=cluster_id, version=found.body["revision"]
            )
        return found

    def _hold_name(self, tenant: str, cluster_id: str, name: str) -> None:
        holder = self.records.get(name_key(tenant, name))
        if holder is not None and holder.body["cluster_id"] != cluster_id:
            raise _name_taken(name)

    def _context(self, caller: Caller, registration: Registration) -> str:
        faults = access_faults(registration)
        if faults:
            raise InvalidRequestError(faults)
        self.clusters.own_identity.hold(caller.tenant, registration.access, registration.metrics)
        context = self.kubernetes.open(registration.access).context
        try:
            self.metrics_sources.open(registration.metrics)
        except InvalidRequestError as error:
            raise _under("#/metrics", error) from None
        return context

    def _told(self, cluster_id: str, registration: Registration, context: str) -> dict[str, Any]:
        return {
            "name": registration.name, "context": context, "server": registration.access.server, "region": registration.region,
            "tags": dict(registration.tags), "metrics": public_metrics(registration.metrics), "updated_at": format_time(self.clock.now()),
            "sealed": self.clusters.seal(cluster_id, Access(registration.access, registration.metrics)), "sealed_at": self.clock.now(),
        }  # fmt: skip

    def _sealed_anew(self, tenant: str, body: dict[str, Any]) -> dict[str, Any]:
        return body | {"sealed": self.clusters.seal(body["id"], self.clusters.sealed_access(tenant, body)), "sealed_at": self.clock.now()}

    def _new_body(self, registration: Registration, context: str) -> dict[str, Any]:
        cluster_id = self.ids.new("cluster")
        return {
            "id": cluster_id, "created_at": format_time(self.clock.now()), "revision": 1, "shards": None, "watermark": None, "history_seconds": None,
            "step_seconds": None, "last_collection_id": None, "latest_analysis_id": None, "stalled": {"count": 0, "by": None}, "gaps": [], "pending": [],
        } | self._told(cluster_id, registration, context)  # fmt: skip

    def _event(self, caller: Caller, kind: str, body: Mapping[str, Any]) -> Event:
        data = {"name": body["name"], "region": body["region"], "tags": dict(body["tags"])}
        return Event(self.ids.new("event"), kind, caller.tenant, body["id"], self.clock.now(), data, caller.user_id)


def access_faults(registration: Registration) -> list[dict[str, str]]:
    """Return what is wrong with the ways of access as they were given: exactly one is wanted. Empty = nothing."""
    access, metrics = registration.access, registration.metrics
    faults = _ways(access)
    if metrics.bearer_token and (metrics.username or metrics.password):
        faults.append(_fault("#/metrics/basic_auth", "Give either bearer_token or basic_auth, not both."))
    return [*faults, *_source_faults(metrics)] + [
        _fault(at, PLAIN_URL) for at, url in (("#/server", access.server), ("#/metrics/url", metrics.url)) if not _is_plain(url)
    ]


def _source_faults(metrics: MetricsAccess) -> list[dict[str, str]]:
    if metrics.kind == "metrics-server":
        given = {"url": metrics.url, "headers": metrics.headers, "bearer_token": metrics.bearer_token, "basic_auth": metrics.username, "cluster_label": metrics.cluster_label, "certificate_authority": metrics.certificate_authority}  # fmt: skip
        return [_fault(f"#/metrics/{name}", BY_CLUSTER) for name, value in given.items() if value]
    return [] if metrics.url else [_fault("#/metrics/url", "This kind of source needs a URL.")]


def _ways(access: ClusterAccess) -> list[dict[str, str]]:
    """Return what is wrong with the ways of access: one too many, none, or one that lacks a part."""
    fields = {"server": access.server, "certificate_authority": access.certificate_authority, "token": access.token}
    given = {"kubeconfig": access.kubeconfig is not None, "eks": bool(access.eks_name), "in_cluster": access.in_cluster}
    chosen = [name for name, is_given in given.items() if is_given]
    if chosen:
        others = [*chosen[1:], *(name for name, value in fields.items() if value)]
        faults = [_fault(f"#/{name}", f"Give either {chosen[0]}, or server with token, not both.") for name in others]
        return faults + ([_fault("#/context", NO_CONTEXT)] if access.context and chosen[0] != "kubeconfig" else [])
    if not access.server:
        return [_fault("#/kubeconfig", "Give either kubeconfig, eks, in_cluster, or server with certificate_authority and token.")]
    faults = [_fault("#/token", "A server needs a token.")] if not access.token else []
    return faults + ([_fault("#/context", NO_CONTEXT)] if access.context else [])


def _is_plain(url: str) -> bool:
    """Tell whether a URL holds nothing that must not be shown. One that is none at all is for the client that opens it to refuse."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return True
    return "@" not in parts.netloc and not parts.query and not parts.fragment


def _fault(pointer: str, detail: str) -> dict[str, str]:
    return {"pointer": pointer, "detail": detail}


def _under(prefix: str, error: InvalidRequestError) -> InvalidRequestError:
    """Return the error with its pointers below the part of the client's document that was refused."""
    listed = error.members["errors"]
    errors = [
        {**entry, "pointer": prefix + entry["pointer"].removeprefix(prefix).removeprefix("#")}
        for entry in (listed if isinstance(listed, list) else [])
    ]
    return InvalidRequestError(errors, error.detail)


def _name_taken(name: str) -> ClusterNameTakenError:
    return ClusterNameTakenError(f"There is a cluster named {name} already.", name=name)
