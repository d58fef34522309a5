"""Routes of clusters."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Query

from functions.clusters.schemas import ClusterIn, ClusterOut
from upid.domain.errors import NotFoundError, VersionConflictError
from upid.http.answers import created, no_content, version_of, versioned
from upid.http.api import PREFIX, Router
from upid.http.paging import Cursor, Limit, Page
from upid.http.params import CurrentCaller, Injected
from upid.services.clusters import ClusterFilter, ClusterNameTakenError
from upid.services.idempotency import IdempotencyKeyReusedError
from upid.services.own_identity import OwnIdentityError

router = Router("/clusters", tag="Cluster Registration")

IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", max_length=255, description="Sent again within a day with the same body: the same answer.")
]
IfMatch = Annotated[
    str | None, Header(alias="If-Match", max_length=64, description="The ETag that was read: 412 where the cluster changed since.")
]


@router.post("", permission="clusters:write", status=201, errors=(ClusterNameTakenError, IdempotencyKeyReusedError, OwnIdentityError))
def register_cluster(
    body: ClusterIn, services: Injected, caller: CurrentCaller, idempotency_key: IdempotencyKey = ""
) -> Response[ClusterOut]:
    """Register a cluster and where its metrics are.

    The access is checked for its form, not tried out: a cluster that cannot be reached yet can be registered. Credentials are stored encrypted and
    never shown again. A kubeconfig may hold inline data only.
    """
    cluster = ClusterOut.of(services.clusters.register(caller, body.registration(), idempotency_key=idempotency_key))
    return created(cluster, location=f"{PREFIX}/clusters/{cluster.id}", version=cluster.version)


@router.get("", permission="clusters:read")
def list_clusters(  # noqa: PLR0917 the router passes them by name
    services: Injected,
    caller: CurrentCaller,
    name: Annotated[str, Query(max_length=253, description="Only the cluster of this name.")] = "",
    region: Annotated[str, Query(max_length=128, description="Only clusters of this region.")] = "",
    tag: Annotated[str, Query(max_length=400, description="Only clusters with this tag: `key`, or `key=value`.")] = "",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[ClusterOut]:
    """List the clusters in the order of their registration."""
    views, after = services.clusters.list(caller, ClusterFilter(name, region, tag), after=cursor, limit=limit)
    return Page.of(views, after, ClusterOut.of)


@router.get("/<cluster_id>", permission="clusters:read", errors=(NotFoundError,))
def get_cluster(cluster_id: str, services: Injected, caller: CurrentCaller) -> Response[ClusterOut]:
    """Return a cluster, with its version as ETag."""
    cluster = ClusterOut.of(services.clusters.get(caller, cluster_id))
    return versioned(cluster, cluster.version)


@router.put(
    "/<cluster_id>", permission="clusters:write", errors=(NotFoundError, OwnIdentityError, ClusterNameTakenError, VersionConflictError)
)
def replace_cluster(
    cluster_id: str, body: ClusterIn, services: Injected, caller: CurrentCaller, if_match: IfMatch = None
) -> Response[ClusterOut]:
    """Replace what was told of a cluster, credentials included; what was collected from it stays."""
    cluster = ClusterOut.of(services.clusters.replace(caller, cluster_id, body.registration(), if_match=version_of(if_match)))
    return versioned(cluster, cluster.version)


@router.delete("/<cluster_id>", permission="clusters:write", status=204, errors=(NotFoundError, VersionConflictError))
def delete_cluster(cluster_id: str, services: Injected, caller: CurrentCaller, if_match: IfMatch = None) -> Response[None]:
    """Remove a cluster with its credentials, usage history and profiles; its running collection is cancelled.

    Where the store of usage history deletes nothing less than a tenant, the header `Upid-Remains` says what stays and until when.
    """
    return no_content(remains=services.clusters.delete(caller, cluster_id, if_match=version_of(if_match)))


@router.post("/<cluster_id>/rotate-key", permission="clusters:write", errors=(NotFoundError,))
def rotate_cluster_key(cluster_id: str, services: Injected, caller: CurrentCaller) -> Response[ClusterOut]:
    """Seal a cluster's credentials under a new data key.

    It happens by itself after 90 days. Nothing stops for it, and the credentials stay the same: to change them, replace the cluster.
    """
    cluster = ClusterOut.of(services.clusters.rotate_key(caller, cluster_id))
    return versioned(cluster, cluster.version)
